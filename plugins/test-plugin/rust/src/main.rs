//! The test plugin as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    anyplug_sdk::serve(anyplug_test_plugin::plugin())
}
