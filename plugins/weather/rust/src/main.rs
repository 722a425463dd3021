//! The weather plugin as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    match anyplug_weather::plugin() {
        Ok(plugin) => anyplug_sdk::serve(plugin),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
