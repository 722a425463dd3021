//! Two sides in one process, and the link that each has to the other.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context as TaskContext, Poll, Waker, ready};

use anyplug_core::context::Surroundings;
use anyplug_core::negotiation::check_compatible;
use anyplug_core::router::Answering;
use anyplug_core::transport::{Asked, MethodRef, Running};
use anyplug_core::{
    BoxFuture, CallOptions, CallStream, Caller, Client, Context, Error, Instant, LimitOptions, Limits, Link, LogRecord,
    MethodEntry, Payload, PeerInfo, Result, Router, ServerCall, ServiceDescriptor, ServiceEntry, Shell, Transport,
};
use anyplug_threads::timer;

use crate::call::{CallerEnd, DirectCall};

/// One of the two sides.
#[derive(Debug)]
pub struct Side {
    /// The name of the plugin or host program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it serves, what it expects of the other side, and what that may call.
    pub router: Router,
    /// Of these only `max_pending_requests` applies; a plugin's default is its host's.
    pub limits: LimitOptions,
}

/// Joins a host and a plugin, and gives the link that each has to the other. `shell` runs handlers that have to wait, tells the time
/// and takes the log of both.
pub fn connect(host: Side, plugin: Side, shell: Arc<dyn Shell>) -> (Direct, Direct) {
    let host_limits = host.limits.over(Limits::default());
    let plugin_limits = plugin.limits.over(host_limits);
    let party = |side: Side, limits: Limits| Party {
        name: side.name.as_str().into(),
        version: side.version,
        router: side.router,
        most_pending: limits.max_pending_requests as usize,
    };
    let parties = [party(host, host_limits), party(plugin, plugin_limits)];
    let shared = Arc::new(Shared { parties, shell, state: Mutex::default() });
    (Direct::from(&shared, HOST), Direct::from(&shared, 1 - HOST))
}

const HOST: usize = 0;

/// What both sides share.
pub(crate) struct Shared {
    parties: [Party; 2],
    shell: Arc<dyn Shell>,
    state: Mutex<State>,
}

struct Party {
    name: Arc<str>,
    version: String,
    router: Router,
    /// Calls that this side answers at once.
    most_pending: usize,
}

