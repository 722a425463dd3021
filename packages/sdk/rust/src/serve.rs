//! Serves a plugin over the channel that its surroundings name.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use anyplug_core::router::RouterOptions;
use anyplug_core::{Connection, ConnectionOptions, Error, Result, Role, Router};
use anyplug_ipc::{
    CHANNEL_VARIABLE, CONFIG_VARIABLE, LISTEN_VARIABLE, Moved, Pipe, Server, json_rpc_place, open_channel,
    open_standard_streams,
};
use anyplug_jsonrpc::front;
use serde_json::{Map, Value};

use crate::listen::{ServeOptions, listen_in, only_one};
use crate::log;
use crate::plugin::{Plugin, parse_config};
use crate::preface::hello_bytes;
use crate::runtime::PluginRuntime;
use crate::signals::wait_for_signal;

/// The status of a program that was not started by a host: "command line usage error".
const NOT_LOADED: u8 = 64;
const FAILED: u8 = 1;

/// Serves a plugin until its host closes the channel; `main` returns what it returns.
///
/// It finds out by its surroundings how it is reached. Started by a host, it serves that host. Otherwise it listens at the address in ANYPLUG_LISTEN until SIGTERM or SIGINT: then calls in flight
/// may end. At `json-rpc+stdio:` it speaks JSON-RPC on its standard streams until stdin ends. With neither it explains itself on stderr and gives status 64. Handlers may use everything of tokio: they run in the
/// runtime that this function was called in, or in one of its own. Each begins in the thread that reads the channel, and must not block.
///
/// ```no_run
/// # use anyplug_sdk::Plugin;
/// fn main() -> std::process::ExitCode {
///     anyplug_sdk::serve(Plugin::new("eliza-classic", env!("CARGO_PKG_VERSION")))
/// }
/// ```
pub fn serve(plugin: Plugin) -> ExitCode {
    serve_with(vec![plugin], ServeOptions::default())
}

/// Serves a plugin, or a set of plugins at one address, as [`serve`] does. What the options do not say is as the environment says.
pub fn serve_with(plugins: Vec<Plugin>, options: ServeOptions) -> ExitCode {
    serve_for_status(plugins, options).into()
}

/// As [`serve_with`]; returns the status that the process is to end with.
pub(crate) fn serve_for_status(plugins: Vec<Plugin>, options: ServeOptions) -> u8 {
    let names: Vec<_> = plugins.iter().map(Plugin::name).collect();
    let names = names.join(", ");
    let who: Vec<_> = plugins.iter().map(|plugin| format!("{} {}", plugin.name(), plugin.version())).collect();
    let who = who.join(", ");
    let served = match open_channel() {
        Ok(Some(pipe)) => only(plugins).and_then(|plugin| serve_over(pipe, plugin)),
        Ok(None) => match options.or_surroundings() {
            Ok(Some(options)) if json_rpc_place(&options.listen) == Some("stdio:") => serve_standard_streams(plugins),
            Ok(Some(options)) => serve_at(plugins, options, &who),
            Ok(None) => {
                eprintln!("{}", explanation(&who));
                return NOT_LOADED;
            }
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    match served {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{names}: {error}");
            FAILED
        }
    }
}

fn explanation(who: &str) -> String {
    format!(
        "{who} is an anyplug plugin: it answers a host program, not a person. Nothing is to be done here; load it from a host by its folder, with load_plugin in Python and Rust or loadPlugin in \
         TypeScript; or set {LISTEN_VARIABLE} to an address, such as unix:/run/plugin.sock, to serve it there. (A host names the channel in {CHANNEL_VARIABLE}, which is not set.)"
    )
}

fn only(mut plugins: Vec<Plugin>) -> Result<Plugin> {
    let count = plugins.len();
    plugins.pop().filter(|_| count == 1).ok_or_else(|| {
        Error::failed_precondition(format!(
            "a process serves one plugin to the host that started it, and this one has {count}; serve them at an address"
        ))
    })
}

fn serve_at(plugins: Vec<Plugin>, options: ServeOptions, who: &str) -> Result<()> {
    let signal = wait_for_signal()?;
    let runtime = Arc::new(PluginRuntime::new()?);
    let server = listen_in(plugins, options, runtime.clone())?;
    println!("{who} at {}", server.address());
    signal();
    server.close();
    runtime.finish();
    Ok(())
}

/// Speaks JSON-RPC with whoever started this program, until it writes nothing more.
fn serve_standard_streams(mut plugins: Vec<Plugin>) -> Result<()> {
    let count = plugins.len();
    let plugin = plugins.pop().filter(|_| count == 1).ok_or_else(|| only_one(count))?;
    let (pipe, end) = front(open_standard_streams()?)?;
    let served = serve_over(pipe, plugin);
    end.wait();
    served
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
    let router = read_config().and_then(|config| runtime.enter(|| plugin.router(&config)));
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
    while heard.len() < hello_bytes(&heard) {
        match pipe.read(&mut buffer) {
            Moved::Bytes(length) => heard.extend_from_slice(&buffer[..length]),
            Moved::Blocked => pipe.wait_readable(),
            Moved::Closed => return,
        }
    }
}
