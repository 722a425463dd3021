//! The connection: a [`Session`] with its pending calls and its handlers. It is passive: a shell feeds it bytes and takes what is to
//! be written, on any runtime or none.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context as TaskContext, Poll};

use crate::channel::{Instant, Shell};
use crate::descriptor::ServiceEntry;
use crate::error::{Error, Result};
use crate::hello::{HelloOptions, Peer};
use crate::limits::LimitOptions;
use crate::log::LogRecord;
use crate::router::Router;
use crate::session::{Role, Session, SessionOptions};
use crate::status::Status;

mod action;
mod answer;
mod binding;
mod now;
mod raw;
mod served;
mod slot;
mod transport;

use binding::Bindings;
pub use now::{CallNow, CalledNow};
pub use raw::{RawCall, RawRequest, RawUnary};
pub use served::ServedNow;
use slot::{Causer, State};

/// How a connection is made.
pub struct ConnectionOptions {
    /// Which side it is.
    pub role: Role,
    /// The name of this plugin or host program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The language and library, for people and logs only.
    pub runtime: String,
    /// The limits that its owner sets.
    pub limits: LimitOptions,
    /// What it serves, what it expects of its peer, and what the peer may call.
    pub router: Router,
    /// What moves its bytes.
    pub shell: Arc<dyn Shell>,
    /// Of a host: the plugin that it wants, where a set is served at one address. Empty: the only one.
    pub plugin: String,
    /// Of a host: the configuration of a plugin that it does not start, as JSON. Empty: none.
    pub config: String,
}

impl ConnectionOptions {
    /// Options with the default limits.
    pub fn new(
        role: Role,
        name: impl Into<String>,
        version: impl Into<String>,
        router: Router,
        shell: Arc<dyn Shell>,
    ) -> Self {
        Self {
            role,
            name: name.into(),
            version: version.into(),
            runtime: RUNTIME.to_owned(),
            limits: LimitOptions::default(),
            router,
            shell,
            plugin: String::new(),
            config: String::new(),
        }
    }
}

/// What this library tells of itself in HELLO.
pub const RUNTIME: &str = concat!("rust anyplug/", env!("CARGO_PKG_VERSION"));

/// One side of a connection. A clone is another handle of the same one; all methods may be called from any thread.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

/// A handle that does not keep a connection alive.
#[derive(Clone, Default)]
pub struct WeakConnection(Weak<Inner>);

impl WeakConnection {
    /// The connection, if it is still there.
    pub fn upgrade(&self) -> Option<Connection> {
        self.0.upgrade().map(|inner| Connection { inner })
    }
}

struct Inner {
    role: Role,
    router: Router,
    shell: Arc<dyn Shell>,
    /// The service and the method of each index of this side's table.
    table: Vec<(usize, usize)>,
    /// What is known of the services that stubs were generated for.
    bindings: Bindings,
    /// The largest message that this side accepts; of a host.
    max_message_bytes: usize,
    peer: OnceLock<Arc<Peer>>,
    peer_name: OnceLock<Arc<str>>,
    state: Mutex<State>,
    /// The thread that receives at the moment, by [`slot::current_thread`]; 0 for none.
    pump: AtomicUsize,
    /// That thread has caused output. Nobody else writes it.
    has_written: AtomicBool,
}

