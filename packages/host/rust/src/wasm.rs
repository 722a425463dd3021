//! A plugin in a WebAssembly module.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use anyplug_core::transport::{CallStream, MethodRef, Payload, PeerInfo, Running, Transport};
use anyplug_core::{BoxFuture, CallOptions, Connection, Error, Instant, Link, Result, ServiceEntry};
use anyplug_ipc::Runtime;
pub(crate) use anyplug_wasm::read_section_of;
use anyplug_wasm::{Instance, Module};

use crate::options::LoadOptions;
use crate::plan::Plan;
use crate::runtime::RuntimeShell;
use crate::socket::open;
use crate::wait::block_on;

/// A module and its instances.
pub(crate) struct WasmInstance {
    link: Arc<WasmLink>,
    drain_timeout: Duration,
}

impl WasmInstance {
    /// Reads and checks the module, and returns it when calls can be made and the schemas fit. `look` is called every now and then; an error that it returns ends the wait.
    ///
    /// # Errors
    /// As [`Module::read`]; the plugin's own when it refuses to start, DEADLINE_EXCEEDED when the time is over, FAILED_PRECONDITION when the schemas do not fit, what its failure was; what `look`
    /// returned.
    pub(crate) fn start(
        plan: &Plan,
        options: &LoadOptions,
        runtime: Arc<dyn Runtime>,
        mut look: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        let module = Module::read(&plan.wasm_file()?, &options.wasm)?;
        let places = (0..options.wasm.instances.max(1)).map(|_| Mutex::default()).collect();
        let (plan, options) = (plan.clone(), options.clone());
        let drain_timeout = options.drain_timeout;
        let link = Arc::new_cyclic(|own| {
            let state = Mutex::default();
            WasmLink { module, plan, options, runtime, places, state, own: own.clone() }
        });
        let instance = Self { link, drain_timeout };
        let (own, connection) = instance.link.current()?;
        let who = format!("plugin \"{}\"", instance.link.module.name());
        let opened = open(&connection, &who, &instance.link.options, &mut look);
        opened.map_err(|error| own.failure().cloned().unwrap_or(error))?;
        Ok(instance)
    }

    pub(crate) fn link(&self) -> Arc<dyn Link> {
        self.link.clone()
    }

    pub(crate) fn enforced(&self) -> Vec<String> {
        self.link.module.limits().enforced()
    }

    /// Lets calls in flight end, and then ends all instances. Calling it again changes nothing.
    pub(crate) fn close(&self) {
        let reason = Error::unavailable(format!("plugin \"{}\" was closed", self.link.module.name()));
        let until = std::time::Instant::now() + self.drain_timeout;
        let in_time = || if std::time::Instant::now() < until { Ok(()) } else { Err(()) };
        // Calls that take longer end with their instance.
        let _ = block_on(self.link.drain(), in_time);
        self.link.close(reason);
    }
}

impl Drop for WasmInstance {
    fn drop(&mut self) {
        let name = self.link.module.name();
        self.link.close(Error::unavailable(format!("plugin \"{name}\" was dropped by its host")));
    }
}

/// Carries calls into the instances of a module: into the one with the fewest open calls. One that has failed is replaced when the next call comes.
struct WasmLink {
    module: Module,
    plan: Plan,
    options: LoadOptions,
    runtime: Arc<dyn Runtime>,
    places: Vec<Mutex<Option<Guest>>>,
    state: Mutex<State>,
    own: Weak<Self>,
}

/// An instance and the connection to it.
type Guest = (Arc<Instance>, Connection);

#[derive(Default)]
struct State {
    /// No new instance is made.
    draining: bool,
    /// No call is made either.
    stopped: Option<Error>,
    waiting: Vec<Waker>,
}

impl WasmLink {
    /// The instance for the next call. It may be new, and then have said no hello yet.
    fn current(&self) -> Result<Guest> {
        let state = lock(&self.state);
        if let Some(reason) = &state.stopped {
            return Err(Error::unavailable(format!("the connection ended: {}", reason.message())));
        }
        let draining = state.draining;
        drop(state);
        let mut place = lock(self.place());
        if let Some((instance, connection)) = &*place
            && !instance.is_over()
        {
            return Ok((instance.clone(), connection.clone()));
        }
        if draining {
            let name = self.module.name();
            return Err(Error::unavailable(format!("the connection to {name:?} is draining: it takes no new calls")));
        }
        let around = Arc::new(RuntimeShell(self.runtime.clone()));
        let guest = Instance::new(&self.module, around, |shell| self.plan.connect(&self.options, shell))?;
        *place = Some(guest.clone());
        // The guest may make calls at once, whose handlers may call it: no lock may be held.
        drop(place);
        guest.0.begin(Some(Instant::now().saturating_add(self.options.start_timeout)));
        Ok(guest)
    }

