//! A link that is made again when it is lost.

use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use anyplug_core::hello::Peer;
use anyplug_core::transport::{CallStream, MethodRef, Payload, PeerInfo, Response, Running, Transport};
use anyplug_core::{BoxFuture, CallOptions, Code, Connection, Error, Link, LogLevel, LogRecord, Result, ServiceEntry};
use anyplug_ipc::{Driver, Runtime};
use bytes::Bytes;

use crate::options::LoadOptions;
use crate::wait::block_on;

/// For the thread of a connection that this side has ended.
const END_GRACE: Duration = Duration::from_secs(1);

/// How a lost link is made again.
#[derive(Clone, Debug)]
pub struct ReconnectOptions {
    /// Before the first attempt. Default 50 ms. Each attempt that fails doubles it.
    pub initial_delay: Duration,
    /// Between two attempts, at most. Default 10 s.
    pub max_delay: Duration,
    /// Attempts in a row that may fail; after the last one the plugin has ended. Default: without end.
    pub max_attempts: Option<u32>,
    /// How long an idempotent call without a deadline waits for the link. Default 30 s.
    pub retry_timeout: Duration,
    /// The time between two attempts. Default: that of this process.
    pub pace: Pace,
}

impl Default for ReconnectOptions {
    fn default() -> Self {
        Self {
            initial_delay: Duration::from_millis(50),
            max_delay: Duration::from_secs(10),
            max_attempts: None,
            retry_timeout: Duration::from_secs(30),
            pace: Pace::default(),
        }
    }
}

/// A number from 0 to below 1, and what is told each delay before it is waited for; returns how long to wait in fact.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The chance.
    pub random: fn() -> f64,
    /// How long to wait for a delay: the delay itself, where time is real.
    pub wait: fn(Duration) -> Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { random, wait: |delay| delay }
    }
}

/// Good enough to keep hosts apart: the state of a hasher, which the system seeds.
fn random() -> f64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1u64 << 53) as f64
}

impl ReconnectOptions {
    /// The time before attempt `attempt`, the first being 0: it doubles up to the longest, and a random half of it is left out, so that many hosts do not come back at once.
    pub fn delay(&self, attempt: u32) -> Duration {
        let doubled = self.initial_delay.saturating_mul(2u32.saturating_pow(attempt));
        doubled.min(self.max_delay).mul_f64(0.5 + (self.pace.random)() / 2.0)
    }
}

/// Makes a connection on which calls can be made. The first is what to do when it has ended.
pub(crate) type Dial =
    Box<dyn Fn(Box<dyn Fn() + Send + Sync>, &mut dyn FnMut() -> Result<()>) -> Result<Arc<Driver>> + Send + Sync>;

/// Carries calls over one connection after another. Calls in flight on a connection that is lost end with UNAVAILABLE. One of a method that the schema says is idempotent is made again, once, when
/// the link is back within its deadline; all others are not, and without a link they fail at once.
pub(crate) struct ReconnectingLink {
    dial: Dial,
    reconnect: Option<ReconnectOptions>,
    runtime: Arc<dyn Runtime>,
    drain_timeout: Duration,
    peer: OnceLock<Arc<Peer>>,
    state: Mutex<State>,
    changed: Condvar,
    own: Weak<Self>,
}

#[derive(Default)]
struct State {
    current: Option<Arc<Driver>>,
    /// Why there is no link.
    lost: Option<Error>,
    /// Why this side ended it, in its own words: the peer may close first, once it has been told.
    ended: Option<Error>,
    /// No new link is made.
    stopped: bool,
    /// Why the link has ended for good.
    finished: Option<Error>,
    /// Those who wait for a link, or for its end; with the time when they wait no longer.
    waiting: Vec<(Option<Instant>, Waker)>,
}