impl Connection {
    /// A new connection. A host has bytes to write at once.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, when the services have more than 65,535 methods together.
    pub fn new(options: ConnectionOptions) -> Result<Self> {
        let ConnectionOptions { role, name, version, runtime, limits, router, shell, plugin, config } = options;
        let services: Vec<_> = router.services().iter().map(|service| service.service().as_ref().clone()).collect();
        let place =
            |(service, entry): (usize, &ServiceEntry)| (0..entry.methods.len()).map(move |method| (service, method));
        let table = services.iter().enumerate().flat_map(place).collect();
        let hello = HelloOptions { name, version, runtime, services, uses: router.uses_in_hello(), plugin, config };
        let session = Session::new(SessionOptions { role, hello, limits })?;
        let inner = Inner {
            role,
            router,
            shell,
            table,
            bindings: Bindings::default(),
            max_message_bytes: session.limits().max_message_bytes as usize,
            peer: OnceLock::new(),
            peer_name: OnceLock::new(),
            state: Mutex::new(State::new(session)),
            pump: AtomicUsize::new(0),
            has_written: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    // --- for the shell ---------------------------------------------------------------------------

    /// Takes bytes that the peer sent. Calls that they complete are woken, handlers of calls that they make run in this thread until
    /// they first have to wait. Afterwards there may be output to take. Only one thread at a time may receive.
    pub fn receive(&self, bytes: &[u8]) {
        self.inner.pump(|state| state.session.receive(bytes));
    }

    /// Serves a call with one request that the peer makes the short way of the embedded ABI: a REQUEST frame with END, in parts. Its handler runs in this thread until it first has to wait;
    /// what else it caused is output, which goes out before the answer. As for [`receive`](Self::receive), only one thread at a time may do this. Returns whether there is such output, too: without it,
    /// a call that has ended has left nothing to do.
    pub fn serve_now(&self, call: u32, method: u16, has_header: bool, payload: &[u8]) -> (ServedNow, bool) {
        self.inner.serve_now(call, method, has_header, payload)
    }

    /// Moves the bytes that have to be written to the end of `into`; false when there are none. Take more only when those are written:
    /// what is taken no longer counts as waiting to be written.
    pub fn take_output(&self, into: &mut Vec<u8>) -> bool {
        let elsewhere = Causer { thread: slot::current_thread(), is_pump: false, may_hold_back: false };
        let (taken, news) = {
            let mut state = self.inner.lock();
            state.forget_announcement();
            let taken = state.session.take_output(into);
            let actions = if state.is_quiet() { None } else { Some(self.inner.collect(&mut state)) };
            (taken, actions.map(|actions| (actions, state.announce(&elsewhere))))
        };
        if let Some((actions, has_output)) = news {
            actions.perform(&self.inner);
            if has_output {
                // Answers that waited until now.
                self.inner.shell.wake();
            }
        }
        taken
    }

    /// When [`expire_due`](Self::expire_due) has something to do at the earliest; none while no call has a deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.inner.lock().earliest
    }

    /// The latest deadline of the calls that this side has made and that are open; none when one of them has none, or there is no call.
    pub fn latest_deadline(&self) -> Option<Instant> {
        self.inner.lock().latest_deadline()
    }

    /// Ends the calls whose deadlines have passed.
    pub fn expire_due(&self, now: Instant) {
        self.inner.pump(|state| state.expire_due(now));
    }

    /// Tells that the transport has ended, and why. All calls end with UNAVAILABLE and this reason.
    pub fn closed(&self, reason: Error) {
        self.inner.change(|state| state.session.closed(reason.into()));
    }

    /// Tells that the transport has ended by a failure of the peer while that worked on `call`, which ends with this reason; all others end with UNAVAILABLE in the same words. 0: not known; then it
    /// is the only call that this side has made, if there is but one.
    pub fn closed_within(&self, call: u32, reason: Error) {
        self.inner.change(|state| state.closed_within(call, &reason));
    }

    /// How many bytes have to be written.
    pub fn output_bytes(&self) -> usize {
        self.inner.lock().session.output_bytes()
    }

    /// A handle that does not keep the connection alive; for shells, which the connection keeps alive.
    pub fn downgrade(&self) -> WeakConnection {
        WeakConnection(Arc::downgrade(&self.inner))
    }

    // --- the peer --------------------------------------------------------------------------------

    /// Which side this is.
    pub fn role(&self) -> Role {
        self.inner.role
    }

    /// What is served and used here.
    pub fn router(&self) -> &Router {
        &self.inner.router
    }

    /// What the peer said of itself, once its HELLO has come.
    pub fn peer(&self) -> Option<&Arc<Peer>> {
        self.inner.peer.get()
    }

    /// Waits until calls can be made.
    pub fn ready(&self) -> impl Future<Output = Result<Arc<Peer>>> + Send + 'static {
        self.wait_for(|inner, state| match (inner.peer.get(), state.session.close_reason()) {
            (_, Some(reason)) => Some(Err(reason.clone())),
            (Some(peer), None) => Some(Ok(peer.clone())),
            (None, None) => None,
        })
    }

    /// Why the connection has ended, if it has.
    pub fn close_reason(&self) -> Option<Error> {
        self.inner.lock().session.close_reason().cloned()
    }

