//! Messages and stubs generated from the anyplug schemas.
//!
//! The modules follow the protobuf packages: `eliza_classic.v1.ReplyRequest` is [`eliza_classic::v1::ReplyRequest`].

#[rustfmt::skip]
mod packages;

pub use packages::*;
