//! ELIZA as a program, started by a host.

use std::process::ExitCode;

fn main() -> ExitCode {
    anyplug_sdk::serve(eliza_classic::plugin())
}