    /// Waits until the connection has ended; gives the reason.
    pub fn wait_closed(&self) -> impl Future<Output = Error> + Send + 'static {
        self.wait_for(|_, state| state.session.close_reason().cloned())
    }

    /// Whether this side or the peer drains the connection: no new calls can be made.
    pub fn is_draining(&self) -> bool {
        self.inner.lock().draining
    }

    /// Whether a drain is over: no call is left, and none will come.
    pub fn is_drained(&self) -> bool {
        self.inner.lock().drained
    }

    /// How many calls are open, in both directions.
    pub fn open_calls(&self) -> usize {
        self.inner.lock().session.open_calls()
    }

    /// Begins a drain: new calls are refused on both sides. The future waits until the calls in flight have ended, or the connection.
    pub fn drain(&self) -> impl Future<Output = ()> + Send + 'static {
        self.inner.change(|state| {
            state.draining = true;
            state.session.drain();
        });
        self.wait_drained()
    }

    /// Waits until a drain, of whichever side, is over, or the connection.
    pub fn wait_drained(&self) -> impl Future<Output = ()> + Send + 'static {
        self.wait_for(|_, state| (state.drained || state.session.close_reason().is_some()).then_some(()))
    }

    /// Ends the connection for a reason, which the peer is told by the last output.
    pub fn fail(&self, reason: Error) {
        self.inner.change(|state| state.session.fail(Status::from(reason)));
    }

    /// Sends a ping; the future waits for its answer.
    pub fn ping(&self) -> impl Future<Output = Result<()>> + Send + 'static {
        let mut number = Err(Error::internal("no ping was sent"));
        self.inner.change(|state| number = state.ping());
        self.wait_for(move |_, state| match &number {
            Err(error) => Some(Err(error.clone())),
            Ok(number) if state.pongs >= *number => Some(Ok(())),
            Ok(_) => state.session.close_reason().map(|reason| Err(reason.clone())),
        })
    }

    /// Sends a log record to the peer. A record without a time gets that of now.
    pub fn log(&self, record: LogRecord) {
        let record = record.with_time_of_now();
        self.inner.change(|state| state.session.log(&record));
    }

    // --- calls by bytes --------------------------------------------------------------------------

    /// The index of a method in the peer's table, for [`start`](Self::start).
    ///
    /// # Errors
    /// UNIMPLEMENTED, when the peer does not have it; FAILED_PRECONDITION before HELLO.
    pub fn method_index(&self, service: &str, method: &str) -> Result<u16> {
        self.inner.peer_or_error()?.method_index(service, method)
    }

    /// Makes a call by bytes. Dropping the call cancels it.
    ///
    /// # Errors
    /// As [`Session::request_at`]; DEADLINE_EXCEEDED when no time is left.
    pub fn start(&self, request: RawRequest<'_>) -> Result<RawCall> {
        self.inner.start(request)
    }

    /// Makes a call with one request and one response by bytes. Dropping the future cancels it.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn unary(&self, request: RawRequest<'_>) -> Result<RawUnary> {
        self.inner.start_raw_unary(request)
    }

    /// Waits until `check` gives something; it is asked whenever the state of the connection has changed.
    fn wait_for<T>(&self, check: impl Fn(&Inner, &State) -> Option<T> + Send + Unpin + 'static) -> WaitFor<T> {
        WaitFor { inner: self.inner.clone(), check: Box::new(check) }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = self.peer().map(|peer| &peer.name);
        f.debug_struct("Connection").field("role", &self.inner.role).field("peer", &peer).finish_non_exhaustive()
    }
}

type Check<T> = Box<dyn Fn(&Inner, &State) -> Option<T> + Send>;

struct WaitFor<T> {
    inner: Arc<Inner>,
    check: Check<T>,
}

impl<T> WaitFor<T> {
    fn ask(&self, task: Option<&TaskContext<'_>>) -> Option<T> {
        let mut state = self.inner.lock();
        let found = (self.check)(&self.inner, &state);
        if let (None, Some(task)) = (&found, task) {
            slot::add_waker(&mut state.waiting, task.waker());
        }
        found
    }
}

impl<T> Future for WaitFor<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<T> {
        if let Some(found) = self.ask(None) {
            return Poll::Ready(found);
        }
        self.inner.shell.assist(&|| self.ask(None).is_some());
        self.ask(Some(task)).map_or(Poll::Pending, Poll::Ready)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn peer_or_error(&self) -> Result<&Arc<Peer>> {
        if let Some(peer) = self.peer.get() {
            return Ok(peer);
        }
        Err(match self.lock().session.close_reason() {
            Some(reason) => crate::session::ended(reason),
            None => Error::failed_precondition(crate::session::NO_HELLO),
        })
    }

    /// Changes the state in the thread that pumps: output that this causes is taken by it afterwards.
    fn pump(self: &Arc<Self>, change: impl FnOnce(&mut State)) {
        // Only ever compared with the thread that reads it, so no order is needed.
        self.pump.store(slot::current_thread(), Ordering::Relaxed);
        let actions = {
            let mut state = self.lock();
            change(&mut state);
            self.collect(&mut state)
        };
        actions.perform(self);
        self.pump.store(0, Ordering::Relaxed);
    }

    /// Changes the state in any thread, does what follows from that, and wakes the shell when there is output that it does not know of.
    fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, news) = self.change_quietly(false, change);
        if news {
            self.shell.wake();
        }
        result
    }

    /// Changes the state in any thread, and does what follows from that. Returns whether the shell is to be woken, too; with `may_hold_back`, it may be
    /// left asleep until other tasks of this thread have run.
    fn change_quietly<T>(self: &Arc<Self>, may_hold_back: bool, change: impl FnOnce(&mut State) -> T) -> (T, bool) {
        let mut state = self.lock();
        let result = change(&mut state);
        (result, self.settle(state, may_hold_back))
    }

    /// Does what follows from a change. It is not part of [`change_quietly`](Self::change_quietly), of which there are many in a program.
    fn settle(self: &Arc<Self>, mut state: MutexGuard<'_, State>, may_hold_back: bool) -> bool {
        let thread = slot::current_thread();
        let by = Causer { thread, is_pump: self.pump.load(Ordering::Relaxed) == thread, may_hold_back };
        let actions = if state.is_quiet() { None } else { Some(self.collect(&mut state)) };
        let news = state.announce(&by);
        if by.is_pump && state.session.output_bytes() > 0 {
            self.has_written.store(true, Ordering::Relaxed);
        }
        drop(state);
        if let Some(actions) = actions {
            actions.perform(self);
        }
        news
    }
}
