//! What a typed client calls, and what a call looks like from either end. A transport carries bytes, or typed objects where both
//! ends are in one process.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bytes::Bytes;

use crate::channel::{BoxFuture, Instant};
use crate::context::Context;
use crate::descriptor::{MethodDescriptor, ServiceDescriptor, ServiceEntry};
use crate::error::{Error, Result};
use crate::header::{CallHeader, Metadata};

/// A message of generated code.
pub trait Message: prost::Message + Default + 'static {}

impl<T: prost::Message + Default + 'static> Message for T {}

/// A message as an object whose type is not known, that can still be encoded.
pub trait ObjectMessage: Any + Send {
    /// The message, to be asked for its type.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;

    /// Whether it is a message of this type.
    fn is_of(&self, wanted: TypeId) -> bool;

    /// Its encoding.
    fn to_bytes(&self) -> Bytes;
}

impl<T: Message> ObjectMessage for T {
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }

    fn is_of(&self, wanted: TypeId) -> bool {
        TypeId::of::<T>() == wanted
    }

    fn to_bytes(&self) -> Bytes {
        self.encode_to_vec().into()
    }
}

/// A message on its way.
pub enum Payload {
    /// Its encoding.
    Bytes(Bytes),
    /// The message itself, where caller and callee are in one process and one language.
    Object(Box<dyn ObjectMessage>),
}

impl Payload {
    /// The message itself, or its encoding.
    pub fn of<T: Message>(message: T, as_object: bool) -> Self {
        if as_object { Self::Object(Box::new(message)) } else { Self::Bytes(message.encode_to_vec().into()) }
    }

    /// The message. An object of another type, such as that of another copy of the generated code, goes through its encoding.
    ///
    /// # Errors
    /// INTERNAL, naming the type, when the bytes are not its encoding.
    pub fn into_message<T: Message>(self) -> Result<T> {
        let bytes = match self {
            Self::Bytes(bytes) => bytes,
            Self::Object(object) if !object.is_of(TypeId::of::<T>()) => object.to_bytes(),
            Self::Object(object) => match object.into_any().downcast::<T>() {
                Ok(message) => return Ok(*message),
                Err(_) => return Err(Error::internal("an object is not of the type that it says")),
            },
        };
        // From the slice: fields are vectors, which are filled faster from one.
        decode(&bytes)
    }

    /// The encoding.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Object(object) => object.to_bytes(),
        }
    }
}

/// What a handler is asked: the encoding of a message, where its caller keeps it, or a payload.
#[derive(Debug)]
pub enum Asked<'a> {
    /// Its encoding.
    Encoding(&'a [u8]),
    /// The payload.
    Payload(Payload),
}

impl Asked<'_> {
    /// The message.
    ///
    /// # Errors
    /// As [`Payload::into_message`].
    pub fn into_message<T: Message>(self) -> Result<T> {
        match self {
            Self::Encoding(bytes) => decode(bytes),
            Self::Payload(payload) => payload.into_message(),
        }
    }

    /// The payload.
    pub fn into_payload(self) -> Payload {
        match self {
            Self::Encoding(bytes) => Payload::Bytes(Bytes::copy_from_slice(bytes)),
            Self::Payload(payload) => payload,
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Self::Payload(Payload::Object(_)))
    }
}

pub(crate) fn decode<T: Message>(bytes: &[u8]) -> Result<T> {
    let mut message = T::default();
    decode_into(&mut message, bytes)?;
    Ok(message)
}

/// Reads a message into an empty one: messages may be large, and are not moved about.
pub(crate) fn decode_into<T: Message>(message: &mut T, bytes: &[u8]) -> Result<()> {
    message.merge(bytes).map_err(|error| unparsable(std::any::type_name::<T>(), &error))
}

#[cold]
fn unparsable(name: &str, error: &prost::DecodeError) -> Error {
    Error::internal(format!("a message cannot be parsed as {name}: {error}"))
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(bytes).finish(),
            Self::Object(_) => f.write_str("Object(..)"),
        }
    }
}

/// A method of a service of which there are stubs.
#[derive(Clone, Copy, Debug)]
pub struct MethodRef {
    /// The service.
    pub service: &'static ServiceDescriptor,
    /// The place of the method in its service.
    pub index: usize,
}

