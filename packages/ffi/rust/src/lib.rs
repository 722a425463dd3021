//! anyplug transport into a shared library: `anyplug.h` is what library and host agree on.
//!
//! [`abi`] has its types, which is all that a plugin needs. For hosts, [`SharedLibrary`] is any library, [`Library`] one that was loaded and checked; [`Instance`] is one of its instances, and moves the bytes of an ordinary
//! [`Connection`](anyplug_core::Connection). The plugin is entered by whoever calls it, one thread at a time. What it sends from threads of its own is handled there; what it sends while a thread of the
//! host is within it, by that thread when it has returned.

pub mod abi;
#[cfg(feature = "host")]
mod elizaos;
#[cfg(feature = "host")]
mod heard;
#[cfg(feature = "host")]
mod instance;
#[cfg(feature = "host")]
mod library;
#[cfg(feature = "host")]
mod machine;
#[cfg(feature = "host")]
mod relay;
#[cfg(feature = "host")]
mod shared;

#[cfg(feature = "host")]
pub use elizaos::{ElizaosAnswer, ElizaosLibrary};
#[cfg(feature = "host")]
pub use instance::Instance;
#[cfg(feature = "host")]
pub use library::{Description, Library, library_file};
#[cfg(feature = "host")]
pub use relay::{Relay, TakesBytes, TakesLine};
#[cfg(feature = "host")]
pub use shared::SharedLibrary;
