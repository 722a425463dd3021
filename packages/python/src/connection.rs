//! A connection, as Python has it. See `_native.pyi`.

use std::future::Future;
use std::os::fd::AsRawFd;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyplug_core::log::LogRecord;
use anyplug_core::router::RouterOptions;
use anyplug_core::transport::Link as _;
use anyplug_core::{
    CallOptions, Connection as CoreConnection, ConnectionOptions, Error, Grants, Instant, LimitOptions, RawRequest,
    Router,
};
use anyplug_host::{explain_start, late_start};
use anyplug_ipc::PluginProcess;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use crate::call::Call;
use crate::caller::Caller;
use crate::channel::Channel;
use crate::convert::level_from;
use crate::error::{OrRaise, from_exception, to_exception};
use crate::guest::Guest;
use crate::link::{Ending, Link, lock};
use crate::load::{LoadParts, Started, start};
use crate::looped::Looped;
use crate::service::{Handlers, LateLink, ServiceParts, implementations, service_from};
use crate::session::{limits_from, role_from};
use crate::wasm::WasmModule;
use crate::worker::{Habits, Pause};

/// `(metadata, traceparent, tracestate)`.
/// Metadata, traceparent, tracestate, and the origin of a call that is made within one of this process.
type OptionParts = (Vec<(String, String)>, String, String, Vec<String>);

#[pyclass(frozen, module = "anyplug._native")]
pub(crate) struct Connection {
    link: Arc<Link>,
    handlers: Handlers,
    process: Option<Arc<PluginProcess>>,
    /// "process" or "stdio" for a child.
    transport: &'static str,
    /// The address of a plugin that was not started here, or empty.
    place: String,
    /// What more instances are made of.
    module: Option<Arc<WasmModule>>,
    closing: Mutex<()>,
}

impl Connection {
    fn core(&self) -> &CoreConnection {
        self.link.connection()
    }

    fn check_process(&self, py: Python<'_>) -> PyResult<()> {
        if self.link.is_own_process() {
            return Ok(());
        }
        let error = Error::failed_precondition(
            "the plugin was loaded before this process was forked from another: load it again here",
        );
        Err(to_exception(py, &error))
    }

    fn block_on<T: Send>(
        &self,
        py: Python<'_>,
        future: impl Future<Output = T> + Send,
        until: Option<Instant>,
    ) -> PyResult<Option<T>> {
        let mut future = pin!(future);
        self.link.block_on(py, |task| future.as_mut().poll(task), until)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.link.is_own_process() {
            // The process is the parent's to end, and locks may be held for ever.
            std::mem::forget(self.link.clone());
            std::mem::forget(self.process.take());
        }
    }
}

/// What the options of a call say, for the core.
fn options_from(timeout: Option<f64>, options: Option<OptionParts>, within: Option<&Bound<'_, Call>>) -> CallOptions {
    let (metadata, traceparent, tracestate, origin) = options.unwrap_or_default();
    CallOptions {
        timeout: timeout.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)),
        metadata: metadata.into_iter().collect(),
        traceparent,
        tracestate,
        within: within.and_then(|call| call.get().context().cloned()),
        origin,
    }
}

fn until(seconds: Option<f64>) -> Option<Instant> {
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
    duration.map(|duration| Instant::now().saturating_add(duration))
}