impl ReconnectingLink {
    /// Makes the first connection.
    ///
    /// # Errors
    /// As `dial`.
    pub(crate) fn start(
        dial: Dial,
        options: &LoadOptions,
        runtime: Arc<dyn Runtime>,
        look: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Arc<Self>> {
        let link = Arc::new_cyclic(|own| Self {
            dial,
            reconnect: options.reconnect.clone(),
            runtime,
            drain_timeout: options.drain_timeout,
            peer: OnceLock::new(),
            state: Mutex::default(),
            changed: Condvar::new(),
            own: own.clone(),
        });
        let driver = link.connect(look)?;
        if let Some(peer) = driver.connection().peer() {
            let _ = link.peer.set(peer.clone());
        }
        link.take(driver);
        Ok(link)
    }

    pub(crate) fn peer(&self) -> Option<Arc<Peer>> {
        self.peer.get().cloned()
    }

    /// Lets calls in flight end, and then ends the link in these words.
    pub(crate) fn stop(&self, reason: Error) {
        let current = self.forbid();
        if let Some(driver) = current {
            let until = Instant::now() + self.drain_timeout;
            let in_time = || if Instant::now() < until { Ok(()) } else { Err(()) };
            // Calls that take longer end with the link.
            let _ = block_on(driver.connection().drain(), in_time);
        }
        self.end(reason);
        // The thread of the connection says when it has ended.
        let state = self.lock();
        let ended = self.changed.wait_timeout_while(state, END_GRACE, |state| state.finished.is_none());
        drop(ended.unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends the link now, in these words for whoever calls from this side; the plugin sees the end of the stream.
    pub(crate) fn end(&self, reason: Error) {
        self.lock().ended = Some(reason.clone());
        match self.forbid() {
            Some(driver) => {
                driver.connection().closed(reason);
                driver.close();
            }
            None => self.finish(reason),
        }
    }

    /// Makes no new link from now on; gives the one that there is.
    fn forbid(&self) -> Option<Arc<Driver>> {
        let mut state = self.lock();
        state.stopped = true;
        self.changed.notify_all();
        state.current.clone()
    }

    fn connect(&self, look: &mut dyn FnMut() -> Result<()>) -> Result<Arc<Driver>> {
        let own = self.own.clone();
        let then = move || {
            if let Some(link) = own.upgrade() {
                link.lose();
            }
        };
        (self.dial)(Box::new(then), look)
    }

    /// Takes a connection into use.
    fn take(&self, driver: Arc<Driver>) {
        let mut state = self.lock();
        state.lost = None;
        let stopped = state.stopped;
        state.current = Some(driver.clone());
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        wake(waiting);
        if stopped {
            driver.connection().closed(Error::unavailable("the link was closed"));
            driver.close();
        }
        // It may have ended before it was taken: then its thread found nothing to make again.
        if driver.connection().close_reason().is_some() {
            self.lose();
        }
    }

    /// The connection has ended: makes another one, in the thread of the one that ended.
    fn lose(&self) {
        let mut state = self.lock();
        let ended = match &state.current {
            Some(driver) => driver.connection().close_reason(),
            None => None,
        };
        let Some(reason) = ended else { return };
        state.current = None;
        state.lost = Some(reason.clone());
        let stopped = state.stopped;
        drop(state);
        if stopped || reason.code() != Code::Unavailable {
            return self.finish(reason);
        }
        let Some(options) = &self.reconnect else { return self.finish(reason) };
        let mut attempt = 0;
        let last = loop {
            if options.max_attempts.is_some_and(|most| attempt >= most) {
                break self.lock().lost.clone();
            }
            if !self.pause((options.pace.wait)(options.delay(attempt))) {
                break None;
            }
            match self.connect(&mut || self.check()).and_then(|driver| self.same_plugin(driver)) {
                Ok(driver) => {
                    let message = format!("the link is back, after: {}", reason.message());
                    self.runtime.log(LogRecord::new(LogLevel::Info, "anyplug", message).with_time_of_now());
                    return self.take(driver);
                }
                Err(error) if matches!(error.code(), Code::Unavailable | Code::DeadlineExceeded) => {
                    self.lock().lost = Some(error);
                }
                Err(error) => break Some(error),
            }
            attempt = attempt.saturating_add(1);
        };
        self.finish(last.unwrap_or(reason));
    }

    fn same_plugin(&self, driver: Arc<Driver>) -> Result<Arc<Driver>> {
        let (is, was) = (driver.connection().peer(), self.peer.get());
        match (is, was) {
            (Some(is), Some(was)) if is.name != was.name => {
                let message = format!("the address has plugin \"{}\" now, and had \"{}\"", is.name, was.name);
                let error = Error::failed_precondition(message);
                driver.connection().closed(error.clone());
                driver.close();
                Err(error)
            }
            _ => Ok(driver),
        }
    }

    /// Waits before an attempt; those whose time is over meanwhile are told. False when no attempt is to be made.
    fn pause(&self, delay: Duration) -> bool {
        let until = Instant::now() + delay;
        let mut state = self.lock();
        while !state.stopped {
            let now = Instant::now();
            let expired = take_expired(&mut state, now);
            if !expired.is_empty() {
                drop(state);
                wake(expired);
                state = self.lock();
                continue;
            }
            if now >= until {
                return true;
            }
            let next = state.waiting.iter().filter_map(|(until, _)| *until).chain([until]).min().unwrap_or(until);
            let timeout = next.saturating_duration_since(now);
            state = self.changed.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    /// Called while an attempt is made.
    fn check(&self) -> Result<()> {
        let mut state = self.lock();
        let expired = take_expired(&mut state, Instant::now());
        let stopped = state.stopped;
        drop(state);
        wake(expired);
        if stopped { Err(Error::cancelled("the link was closed")) } else { Ok(()) }
    }

    fn finish(&self, reason: Error) {
        let mut state = self.lock();
        state.stopped = true;
        let reason = state.finished.get_or_insert(reason).clone();
        state.lost = Some(reason);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.changed.notify_all();
        wake(waiting);
    }

    /// The connection that there is.
    ///
    /// # Errors
    /// UNAVAILABLE without one.
    fn current(&self) -> Result<Connection> {
        let state = self.lock();
        match &state.current {
            Some(driver) => Ok(driver.connection().clone()),
            None => Err(down(&state)),
        }
    }

    /// Waits for a connection other than `lost`, up to `until`.
    async fn another(self: Arc<Self>, lost: Option<Connection>, until: Instant) -> Result<Connection> {
        poll_fn(move |task| {
            let mut state = self.lock();
            if let Some(driver) = &state.current {
                let connection = driver.connection();
                if connection.close_reason().is_none() && !connection.is_draining() {
                    return Poll::Ready(Ok(connection.clone()));
                }
            }
            if state.finished.is_some() || (state.stopped && lost.is_none()) {
                return Poll::Ready(Err(down(&state)));
            }
            if Instant::now() >= until {
                let why = state.lost.as_ref().map(|error| error.message().to_owned()).unwrap_or_default();
                let message = format!("the link was not back in time: {why}");
                return Poll::Ready(Err(Error::deadline_exceeded(message)));
            }
            state.waiting.push((Some(until), task.waker().clone()));
            self.changed.notify_all();
            Poll::Pending
        })
        .await
    }

    async fn again(
        self: Arc<Self>,
        method: MethodRef,
        request: Bytes,
        options: CallOptions,
    ) -> Result<Response<Payload>> {
        let now = Instant::now();
        let (header, _) = options.clone().begin(method.descriptor()?.default_timeout_ms, anyplug_core::Instant::now)?;
        let own = header.timeout_ms.map(|timeout| now + Duration::from_millis(u64::from(timeout)));
        let retry = self.reconnect.as_ref().map_or(Duration::ZERO, |options| options.retry_timeout);
        let until = own.unwrap_or(now + retry);
        let first = match self.current() {
            Ok(connection) => connection,
            Err(_) => self.clone().another(None, until).await?,
        };
        let error =
            match Transport::unary(&first, method, Payload::Bytes(request.clone()), options.clone()).ended().await {
                Err(error) if error.code() == Code::Unavailable && is_lost(&first) => error,
                result => return result,
            };
        let Ok(second) = self.another(Some(first), until).await else { return Err(error) };
        let left = until.saturating_duration_since(Instant::now());
        let timeout = own.map(|_| left).or(options.timeout);
        Transport::unary(&second, method, Payload::Bytes(request), CallOptions { timeout, ..options }).ended().await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether calls fail because the connection has ended, or is about to.
fn is_lost(connection: &Connection) -> bool {
    connection.close_reason().is_some() || connection.is_draining()
}

fn down(state: &State) -> Error {
    let reason = state.ended.as_ref().or(state.lost.as_ref());
    let reason = reason.map(|error| error.message().to_owned()).unwrap_or_default();
    let hope = if state.stopped { "the connection ended" } else { "the link was lost and is being made again" };
    Error::unavailable(format!("{hope}: {reason}"))
}

fn take_expired(state: &mut State, now: Instant) -> Vec<(Option<Instant>, Waker)> {
    let (expired, waiting) =
        std::mem::take(&mut state.waiting).into_iter().partition(|(until, _)| until.is_some_and(|until| until <= now));
    state.waiting = waiting;
    expired
}

fn wake(waiting: Vec<(Option<Instant>, Waker)>) {
    for (_, waker) in waiting {
        waker.wake();
    }
}

impl Transport for ReconnectingLink {
    fn unary(&self, method: MethodRef, request: Payload, options: CallOptions) -> Running {
        let is_idempotent = method.descriptor().is_ok_and(|method| method.idempotent);
        match (is_idempotent, self.own.upgrade()) {
            (true, Some(link)) => Running::Waits(Box::pin(link.again(method, request.into_bytes(), options))),
            _ => match self.current() {
                Ok(connection) => Transport::unary(&connection, method, request, options),
                Err(error) => Running::Ended(Err(error)),
            },
        }
    }

    fn unary_encoded(&self, method: MethodRef, request: &[u8], options: CallOptions) -> Running {
        if method.descriptor().is_ok_and(|method| method.idempotent) {
            return self.unary(method, Payload::Bytes(Bytes::copy_from_slice(request)), options);
        }
        match self.current() {
            Ok(connection) => connection.unary_encoded(method, request, options),
            Err(error) => Running::Ended(Err(error)),
        }
    }

    fn stream(
        &self,
        method: MethodRef,
        request: Option<Payload>,
        options: CallOptions,
    ) -> BoxFuture<Result<Arc<dyn CallStream>>> {
        match self.current() {
            Ok(connection) => connection.stream(method, request, options),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn spawn(&self, future: BoxFuture<()>) {
        self.runtime.spawn(future);
    }
}

impl Link for ReconnectingLink {
    fn peer_info(&self) -> Option<PeerInfo> {
        let peer = self.peer.get()?;
        Some(PeerInfo { name: peer.name.clone(), version: peer.version.clone(), runtime: peer.runtime.clone() })
    }

    fn wait_opened(&self) -> BoxFuture<Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn wait_closed(&self) -> BoxFuture<Error> {
        let link = self.own.upgrade();
        Box::pin(poll_fn(move |task| {
            let Some(link) = &link else { return Poll::Ready(Error::unavailable("the link was dropped")) };
            let mut state = link.lock();
            if let Some(reason) = &state.finished {
                return Poll::Ready(reason.clone());
            }
            state.waiting.push((None, task.waker().clone()));
            Poll::Pending
        }))
    }

    fn negotiate(&self, service: Arc<ServiceEntry>) -> BoxFuture<Result<()>> {
        match self.current() {
            Ok(connection) => Link::negotiate(&connection, service),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn negotiate_uses(&self) -> BoxFuture<Result<()>> {
        match self.current() {
            Ok(connection) => Link::negotiate_uses(&connection),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn drain(&self) -> BoxFuture<()> {
        match self.forbid() {
            Some(driver) => Box::pin(driver.connection().drain()),
            None => Box::pin(std::future::ready(())),
        }
    }

    fn close(&self, reason: Error) {
        match self.forbid() {
            Some(driver) => driver.connection().fail(reason),
            None => self.finish(reason),
        }
    }
}