#[derive(Default)]
struct State {
    closed: Option<Error>,
    is_draining: bool,
    /// Calls that have not ended, by the side that answers them.
    open: [usize; 2],
    /// Those that had to wait, to be ended when the link is closed.
    waiting_calls: HashMap<usize, Weak<DirectCall>>,
    waiting: Vec<Waker>,
    /// Results of comparing schemas that differ, by service and both fingerprints.
    checked: HashMap<(String, String, String), Result<()>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that `callee` answers has ended, at whichever end.
    /// `place` is where it was noted, if it was.
    pub(crate) fn call_ended(&self, callee: usize, place: usize) {
        let wakers = {
            let mut state = self.lock();
            state.open[callee] -= 1;
            if !state.waiting_calls.is_empty() {
                state.waiting_calls.remove(&place);
            }
            if state.open != [0, 0] || !state.is_draining {
                return;
            }
            std::mem::take(&mut state.waiting)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    fn admit(&self, callee: usize) -> Result<()> {
        let mut state = self.lock();
        let Party { name, most_pending, .. } = &self.parties[callee];
        if let Some(reason) = &state.closed {
            return Err(ended(reason));
        }
        if state.is_draining {
            return Err(Error::unavailable(format!("the connection to {name:?} is draining: it takes no new calls")));
        }
        if state.open[callee] >= *most_pending {
            return Err(Error::resource_exhausted(format!(
                "there are {most_pending} requests, as many as {name:?} takes at once; wait for one to end"
            )));
        }
        state.open[callee] += 1;
        Ok(())
    }
}

fn ended(reason: &Error) -> Error {
    Error::unavailable(format!("the connection ended: {}", reason.message()))
}

/// The link that one side has to the other. A clone is another handle of the same one.
#[derive(Clone)]
pub struct Direct {
    shared: Arc<Shared>,
    /// Whose calls go over it.
    side: usize,
    /// What is around the handlers of the other side.
    callee: Arc<Around>,
}

/// What is around the handlers of one side.
struct Around {
    shared: Arc<Shared>,
    side: usize,
}

impl Direct {
    fn from(shared: &Arc<Shared>, side: usize) -> Self {
        let callee = Arc::new(Around { shared: shared.clone(), side: 1 - side });
        Self { shared: shared.clone(), side, callee }
    }

    /// Why the link was closed, if it was.
    pub fn close_reason(&self) -> Option<Error> {
        self.shared.lock().closed.clone()
    }

    /// How many calls are open, in both directions.
    pub fn open_calls(&self) -> usize {
        self.shared.lock().open.iter().sum()
    }

    fn other(&self) -> &Party {
        &self.shared.parties[1 - self.side]
    }

    /// Where the other side has a method.
    fn resolve(&self, method: MethodRef) -> Result<(usize, usize)> {
        let (service, descriptor) = (method.service, method.descriptor()?);
        let found = self.other().router.find(service.name);
        let (place, served) = found.ok_or_else(|| self.lacks(service.name))?;
        let served = served.service();
        self.check(served, service.fingerprint, service.descriptor_set)?;
        let is_it = |entry: &MethodEntry| entry.name == descriptor.name;
        if served.methods.get(method.index).is_some_and(is_it) {
            return Ok((place, method.index));
        }
        let name = &self.other().name;
        match served.methods.iter().position(is_it) {
            Some(index) => Ok((place, index)),
            None => {
                let methods: Vec<_> = served.methods.iter().map(|entry| entry.name.as_ref()).collect();
                let (service, missing, methods) = (service.name, descriptor.name, methods.join(", "));
                Err(Error::unimplemented(format!("{name:?} has no method {service}/{missing}; it has {methods}")))
            }
        }
    }

    fn lacks(&self, service: &str) -> Error {
        let Party { name, router, .. } = self.other();
        let offered: Vec<_> = router.services().iter().skip(1).map(|service| &*service.service().name).collect();
        let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
        Error::unimplemented(format!("{name:?} does not serve {service}; it serves {offered}"))
    }

    /// Compares a schema of this side, the caller, with that of the other; once, and only when the fingerprints differ.
    fn check(&self, served: &ServiceEntry, fingerprint: &str, descriptor_set: &[u8]) -> Result<()> {
        let is_known = fingerprint.is_empty() || served.fingerprint.is_empty() || fingerprint == served.fingerprint;
        if is_known || descriptor_set.is_empty() || served.descriptor_set.is_empty() {
            return Ok(());
        }
        let key = (served.name.to_string(), fingerprint.to_owned(), served.fingerprint.to_string());
        if let Some(result) = self.shared.lock().checked.get(&key) {
            return result.clone();
        }
        let result = check_compatible(&served.name, descriptor_set, &served.descriptor_set);
        self.shared.lock().checked.insert(key, result.clone());
        result
    }

    /// Checks that a call can be made, and counts it as open.
    fn prepare(&self, method: MethodRef, options: CallOptions) -> Result<Prepared> {
        let (service, index) = self.resolve(method)?;
        let default_timeout_ms = method.descriptor()?.default_timeout_ms;
        let (header, deadline) = match options.is_empty() && default_timeout_ms == 0 {
            true => (None, None),
            false => {
                let (header, deadline) = options.begin(default_timeout_ms, || self.shared.shell.now())?;
                ((!header.is_empty()).then(|| Box::new(header)), deadline)
            }
        };
        self.shared.admit(self.callee.side)?;
        let timeout_ms = header.as_ref().and_then(|header| header.timeout_ms).unwrap_or(0);
        let context = Context::with_deadline(service, index, header, deadline, self.callee.clone());
        Ok(Prepared { service, index, context, timeout_ms })
    }

    /// Makes a call: its handler runs here until it first has to wait.
    fn start(&self, prepared: Prepared, request: Option<Payload>) -> Result<CallerEnd> {
        let call = prepared.call(self);
        let caller = CallerEnd(call.clone());
        let Prepared { service, index, context, .. } = prepared;
        let mut server = Some(ServerCall::new(context, request, call.clone()));
        let mut waits = None;
        self.shared.shell.run(&mut || {
            let handling = server.take().and_then(|server| self.other().router.serve(service, index, server));
            let Some(mut handling) = handling else { return };
            if Pin::new(&mut handling).poll(&mut nobody()).is_pending() {
                waits = Some(handling);
            }
        });
        if !call.is_over() {
            self.watch(&call)?;
        }
        if let Some(handling) = waits {
            self.shared.shell.spawn(Box::pin(handling));
        }
        Ok(caller)
    }

    /// Makes a call with one request and one response. Where the handler answers at once, that is all there is to it.
    fn answer(&self, method: MethodRef, request: Payload, options: CallOptions) -> Result<Running> {
        let Prepared { service, index, context, timeout_ms } = self.prepare(method, options)?;
        let mut answering = match self.other().router.answer(service, index, Asked::Payload(request), context) {
            Ok(answering) => answering,
            Err((request, context)) => {
                let prepared = Prepared { service, index, context, timeout_ms };
                let caller = self.start(prepared, Some(request.into_payload()))?;
                return Ok(Running::Waits(Box::pin(std::future::poll_fn(move |task| caller.poll_response(task)))));
            }
        };
        let mut polled = Poll::Pending;
        self.shared.shell.run(&mut || polled = Pin::new(&mut answering).poll(&mut nobody()));
        if let Poll::Ready(answer) = polled {
            self.shared.call_ended(self.callee.side, 0);
            return Ok(Running::Ended(answer));
        }
        let prepared = Prepared { service, index, context: answering.context().clone(), timeout_ms };
        let call = prepared.call(self);
        let caller = CallerEnd(call.clone());
        self.watch(&call)?;
        self.shared.shell.spawn(Box::pin(Waits { answering, call }));
        Ok(Running::Waits(Box::pin(std::future::poll_fn(move |task| caller.poll_response(task)))))
    }

    /// Sees to it that a call which has to wait ends at its deadline, and with the link.
    fn watch(&self, call: &Arc<DirectCall>) -> Result<()> {
        let closed = {
            let mut state = self.shared.lock();
            state.waiting_calls.insert(Arc::as_ptr(call).addr(), Arc::downgrade(call));
            state.closed.clone()
        };
        if let Some(reason) = closed {
            call.give_up(ended(&reason));
        }
        if call.is_over() {
            // It ended while it was noted.
            self.shared.lock().waiting_calls.remove(&Arc::as_ptr(call).addr());
            return Ok(());
        }
        if let Some(deadline) = call.deadline() {
            let left = deadline.saturating_since(self.shared.shell.now());
            let call_of_timer: Weak<DirectCall> = Arc::downgrade(call);
            if let Some(key) = timer::add(left, call_of_timer)?
                && !call.keep_timer(key)
            {
                timer::remove(key);
            }
        }
        Ok(())
    }

    /// Waits until `check` gives something; it is asked when the link is closed or drained.
    fn wait_for<T: Send + 'static>(&self, check: fn(&State) -> Option<T>) -> BoxFuture<T> {
        let shared = self.shared.clone();
        Box::pin(std::future::poll_fn(move |task| {
            let mut state = shared.lock();
            if let Some(found) = check(&state) {
                return Poll::Ready(found);
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(task.waker())) {
                state.waiting.push(task.waker().clone());
            }
            Poll::Pending
        }))
    }
}

/// A call that may be made.
struct Prepared {
    service: usize,
    index: usize,
    context: Context,
    timeout_ms: u32,
}

impl Prepared {
    fn call(&self, link: &Direct) -> Arc<DirectCall> {
        Arc::new(DirectCall::new(link.shared.clone(), link.callee.side, self.context.clone(), self.timeout_ms))
    }
}

/// A handler that had to wait before it answered.
struct Waits {
    answering: Answering,
    call: Arc<DirectCall>,
}

impl Future for Waits {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        let answer = ready!(Pin::new(&mut self.answering).poll(task));
        self.call.answer(answer);
        Poll::Ready(())
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        // Gone before it answered: its runtime has ended. Otherwise this does nothing.
        self.call.answer(Err(Error::internal("the handler ended without an answer")));
    }
}

