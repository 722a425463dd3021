//! Serves plugins on a socket, to many hosts at once.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use anyplug_core::hello::Peer;
use anyplug_core::router::RouterOptions;
use anyplug_core::{Connection, ConnectionOptions, Error, LogLevel, LogRecord, Result, Role, Router};
use anyplug_ipc::{
    Address, CONFIG_VARIABLE, Incoming, JSON_RPC_PREFIX, LISTEN_VARIABLE, Listener, ListenerOptions, Preface, Server,
    TlsOptions, Turn, hear_preface, json_rpc_place,
};
use anyplug_jsonrpc::front;
use serde_json::{Map, Value};

use crate::log;
use crate::plugin::{Plugin, parse_config};
use crate::runtime::PluginRuntime;

/// How long a host may take to read why it was refused.
const LINGER: Duration = Duration::from_secs(2);

/// How plugins are served on a socket.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where: `unix:/run/x.sock`, `tcp://127.0.0.1:9000` (port 0: one that is free) or `tls://0.0.0.0:9000`; with `json-rpc+` before it for peers that speak JSON-RPC. Empty: as ANYPLUG_LISTEN says.
    pub listen: String,
    /// Certificates for `tls://`: a host has to show one of the same authority.
    pub tls: Option<TlsOptions>,
    /// Allows `tcp://` beyond this machine, where anybody may read along and connect.
    pub allow_plaintext: bool,
    /// Members of the configuration that a host cannot change.
    pub config: Map<String, Value>,
    /// Hosts that may be connected at once. One more is turned away with RESOURCE_EXHAUSTED. Default 1,000.
    pub max_connections: usize,
    /// How long a host may take to say hello. Default 30 s.
    pub hello_timeout: Duration,
    /// How long calls in flight may take when the server is closed. Default 5 s.
    pub drain_timeout: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            listen: String::new(),
            tls: None,
            allow_plaintext: false,
            config: Map::new(),
            max_connections: 1000,
            hello_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(5),
        }
    }
}

impl ServeOptions {
    /// Serves at this address, and else as by default.
    pub fn at(address: impl Into<String>) -> Self {
        Self { listen: address.into(), ..Self::default() }
    }

    /// What is not set is as the environment says; none when neither names an address.
    pub(crate) fn or_surroundings(mut self) -> Result<Option<Self>> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if self.listen.is_empty() {
            let Some(listen) = variable(LISTEN_VARIABLE) else { return Ok(None) };
            self.listen = listen;
        }
        let members = ["ANYPLUG_TLS_CERTIFICATE", "ANYPLUG_TLS_KEY", "ANYPLUG_TLS_CA"].map(variable);
        if let ([Some(certificate), Some(key), Some(ca)], None) = (members, &self.tls) {
            self.tls = Some(TlsOptions { certificate, key, ca, server_name: None });
        }
        self.allow_plaintext |= variable("ANYPLUG_ALLOW_PLAINTEXT").as_deref() == Some("1");
        if let (true, Some(text)) = (self.config.is_empty(), variable(CONFIG_VARIABLE)) {
            self.config = object(&text)?;
        }
        Ok(Some(self))
    }
}

fn object(text: &str) -> Result<Map<String, Value>> {
    match parse_config(text)? {
        Value::Object(members) => Ok(members),
        _ => Err(Error::invalid_argument("the configuration is not a JSON object")),
    }
}

/// A server of plugins. Dropped, it ends at once; to let calls in flight end, [`PluginServer::close`] it.
pub struct PluginServer {
    shared: Arc<Shared>,
}

struct Shared {
    listener: Arc<Listener>,
    plugins: Vec<Plugin>,
    options: ServeOptions,
    runtime: Arc<PluginRuntime>,
    closing: AtomicBool,
    hosts: Mutex<Hosts>,
    changed: Condvar,
}

#[derive(Default)]
struct Hosts {
    /// Those that are connected, also before they have a connection.
    count: usize,
    next: u64,
    servers: HashMap<u64, Arc<Server>>,
    drained: usize,
}

/// Serves `plugins` on a socket until the server is closed. A host of a set says which plugin it wants behind the address: `unix:/run/x.sock#name`.
///
/// Each host has a connection and a thread of its own, and services of its own where the plugin makes them by [`Plugin::configured`]; those of [`Plugin::service`] all hosts share.
///
/// # Errors
/// INVALID_ARGUMENT for a wrong address, option or set; ALREADY_EXISTS when the address is taken; FAILED_PRECONDITION for plaintext beyond this machine; PERMISSION_DENIED, NOT_FOUND or UNAVAILABLE
/// when the system refuses.
pub fn listen(plugins: Vec<Plugin>, options: ServeOptions) -> Result<PluginServer> {
    listen_in(plugins, options, Arc::new(PluginRuntime::new()?))
}

