//! A host that talks to ELIZA in any of the three languages.

mod arguments;
mod cell;
mod conversation;
mod plugins;

use std::process::ExitCode;

use arguments::{Arguments, USAGE};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            return ExitCode::from(64);
        }
    };
    let loaded = plugins::load(&arguments).await;
    let succeeded = if arguments.cell {
        let cell = cell::cell(&arguments, loaded).await;
        println!("{cell}");
        cell["ok"] == true
    } else {
        let talked = match loaded {
            Ok(plugin) => conversation::converse(&plugin).await,
            Err(error) => Err(error),
        };
        talked.inspect_err(|error| eprintln!("{error}")).is_ok()
    };
    if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
