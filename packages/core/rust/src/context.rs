//! What a handler knows of the call it handles.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use crate::channel::Instant;
use crate::client::{Caller, Client};
use crate::descriptor::{MethodEntry, ServiceDescriptor, ServiceEntry};
use crate::error::{Error, Result};
use crate::header::{CallHeader, Metadata};
use crate::log::{LogLevel, LogRecord};
use crate::router::Router;
use crate::transport::Transport;

/// The most names that the origin of a call may have.
pub const MAX_ORIGIN: usize = 16;

/// What is around a call that is being handled: the other side, the clock and the log. Connections and in-process transports are it.
pub trait Surroundings: Send + Sync + 'static {
    /// How to call the peer.
    fn transport(self: Arc<Self>) -> Arc<dyn Transport>;

    /// The name of the peer.
    fn peer_name(&self) -> Arc<str>;

    /// What this side serves, and to whom.
    fn router(&self) -> &Router;

    /// Now.
    fn now(&self) -> Instant;

    /// Takes a log record of a handler.
    fn log(self: Arc<Self>, record: LogRecord);

    /// Takes a log record that stays in this process.
    fn log_locally(&self, record: LogRecord);
}

/// A call as its handler sees it: who called, how long it may take, whether it was cancelled; and a way to call the peer back.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    /// Places in the router of the side that serves.
    service: usize,
    method: usize,
    header: Option<Box<CallHeader>>,
    deadline: Option<Instant>,
    surroundings: Arc<dyn Surroundings>,
    /// [`SENT`] and [`HAS_METADATA`].
    answer: AtomicU8,
    state: Mutex<State>,
}

/// The first message was sent.
const SENT: u8 = 1;
/// The handler has given metadata for the answer.
const HAS_METADATA: u8 = 2;

#[derive(Default)]
struct State {
    cancelled: Option<Error>,
    wakers: Vec<Option<Waker>>,
    header: Metadata,
    trailer: Metadata,
}

static NO_METADATA: Metadata = Metadata::new();

