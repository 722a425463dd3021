//! Codes and errors, frame codec, sans-I/O session, Transport, client and router of anyplug.

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
pub mod frame;
pub mod header;
pub mod hello;
pub mod limits;
pub mod log;
pub mod negotiation;
mod reflection;
pub mod router;
pub mod session;
pub mod status;
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
