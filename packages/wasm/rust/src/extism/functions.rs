//! The functions that an Extism plugin imports.

use anyplug_core::{Error, LogLevel};
use wasmtime::{Caller, Linker};

use crate::data::Data;

/// The module that they are imported from.
pub(crate) const MODULE: &str = "extism:host/env";
/// The module of the host's own functions.
pub(crate) const USER: &str = "extism:host/user";

/// What there is, by name, with its type.
pub(crate) const TYPES: [(&str, &str); 27] = [
    ("alloc", "(i64) -> i64"),
    ("config_get", "(i64) -> i64"),
    ("error_get", "() -> i64"),
    ("error_set", "(i64)"),
    ("free", "(i64)"),
    ("get_log_level", "() -> i32"),
    ("http_headers", "() -> i64"),
    ("http_request", "(i64, i64) -> i64"),
    ("http_status_code", "() -> i32"),
    ("input_length", "() -> i64"),
    ("input_load_u64", "(i64) -> i64"),
    ("input_load_u8", "(i64) -> i32"),
    ("input_offset", "() -> i64"),
    ("length", "(i64) -> i64"),
    ("length_unsafe", "(i64) -> i64"),
    ("load_u64", "(i64) -> i64"),
    ("load_u8", "(i64) -> i32"),
    ("log_debug", "(i64)"),
    ("log_error", "(i64)"),
    ("log_info", "(i64)"),
    ("log_trace", "(i64)"),
    ("log_warn", "(i64)"),
    ("output_set", "(i64, i64)"),
    ("store_u64", "(i64, i64)"),
    ("store_u8", "(i64, i32)"),
    ("var_get", "(i64) -> i64"),
    ("var_set", "(i64, i64)"),
];

/// What a function of the host's own may be.
pub(crate) const USER_TYPES: [&str; 4] = ["(i64) -> i64", "(i64)", "() -> i64", "()"];

/// Adds the functions to what a module may import.
///
/// # Errors
/// As the engine's.
pub(crate) fn link(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    link_memory(linker)?;
    link_input(linker)?;
    link_state(linker)?;
    link_log(linker)?;
    linker.func_wrap(MODULE, "http_request", |mut caller: Caller<'_, Data>, request: u64, body: u64| {
        crate::extism::http::request(caller.data_mut(), request, body)
    })?;
    linker.func_wrap(MODULE, "http_status_code", |caller: Caller<'_, Data>| {
        u32::from(caller.data().kernel.http.status)
    })?;
    linker.func_wrap(MODULE, "http_headers", |mut caller: Caller<'_, Data>| {
        let data = caller.data_mut();
        match data.kernel.http.headers() {
            Some(headers) => give(data, headers),
            None => Ok(0),
        }
    })?;
    Ok(())
}

fn link_memory(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "alloc", |mut caller: Caller<'_, Data>, length: u64| {
        let data = caller.data_mut();
        let limit = data.limits.max_memory_bytes;
        let at = data.kernel.blocks.alloc(length, limit);
        if at == 0 && length > 0 {
            data.exhausted = Some(no_room(length, limit));
        }
        at
    })?;
    linker
        .func_wrap(MODULE, "free", |mut caller: Caller<'_, Data>, at: u64| caller.data_mut().kernel.blocks.free(at))?;
    for name in ["length", "length_unsafe"] {
        linker.func_wrap(MODULE, name, |caller: Caller<'_, Data>, at: u64| {
            caller.data().kernel.blocks.get(at).map_or(0, |block| block.len() as u64)
        })?;
    }
    linker.func_wrap(MODULE, "load_u8", |mut caller: Caller<'_, Data>, at: u64| {
        load::<1>(caller.data_mut(), "load_u8", at).map(|[byte]| u32::from(byte))
    })?;
    linker.func_wrap(MODULE, "load_u64", |mut caller: Caller<'_, Data>, at: u64| {
        load(caller.data_mut(), "load_u64", at).map(u64::from_le_bytes)
    })?;
    linker.func_wrap(MODULE, "store_u8", |mut caller: Caller<'_, Data>, at: u64, value: u32| {
        store(caller.data_mut(), "store_u8", at, [value as u8])
    })?;
    linker.func_wrap(MODULE, "store_u64", |mut caller: Caller<'_, Data>, at: u64, value: u64| {
        store(caller.data_mut(), "store_u64", at, value.to_le_bytes())
    })?;
    Ok(())
}