impl Context {
    /// The context of a call of a method, by its places in the router. The deadline is counted from now.
    pub fn new(
        service: usize,
        method: usize,
        header: Option<Box<CallHeader>>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Self {
        let timeout = header.as_ref().and_then(|header| header.timeout_ms);
        let deadline = timeout.map(|ms| surroundings.now().saturating_add(Duration::from_millis(u64::from(ms))));
        Self::with_deadline(service, method, header, deadline, surroundings)
    }

    /// The context of a call whose deadline is known.
    pub fn with_deadline(
        service: usize,
        method: usize,
        header: Option<Box<CallHeader>>,
        deadline: Option<Instant>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Self {
        let (answer, state) = (AtomicU8::new(0), Mutex::default());
        Self(Arc::new(Inner { service, method, header, deadline, surroundings, answer, state }))
    }

    // --- the call --------------------------------------------------------------------------------

    /// The full name of the service.
    pub fn service_name(&self) -> &str {
        self.service().map_or("", |service| &service.name)
    }

    /// The name of the method.
    pub fn method_name(&self) -> &str {
        self.method().map_or("", |method| &method.name)
    }

    pub(crate) fn method(&self) -> Option<&MethodEntry> {
        self.service()?.methods.get(self.0.method)
    }

    fn service(&self) -> Option<&ServiceEntry> {
        Some(self.0.surroundings.router().services().get(self.0.service)?.service())
    }

    /// The name of the plugin or host program that made the call.
    pub fn peer_name(&self) -> Arc<str> {
        self.0.surroundings.peer_name()
    }

    /// Metadata that the caller sent.
    pub fn metadata(&self) -> &Metadata {
        self.0.header.as_ref().map_or(&NO_METADATA, |header| &header.metadata)
    }

    /// The names of the plugins and hosts whose calls led to this one, the first cause first; the caller's own is not in it.
    pub fn origin(&self) -> &[String] {
        self.0.header.as_ref().map_or(&[], |header| &header.origin)
    }

    /// The origin of the calls that the handler makes: that of its own call, and its caller.
    pub(crate) fn origin_of_calls(&self) -> Vec<String> {
        let mut origin = self.origin().to_vec();
        origin.push(self.peer_name().as_ref().to_owned());
        origin
    }

    /// W3C trace context; empty when the caller sent none.
    pub fn traceparent(&self) -> &str {
        self.0.header.as_ref().map_or("", |header| &header.traceparent)
    }

    /// W3C trace state; empty when the caller sent none.
    pub fn tracestate(&self) -> &str {
        self.0.header.as_ref().map_or("", |header| &header.tracestate)
    }

    // --- its end ---------------------------------------------------------------------------------

    /// When the call ends at the latest, by the clock of the connection; none without a deadline.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline
    }

    /// The milliseconds that the caller gave; 0: no limit.
    pub(crate) fn timeout_ms(&self) -> u32 {
        self.0.header.as_ref().and_then(|header| header.timeout_ms).unwrap_or(0)
    }

    /// The time that is left; none without a deadline.
    pub fn remaining(&self) -> Option<Duration> {
        self.0.deadline.map(|deadline| deadline.saturating_since(self.0.surroundings.now()))
    }

    /// Why the call was cancelled; none while it goes on.
    pub fn cancellation(&self) -> Option<Error> {
        self.state().cancelled.clone()
    }

    /// For long computations: an error as soon as nobody waits for the answer any more.
    ///
    /// # Errors
    /// Why the call was cancelled.
    pub fn check(&self) -> Result<()> {
        match &self.state().cancelled {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Waits until the call is cancelled, by its caller, by its deadline, or because the connection ended; gives the reason.
    pub fn cancelled(&self) -> Cancelled {
        Cancelled { context: self.clone(), place: None }
    }

    /// Tells the handler that the call is over; for transports. Only the first reason counts.
    pub fn cancel(&self, reason: Error) {
        let wakers = {
            let mut state = self.state();
            if state.cancelled.is_some() {
                return;
            }
            state.cancelled = Some(reason);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    // --- the answer ------------------------------------------------------------------------------

    /// Adds metadata that goes to the caller with the first message.
    ///
    /// # Errors
    /// FAILED_PRECONDITION, after the first message; INVALID_ARGUMENT for a bad key.
    pub fn set_header(&self, key: impl Into<String>, value: impl Into<String>) -> Result<()> {
        let pair: Metadata = [(key.into(), value.into())].into_iter().collect();
        pair.validate()?;
        let mut state = self.state();
        if self.0.answer.fetch_or(HAS_METADATA, Ordering::AcqRel) & SENT != 0 {
            return Err(Error::failed_precondition("the first message was sent, and header metadata goes before it"));
        }
        pair.into_iter().for_each(|(key, value)| state.header.append(key, value));
        Ok(())
    }

    /// Adds metadata that goes to the caller after the last message, also when the call fails.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a bad key.
    pub fn set_trailer(&self, key: impl Into<String>, value: impl Into<String>) -> Result<()> {
        let pair: Metadata = [(key.into(), value.into())].into_iter().collect();
        pair.validate()?;
        let mut state = self.state();
        self.0.answer.fetch_or(HAS_METADATA, Ordering::AcqRel);
        pair.into_iter().for_each(|(key, value)| state.trailer.append(key, value));
        Ok(())
    }

    /// The metadata to send with a message: that before the first one, and that after the last; for transports.
    pub fn take_metadata(&self, is_last: bool) -> (Metadata, Metadata) {
        // Most handlers give none, and this is the path of every answer.
        if self.0.answer.fetch_or(SENT, Ordering::AcqRel) & HAS_METADATA == 0 {
            return Default::default();
        }
        let mut state = self.state();
        let trailer = if is_last { std::mem::take(&mut state.trailer) } else { Metadata::new() };
        (std::mem::take(&mut state.header), trailer)
    }

    /// The metadata to send after the last message; for transports. That of a header for which there was no message goes with it.
    pub fn take_trailer(&self) -> Metadata {
        let mut state = self.state();
        let mut metadata = std::mem::take(&mut state.header);
        std::mem::take(&mut state.trailer).into_iter().for_each(|(key, value)| metadata.append(key, value));
        metadata
    }

    // --- other calls -----------------------------------------------------------------------------

    /// Makes calls to another plugin or host belong to this call, as those through [`Caller`] to the peer do: they take its
    /// remaining time, its cancellation, its trace and its origin along.
    pub fn through<'a, C: Caller + ?Sized>(&self, caller: &'a C) -> Through<'a, C> {
        Through { context: self.clone(), caller }
    }

    /// Whether the caller was granted a capability.
    pub fn is_granted(&self, capability: &str) -> bool {
        self.0.surroundings.router().grants().includes(capability)
    }

    /// The configuration that this side was loaded with: JSON, or nothing.
    pub fn config(&self) -> &str {
        self.0.surroundings.router().config()
    }

    /// Writes to the log: a plugin's goes to its host, a host's to its own.
    pub fn log(&self, level: LogLevel, message: impl Into<String>) {
        self.log_record(LogRecord::new(level, self.service_name(), message));
    }

    /// Writes a record with fields to the log.
    pub fn log_record(&self, record: LogRecord) {
        self.0.surroundings.clone().log(record);
    }

    pub(crate) fn log_locally(&self, record: LogRecord) {
        self.0.surroundings.log_locally(record);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caller for Context {
    fn client_of(&self, service: &'static ServiceDescriptor) -> Client {
        Client::new(self.0.surroundings.clone().transport(), service).within(self.clone())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("service", &self.service_name())
            .field("method", &self.method_name())
            .field("deadline", &self.0.deadline)
            .finish_non_exhaustive()
    }
}

/// A [`Caller`] whose calls belong to the call that a handler handles.
pub struct Through<'a, C: ?Sized> {
    context: Context,
    caller: &'a C,
}

impl<C: Caller + ?Sized> Caller for Through<'_, C> {
    fn client_of(&self, service: &'static ServiceDescriptor) -> Client {
        self.caller.client_of(service).within(self.context.clone())
    }
}

/// Waits for the cancellation of a call: see [`Context::cancelled`].
pub struct Cancelled {
    context: Context,
    /// Where this future's waker is.
    place: Option<usize>,
}

impl Future for Cancelled {
    type Output = Error;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Error> {
        let this = &mut *self;
        let mut state = this.context.state();
        if let Some(reason) = &state.cancelled {
            return Poll::Ready(reason.clone());
        }
        let place = match this.place {
            Some(place) => place,
            None => match state.wakers.iter().position(Option::is_none) {
                Some(free) => free,
                None => {
                    state.wakers.push(None);
                    state.wakers.len() - 1
                }
            },
        };
        if let Some(waker) = state.wakers.get_mut(place) {
            match waker {
                Some(waker) => waker.clone_from(task.waker()),
                none => *none = Some(task.waker().clone()),
            }
        }
        drop(state);
        this.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Cancelled {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waker = self.context.state().wakers.get_mut(place).and_then(Option::take);
            drop(waker);
        }
    }
}
