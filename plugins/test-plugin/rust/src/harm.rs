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
        Kind::Kill => {
            let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            killed.map(|()| String::new()).map_err(|error| failed(error.into()))
        }
        Kind::Stdout => print(std::io::stdout(), &request.text).map_err(failed),
        Kind::Stderr => print(std::io::stderr(), &request.text).map_err(failed),
        Kind::Log => {
            context.log(LogLevel::Info, &*request.text);
            Ok(String::new())
        }
        Kind::Hang => loop {
            std::thread::park();
        },
        Kind::Stdin => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text).map_err(failed)
        }
    }
}

fn print(mut stream: impl Write, text: &str) -> std::io::Result<String> {
    stream.write_all(text.as_bytes())?;
    stream.flush()?;
    Ok(String::new())
}
