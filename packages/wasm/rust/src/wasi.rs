//! What a guest gets that was built for WASI: clocks, random bytes, and standard output and error as lines of the log. There are no arguments, no environment and no network.
//! The numbers are those of preview 1: <https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md>.

use std::time::{SystemTime, UNIX_EPOCH};

use anyplug_core::{Error, Instant, LogLevel};
use wasmtime::{Caller, Linker};

use crate::data::Data;
use crate::imports::{fill, memory, range};

/// The module that the functions are imported from.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// What there is, by name, with its type.
pub(crate) const TYPES: [(&str, &str); 16] = [
    ("args_get", "(i32, i32) -> i32"),
    ("args_sizes_get", "(i32, i32) -> i32"),
    ("clock_res_get", "(i32, i32) -> i32"),
    ("clock_time_get", "(i32, i64, i32) -> i32"),
    ("environ_get", "(i32, i32) -> i32"),
    ("environ_sizes_get", "(i32, i32) -> i32"),
    ("fd_close", "(i32) -> i32"),
    ("fd_fdstat_get", "(i32, i32) -> i32"),
    ("fd_prestat_dir_name", "(i32, i32, i32) -> i32"),
    ("fd_prestat_get", "(i32, i32) -> i32"),
    ("fd_read", "(i32, i32, i32, i32) -> i32"),
    ("fd_seek", "(i32, i64, i32, i32) -> i32"),
    ("fd_write", "(i32, i32, i32, i32) -> i32"),
    ("proc_exit", "(i32)"),
    ("random_get", "(i32, i32) -> i32"),
    ("sched_yield", "() -> i32"),
];

const OK: u32 = 0;
const BAD_DESCRIPTOR: u32 = 8;
const INVALID: u32 = 28;
const NO_SEEK: u32 = 70;
const CHARACTER_DEVICE: u8 = 2;
/// Nanoseconds of a tick of the clocks.
const RESOLUTION: u64 = 1_000_000;
/// Ranges that are written at once, at most.
const MAX_VECTORS: u32 = 1024;
/// What is kept of a line until it ends, in bytes.
const MAX_LINE_BYTES: usize = 8192;

/// What was written and has not come to the end of its line: standard output, standard error.
#[derive(Debug, Default)]
pub(crate) struct Lines([Vec<u8>; 2]);

/// Adds the functions to what a module may import.
///
/// # Errors
/// As the engine's.
pub(crate) fn link(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    link_nothing(linker)?;
    link_clocks(linker)?;
    linker.func_wrap(
        MODULE,
        "fd_write",
        |mut caller: Caller<'_, Data>, fd: u32, vectors: u32, count: u32, at: u32| {
            write(&mut caller, fd, vectors, count, at)
        },
    )?;
    linker.func_wrap(MODULE, "fd_fdstat_get", |mut caller: Caller<'_, Data>, fd: u32, at: u32| {
        if fd > 2 {
            return Ok(BAD_DESCRIPTOR);
        }
        let mut stat = [0; 24];
        stat[0] = CHARACTER_DEVICE;
        put(&mut caller, "fd_fdstat_get", at, &stat)
    })?;
    linker.func_wrap(MODULE, "fd_read", |mut caller: Caller<'_, Data>, fd: u32, _: u32, _: u32, at: u32| match fd {
        0 => put(&mut caller, "fd_read", at, &[0; 4]),
        _ => Ok(BAD_DESCRIPTOR),
    })?;
    linker.func_wrap(MODULE, "proc_exit", |mut caller: Caller<'_, Data>, status: u32| {
        let data = caller.data_mut();
        data.failure = Some(Error::internal(format!("plugin \"{}\" exited with status {status}", data.name())));
        Err::<(), _>(wasmtime::Error::msg("it exits"))
    })?;
    Ok(())
}

