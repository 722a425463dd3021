//! The benchmark's plugin as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    anyplug_sdk::serve(anyplug_bench_plugin::plugin())
}