pub(crate) fn listen_in(
    plugins: Vec<Plugin>,
    options: ServeOptions,
    runtime: Arc<PluginRuntime>,
) -> Result<PluginServer> {
    let mut names: Vec<_> = plugins.iter().map(Plugin::name).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() || names.len() < plugins.len() {
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(Error::invalid_argument(format!(
            "plugins: expected at least one, each with a name of its own; got {names}"
        )));
    }
    let json_rpc = json_rpc_place(&options.listen);
    if json_rpc.is_some() && plugins.len() > 1 {
        return Err(only_one(plugins.len()));
    }
    let address: Address = json_rpc.unwrap_or(&options.listen).parse()?;
    if !address.plugin.is_empty() {
        return Err(Error::invalid_argument(format!(
            "address {:?}: a server offers all of its plugins; leave #{} to the hosts",
            options.listen, address.plugin
        )));
    }
    let rules = ListenerOptions { tls: options.tls.clone(), allow_plaintext: options.allow_plaintext };
    let listener = Listener::bind(&address, &rules)?;
    let shared = Arc::new(Shared {
        listener,
        plugins,
        options,
        runtime,
        closing: AtomicBool::new(false),
        hosts: Mutex::default(),
        changed: Condvar::new(),
    });
    let accepting = shared.clone();
    let thread = Builder::new().name("anyplug-listen".to_owned()).spawn(move || accepting.accept());
    thread.map_err(|error| Error::unavailable(format!("no thread: {error}")).with_source(error))?;
    Ok(PluginServer { shared })
}

impl PluginServer {
    /// Where it listens, with the port that the system chose: what `load_plugin` takes.
    pub fn address(&self) -> String {
        let prefix = if self.shared.is_json_rpc() { JSON_RPC_PREFIX } else { "" };
        format!("{prefix}{}", self.shared.listener.address())
    }

    /// How many hosts are connected.
    pub fn connections(&self) -> usize {
        self.shared.lock().count
    }

    /// Listens no longer, removes the file of a Unix socket, lets calls in flight end and closes the connections; waits meanwhile.
    pub fn close(&self) {
        self.shared.close(self.shared.options.drain_timeout);
    }
}

impl Drop for PluginServer {
    fn drop(&mut self) {
        self.shared.close(Duration::ZERO);
    }
}

