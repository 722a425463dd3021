//! The core of anyplug: codes and errors, frames, the session, connections, typed clients and routers. It does no I/O, starts no
//! thread and asks no clock, so that every transport can stand on it, WebAssembly included.
//!
//! # Tour
//!
//! From the wire upwards, one module each:
//!
//! | module | what it is |
//! |---|---|
//! | [`code`], [`error`], [`status`] | the sixteen codes, the one [`Error`], and how it travels |
//! | [`frame`], [`header`], [`limits`], [`hello`], [`credit`], [`log`] | the parts of the protocol, as `docs/protocol.md` describes it |
//! | [`session`] | one side of a connection as a state machine: bytes and calls in, bytes and [events](session::Event) out |
//! | [`channel`] | the [`Shell`]: what a connection needs of whoever moves its bytes |
//! | [`connection`] | a [`Session`] with its pending calls and handlers; thread-safe, passive, on any runtime or none |
//! | [`transport`] | what a typed client calls, by bytes or by objects: [`Transport`], [`CallStream`], [`Link`] |
//! | [`descriptor`] | what a schema says of its services, static or made at run time |
//! | [`client`], [`router`], [`context`] | the typed client, what runs handlers, and what these know of their call |
//! | [`negotiation`] | which differences of two schemas break the wire |
//! | [`codegen`] | all that generated code sees |
//!
//! # A call
//!
//! Two connections in one thread, and bytes moved by hand between them. A transport does the same with pipes or sockets; services and
//! clients are generated from a schema, where this example uses the layer of bytes below them.
//!
//! ```
//! use std::sync::Arc;
//! use anyplug_core::{
//!     BoxFuture, Connection, ConnectionOptions, Implementation, MethodEntry, MethodKind, Payload, RawRequest, Role, Router,
//!     RouterOptions, ServeRaw, ServerCall, ServiceEntry, Shell,
//! };
//!
//! /// Nothing here waits, so there is nothing to wake and nothing to spawn.
//! struct NoShell;
//! impl Shell for NoShell {
//!     fn wake(&self) {}
//!     fn spawn(&self, _: BoxFuture<()>) {}
//! }
//!
//! /// Answers each request with its own bytes.
//! struct Echo;
//! impl ServeRaw for Echo {
//!     fn serve(&self, _method: usize, mut call: ServerCall) -> Option<BoxFuture<()>> {
//!         let request = call.take_request()?;
//!         let _ = call.send(request, true);
//!         None
//!     }
//! }
//!
//! # fn main() -> anyplug_core::Result<()> {
//! let service = ServiceEntry {
//!     name: "demo.v1.EchoService".into(),
//!     methods: vec![MethodEntry::new("Echo", MethodKind::Unary)],
//!     ..ServiceEntry::default()
//! };
//! let services = vec![Implementation::raw(service, Arc::new(Echo))];
//! let side = |role, name, services| {
//!     let router = Router::new(RouterOptions { services, ..RouterOptions::default() })?;
//!     Connection::new(ConnectionOptions::new(role, name, "1.0.0", router, Arc::new(NoShell)))
//! };
//! let host = side(Role::Host, "a-host", vec![])?;
//! let plugin = side(Role::Plugin, "a-plugin", services)?;
//!
//! let exchange = || {
//!     let (mut there, mut back) = (Vec::new(), Vec::new());
//!     host.take_output(&mut there);
//!     plugin.receive(&there);
//!     plugin.take_output(&mut back);
//!     host.receive(&back);
//! };
//! exchange(); // magic and HELLO
//! assert_eq!(host.peer().map(|peer| &*peer.name), Some("a-plugin"));
//!
//! let method = host.method_index("demo.v1.EchoService", "Echo")?;
//! let call = host.unary(RawRequest { method, payload: b"hello", ..RawRequest::default() })?;
//! exchange(); // REQUEST and MESSAGE
//! let response = call.try_take().expect("it was answered")?;
//! assert_eq!(&response.message[..], b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! # Where code runs
//!
//! [`Connection::receive`] runs handlers in the thread that calls it, until each first has to wait; what remains goes to
//! [`Shell::spawn`]. Wakers, handlers and the shell are never called while a connection's lock is held. A handler that panics fails its
//! own call with INTERNAL, and nothing else.

mod call;
pub mod channel;
pub mod client;
pub mod code;
pub mod codegen;
pub mod connection;
pub mod context;
pub mod credit;
pub mod descriptor;
pub mod error;
pub mod event;
pub mod frame;
pub mod header;
pub mod hello;
mod implementation;
pub mod limits;
pub mod log;
pub mod negotiation;
mod reflection;
pub mod router;
mod server_call;
pub mod session;
pub mod status;
mod stream;
pub mod transport;

pub use channel::{BoxFuture, Instant, Shell};
pub use client::{Caller, Client, Sender, Streaming};
pub use code::Code;
pub use connection::{Connection, ConnectionOptions, RawCall, RawRequest, RawUnary, WeakConnection};
pub use context::Context;
pub use descriptor::{MethodDescriptor, MethodEntry, MethodKind, Service, ServiceDescriptor, ServiceEntry};
pub use error::{Any, Error, Result};
pub use header::{CallHeader, Metadata};
pub use hello::Peer;
pub use limits::{LimitOptions, Limits};
pub use log::{LogLevel, LogRecord};
pub use router::{Grants, Implementation, ImplementationBuilder, Router, RouterOptions, ServeRaw, ServerCall};
pub use session::{Role, Session};
pub use status::Status;
pub use transport::{CallOptions, CallStream, Link, Payload, PeerInfo, Response, Transport};

use anyplug_protocol::anyplug::reflection::v1 as reflection_wire;
use anyplug_protocol::anyplug::wire::v1 as wire;
