//! anyplug transport within one process and one language: messages pass as the objects they are, nothing is serialized.
//!
//! [`connect`] joins a host and a plugin that is linked into the same program. What they get is a [`Direct`] each, a
//! [`Link`](anyplug_core::Link) like a connection over bytes: typed clients, calls in both directions, streams, metadata, deadlines,
//! cancellation, grants, drain and close behave the same. Two limits have no meaning here and do not apply: those of bytes.
//!
//! A handler runs in the caller's thread until it first has to wait; the rest is the shell's to run. Deadlines of calls that wait
//! are kept by one thread for the whole program.

mod call;
mod definition;
mod direct;

pub use definition::{Definition, Start};
pub use direct::{Direct, Side, connect};