fn link_input(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "input_length", |caller: Caller<'_, Data>| caller.data().kernel.input_bytes)?;
    linker.func_wrap(MODULE, "input_offset", |caller: Caller<'_, Data>| caller.data().kernel.input)?;
    linker.func_wrap(MODULE, "input_load_u8", |mut caller: Caller<'_, Data>, at: u64| {
        input::<1>(caller.data_mut(), "input_load_u8", at).map(|[byte]| u32::from(byte))
    })?;
    linker.func_wrap(MODULE, "input_load_u64", |mut caller: Caller<'_, Data>, at: u64| {
        input(caller.data_mut(), "input_load_u64", at).map(u64::from_le_bytes)
    })?;
    linker.func_wrap(MODULE, "output_set", |mut caller: Caller<'_, Data>, at: u64, length: u64| {
        let data = caller.data_mut();
        if data.kernel.set_output(at, length) { Ok(()) } else { Err(outside(data, "output_set", at, length)) }
    })?;
    linker.func_wrap(MODULE, "error_set", |mut caller: Caller<'_, Data>, at: u64| {
        let data = caller.data_mut();
        if data.kernel.set_error(at) { Ok(()) } else { Err(no_block(data, "error_set", at)) }
    })?;
    linker.func_wrap(MODULE, "error_get", |caller: Caller<'_, Data>| caller.data().kernel.error)?;
    Ok(())
}

fn link_state(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "config_get", |mut caller: Caller<'_, Data>, key: u64| {
        let data = caller.data_mut();
        check(data, "config_get", key)?;
        let value = str::from_utf8(data.kernel.blocks.text(key)).ok().and_then(|key| data.kernel.terms.config.get(key));
        match value.map(|value| value.as_bytes().to_vec()) {
            Some(value) => give(data, value),
            None => Ok(0),
        }
    })?;
    linker.func_wrap(MODULE, "var_get", |mut caller: Caller<'_, Data>, key: u64| {
        let data = caller.data_mut();
        check(data, "var_get", key)?;
        match data.kernel.var(data.kernel.blocks.text(key)).map(<[u8]>::to_vec) {
            Some(value) => give(data, value),
            None => Ok(0),
        }
    })?;
    linker.func_wrap(MODULE, "var_set", |mut caller: Caller<'_, Data>, key: u64, value: u64| {
        let data = caller.data_mut();
        check(data, "var_set", key)?;
        let key = data.kernel.blocks.text(key).to_vec();
        if value == 0 {
            data.kernel.remove_var(&key);
            return Ok(());
        }
        check(data, "var_set", value)?;
        let value = data.kernel.blocks.text(value).to_vec();
        data.kernel.set_var(key, value).map_err(|bytes| {
            let (name, limit) = (data.name(), data.kernel.terms.max_var_bytes);
            let message = format!(
                "plugin \"{name}\" wants to keep {bytes} bytes of variables, over the limit of {limit}; raise max_var_bytes"
            );
            fail(data, Error::resource_exhausted(message))
        })
    })?;
    Ok(())
}

fn link_log(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    let levels = [
        ("log_trace", LogLevel::Trace),
        ("log_debug", LogLevel::Debug),
        ("log_info", LogLevel::Info),
        ("log_warn", LogLevel::Warn),
        ("log_error", LogLevel::Error),
    ];
    for (name, level) in levels {
        linker.func_wrap(MODULE, name, move |mut caller: Caller<'_, Data>, at: u64| {
            let data = caller.data_mut();
            check(data, name, at)?;
            let message = String::from_utf8_lossy(data.kernel.blocks.text(at)).into_owned();
            data.queue(message.len().max(64))?;
            let plugin = data.name().to_owned();
            data.log(level, &plugin, message);
            Ok(())
        })?;
    }
    // All levels, or, where nobody takes the log, none.
    linker.func_wrap(MODULE, "get_log_level", |caller: Caller<'_, Data>| {
        if caller.data().kernel.terms.on_log.is_some() { 0 } else { i32::MAX }
    })?;
    Ok(())
}

