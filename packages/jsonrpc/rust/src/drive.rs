//! A peer that speaks JSON-RPC, as a plugin of a host.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyplug_core::limits::DEFAULT_MAX_BUFFER_BYTES;
use anyplug_core::router::{Grants, RouterOptions};
use anyplug_core::{Connection, ConnectionOptions, Error, LimitOptions, Limits, Result, Role, Router, ServiceEntry};
use anyplug_ipc::{Pipe, Server};

use crate::forward::forwarded;
use crate::incoming::Served;
use crate::peer::{OnPrinted, Peer};
use crate::reader::MessageReader;
use crate::streams::{BridgeRuntime, channel_pair, move_bytes, thread, wait_for};

/// How long the host may take to read the last answers.
const FLUSH: Duration = Duration::from_secs(2);

/// What a host says of a peer.
pub struct DriveOptions {
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is expected to serve; others are added by [`Drive::open`].
    pub services: Vec<Arc<ServiceEntry>>,
    /// Of these, the largest message (one of JSON, in bytes), the requests that may be pending in each direction, and the bytes of one call that may wait unread.
    pub limits: LimitOptions,
    /// Takes the lines that the peer's program printed. None: what is no message is answered as an error.
    pub on_printed: Option<OnPrinted>,
    /// Says why the stream has ended. It may take a moment.
    pub why_ended: Box<dyn Fn() -> Error + Send + Sync>,
    /// The peer broke the protocol, and is to be ended.
    pub on_failure: Box<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for DriveOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriveOptions").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A peer that answers a host's calls. It ends with the first channel to it.
pub struct Drive {
    peer: Arc<Peer>,
    name: String,
    version: String,
    limits: LimitOptions,
    servers: Mutex<Vec<Weak<Server>>>,
}

impl fmt::Debug for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drive {
    /// Begins to speak JSON-RPC over `json`. What is returned with it is the channel to a plugin that serves the services.
    ///
    /// # Errors
    /// INTERNAL when a service has no descriptors; UNAVAILABLE when the system gives no thread or descriptor.
    pub fn start(json: Pipe, options: DriveOptions) -> Result<(Arc<Self>, Pipe)> {
        let DriveOptions { name, version, services, limits, on_printed, why_ended, on_failure } = options;
        let merged = limits.over(Limits::default());
        let buffer = limits.max_buffer_bytes.filter(|bytes| *bytes > 0).unwrap_or(DEFAULT_MAX_BUFFER_BYTES);
        let peer = Peer::new(merged.max_pending_requests as usize, buffer, on_printed, on_failure);
        let drive = Arc::new(Self { peer, name, version, limits, servers: Mutex::default() });
        let (host, server) = drive.serve(services)?;
        let (reads, ends) = (drive.clone(), drive.clone());
        let connection = server.connection().clone();
        let read = move |next: &mut dyn FnMut(&mut [u8]) -> usize| {
            reads.read(&connection, merged.max_message_bytes as usize, next);
            reads.ended(&reads.peer.failure().unwrap_or_else(&why_ended));
        };
        move_bytes(json, drive.peer.output.clone(), read)?;
        run(server, move || {
            ends.peer.incoming.end(&Error::unavailable("the host closed the connection"));
            ends.peer.output.close();
        })?;
        Ok((drive, host))
    }

    /// Returns a channel to a plugin that serves these services: the same peer.
    ///
    /// # Errors
    /// As [`Drive::start`].
    pub fn open(&self, services: Vec<Arc<ServiceEntry>>) -> Result<Pipe> {
        let (host, server) = self.serve(services)?;
        run(server, || {})?;
        Ok(host)
    }

    fn serve(&self, services: Vec<Arc<ServiceEntry>>) -> Result<(Pipe, Arc<Server>)> {
        let services = services.iter().map(|service| forwarded(service, &self.peer)).collect::<Result<_>>()?;
        let router = Router::new(RouterOptions { services, grants: Grants::All, ..RouterOptions::default() })?;
        let (host, own) = channel_pair()?;
        let (name, version, limits) = (self.name.clone(), self.version.clone(), self.limits);
        let server = Server::new(own, Arc::new(BridgeRuntime), move |shell| {
            let options = ConnectionOptions::new(Role::Plugin, name, version, router, shell);
            Connection::new(ConnectionOptions { limits, runtime: "json-rpc".to_owned(), ..options })
        })?;
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&server));
        Ok((host, server))
    }

    fn read(&self, connection: &Connection, max_bytes: usize, next: &mut dyn FnMut(&mut [u8]) -> usize) {
        let learning = connection.clone();
        // A host that is gone has nothing to offer, and the end of the stream comes soon.
        if let Ok(served) = wait_for(async move { Served::learn(&learning).await }) {
            self.peer.incoming.serve(served);
        }
        let (mut reader, mut buffer) = (MessageReader::new(max_bytes), vec![0; 64 << 10]);
        loop {
            let length = next(&mut buffer);
            if length == 0 {
                break;
            }
            if let Err(reason) = reader.push(&buffer[..length], |text, framing| self.peer.text(text, framing)) {
                self.peer.refused(reason);
            }
        }
        reader.end(|text, framing| self.peer.text(text, framing));
    }

    /// The peer has ended: its calls fail, and when all have been told the channels are closed.
    fn ended(&self, reason: &Error) {
        self.peer.calls.end(reason);
        self.peer.incoming.end(reason);
        self.peer.busy.wait_idle();
        self.peer.output.close();
        let servers = std::mem::take(&mut *self.servers.lock().unwrap_or_else(PoisonError::into_inner));
        for server in servers.into_iter().filter_map(|server| server.upgrade()) {
            let until = Instant::now() + FLUSH;
            server.pump().flush();
            while server.pump().is_blocked() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
                server.pump().flush();
            }
            server.pump().close();
        }
    }
}

/// Moves the bytes of a server in a thread of its own.
fn run(server: Arc<Server>, then: impl FnOnce() + Send + 'static) -> Result<()> {
    thread("anyplug-json-rpc", move || {
        let Ok(()) = server.run(|| Ok::<_, Infallible>(()));
        then();
    })
}
