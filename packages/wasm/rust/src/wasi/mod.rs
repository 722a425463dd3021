//! What a guest gets that was built for WASI: clocks, random bytes, and standard output and error as lines of the log. There are no arguments, no environment and no network, and files in folders that were granted.
//! The numbers are those of preview 1: <https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md>.

mod descriptors;
mod errno;
mod folders;
mod paths;
mod streams;
mod times;

use std::time::{SystemTime, UNIX_EPOCH};

use anyplug_core::{Error, Instant};
use wasmtime::{Caller, Linker};

use crate::data::Data;
use crate::imports::{fill, memory, range};
use crate::wasi::errno::{INVALID, OK};
use crate::wasi::folders::Opened;
pub(crate) use crate::wasi::folders::{Grant, open};
use crate::wasi::streams::Lines;

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

/// What there is beside that where folders were granted.
pub(crate) const FILE_TYPES: [(&str, &str); 23] = [
    ("fd_advise", "(i32, i64, i64, i32) -> i32"),
    ("fd_allocate", "(i32, i64, i64) -> i32"),
    ("fd_datasync", "(i32) -> i32"),
    ("fd_fdstat_set_flags", "(i32, i32) -> i32"),
    ("fd_filestat_get", "(i32, i32) -> i32"),
    ("fd_filestat_set_size", "(i32, i64) -> i32"),
    ("fd_filestat_set_times", "(i32, i64, i64, i32) -> i32"),
    ("fd_pread", "(i32, i32, i32, i64, i32) -> i32"),
    ("fd_pwrite", "(i32, i32, i32, i64, i32) -> i32"),
    ("fd_readdir", "(i32, i32, i32, i64, i32) -> i32"),
    ("fd_renumber", "(i32, i32) -> i32"),
    ("fd_sync", "(i32) -> i32"),
    ("fd_tell", "(i32, i32) -> i32"),
    ("path_create_directory", "(i32, i32, i32) -> i32"),
    ("path_filestat_get", "(i32, i32, i32, i32, i32) -> i32"),
    ("path_filestat_set_times", "(i32, i32, i32, i32, i64, i64, i32) -> i32"),
    ("path_link", "(i32, i32, i32, i32, i32, i32, i32) -> i32"),
    ("path_open", "(i32, i32, i32, i32, i32, i64, i64, i32, i32) -> i32"),
    ("path_readlink", "(i32, i32, i32, i32, i32, i32) -> i32"),
    ("path_remove_directory", "(i32, i32, i32) -> i32"),
    ("path_rename", "(i32, i32, i32, i32, i32, i32) -> i32"),
    ("path_symlink", "(i32, i32, i32, i32, i32) -> i32"),
    ("path_unlink_file", "(i32, i32, i32) -> i32"),
];

/// The type of a function, if there is that.
pub(crate) fn type_of(name: &str, has_files: bool) -> Option<&'static str> {
    let files = if has_files { &FILE_TYPES[..] } else { &[] };
    TYPES.iter().chain(files).find(|(known, _)| *known == name).map(|(_, of)| *of)
}

/// Nanoseconds of a tick of the clocks.
const RESOLUTION: u64 = 1_000_000;

/// What one guest has of it.
#[derive(Debug, Default)]
pub(crate) struct Wasi {
    lines: Lines,
    opened: Opened,
}

impl Wasi {
    pub(crate) fn new(grants: &[Grant]) -> Self {
        Self { lines: Lines::default(), opened: Opened::new(grants) }
    }
}

/// Adds the functions to what a module may import; those for files where folders were granted.
///
/// # Errors
/// As the engine's.
pub(crate) fn link(linker: &mut Linker<Data>, has_files: bool) -> wasmtime::Result<()> {
    link_clocks(linker)?;
    descriptors::link(linker)?;
    if has_files {
        descriptors::link_files(linker)?;
        paths::link(linker)?;
    }
    // Arguments and environment: there are none.
    for (get, sizes) in [("args_get", "args_sizes_get"), ("environ_get", "environ_sizes_get")] {
        linker.func_wrap(MODULE, get, |_: u32, _: u32| OK)?;
        linker.func_wrap(MODULE, sizes, move |mut caller: Caller<'_, Data>, count: u32, bytes: u32| {
            put(&mut caller, sizes, count, &[0; 4])?;
            put(&mut caller, sizes, bytes, &[0; 4])
        })?;
    }
    linker.func_wrap(MODULE, "sched_yield", || OK)?;
    linker.func_wrap(MODULE, "proc_exit", |mut caller: Caller<'_, Data>, status: u32| {
        let data = caller.data_mut();
        data.failure = Some(Error::internal(format!("plugin \"{}\" exited with status {status}", data.name())));
        Err::<(), _>(wasmtime::Error::msg("it exits"))
    })?;
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
///
/// # Errors
/// When that is not within it.
pub(crate) fn put(caller: &mut Caller<'_, Data>, what: &str, at: u32, bytes: &[u8]) -> wasmtime::Result<u32> {
    let memory = memory(caller)?;
    let own = memory.data_mut(caller);
    let range = range(what, at, bytes.len() as u32, own.len())?;
    own[range].copy_from_slice(bytes);
    Ok(OK)
}
