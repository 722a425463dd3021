//! What a module may import: the functions of the embedded ABI, and those of WASI that it may have.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use anyplug_core::{Instant, LogLevel};
use wasmtime::{Caller, Engine, Extern, Linker, Memory};

use crate::data::Data;
use crate::wasi;

/// The module that the imports come from.
pub(crate) const MODULE: &str = "anyplug";

/// The functions, by name, with their types.
pub(crate) const TYPES: [(&str, &str); 5] = [
    ("send", "(i32, i32)"),
    ("clock", "(i32) -> f64"),
    ("random", "(i32, i32)"),
    ("log", "(i32, i32, i32)"),
    ("checkpoint", "()"),
];

/// The type of what a module may import under that name, if there is that.
pub(crate) fn type_of(module: &str, name: &str, has_files: bool) -> Option<&'static str> {
    match module {
        MODULE => TYPES.iter().find(|(known, _)| *known == name).map(|(_, of)| *of),
        wasi::MODULE => wasi::type_of(name, has_files),
        _ => None,
    }
}

/// The functions that a module may import.
///
/// # Errors
/// As the engine's.
pub(crate) fn linker(engine: &Engine, has_files: bool) -> wasmtime::Result<Linker<Data>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap(MODULE, "send", |mut caller: Caller<'_, Data>, at: u32, length: u32| {
        let memory = memory(&mut caller)?;
        let (bytes, data) = memory.data_and_store_mut(&mut caller);
        let range = range("send", at, length, bytes.len())?;
        data.queue(length as usize)?;
        data.sent.extend_from_slice(&bytes[range]);
        Ok(())
    })?;
    linker.func_wrap(MODULE, "clock", |which: i32| match which {
        0 => Instant::now().saturating_since(Instant::default()).as_secs_f64() * 1e3,
        _ => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e3,
    })?;
    linker.func_wrap(MODULE, "random", |mut caller: Caller<'_, Data>, at: u32, length: u32| {
        fill(&mut caller, "random", at, length)
    })?;
    linker.func_wrap(MODULE, "log", |mut caller: Caller<'_, Data>, level: u32, at: u32, length: u32| {
        let memory = memory(&mut caller)?;
        let (bytes, data) = memory.data_and_store_mut(&mut caller);
        let range = range("log", at, length, bytes.len())?;
        data.queue(range.len().max(64))?;
        let name = data.name().to_owned();
        data.log(level_of(level), &name, String::from_utf8_lossy(&bytes[range]).into_owned());
        Ok(())
    })?;
    // The engine looks at the time by itself.
    linker.func_wrap(MODULE, "checkpoint", || {})?;
    wasi::link(&mut linker, has_files)?;
    Ok(linker)
}

/// `anyplug.wire.v1.LogLevel`, by its numbers.
fn level_of(number: u32) -> LogLevel {
    match number {
        1 => LogLevel::Trace,
        2 => LogLevel::Debug,
        4 => LogLevel::Warn,
        5 => LogLevel::Error,
        _ => LogLevel::Info,
    }
}

/// Fills a range of the guest's memory with random bytes.
///
/// # Errors
/// When it is not within its memory.
pub(crate) fn fill(caller: &mut Caller<'_, Data>, what: &str, at: u32, length: u32) -> wasmtime::Result<()> {
    let memory = memory(caller)?;
    let bytes = memory.data_mut(caller);
    let range = range(what, at, length, bytes.len())?;
    getrandom::fill(&mut bytes[range]).map_err(|error| wasmtime::Error::msg(format!("{what}: {error}")))
}

/// The memory of the guest that calls.
///
/// # Errors
/// When it has none.
pub(crate) fn memory(caller: &mut Caller<'_, Data>) -> wasmtime::Result<Memory> {
    if let Some(memory) = caller.data().memory {
        return Ok(memory);
    }
    // It is in its start function.
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => Err(wasmtime::Error::msg("it has no memory")),
    }
}

/// The range of a guest's memory that it named.
///
/// # Errors
/// When that is not all within its memory.
pub(crate) fn range(what: &str, at: u32, length: u32, bytes: usize) -> wasmtime::Result<Range<usize>> {
    let (start, length) = (at as usize, length as usize);
    match start.checked_add(length).filter(|end| *end <= bytes) {
        Some(end) => Ok(start..end),
        None => Err(wasmtime::Error::msg(format!(
            "{what}: {length} bytes at {start} are not within its memory of {bytes} bytes"
        ))),
    }
}
