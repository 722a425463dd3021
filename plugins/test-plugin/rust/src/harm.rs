//! What a plugin can do to its own process.

use std::io::{Read, Write};

use anyplug_generated::anyplug::test::v1::HarmRequest;
use anyplug_generated::anyplug::test::v1::harm_request::Kind;
use anyplug_sdk::{Context, Error, LogLevel, Result};

/// Does what the request says, and returns what there is to tell if the process survives it.
pub(crate) fn harm(request: &HarmRequest, context: &Context) -> Result<String> {
    let failed = |error: std::io::Error| Error::unknown(error.to_string());
    match request.kind() {
        Kind::Unspecified | Kind::GiveUp => {
            Err(Error::invalid_argument(format!("kind: expected a kind of harm, got {}", request.kind)))
        }
        Kind::Exit => std::process::exit(request.number),
        Kind::Kill => kill().map(|()| String::new()).map_err(failed),
        Kind::Stdout => print(std::io::stdout(), &request.text).map_err(failed),
        Kind::Stderr => print(std::io::stderr(), &request.text).map_err(failed),
        Kind::Log => {
            context.log(LogLevel::Info, &*request.text);
            Ok(String::new())
        }
        Kind::Hang => loop {
            // A WebAssembly module has no thread to park: it turns in circles.
            #[cfg(not(target_family = "wasm"))]
            std::thread::park();
            #[cfg(target_family = "wasm")]
            std::hint::spin_loop();
        },
        Kind::Stdin => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text).map_err(failed)
        }
    }
}

#[cfg(not(target_family = "wasm"))]
fn kill() -> std::io::Result<()> {
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).map_err(Into::into)
}

/// The nearest to it that there is within a host's process: a trap.
#[cfg(target_family = "wasm")]
fn kill() -> std::io::Result<()> {
    std::process::abort()
}

fn print(mut stream: impl Write, text: &str) -> std::io::Result<String> {
    stream.write_all(text.as_bytes())?;
    stream.flush()?;
    Ok(String::new())
}
