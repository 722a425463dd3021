//! ElizaOS's line protocols, both ways: [`load_line_plugin`] makes a plugin that speaks one of them a plugin of an agent; [`LineServer`] serves a plugin of an agent to a host that speaks one,
//! and [`serve_elizaos`] does so on the standard streams. [`load_library_plugin`] loads a plugin that is a shared library with ElizaOS's C ABI.

mod drive;
mod functions;
mod library;
mod lines;
mod load;
mod manifest;
mod methods;
mod peer;
mod requests;
mod serve;
mod stdio;
mod values;
mod worker;

pub use drive::{Ask, Dialect, driven_plugin};
pub use library::{LibraryPlugin, load_library_plugin};
pub use lines::LineReader;
pub use load::{LineLoadOptions, LinePlugin, load_line_plugin};
pub use manifest::{description_of, manifest_of};
pub use peer::{LinePeer, PeerOptions};
pub use serve::{LineServer, ServeOptions};
pub use stdio::{serve_elizaos, serve_elizaos_on};
