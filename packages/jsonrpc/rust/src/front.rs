//! A plugin, for a peer that speaks JSON-RPC.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use anyplug_core::limits::DEFAULT_MAX_BUFFER_BYTES;
use anyplug_core::{Connection, ConnectionOptions, Error, Limits, Result, Role, Router, RouterOptions};
use anyplug_ipc::{Driver, Ending, Pipe};

use crate::error::failure_text;
use crate::incoming::Served;
use crate::peer::Peer;
use crate::reader::MessageReader;
use crate::streams::{BridgeRuntime, channel_pair, move_bytes, wait_for};

/// Begins to speak JSON-RPC over `json` with a peer that calls. What is returned is the channel of a host whose calls are the peer's: a plugin serves it. It ends when the peer writes nothing more and has been
/// answered.
///
/// # Errors
/// UNAVAILABLE when the system gives no thread or descriptor.
pub fn front(json: Pipe) -> Result<(Pipe, FrontEnd)> {
    let limits = Limits::default();
    let peer = Peer::new(limits.max_pending_requests as usize, DEFAULT_MAX_BUFFER_BYTES, None, Box::new(|| {}));
    let (plugin, own) = channel_pair()?;
    let ending = {
        let peer = peer.clone();
        let then = move || {
            // Its calls have failed: that is told.
            peer.busy.wait_idle();
            peer.output.close();
        };
        Ending { why: Box::new(|| Error::unavailable("the plugin closed the connection")), then: Box::new(then) }
    };
    let driver = Driver::start_over(own, ending, Arc::new(BridgeRuntime), |shell| {
        let router = Router::new(RouterOptions::default())?;
        Connection::new(ConnectionOptions::new(Role::Host, "json-rpc", "", router, shell))
    })?;
    let output = peer.output.clone();
    let is_written = move_bytes(json, output, move |next| {
        let connection = driver.connection().clone();
        match wait_for(async move { Served::learn(&connection).await }) {
            Ok(served) => {
                let limits = driver.connection().peer().map_or_else(Limits::default, |peer| peer.limits);
                peer.incoming.serve(served);
                read(&peer, limits.max_message_bytes as usize, next);
                peer.busy.wait_idle();
            }
            Err(error) => peer.output.write(&failure_text("null", &error, None)),
        }
        peer.output.close();
        driver.connection().closed(Error::unavailable("the peer closed the connection"));
        driver.close();
    })?;
    Ok((plugin, FrontEnd(is_written)))
}

/// The end of what is written to a peer.
#[derive(Debug)]
pub struct FrontEnd(Receiver<()>);

impl FrontEnd {
    /// Waits until the connection has ended, and all answers are written.
    pub fn wait(self) {
        // Nothing is ever sent: the other end is dropped.
        let _ = self.0.recv();
    }
}

fn read(peer: &Arc<Peer>, max_bytes: usize, next: &mut dyn FnMut(&mut [u8]) -> usize) {
    let (mut reader, mut buffer) = (MessageReader::new(max_bytes), vec![0; 64 << 10]);
    loop {
        let length = next(&mut buffer);
        if length == 0 {
            break;
        }
        if let Err(reason) = reader.push(&buffer[..length], |text, framing| peer.text(text, framing)) {
            peer.refused(reason);
        }
    }
    reader.end(|text, framing| peer.text(text, framing));
}
