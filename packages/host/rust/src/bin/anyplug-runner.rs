//! `anyplug-runner LIBRARY`: the process of a plugin that is a shared library, started by a host.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let library = std::env::args_os().nth(1).map(PathBuf::from).unwrap_or_default();
    anyplug_host::run_library(&library).into()
}