/// Adds a function of the host's own.
///
/// # Errors
/// As the engine's.
pub(crate) fn link_user(linker: &mut Linker<Data>, name: &str, of: &str) -> wasmtime::Result<()> {
    let own = name.to_owned();
    let run = move |caller: &mut Caller<'_, Data>, input: u64| {
        let data = caller.data_mut();
        check(data, &own, input)?;
        let called = match data.kernel.terms.functions.get(&own) {
            Some(function) => function(data.kernel.blocks.text(input)),
            None => Err(Error::internal(format!("there is no function {own:?}"))),
        };
        called.map_err(|error| fail(data, error))
    };
    match of {
        "(i64) -> i64" => linker.func_wrap(USER, name, move |mut caller: Caller<'_, Data>, input: u64| {
            let output = run(&mut caller, input)?;
            give(caller.data_mut(), output)
        }),
        "(i64)" => linker
            .func_wrap(USER, name, move |mut caller: Caller<'_, Data>, input: u64| run(&mut caller, input).map(drop)),
        "() -> i64" => linker.func_wrap(USER, name, move |mut caller: Caller<'_, Data>| {
            let output = run(&mut caller, 0)?;
            give(caller.data_mut(), output)
        }),
        _ => linker.func_wrap(USER, name, move |mut caller: Caller<'_, Data>| run(&mut caller, 0).map(drop)),
    }?;
    Ok(())
}

fn load<const N: usize>(data: &mut Data, what: &str, at: u64) -> wasmtime::Result<[u8; N]> {
    match data.kernel.blocks.range(at, N as u64).and_then(|bytes| bytes.try_into().ok()) {
        Some(bytes) => Ok(bytes),
        None => Err(outside(data, what, at, N as u64)),
    }
}

fn store<const N: usize>(data: &mut Data, what: &str, at: u64, value: [u8; N]) -> wasmtime::Result<()> {
    match data.kernel.blocks.range_mut(at, N as u64) {
        Some(bytes) => bytes.copy_from_slice(&value),
        None => return Err(outside(data, what, at, N as u64)),
    }
    Ok(())
}

fn input<const N: usize>(data: &mut Data, what: &str, at: u64) -> wasmtime::Result<[u8; N]> {
    let (begin, bytes) = (data.kernel.input, data.kernel.input_bytes);
    let found = begin.checked_add(at).filter(|_| at < bytes).and_then(|from| data.kernel.blocks.range(from, N as u64));
    match found.and_then(|bytes| bytes.try_into().ok()) {
        Some(bytes) => Ok(bytes),
        None => Err(broke(data, &format!("{what} was given {N} bytes at {at}, and the input has {bytes}"))),
    }
}

/// Sees to it that there is a block that begins there; 0 is an empty one.
///
/// # Errors
/// When there is none.
pub(crate) fn check(data: &mut Data, what: &str, at: u64) -> wasmtime::Result<()> {
    if at == 0 || data.kernel.blocks.get(at).is_some() { Ok(()) } else { Err(no_block(data, what, at)) }
}

/// Makes a block of what the plugin is given.
///
/// # Errors
/// When there is no room for it.
pub(crate) fn give(data: &mut Data, bytes: Vec<u8>) -> wasmtime::Result<u64> {
    let limit = data.limits.max_memory_bytes;
    if !data.kernel.blocks.has_room(bytes.len() as u64, limit) {
        data.exhausted = Some(no_room(bytes.len() as u64, limit));
        return Err(wasmtime::Error::msg("there is no room"));
    }
    Ok(data.kernel.blocks.put(bytes))
}

fn no_room(length: u64, limit: u64) -> String {
    format!("it wants {length} bytes more of its host's memory, and may have {limit}; raise wasm.max_memory_bytes")
}

/// Ends the guest with this error.
pub(crate) fn fail(data: &mut Data, error: Error) -> wasmtime::Error {
    data.failure = Some(error);
    wasmtime::Error::msg("it failed")
}

fn outside(data: &mut Data, what: &str, at: u64, length: u64) -> wasmtime::Error {
    broke(data, &format!("{what} was given {length} bytes at {at}, which it has not allocated"))
}

fn no_block(data: &mut Data, what: &str, at: u64) -> wasmtime::Error {
    broke(data, &format!("{what} was given {at}, which is no block"))
}

fn broke(data: &mut Data, what: &str) -> wasmtime::Error {
    // What it does wrong once it was refused memory follows from that.
    if data.exhausted.is_none() {
        data.failure = Some(Error::internal(format!("plugin \"{}\" broke the Extism ABI: {what}", data.name())));
    }
    wasmtime::Error::msg(what.to_owned())
}