impl MethodRef {
    /// The method's descriptor.
    ///
    /// # Errors
    /// INTERNAL, when the service has no method at this place.
    pub fn descriptor(&self) -> Result<&'static MethodDescriptor> {
        self.service
            .methods
            .get(self.index)
            .ok_or_else(|| Error::internal(format!("{} has no method {}", self.service.name, self.index)))
    }
}

/// What a caller can say about a call.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// How long the call may take. None: the default of its method; [`Duration::MAX`]: no limit.
    pub timeout: Option<Duration>,
    /// Metadata for the callee.
    pub metadata: Metadata,
    /// W3C trace context. Empty: that of the call within which this one is made.
    pub traceparent: String,
    /// W3C trace state.
    pub tracestate: String,
    /// The call within which this one is made: its remaining time, its cancellation and its origin go along.
    pub within: Option<Context>,
    /// The names of those whose calls led to this one, the first cause first, where that is known from elsewhere: a call `within` another has that one's.
    pub origin: Vec<String>,
}

impl CallOptions {
    /// Options that say nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits how long the call may take.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Adds a pair of metadata for the callee.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.append(key, value);
        self
    }

    /// Whether they say nothing: a call without a header and without a deadline, where its method has no timeout.
    pub fn is_empty(&self) -> bool {
        self.within.is_none()
            && self.timeout.is_none()
            && self.metadata.is_empty()
            && self.traceparent.is_empty()
            && self.tracestate.is_empty()
            && self.origin.is_empty()
    }

    /// The deadline and the call header that these options give at `now`, for a method with this default timeout (ms; 0: none).
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED, when no time is left; the reason of the cancellation, when the call within which it is made was cancelled;
    /// INVALID_ARGUMENT for a bad metadata key.
    pub fn begin(
        self,
        default_timeout_ms: u32,
        now: impl FnOnce() -> Instant,
    ) -> Result<(CallHeader, Option<Instant>)> {
        self.metadata.validate()?;
        let timeout = match (self.timeout, default_timeout_ms) {
            (Some(Duration::MAX), _) | (None, 0) => None,
            (None, default) => Some(Duration::from_millis(u64::from(default))),
            (own, _) => own,
        };
        let mut header = CallHeader {
            timeout_ms: None,
            metadata: self.metadata,
            traceparent: self.traceparent,
            tracestate: self.tracestate,
            origin: self.origin,
        };
        let mut outer = None;
        if let Some(context) = &self.within {
            context.check()?;
            outer = context.deadline();
            header.origin = context.origin_of_calls();
            if header.traceparent.is_empty() {
                header.traceparent = context.traceparent().to_owned();
                header.tracestate = context.tracestate().to_owned();
            }
        }
        if timeout.is_none() && outer.is_none() {
            return Ok((header, None));
        }
        let now = now();
        let own = timeout.map(|timeout| now.saturating_add(timeout));
        let deadline = own.into_iter().chain(outer).min();
        let left = deadline.map_or(Duration::ZERO, |deadline| deadline.saturating_since(now));
        if left.is_zero() {
            return Err(Error::deadline_exceeded("the deadline passed before the call was made"));
        }
        // Rounded up: a call that has some time left is not sent as one that has none.
        let timeout_ms = left.as_nanos().div_ceil(1_000_000);
        header.timeout_ms = Some(u32::try_from(timeout_ms).unwrap_or(u32::MAX));
        Ok((header, deadline))
    }
}

/// The answer to a call with one response.
#[derive(Debug)]
pub struct Response<T> {
    /// The message.
    pub message: T,
    /// Metadata that the callee sent before the message.
    pub header: Metadata,
    /// Metadata that the callee sent after the message.
    pub trailer: Metadata,
}

impl<T> Response<T> {
    /// An answer without metadata.
    pub(crate) fn of(message: T) -> Self {
        Self { message, header: Metadata::default(), trailer: Metadata::default() }
    }
}

/// A call with one response that was made.
pub enum Running {
    /// It has ended: the handler answered at once.
    Ended(Result<Response<Payload>>),
    /// It goes on. Dropping it cancels it.
    Waits(BoxFuture<Result<Response<Payload>>>),
}

impl Running {
    /// Waits for its end.
    ///
    /// # Errors
    /// Why the call failed.
    pub async fn ended(self) -> Result<Response<Payload>> {
        match self {
            Self::Ended(result) => result,
            Self::Waits(running) => running.await,
        }
    }
}

