//! The plugin as a program, started by a host.

use std::process::ExitCode;

fn main() -> ExitCode {
    anyplug_sdk::serve(inmemorydb::plugin())
}
