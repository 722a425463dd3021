//! Version 1 of the contract between generated code and this crate. Generated code imports nothing else of it.

/// How messages are read and written.
pub use anyplug_codec as codec;
pub use futures_core::Stream;

pub use crate::channel::BoxFuture;
pub use crate::client::{
    BidiStreamCall, Caller, Client, ClientStreamCall, Sender, ServerStreamCall, Streaming, UnaryCall,
};
pub use crate::context::Context;
pub use crate::descriptor::{MethodDescriptor, MethodKind, Service, ServiceDescriptor};
pub use crate::error::{Error, Result};
pub use crate::router::{Implementation, ImplementationBuilder};
pub use crate::transport::{CallOptions, Message, Response};