#[pymethods]
impl Connection {
    #[new]
    #[pyo3(signature = (channel, *, role, name, version, runtime, services, uses, grants, config, limits, handlers, on_log, heard = None))]
    #[expect(clippy::too_many_arguments, reason = "the parts of a connection, by name")]
    fn new(
        py: Python<'_>,
        channel: &Bound<'_, Channel>,
        role: &str,
        name: String,
        version: String,
        runtime: String,
        services: Vec<ServiceParts>,
        uses: Vec<ServiceParts>,
        grants: Option<Vec<String>>,
        config: String,
        limits: &Bound<'_, PyDict>,
        handlers: Vec<Py<PyAny>>,
        on_log: Py<PyAny>,
        heard: Option<PyBackedBytes>,
    ) -> PyResult<Self> {
        let services = services.into_iter().map(service_from).collect::<PyResult<_>>()?;
        let uses = uses.into_iter().map(service_from).collect::<PyResult<_>>()?;
        let limits: LimitOptions = limits_from(limits)?;
        let role = role_from(role)?;
        let Some(pipe) = channel.get().take() else {
            return Err(PyRuntimeError::new_err("the channel has been taken by another connection"));
        };
        let late: LateLink = Arc::default();
        let services = implementations(services, &late);
        let grants = grants.map_or(Grants::All, Grants::Only);
        let router = Router::new(RouterOptions { services, uses, grants, config }).or_raise(py)?;
        let connect = |shell| {
            let options = ConnectionOptions::new(role, name, version, router, shell);
            CoreConnection::new(ConnectionOptions { runtime, limits, ..options })
        };
        let link = Link::new(pipe, connect, None, Ending::without_process()).or_raise(py)?;
        let _ = late.set(Arc::downgrade(&link));
        if let Some(heard) = heard {
            // What the peer said before it was known who answers: its hello.
            py.detach(|| {
                link.connection().receive(&heard);
                link.pump.flush();
            });
        }
        let handlers = Handlers { serve: handlers, on_log };
        let (transport, place) = ("descriptors", String::new());
        Ok(Self { link, handlers, process: None, transport, place, module: None, closing: Mutex::new(()) })
    }

