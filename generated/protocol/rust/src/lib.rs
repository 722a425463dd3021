//! Messages of the anyplug control plane: wire, plugin, options and reflection.
//!
//! The modules follow the protobuf packages: `anyplug.wire.v1.Status` is [`anyplug::wire::v1::Status`].

#[rustfmt::skip]
mod packages;

pub use packages::*;
