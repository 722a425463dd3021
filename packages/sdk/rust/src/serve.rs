//! Serves a plugin over the channel that its surroundings name.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use anyplug_core::hello::MAGIC;
use anyplug_core::router::RouterOptions;
use anyplug_core::{Connection, ConnectionOptions, Error, Result, Role, Router};
use anyplug_ipc::{CHANNEL_VARIABLE, CONFIG_VARIABLE, Moved, Pipe, Server, open_channel};
use serde_json::{Map, Value};

use crate::log;
use crate::plugin::{Plugin, parse_config};
use crate::runtime::PluginRuntime;

/// The length of a frame's header.
const HEADER_BYTES: usize = 12;

/// The status of a program that was not started by a host: "command line usage error".
const NOT_LOADED: u8 = 64;

/// Serves a plugin until its host closes the channel; `main` returns what it returns.
///
/// It finds out by its surroundings how it is reached. Started by hand it explains itself on stderr and gives status 64. Handlers may use everything of tokio: they run in the
/// runtime that this function was called in, or in one of its own. Each begins in the thread that reads the channel, and must not block.
///
/// ```no_run
/// # use anyplug_sdk::Plugin;
/// fn main() -> std::process::ExitCode {
///     anyplug_sdk::serve(Plugin::new("eliza-classic", env!("CARGO_PKG_VERSION")))
/// }
/// ```
pub fn serve(plugin: Plugin) -> ExitCode {
    let name = plugin.name().to_owned();
    let failed = |error: &Error| {
        eprintln!("{name}: {error}");
        ExitCode::FAILURE
    };
    let pipe = match open_channel() {
        Ok(Some(pipe)) => pipe,
        Ok(None) => {
            eprintln!("{}", explanation(&plugin));
            return ExitCode::from(NOT_LOADED);
        }
        Err(error) => return failed(&error),
    };
    match serve_over(pipe, plugin) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn explanation(plugin: &Plugin) -> String {
    format!(
        "{} {} is an anyplug plugin: it answers a host program, not a person. Nothing is to be done here; load it from a host by its folder, with load_plugin in Python and Rust or \
         loadPlugin in TypeScript. (A host names the channel in {CHANNEL_VARIABLE}, which is not set.)",
        plugin.name(),
        plugin.version()
    )
}

fn read_config() -> Result<Value> {
    match std::env::var_os(CONFIG_VARIABLE) {
        Some(text) => parse_config(&text.to_string_lossy()),
        None => Ok(Value::Object(Map::new())),
    }
}

fn serve_over(pipe: Pipe, plugin: Plugin) -> Result<()> {
    let runtime = Arc::new(PluginRuntime::new()?);
    let (name, version, limits) = (plugin.name().to_owned(), plugin.version().to_owned(), plugin.own_limits());
    let router = read_config().and_then(|config| runtime.enter(|| plugin.into_router(&config)));
    // The host is told why over the channel, where it sees the code as well.
    let (router, refusal) = match router {
        Ok(router) => (router, None),
        Err(error) => (Router::new(RouterOptions::default())?, Some(error)),
    };
    if refusal.is_some() {
        hear_hello(&pipe);
    }
    let server = Server::new(pipe, runtime.clone(), |shell| {
        let options = ConnectionOptions::new(Role::Plugin, name, version, router, shell);
        Connection::new(ConnectionOptions { limits, ..options })
    })?;
    if let Some(refusal) = refusal {
        server.connection().fail(refusal.clone());
        server.pump().close();
        return Err(refusal);
    }
    log::connect(server.connection());
    let Ok(()) = server.run(|| Ok::<_, Infallible>(()));
    runtime.finish();
    Ok(())
}

/// Reads the host's hello, and leaves it at that: a socket that is closed with bytes unread takes back what was written to it, and the refusal has to go out together with this side's hello,
/// before the host takes the plugin for ready.
fn hear_hello(pipe: &Pipe) {
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    while heard.len() < hello_length(&heard) {
        match pipe.read(&mut buffer) {
            Moved::Bytes(length) => heard.extend_from_slice(&buffer[..length]),
            Moved::Blocked => pipe.wait_readable(),
            Moved::Closed => return,
        }
    }
}

/// How long the magic and HELLO are together, as far as that is known.
fn hello_length(heard: &[u8]) -> usize {
    let start = MAGIC.len() + HEADER_BYTES;
    match heard.get(MAGIC.len()..MAGIC.len() + 4).map(<[u8; 4]>::try_from) {
        Some(Ok(length)) => start + u32::from_le_bytes(length) as usize,
        _ => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hello_is_heard_to_its_end() {
        let heard = b"anyplug\n\x02\x01\0\0\x01\0\0\0\0\0\0\0";
        assert_eq!(hello_length(&heard[..11]), 20);
        assert_eq!(hello_length(heard), 20 + 258);
    }
}
