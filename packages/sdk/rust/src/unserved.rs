//! The program of a plugin, where it is built for WebAssembly.

use std::process::ExitCode;

use crate::plugin::Plugin;

/// Does nothing: a module is served by its exports, which `#[plugin]` writes, and has no program.
pub fn serve(_: Plugin) -> ExitCode {
    ExitCode::FAILURE
}