/// What says that there is nothing.
fn link_nothing(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    for (get, sizes) in [("args_get", "args_sizes_get"), ("environ_get", "environ_sizes_get")] {
        linker.func_wrap(MODULE, get, |_: u32, _: u32| OK)?;
        linker.func_wrap(MODULE, sizes, move |mut caller: Caller<'_, Data>, count: u32, bytes: u32| {
            put(&mut caller, sizes, count, &[0; 4])?;
            put(&mut caller, sizes, bytes, &[0; 4])
        })?;
    }
    linker.func_wrap(MODULE, "fd_close", |fd: u32| if fd > 2 { BAD_DESCRIPTOR } else { OK })?;
    linker.func_wrap(
        MODULE,
        "fd_seek",
        |fd: u32, _: u64, _: u32, _: u32| if fd > 2 { BAD_DESCRIPTOR } else { NO_SEEK },
    )?;
    linker.func_wrap(MODULE, "fd_prestat_get", |_: u32, _: u32| BAD_DESCRIPTOR)?;
    linker.func_wrap(MODULE, "fd_prestat_dir_name", |_: u32, _: u32, _: u32| BAD_DESCRIPTOR)?;
    linker.func_wrap(MODULE, "sched_yield", || OK)?;
    Ok(())
}

fn link_clocks(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "clock_res_get", |mut caller: Caller<'_, Data>, clock: u32, at: u32| {
        if clock > 1 {
            return Ok(INVALID);
        }
        put(&mut caller, "clock_res_get", at, &RESOLUTION.to_le_bytes())
    })?;
    linker.func_wrap(MODULE, "clock_time_get", |mut caller: Caller<'_, Data>, clock: u32, _: u64, at: u32| {
        let time = match clock {
            0 => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            1 => Instant::now().saturating_since(Instant::default()),
            _ => return Ok(INVALID),
        };
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        put(&mut caller, "clock_time_get", at, &nanoseconds.to_le_bytes())
    })?;
    linker.func_wrap(MODULE, "random_get", |mut caller: Caller<'_, Data>, at: u32, length: u32| {
        fill(&mut caller, "random_get", at, length)?;
        Ok(OK)
    })?;
    Ok(())
}

/// Writes into the guest's memory.
fn put(caller: &mut Caller<'_, Data>, what: &str, at: u32, bytes: &[u8]) -> wasmtime::Result<u32> {
    let memory = memory(caller)?;
    let own = memory.data_mut(caller);
    let range = range(what, at, bytes.len() as u32, own.len())?;
    own[range].copy_from_slice(bytes);
    Ok(OK)
}

fn write(caller: &mut Caller<'_, Data>, fd: u32, vectors: u32, count: u32, at: u32) -> wasmtime::Result<u32> {
    if fd != 1 && fd != 2 {
        return Ok(BAD_DESCRIPTOR);
    }
    if count > MAX_VECTORS {
        return Ok(INVALID);
    }
    let memory = memory(caller)?;
    let (own, data) = memory.data_and_store_mut(&mut *caller);
    let vectors = &own[range("fd_write", vectors, count * 8, own.len())?];
    let mut written = 0u32;
    for vector in vectors.chunks_exact(8) {
        let number = |at: usize| vector[at..at + 4].iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
        let (from, length) = (number(0), number(4));
        let bytes = &own[range("fd_write", from, length, own.len())?];
        data.queue(bytes.len())?;
        print(data, fd, bytes)?;
        written = written.wrapping_add(length);
    }
    put(caller, "fd_write", at, &written.to_le_bytes())
}

/// Takes what was written: each line that has come to its end goes to the log.
fn print(data: &mut Data, fd: u32, bytes: &[u8]) -> wasmtime::Result<()> {
    let index = (fd - 1) as usize;
    let (level, logger) = if fd == 1 { (LogLevel::Info, "stdout") } else { (LogLevel::Warn, "stderr") };
    let mut rest = bytes;
    loop {
        let (piece, next) = match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&rest[..end], Some(&rest[end + 1..])),
            None => (rest, None),
        };
        let unfinished = &mut data.lines.0[index];
        unfinished.extend_from_slice(&piece[..piece.len().min(MAX_LINE_BYTES)]);
        if next.is_none() && unfinished.len() <= MAX_LINE_BYTES {
            return Ok(());
        }
        let line = std::mem::take(unfinished);
        data.queue(64)?;
        data.log(level, logger, String::from_utf8_lossy(&line).into_owned());
        match next {
            Some(next) => rest = next,
            None => return Ok(()),
        }
    }
}