/// For the first poll: whoever the handler is given to polls it again, so a wake-up in between is not lost.
fn nobody() -> TaskContext<'static> {
    TaskContext::from_waker(Waker::noop())
}

impl Transport for Direct {
    fn passes_objects(&self) -> bool {
        true
    }

    fn unary(&self, method: MethodRef, request: Payload, options: CallOptions) -> Running {
        self.answer(method, request, options).unwrap_or_else(|error| Running::Ended(Err(error)))
    }

    fn stream(
        &self,
        method: MethodRef,
        request: Option<Payload>,
        options: CallOptions,
    ) -> BoxFuture<Result<Arc<dyn CallStream>>> {
        let caller = self.prepare(method, options).and_then(|prepared| self.start(prepared, request));
        Box::pin(std::future::ready(caller.map(|caller| Arc::new(caller) as Arc<dyn CallStream>)))
    }

    fn spawn(&self, future: BoxFuture<()>) {
        self.shared.shell.spawn(future);
    }
}

impl Link for Direct {
    fn peer_info(&self) -> Option<PeerInfo> {
        let Party { name, version, .. } = self.other();
        let runtime = anyplug_core::connection::RUNTIME.to_owned();
        Some(PeerInfo { name: name.to_string(), version: version.clone(), runtime })
    }