    /// Tells the garbage collector what it keeps: the handlers know their connection in turn.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.handlers.serve.iter().try_for_each(|handler| visit.call(handler))?;
        visit.call(&self.handlers.on_log)
    }

    /// Starts a plugin's process and makes a connection with it, which [`open`](Self::open) waits for.
    #[staticmethod]
    fn load(py: Python<'_>, parts: LoadParts<'_>, handlers: Vec<Py<PyAny>>, on_log: Py<PyAny>) -> PyResult<Self> {
        let Started { link, process, transport, place, module } = start(py, parts)?;
        let handlers = Handlers { serve: handlers, on_log };
        Ok(Self { link, handlers, process, transport, place, module, closing: Mutex::new(()) })
    }

    /// Makes another instance of the module that this connection is to, and a connection with it.
    fn again(&self, py: Python<'_>, handlers: Vec<Py<PyAny>>, on_log: Py<PyAny>) -> PyResult<Self> {
        let Some(module) = &self.module else {
            return Err(PyRuntimeError::new_err("the connection is to no module"));
        };
        let link = py.detach(|| module.enter()).or_raise(py)?;
        let (transport, place) = (self.transport, String::new());
        let handlers = Handlers { serve: handlers, on_log };
        let module = Some(module.clone());
        Ok(Self { link, handlers, process: None, transport, place, module, closing: Mutex::new(()) })
    }

    /// Whether the instance of a module takes no more calls; False of other connections.
    #[getter]
    fn is_over(&self) -> bool {
        self.link.guest().is_some_and(|guest| guest.is_over())
    }

    /// How many calls are open.
    #[getter]
    fn open_calls(&self) -> usize {
        self.core().open_calls()
    }

    /// Which limits of a module are enforced, and how; of a library, what keeps it from its host.
    #[getter]
    fn enforced(&self) -> Vec<String> {
        match (&self.module, self.link.guest()) {
            (Some(module), _) => module.enforced(),
            (None, None) if self.transport == "ffi" => vec!["isolation: process".to_owned()],
            (None, guest) => guest.map(Guest::enforced).unwrap_or_default(),
        }
    }

    /// Waits until calls can be made and the schemas fit, `timeout` seconds at most. A plugin that does not come to that is killed.
    fn open(&self, py: Python<'_>, timeout: f64, expect: Vec<ServiceParts>) -> PyResult<()> {
        let opened = self.open_until(py, timeout, expect);
        if let Err(error) = &opened {
            let reason = match from_exception(error.value(py)) {
                Ok(reason) => reason,
                Err(_) => Error::cancelled("the load was given up"),
            };
            self.kill_for(reason);
        }
        opened
    }

    /// "process" or "stdio" for a child, "descriptors" otherwise.
    #[getter]
    fn transport(&self) -> &str {
        self.transport
    }

    // --- the peer --------------------------------------------------------------------------------

    /// `(name, version, runtime, services, uses)` of the peer, each service as `(name, fingerprint)`; None before its hello.
    #[getter]
    fn peer<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let Some(peer) = self.core().peer() else { return Ok(None) };
        let services = PyTuple::new(py, peer.services.iter().map(|service| (&service.name, &service.fingerprint)))?;
        let uses = PyTuple::new(py, peer.uses.iter().map(|used| (&used.name, &used.fingerprint)))?;
        (&peer.name, &peer.version, &peer.runtime, services, uses).into_pyobject(py).map(Some)
    }

    /// Compares schemas: of these services, and of what the peer uses.
    fn negotiate(&self, py: Python<'_>, services: Vec<ServiceParts>, uses: bool) -> PyResult<()> {
        self.check_process(py)?;
        for service in services {
            let service = service_from(service)?;
            if let Some(result) = self.block_on(py, self.core().negotiate(service), None)? {
                result.or_raise(py)?;
            }
        }
        if uses && let Some(result) = self.block_on(py, self.core().negotiate_uses(), None)? {
            result.or_raise(py)?;
        }
        Ok(())
    }

    /// The index of a method in the peer's table.
    fn method_index(&self, py: Python<'_>, service: &str, method: &str) -> PyResult<u16> {
        self.core().method_index(service, method).or_raise(py)
    }

    /// Sends a log record to the peer.
    fn log(
        &self,
        level: i32,
        logger: &str,
        message: &str,
        fields: std::collections::BTreeMap<String, String>,
    ) -> PyResult<()> {
        let mut record = LogRecord::new(level_from(level)?, logger, message);
        record.fields = fields;
        self.core().log(record);
        Ok(())
    }

    // --- calls -----------------------------------------------------------------------------------

    /// Returns what makes calls of a method from message to message, where the peer is a module; else None.
    fn caller(
        &self,
        method: u16,
        default_timeout_ms: u32,
        request: &Bound<'_, PyType>,
        response: &Bound<'_, PyType>,
    ) -> PyResult<Option<Caller>> {
        Caller::new(&self.link, method, default_timeout_ms, request, response)
    }

    /// Calls a unary method and waits for the answer.
    #[pyo3(signature = (method, request, timeout, default_timeout_ms, options = None, within = None))]
    #[expect(clippy::too_many_arguments, reason = "what a call is made of")]
    fn call<'py>(
        &self,
        py: Python<'py>,
        method: u16,
        request: PyBackedBytes,
        timeout: Option<f64>,
        default_timeout_ms: u32,
        options: Option<OptionParts>,
        within: Option<&Bound<'py, Call>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let options = options_from(timeout, options, within);
        let mut call = self.unary(py, method, &request, default_timeout_ms, options)?;
        if self.link.guest().is_some()
            && let Some(answer) = call.try_take()
        {
            return Ok(PyBytes::new(py, &answer.or_raise(py)?.message));
        }
        match self.link.block_on(py, |task| Pin::new(&mut call).poll(task), None)? {
            Some(answer) => Ok(PyBytes::new(py, &answer.or_raise(py)?.message)),
            None => Err(PyRuntimeError::new_err("the wait ended without an answer")),
        }
    }

    /// Calls a unary method and has `future` get the answer. Returns what [`forget`](Self::forget) takes.
    #[pyo3(signature = (future, method, request, timeout, default_timeout_ms, options = None, within = None))]
    #[expect(clippy::too_many_arguments, reason = "what a call is made of")]
    fn call_soon(
        &self,
        py: Python<'_>,
        future: &Bound<'_, PyAny>,
        method: u16,
        request: PyBackedBytes,
        timeout: Option<f64>,
        default_timeout_ms: u32,
        options: Option<OptionParts>,
        within: Option<&Bound<'_, Call>>,
    ) -> PyResult<u64> {
        let options = options_from(timeout, options, within);
        self.link.answer_to(py, future, || self.unary(py, method, &request, default_timeout_ms, options))
    }

    /// Cancels a call whose future is no longer waited for.
    fn forget(&self, call: u64) {
        self.link.forget_answer(call);
    }

    /// Begins a call of any kind; `request` is the one request, where requests are not streamed.
    #[pyo3(signature = (method, request, timeout, default_timeout_ms, options = None, within = None))]
    #[expect(clippy::too_many_arguments, reason = "what a call is made of")]
    fn call_stream(
        &self,
        py: Python<'_>,
        method: u16,
        request: Option<PyBackedBytes>,
        timeout: Option<f64>,
        default_timeout_ms: u32,
        options: Option<OptionParts>,
        within: Option<&Bound<'_, Call>>,
    ) -> PyResult<Call> {
        self.check_process(py)?;
        let options = options_from(timeout, options, within);
        let payload = request.as_deref().unwrap_or_default();
        let request = RawRequest { method, payload, end: request.is_some(), options, default_timeout_ms };
        let core = self.core();
        let call = self.link.outside(py, || core.start(request)).or_raise(py)?;
        self.link.deadline_changed(py)?;
        Ok(Call::of_caller(self.link.clone(), call))
    }

    // --- threads and loops -----------------------------------------------------------------------

    /// Works as one of the connection's threads. Returns whether the connection has ended; if not, the thread is not needed any more. `start_another` starts another thread
    /// that calls this too.
    fn work(&self, py: Python<'_>, spins: bool, is_main: bool, start_another: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.link.enter();
        let pause = self.link.work(py, &self.handlers, Habits { spins, is_main }, start_another);
        self.link.leave();
        Ok(matches!(pause?, Pause::Ended))
    }

    /// Ties the connection to the running event loop; `tick` is to call [`tick`](Self::tick). Returns the descriptors whose readers are to call it too.
    fn join_loop(&self, py: Python<'_>, event_loop: &Bound<'_, PyAny>, tick: Py<PyAny>) -> PyResult<(i32, i32)> {
        let looped = Looped::new(event_loop, tick)?;
        if self.link.looped.set(looped).is_err() {
            return Err(PyRuntimeError::new_err("the connection has an event loop already"));
        }
        self.link.nudge();
        self.link.deadline_changed(py)?;
        let poke = self.link.looped.get().map_or(-1, Looped::poke_descriptor);
        Ok((self.link.pump.read_fd().as_raw_fd(), poke))
    }

    /// Writes, reads and works once. Returns 0 while the connection goes on, 1 when its stream has ended, 2 when all who waited were told why.
    fn tick(&self, py: Python<'_>) -> PyResult<u8> {
        self.link.tick(py, &self.handlers)?;
        Ok(match (self.link.has_ended(), self.link.is_over()) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        })
    }

    /// Unties the event loop.
    fn leave_loop(&self, py: Python<'_>) -> PyResult<()> {
        self.link.leave_loop(py)
    }

    // --- the end ---------------------------------------------------------------------------------

    /// Ends the connection for a reason, which the peer is told, and closes this side's direction of the channel.
    fn fail(&self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let error = from_exception(error)?;
        if self.link.is_own_process() {
            self.link.close_by(|connection| connection.fail(error));
            self.link.pump.close();
            self.link.nudge();
        }
        Ok(())
    }

    /// Lets calls in flight end, `drain_timeout` seconds at most, closes the channel, and stops the child. Calling it again waits for the same end.
    /// False, and nothing happens, in a fork of the process that made the connection.
    fn close(&self, py: Python<'_>, drain_timeout: f64) -> PyResult<bool> {
        if !self.link.is_own_process() {
            return Ok(false);
        }
        let drained = self.block_on(py, self.core().drain(), until(Some(drain_timeout)));
        let name = match (&self.process, self.core().peer()) {
            (Some(process), _) => process.name().to_owned(),
            (None, Some(peer)) => peer.name.clone(),
            (None, None) => "the peer".to_owned(),
        };
        py.detach(|| {
            let _closing = lock(&self.closing);
            let reason = Error::unavailable(format!("plugin \"{name}\" was closed"));
            self.link.close_by(|connection| connection.closed(reason.clone()));
            if let Some(guest) = self.link.guest() {
                guest.end(reason);
                guest.wait_closed();
            }
            self.link.pump.close();
            if let Some(process) = &self.process {
                process.stop();
            }
            self.link.nudge();
        });
        drained.map(|_| true)
    }

    /// Ends the child at once. Calls in flight end with UNAVAILABLE and this reason.
    fn kill(&self, reason: &str) {
        if self.link.is_own_process() {
            self.kill_for(Error::unavailable(reason.to_owned()));
        }
    }

    /// Why the connection has ended, or None while it has not.
    #[getter]
    fn close_reason(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let reason = match self.check_process(py) {
            Ok(()) => self.core().close_reason()?,
            Err(error) => return Some(error.into_value(py).into_any()),
        };
        Some(to_exception(py, &reason).into_value(py).into_any())
    }

    /// Whether no new calls can be made: either side drains the connection.
    #[getter]
    fn is_draining(&self) -> bool {
        self.link.is_own_process() && self.core().is_draining()
    }

    /// The process id of the child, or None.
    #[getter]
    fn process_id(&self) -> Option<i32> {
        self.process.as_ref().map(|process| process.pid().as_raw_nonzero().get())
    }
}