    /// The place of the fewest open calls. One that is empty is taken before one that has any.
    fn place(&self) -> &Mutex<Option<Guest>> {
        let mut best = &self.places[0];
        if self.places.len() == 1 {
            return best;
        }
        let mut fewest = (usize::MAX, false);
        for place in &self.places {
            let open = match &*lock(place) {
                Some((instance, connection)) if !instance.is_over() => (connection.open_calls(), false),
                _ => (0, true),
            };
            if open < fewest {
                (best, fewest) = (place, open);
            }
        }
        best
    }

    fn guests(&self) -> Vec<Guest> {
        self.places.iter().filter_map(|place| lock(place).clone()).collect()
    }
}

/// The connection for the next call, once its guest has said hello.
async fn ready(link: &Weak<WasmLink>) -> Result<Connection> {
    let dropped = || Error::unavailable("the plugin was dropped by its host");
    let (instance, connection) = link.upgrade().ok_or_else(dropped)?.current()?;
    if connection.peer().is_none() {
        connection.ready().await.map_err(|error| instance.failure().cloned().unwrap_or(error))?;
    }
    Ok(connection)
}

impl Transport for WasmLink {
    fn unary(&self, method: MethodRef, request: Payload, options: CallOptions) -> Running {
        self.unary_encoded(method, &request.into_bytes(), options)
    }

    fn unary_encoded(&self, method: MethodRef, request: &[u8], options: CallOptions) -> Running {
        match self.current() {
            Ok((_, connection)) if connection.peer().is_some() => connection.unary_encoded(method, request, options),
            Ok(_) => {
                let (link, request) = (self.own.clone(), request.to_vec());
                Running::Waits(Box::pin(async move {
                    ready(&link).await?.unary_encoded(method, &request, options).ended().await
                }))
            }
            Err(error) => Running::Ended(Err(error)),
        }
    }

    fn stream(
        &self,
        method: MethodRef,
        request: Option<Payload>,
        options: CallOptions,
    ) -> BoxFuture<Result<Arc<dyn CallStream>>> {
        let link = self.own.clone();
        Box::pin(async move { ready(&link).await?.stream(method, request, options).await })
    }

    fn spawn(&self, future: BoxFuture<()>) {
        self.runtime.spawn(future);
    }
}

impl Link for WasmLink {
    fn peer_info(&self) -> Option<PeerInfo> {
        let section = self.module.section();
        let (name, version) = (section.name.clone(), section.version.clone());
        Some(PeerInfo { name, version, runtime: section.runtime.clone() })
    }

    fn wait_opened(&self) -> BoxFuture<Result<()>> {
        let link = self.own.clone();
        Box::pin(async move { ready(&link).await.map(drop) })
    }

    fn wait_closed(&self) -> BoxFuture<Error> {
        let link = self.own.upgrade();
        Box::pin(poll_fn(move |task| {
            let Some(link) = &link else {
                return Poll::Ready(Error::unavailable("the plugin was dropped by its host"));
            };
            let mut state = lock(&link.state);
            if let Some(reason) = &state.stopped {
                return Poll::Ready(reason.clone());
            }
            state.waiting.push(task.waker().clone());
            Poll::Pending
        }))
    }

    fn negotiate(&self, service: Arc<ServiceEntry>) -> BoxFuture<Result<()>> {
        let link = self.own.clone();
        Box::pin(async move { Link::negotiate(&ready(&link).await?, service).await })
    }

    fn negotiate_uses(&self) -> BoxFuture<Result<()>> {
        let link = self.own.clone();
        Box::pin(async move { Link::negotiate_uses(&ready(&link).await?).await })
    }

    fn drain(&self) -> BoxFuture<()> {
        lock(&self.state).draining = true;
        let draining: Vec<_> = self.guests().iter().map(|(_, connection)| connection.drain()).collect();
        Box::pin(async move {
            for drained in draining {
                drained.await;
            }
        })
    }

    fn close(&self, reason: Error) {
        let mut state = lock(&self.state);
        state.stopped.get_or_insert_with(|| reason.clone());
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for (instance, _) in self.guests() {
            instance.end(reason.clone());
        }
        waiting.into_iter().for_each(Waker::wake);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
