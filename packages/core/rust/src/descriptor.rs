//! What a schema says of its services: static where generated code embeds it, owned where a service is described at run time.

use std::borrow::Cow;

/// Which sides of a method stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MethodKind {
    /// One request, one response.
    Unary,
    /// One request, a stream of responses.
    ServerStream,
    /// A stream of requests, one response.
    ClientStream,
    /// A stream in each direction.
    BidiStream,
}

impl MethodKind {
    /// Whether the caller sends a stream.
    pub const fn streams_requests(self) -> bool {
        matches!(self, Self::ClientStream | Self::BidiStream)
    }

    /// Whether the callee sends a stream.
    pub const fn streams_responses(self) -> bool {
        matches!(self, Self::ServerStream | Self::BidiStream)
    }
}

/// A service as generated code describes it.
#[derive(Debug)]
pub struct ServiceDescriptor {
    /// The full name, such as `eliza_classic.v1.ElizaService`.
    pub name: &'static str,
    /// What `protoc-gen-anyplug` computed over the schema; empty for services of the protocol itself.
    pub fingerprint: &'static str,
    /// The methods, in the order of the schema.
    pub methods: &'static [MethodDescriptor],
    /// A `google.protobuf.FileDescriptorSet`, the files in the order of their imports.
    pub descriptor_set: &'static [u8],
}

/// A method as generated code describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodDescriptor {
    /// The name in the schema, such as `Reply`.
    pub name: &'static str,
    /// Which sides stream.
    pub kind: MethodKind,
    /// Calling twice has the effect of calling once.
    pub idempotent: bool,
    /// Milliseconds that a call may take when the caller gives no timeout; 0: no limit.
    pub default_timeout_ms: u32,
    /// The capability that a caller must have been granted; empty: none.
    pub required_capability: &'static str,
}

/// Ties the marker type of a service to its descriptor and its client.
pub trait Service {
    /// The service's descriptor.
    const DESCRIPTOR: &'static ServiceDescriptor;

    /// The typed client.
    type Client;

    /// The typed client over an untyped one.
    fn client(client: crate::client::Client) -> Self::Client;
}

/// A service described at run time. A [`ServiceDescriptor`] becomes one without copying.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceEntry {
    /// The full name, such as `eliza_classic.v1.ElizaService`.
    pub name: Cow<'static, str>,
    /// What `protoc-gen-anyplug` computed over the schema; empty for services of the protocol itself.
    pub fingerprint: Cow<'static, str>,
    /// The methods, in the order of the schema.
    pub methods: Vec<MethodEntry>,
    /// A `google.protobuf.FileDescriptorSet`, the files in the order of their imports; may be empty.
    pub descriptor_set: Cow<'static, [u8]>,
}

/// A method of a [`ServiceEntry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodEntry {
    /// The name in the schema, such as `Reply`.
    pub name: Cow<'static, str>,
    /// Which sides stream.
    pub kind: MethodKind,
    /// Calling twice has the effect of calling once.
    pub idempotent: bool,
    /// Milliseconds that a call may take when the caller gives no timeout; 0: no limit.
    pub default_timeout_ms: u32,
    /// The capability that a caller must have been granted; empty: none.
    pub required_capability: Cow<'static, str>,
}

impl MethodEntry {
    /// A method without options.
    pub fn new(name: impl Into<Cow<'static, str>>, kind: MethodKind) -> Self {
        Self {
            name: name.into(),
            kind,
            idempotent: false,
            default_timeout_ms: 0,
            required_capability: Cow::Borrowed(""),
        }
    }
}

impl From<&'static ServiceDescriptor> for ServiceEntry {
    fn from(service: &'static ServiceDescriptor) -> Self {
        Self {
            name: Cow::Borrowed(service.name),
            fingerprint: Cow::Borrowed(service.fingerprint),
            methods: service.methods.iter().map(MethodEntry::from).collect(),
            descriptor_set: Cow::Borrowed(service.descriptor_set),
        }
    }
}

impl From<&'static MethodDescriptor> for MethodEntry {
    fn from(method: &'static MethodDescriptor) -> Self {
        Self {
            name: Cow::Borrowed(method.name),
            kind: method.kind,
            idempotent: method.idempotent,
            default_timeout_ms: method.default_timeout_ms,
            required_capability: Cow::Borrowed(method.required_capability),
        }
    }
}
