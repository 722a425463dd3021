//! JSON-RPC 2.0 for peers without protobuf, both ways.
//!
//! [`Drive`] makes a peer that speaks it a plugin for a host: the host gets a channel on which anyplug's own protocol is spoken. [`front`] does the same for a peer that calls: the plugin gets the
//! channel of a host. Methods are `package.Service/Method`, messages are proto3 JSON; `docs/jsonrpc.md` describes it.

mod drive;
mod error;
mod forward;
mod front;
mod incoming;
mod message;
mod outgoing;
mod output;
mod peer;
mod reader;
mod streams;
mod types;

pub use drive::{Drive, DriveOptions};
pub use front::{FrontEnd, front};
pub use peer::OnPrinted;
pub use reader::{Framing, MessageReader};