    fn wait_opened(&self) -> BoxFuture<Result<()>> {
        Box::pin(std::future::ready(self.close_reason().map_or(Ok(()), Err)))
    }

    fn wait_closed(&self) -> BoxFuture<Error> {
        self.wait_for(|state| state.closed.clone())
    }

    fn negotiate(&self, service: Arc<ServiceEntry>) -> BoxFuture<Result<()>> {
        let result = match self.other().router.find(&service.name) {
            Some((_, served)) => self.check(served.service(), &service.fingerprint, &service.descriptor_set),
            None => Err(self.lacks(&service.name)),
        };
        Box::pin(std::future::ready(result))
    }

    fn negotiate_uses(&self) -> BoxFuture<Result<()>> {
        let back = Direct::from(&self.shared, 1 - self.side);
        let check = |used: &Arc<ServiceEntry>| match self.shared.parties[self.side].router.find(&used.name) {
            Some((_, served)) => back.check(served.service(), &used.fingerprint, &used.descriptor_set),
            None => Ok(()),
        };
        Box::pin(std::future::ready(self.other().router.uses().iter().try_for_each(check)))
    }

    fn drain(&self) -> BoxFuture<()> {
        self.shared.lock().is_draining = true;
        self.wait_for(|state| (state.open == [0, 0] || state.closed.is_some()).then_some(()))
    }

    fn close(&self, reason: Error) {
        let (calls, wakers) = {
            let mut state = self.shared.lock();
            if state.closed.is_some() {
                return;
            }
            state.closed = Some(reason.clone());
            (std::mem::take(&mut state.waiting_calls), std::mem::take(&mut state.waiting))
        };
        let error = ended(&reason);
        calls.into_values().filter_map(|call| call.upgrade()).for_each(|call| call.give_up(error.clone()));
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Caller for Direct {
    fn client_of(&self, service: &'static ServiceDescriptor) -> Client {
        Client::new(Arc::new(self.clone()), service)
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").field("peer", &self.other().name).finish_non_exhaustive()
    }
}

impl Surroundings for Around {
    fn transport(self: Arc<Self>) -> Arc<dyn Transport> {
        Arc::new(Direct::from(&self.shared, self.side))
    }

    fn peer_name(&self) -> Arc<str> {
        self.shared.parties[1 - self.side].name.clone()
    }

    fn router(&self) -> &Router {
        &self.shared.parties[self.side].router
    }

    fn now(&self) -> Instant {
        self.shared.shell.now()
    }

    fn log(self: Arc<Self>, record: LogRecord) {
        self.log_locally(record);
    }

    fn log_locally(&self, record: LogRecord) {
        self.shared.shell.log(record.with_time_of_now());
    }
}