impl fmt::Debug for PluginServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginServer").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl Shared {
    fn accept(self: Arc<Self>) {
        while let Some(host) = self.listener.accept() {
            let count = {
                let mut hosts = self.lock();
                hosts.count += 1;
                hosts.count
            };
            // A host that is one too many is told so; where many are, there is no time for that.
            let most = self.options.max_connections;
            let shared = self.clone();
            let serve = move || {
                if count <= most.saturating_mul(2) {
                    shared.serve(host, count > most);
                }
                shared.lock().count -= 1;
                shared.changed.notify_all();
            };
            if let Err(error) = Builder::new().name("anyplug-host".to_owned()).spawn(serve) {
                report(&Error::unavailable(format!("no thread: {error}")));
                self.lock().count -= 1;
            }
        }
    }

    fn serve(&self, host: Incoming, is_too_many: bool) {
        if let Err(error) = self.serve_host(host, is_too_many) {
            report(&error);
        }
    }

    fn is_json_rpc(&self) -> bool {
        json_rpc_place(&self.options.listen).is_some()
    }

    fn serve_host(&self, host: Incoming, is_too_many: bool) -> Result<()> {
        let until = Instant::now() + self.options.hello_timeout;
        let mut pipe = host.into_pipe(until)?;
        if self.is_json_rpc() {
            // It ends by itself.
            (pipe, _) = front(pipe)?;
        }
        let (Preface { heard, hello }, mut refusal) = match hear_preface(&pipe, until) {
            Ok(preface) => (preface, None),
            Err(error) => (Preface { heard: Vec::new(), hello: None }, Some(error)),
        };
        if is_too_many {
            let most = self.options.max_connections;
            let full = format!("{most} hosts are connected already, and no more may be");
            refusal = Some(Error::resource_exhausted(full));
        }
        let mut plugin = self.plugins.first();
        let mut router = Router::new(RouterOptions::default())?;
        if let (None, Some(hello)) = (&refusal, &hello) {
            match self.find(&hello.plugin) {
                Ok(found) => {
                    plugin = Some(found);
                    match self.router(found, hello) {
                        Ok(made) => router = made,
                        Err(error) => refusal = Some(error),
                    }
                }
                Err(error) => refusal = Some(error),
            }
        }
        let Some(plugin) = plugin else { return Ok(()) };
        let (name, version, limits) = (plugin.name(), plugin.version(), plugin.own_limits());
        let server = Server::new(pipe, self.runtime.clone(), |shell| {
            let options = ConnectionOptions::new(Role::Plugin, name, version, router, shell);
            Connection::new(ConnectionOptions { limits, ..options })
        })?;
        if let Some(refusal) = refusal {
            // Nothing of what the host said is handled: hello and refusal go out in one piece.
            server.connection().fail(refusal.clone());
            server.pump().close();
            linger(&server);
            return Err(refusal);
        }
        let id = self.enter(&server);
        server.connection().receive(&heard);
        server.pump().flush();
        let Ok(()) = server.run(|| Ok::<_, Infallible>(()));
        if let Some(id) = id {
            self.lock().servers.remove(&id);
        }
        linger(&server);
        Ok(())
    }

    /// Keeps the connection for the end of the server; when that has come already, the connection ends at once.
    fn enter(&self, server: &Arc<Server>) -> Option<u64> {
        let mut hosts = self.lock();
        if self.closing.load(Ordering::SeqCst) {
            drop(hosts);
            server.connection().closed(closed_here());
            return None;
        }
        hosts.next += 1;
        let id = hosts.next;
        hosts.servers.insert(id, server.clone());
        Some(id)
    }

    fn find(&self, name: &str) -> Result<&Plugin> {
        match (name, &self.plugins[..]) {
            ("", [plugin]) => return Ok(plugin),
            (name, plugins) => {
                if let Some(found) = plugins.iter().find(|plugin| plugin.name() == name) {
                    return Ok(found);
                }
            }
        }
        let names: Vec<_> = self.plugins.iter().map(Plugin::name).collect();
        let names = names.join(", ");
        if !name.is_empty() {
            return Err(Error::not_found(format!("there is no plugin \"{name}\" at this address; it has {names}")));
        }
        Err(Error::invalid_argument(format!(
            "this address has {} plugins ({names}): name one behind it, as in unix:/run/plugins.sock#name",
            self.plugins.len()
        )))
    }

    fn router(&self, plugin: &Plugin, hello: &Peer) -> Result<Router> {
        let mut config = if hello.config.is_empty() { Map::new() } else { object(&hello.config)? };
        config.extend(self.options.config.clone());
        self.runtime.enter(|| plugin.router(&Value::Object(config)))
    }

    fn close(self: &Arc<Self>, drain_timeout: Duration) {
        self.listener.close();
        let first = !self.closing.swap(true, Ordering::SeqCst);
        let servers: Vec<_> = self.lock().servers.values().cloned().collect();
        if first && !drain_timeout.is_zero() {
            for server in &servers {
                let (drain, shared) = (server.connection().drain(), self.clone());
                self.runtime.spawn_task(async move {
                    drain.await;
                    shared.lock().drained += 1;
                    shared.changed.notify_all();
                });
            }
            self.wait(drain_timeout, |hosts| hosts.drained >= servers.len());
        }
        for server in &servers {
            server.connection().closed(closed_here());
            server.pump().close();
        }
        self.wait(LINGER, |hosts| hosts.servers.is_empty());
    }

    fn wait(&self, timeout: Duration, mut is_done: impl FnMut(&Hosts) -> bool) {
        let hosts = self.lock();
        let waiting = self.changed.wait_timeout_while(hosts, timeout, |hosts| !is_done(hosts));
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client that speaks JSON-RPC cannot say which plugin it wants.
pub(crate) fn only_one(count: usize) -> Error {
    Error::invalid_argument(format!(
        "JSON-RPC is spoken with one plugin at an address, and there are {count}; give each its own"
    ))
}

/// A socket that is closed with bytes unread takes back what was written to it: the host has a moment to read it and to close.
fn linger(server: &Server) {
    let until = Instant::now() + LINGER;
    let mut leader = server.pump().lead();
    loop {
        let turn = leader.turn();
        let left = until.saturating_duration_since(Instant::now());
        match turn {
            Turn::Moved if !left.is_zero() => {}
            Turn::Idle if !left.is_zero() => server.pump().wait_readable(left),
            _ => return,
        }
    }
}

fn closed_here() -> Error {
    Error::unavailable("the plugin's server was closed")
}

fn report(reason: &Error) {
    log::print(&LogRecord::new(LogLevel::Warn, "", format!("a host was turned away: {reason}")));
}