/// What a typed client calls. Dropping what it returns cancels the call.
pub trait Transport: Send + Sync + 'static {
    /// Whether messages are passed as objects instead of bytes.
    fn passes_objects(&self) -> bool {
        false
    }

    /// Calls a method with one request and one response.
    fn unary(&self, method: MethodRef, request: Payload, options: CallOptions) -> Running;

    /// As [`unary`](Self::unary), for a request that is encoded already.
    fn unary_encoded(&self, method: MethodRef, request: &[u8], options: CallOptions) -> Running {
        self.unary(method, Payload::Bytes(Bytes::copy_from_slice(request)), options)
    }

    /// As [`unary_encoded`](Self::unary_encoded), with options that it may take, where the answer may be read at once, from where it is: `take` was given it, and it has no metadata, if nothing is returned.
    fn unary_taken(
        &self,
        method: MethodRef,
        request: &[u8],
        options: &mut CallOptions,
        take: &mut dyn FnMut(&[u8]),
    ) -> Option<Running> {
        let _ = take;
        Some(self.unary_encoded(method, request, std::mem::take(options)))
    }

    /// Calls a method of another kind; `request` is the one request, where the caller sends no stream.
    fn stream(
        &self,
        method: MethodRef,
        request: Option<Payload>,
        options: CallOptions,
    ) -> BoxFuture<Result<Arc<dyn CallStream>>>;

    /// Runs a future to its end; for streams of requests.
    fn spawn(&self, future: BoxFuture<()>);
}

/// Who a peer is, as its hello said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerInfo {
    /// The name of the plugin or host program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its language and library, for people and logs only.
    pub runtime: String,
}

/// A connected peer, whatever carries the calls: a connection by bytes, the direct transport by objects.
pub trait Link: Transport {
    /// Who the peer is, once that is known.
    fn peer_info(&self) -> Option<PeerInfo>;

    /// Waits until calls can be made. An error, when the connection ended before.
    fn wait_opened(&self) -> BoxFuture<Result<()>>;

    /// Waits until the connection has ended; gives the reason.
    fn wait_closed(&self) -> BoxFuture<Error>;

    /// Checks that the peer serves a service with a compatible schema. Equal fingerprints cost nothing; else the peer is asked for its
    /// descriptors. The result is kept. Fails with UNIMPLEMENTED when the peer has no such service, with FAILED_PRECONDITION when the
    /// schemas differ in a way that breaks calls.
    fn negotiate(&self, service: Arc<ServiceEntry>) -> BoxFuture<Result<()>>;

    /// Checks the services that the peer means to call against those that this side serves. A service that this side lacks is no
    /// failure: the call will be. Fails with FAILED_PRECONDITION when the schemas differ in a way that breaks calls.
    fn negotiate_uses(&self) -> BoxFuture<Result<()>>;

    /// Takes no new calls, in either direction; waits until none is left, or the connection has ended.
    fn drain(&self) -> BoxFuture<()>;

    /// Ends the connection now. Calls in flight end with UNAVAILABLE and the reason.
    fn close(&self, reason: Error);
}

/// One end of a call: the caller's or the callee's. At most one task receives, and at most one sends.
pub trait CallStream: Send + Sync + 'static {
    /// Whether messages are passed as objects instead of bytes.
    fn passes_objects(&self) -> bool {
        false
    }

    /// The next message of the other end; none after its last. At the caller, a call that failed gives its error.
    fn poll_receive(&self, task: &mut TaskContext<'_>) -> Poll<Result<Option<Payload>>>;

    /// Waits until a message may be sent. An error, when the call has ended.
    fn poll_ready(&self, task: &mut TaskContext<'_>) -> Poll<Result<()>>;

    /// Waits until the call has ended.
    fn poll_ended(&self, task: &mut TaskContext<'_>) -> Poll<()>;

    /// Sends a message; `last` when none follows.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED, over a limit or without having waited for [`poll_ready`](Self::poll_ready); how the call ended, when it has.
    fn send(&self, message: Payload, last: bool) -> Result<()>;

    /// As [`send`](Self::send), for a message that is encoded already.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn send_encoded(&self, message: &[u8], last: bool) -> Result<()> {
        self.send(Payload::Bytes(Bytes::copy_from_slice(message)), last)
    }

    /// At the caller: no message follows, or the call is given up. At the callee: how the call ends.
    fn end(&self, result: Result<()>);

    /// Metadata that the callee sent before its first message, once that has come; for callers.
    fn header(&self) -> Option<Metadata>;

    /// Metadata that the callee sent after its last message, once the call has ended; for callers.
    fn trailer(&self) -> Option<Metadata>;
}
