//! A plugin that is served on a socket.

use std::sync::Arc;
use std::time::Instant;

use anyplug_core::hello::Peer;
use anyplug_core::{Connection, ConnectionOptions, Error, Link, Result, Role};
use anyplug_ipc::{Address, ConnectOptions, Driver, Ending, Runtime, connect_socket};

use crate::derive::language_of;
use crate::manifest::Manifest;
use crate::options::LoadOptions;
use crate::plan::{config_text, host_name, host_router};
use crate::reconnect::{Dial, ReconnectingLink};
use crate::wait::block_on;

/// A plugin behind an address, and the link to it, which is made again when it is lost.
pub(crate) struct SocketInstance {
    link: Arc<ReconnectingLink>,
    name: String,
}

impl SocketInstance {
    /// Connects to the plugin, and returns it when calls can be made and the schemas fit. `look` is called every now and then; an error that it returns ends the wait.
    ///
    /// # Errors
    /// As [`connect_socket`]; INVALID_ARGUMENT for an option that is for other transports; the plugin's own when it refuses, DEADLINE_EXCEEDED when the time is over, FAILED_PRECONDITION for
    /// another protocol or schema; what `look` returned.
    pub(crate) fn start(
        address: &Address,
        options: &LoadOptions,
        runtime: Arc<dyn Runtime>,
        mut look: impl FnMut() -> Result<()>,
    ) -> Result<(Self, Manifest, &'static str)> {
        check_options(address, options)?;
        let dial: Dial = {
            let (address, options, runtime) = (address.clone(), options.clone(), runtime.clone());
            Box::new(move |then, look| {
                let (pipe, why) = connect(&address, &options)?;
                let ending = Ending { why: Box::new(why), then };
                let driver =
                    Driver::start_over(pipe, ending, runtime.clone(), |shell| connection(&address, &options, shell))?;
                let opened = open(driver.connection(), &format!("plugin at {address}"), &options, look);
                if let Err(error) = &opened {
                    driver.connection().closed(error.clone());
                    driver.close();
                }
                opened.map(|()| driver)
            })
        };
        let link = ReconnectingLink::start(dial, options, runtime, &mut look)?;
        let peer = link.peer().ok_or_else(|| Error::internal("a connection that is open has no hello"))?;
        let manifest = manifest_of(&peer, address.transport());
        Ok((Self { link, name: peer.name.clone() }, manifest, address.transport()))
    }

    pub(crate) fn link(&self) -> Arc<dyn Link> {
        self.link.clone()
    }

    /// Lets calls in flight end, and then ends the link. Calling it again waits for the same end.
    pub(crate) fn close(&self) {
        self.link.stop(Error::unavailable(format!("plugin \"{}\" was closed", self.name)));
    }
}

impl Drop for SocketInstance {
    fn drop(&mut self) {
        self.link.end(Error::unavailable(format!("plugin \"{}\" was dropped by its host", self.name)));
    }
}

/// Connects to an address, without waiting for what the plugin says: the channel, and what says why it ended.
///
/// # Errors
/// As [`connect_socket`].
fn connect(
    address: &Address,
    options: &LoadOptions,
) -> Result<(anyplug_ipc::Pipe, impl Fn() -> Error + Send + Sync + 'static)> {
    let LoadOptions { tls, allow_plaintext, start_timeout, .. } = options;
    let rules = ConnectOptions { tls: tls.clone(), allow_plaintext: *allow_plaintext, timeout: *start_timeout };
    Ok(connect_socket(address, &rules)?.into_parts())
}

/// This side of the connection.
fn connection(address: &Address, options: &LoadOptions, shell: Arc<dyn anyplug_core::Shell>) -> Result<Connection> {
    let router = host_router(options, &options.grants)?;
    let connection = ConnectionOptions::new(Role::Host, host_name(options), "", router, shell);
    let config = if options.config.is_empty() { String::new() } else { config_text(&options.config, &who(address))? };
    Connection::new(ConnectionOptions { limits: options.limits, plugin: address.plugin.clone(), config, ..connection })
}

/// Connects to an address for a shell of the caller's own: the channel, what says why it ended, and what makes the connection.
///
/// # Errors
/// As [`connect_socket`]; INVALID_ARGUMENT for an option that is for other transports.
#[expect(clippy::type_complexity, reason = "three parts, each used once")]
pub fn dial(
    address: &Address,
    options: &LoadOptions,
) -> Result<(
    anyplug_ipc::Pipe,
    Box<dyn Fn() -> Error + Send + Sync>,
    Box<dyn FnOnce(Arc<dyn anyplug_core::Shell>) -> Result<Connection>>,
)> {
    check_options(address, options)?;
    let (pipe, why) = connect(address, options)?;
    let (address, options) = (address.clone(), options.clone());
    Ok((pipe, Box::new(why), Box::new(move |shell| connection(&address, &options, shell))))
}

/// Waits until calls can be made and the schemas fit. `who` is the plugin in messages, before it has said its name.
///
/// # Errors
/// As [`SocketInstance::start`].
pub(crate) fn open(
    connection: &Connection,
    who: &str,
    options: &LoadOptions,
    look: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let until = Instant::now() + options.start_timeout;
    let opened = async {
        connection.ready().await.map_err(|error| error.map_message(|message| format!("{who}: {message}")))?;
        // A plugin that refuses to start says so right behind its hello: once it has answered, it does not.
        if let Err(error) = connection.ping().await {
            let name = connection.peer().map(|peer| peer.name.clone()).unwrap_or_default();
            let reason = connection.close_reason().unwrap_or(error);
            return Err(reason.map_message(|message| format!("plugin \"{name}\" refused to start: {message}")));
        }
        for service in &options.expect {
            connection.negotiate(service.clone()).await?;
        }
        connection.negotiate_uses().await
    };
    let timeout = options.start_timeout.as_millis();
    let late = || Error::deadline_exceeded(format!("{who} was not ready within {timeout} ms"));
    let in_time = || if Instant::now() < until { look() } else { Err(late()) };
    block_on(opened, in_time).and_then(|opened| opened)
}

pub(crate) fn check_options(address: &Address, options: &LoadOptions) -> Result<()> {
    let transport = address.transport();
    if let Some(asked) = options.transport.as_deref().filter(|asked| *asked != transport) {
        let message = format!("transport: {address} is reached by \"{transport}\", not by \"{asked}\"");
        return Err(Error::invalid_argument(message));
    }
    if !options.environment.env.is_empty() {
        let message = format!("env: {address} is not started by this host; give it config instead");
        return Err(Error::invalid_argument(message));
    }
    config_text(&options.config, &who(address)).map(drop)
}

/// The plugin in messages, before it has said its name.
fn who(address: &Address) -> String {
    if address.plugin.is_empty() { address.to_string() } else { address.plugin.clone() }
}

/// What plugin.json would say, as far as a plugin at an address says it itself.
pub fn manifest_of(peer: &Peer, transport: &str) -> Manifest {
    Manifest {
        name: peer.name.clone(),
        version: peer.version.clone(),
        language: language_of(&peer.runtime),
        offers: Some(peer.services.iter().skip(1).map(|service| service.name.clone()).collect()),
        transports: Some(vec![transport.to_owned()]),
        ..Manifest::default()
    }
}
