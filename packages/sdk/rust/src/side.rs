//! The plugin's side of a connection that function calls move the bytes of.

use std::sync::Arc;

use anyplug_core::frame::FRAME_HEADER_BYTES;
use anyplug_core::hello::{MAGIC, Peer};
use anyplug_core::router::RouterOptions;
use anyplug_core::{Connection, ConnectionOptions, Result, Role, Router, Shell};

use crate::log;
use crate::plugin::{Plugin, parse_config};

/// This side of the connection, with what the host said first.
pub(crate) fn connect(plugin: &Plugin, heard: &[u8], shell: Arc<dyn Shell>) -> Result<Connection> {
    let config = heard.get(MAGIC.len() + FRAME_HEADER_BYTES..).and_then(|hello| Peer::decode(hello).ok());
    let config = config.map(|host| host.config).filter(|config| !config.is_empty());
    let router = parse_config(config.as_deref().unwrap_or("{}")).and_then(|config| plugin.router(&config));
    let (router, refusal) = match router {
        Ok(router) => (router, None),
        Err(error) => (Router::new(RouterOptions::default())?, Some(error)),
    };
    let options = ConnectionOptions::new(Role::Plugin, plugin.name(), plugin.version(), router, shell);
    let connection = Connection::new(ConnectionOptions { limits: plugin.own_limits(), ..options })?;
    match refusal {
        Some(refusal) => connection.fail(refusal),
        None => {
            connection.receive(heard);
            log::connect(&connection);
        }
    }
    Ok(connection)
}