impl Connection {
    fn unary(
        &self,
        py: Python<'_>,
        method: u16,
        request: &[u8],
        default_timeout_ms: u32,
        options: CallOptions,
    ) -> PyResult<anyplug_core::RawUnary> {
        self.check_process(py)?;
        let request = RawRequest { method, payload: request, end: true, options, default_timeout_ms };
        let core = self.core();
        self.link.outside(py, || core.unary(request)).or_raise(py)
    }

    fn is_guest(&self) -> bool {
        self.link.guest().is_some()
    }

    fn guest_failure(&self) -> Option<Error> {
        self.link.guest()?.failure()
    }

    fn open_until(&self, py: Python<'_>, timeout: f64, expect: Vec<ServiceParts>) -> PyResult<()> {
        let expect = expect.into_iter().map(service_from).collect::<PyResult<Vec<_>>>()?;
        let (core, place) = (self.core().clone(), &self.place);
        let opened = async {
            let explain = |process, error| explain_start(process, core.peer().is_some(), self.link.is_lost(), error);
            core.ready().await.map_err(|error| match &self.process {
                Some(process) => explain(process, error),
                None if self.is_guest() => self.guest_failure().unwrap_or(error),
                None if place.is_empty() => error,
                None => error.map_message(|message| format!("plugin at {place}: {message}")),
            })?;
            // A plugin that refuses to start says so right behind its hello: once it has answered, it does not.
            if (self.process.is_some() || !place.is_empty() || self.is_guest())
                && let Err(error) = core.ping().await
            {
                if let Some(failure) = self.guest_failure() {
                    return Err(failure);
                }
                let reason = core.close_reason().unwrap_or(error);
                return Err(match &self.process {
                    Some(process) => explain(process, reason),
                    None => {
                        let name = core.peer().map(|peer| peer.name.clone()).unwrap_or_default();
                        reason.map_message(|message| format!("plugin \"{name}\" refused to start: {message}"))
                    }
                });
            }
            for service in expect {
                core.negotiate(service).await?;
            }
            core.negotiate_uses().await
        };
        match self.block_on(py, opened, until(Some(timeout)))? {
            Some(opened) => opened.or_raise(py),
            None => {
                let timeout = Duration::try_from_secs_f64(timeout).unwrap_or(Duration::MAX);
                let error = match &self.process {
                    Some(process) => late_start(process, core.peer().is_some(), timeout),
                    None if !place.is_empty() => Error::deadline_exceeded(format!(
                        "plugin at {place} was not ready within {} ms",
                        timeout.as_millis()
                    )),
                    None => Error::deadline_exceeded(format!("no hello came within {} ms", timeout.as_millis())),
                };
                Err(to_exception(py, &error))
            }
        }
    }

    fn kill_for(&self, reason: Error) {
        self.link.close_by(|connection| connection.closed(reason.clone()));
        if let Some(guest) = self.link.guest() {
            guest.end(reason);
        }
        self.link.pump.close();
        if let Some(process) = &self.process {
            process.kill_now();
        }
        self.link.nudge();
    }
}
