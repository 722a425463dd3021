//! Codes and errors, frame codec, sans-I/O session, Transport, client and router of anyplug.

pub mod code;
pub mod error;
pub mod status;
pub mod frame;
pub mod header;
pub mod limits;
pub mod hello;
pub mod log;
pub mod credit;
mod call;
pub mod session;
pub mod descriptor;
mod wire;

pub use code::Code;
pub use error::{Any, Error, Result};
pub use header::{CallHeader, Metadata};
mod client { pub struct Client; }
