//! The plugin's side of a connection that function calls move the bytes of.

use std::sync::Arc;

use anyplug_core::frame::{FLAG_END, FRAME_HEADER_BYTES, FrameHeader, Kind};
use anyplug_core::hello::{MAGIC, Peer};
use anyplug_core::router::RouterOptions;
use anyplug_core::{Connection, ConnectionOptions, Result, Role, Router, Shell};

use crate::log;
use crate::plugin::{Plugin, parse_config};

/// How a call was answered: the result is there, or it has failed, or the answer comes by frames.
pub(crate) const DONE: i32 = 0;
pub(crate) const FAILED: i32 = 1;
pub(crate) const PENDING: i32 = 2;

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

/// How `output` answers a call, and how much of it goes out as frames. A call that is answered by its last frame alone goes the short way.
pub(crate) fn short_answer(output: &[u8], call: u32) -> (i32, usize) {
    let mut at = 0;
    while let Some(header) = output.get(at..).and_then(|rest| rest.first_chunk::<FRAME_HEADER_BYTES>()) {
        let header = FrameHeader::decode(header);
        let end = at + FRAME_HEADER_BYTES + header.length as usize;
        if header.call == call {
            let is_message = header.kind == Kind::Message as u8 && header.flags == FLAG_END;
            return match (end == output.len(), header.kind) {
                (true, _) if is_message => (DONE, at),
                (true, kind) if kind == Kind::End as u8 => (FAILED, at),
                _ => (PENDING, output.len()),
            };
        }
        at = end;
    }
    (PENDING, output.len())
}
