//! One end of a call whose messages stream, or that is handled.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::time::Duration;

use anyplug_core::context::Cancelled;
use anyplug_core::{CallStream, Context, Error, Instant, Payload, RawCall, Result, ServerCall};
use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyTuple};

use crate::error::{OrRaise, from_exception, metadata_to_tuple, to_exception};
use crate::link::{Link, lock};
use crate::work::Work;

/// A call, at its caller or at its callee. See `_native.pyi`.
#[pyclass(frozen, module = "anyplug._native")]
pub(crate) struct Call {
    link: Arc<Link>,
    stream: Arc<dyn CallStream>,
    /// What the handler knows, at the callee.
    context: Option<Context>,
    /// At the callee, until it has answered: dropped before that, it fails the call.
    server: Mutex<Option<ServerCall>>,
    /// A message that came while somebody asked to be told.
    arrived: Mutex<Option<Result<Option<Payload>>>>,
    ended: AtomicBool,
    waits: Mutex<Vec<Cancelled>>,
}

impl Call {
    pub(crate) fn of_caller(link: Arc<Link>, call: RawCall) -> Self {
        Self::new(link, Arc::new(call), None, None)
    }

    pub(crate) fn of_callee(link: Arc<Link>, call: ServerCall) -> Self {
        Self::new(link, call.stream().clone(), Some(call.context().clone()), Some(call))
    }

    fn new(link: Arc<Link>, stream: Arc<dyn CallStream>, context: Option<Context>, server: Option<ServerCall>) -> Self {
        Self {
            link,
            stream,
            context,
            server: Mutex::new(server),
            arrived: Mutex::default(),
            ended: AtomicBool::new(false),
            waits: Mutex::default(),
        }
    }

    pub(crate) fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    /// Ends the call with its one response. An error has ended the call in another way, and its caller has been told.
    pub(crate) fn answer(&self, py: Python<'_>, response: PyBackedBytes) {
        let server = lock(&self.server).take();
        if let Some(mut server) = server {
            self.link.outside(py, move || drop(server.send(payload(response), true)));
        }
        self.forget_waits();
    }

    /// Ends the call at the callee.
    pub(crate) fn fail_with(&self, error: Error) {
        let server = lock(&self.server).take();
        if let Some(server) = server {
            server.finish(Err(error));
        }
        self.forget_waits();
    }

    /// Leaves the call without an answer, for the end of the process to tell.
    pub(crate) fn abandon(&self) {
        std::mem::forget(lock(&self.server).take());
    }

    /// Who waits for a cancellation does so in vain once the call has its answer.
    fn forget_waits(&self) {
        let waits = std::mem::take(&mut *lock(&self.waits));
        drop(waits);
    }

    fn poll_take(&self, task: &mut TaskContext<'_>) -> Poll<Result<Option<Payload>>> {
        match lock(&self.arrived).take() {
            Some(arrived) => Poll::Ready(arrived),
            None => self.stream.poll_receive(task),
        }
    }

    fn received<'py>(
        &self,
        py: Python<'py>,
        received: Result<Option<Payload>>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let message = received.inspect_err(|_| self.ended.store(true, Ordering::Relaxed)).or_raise(py)?;
        match message {
            Some(message) => Ok(Some(PyBytes::new(py, &message.into_bytes()))),
            None => {
                self.ended.store(true, Ordering::Relaxed);
                Ok(None)
            }
        }
    }

    fn waker(&self, callback: Py<PyAny>) -> Waker {
        let callback = Mutex::new(Some(callback));
        Waker::from(Arc::new(Callback { link: Arc::downgrade(&self.link), callback }))
    }

    fn handled(&self, py: Python<'_>) -> PyResult<&Context> {
        self.context.as_ref().ok_or_else(|| to_exception(py, &Error::internal("the call is one of this side's own")))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.link.is_own_process() {
            // The locks of a fork may be held for ever, and the call is its parent's.
            std::mem::forget(self.stream.clone());
            std::mem::forget(std::mem::take(&mut self.server));
            std::mem::forget(std::mem::take(&mut self.waits));
            std::mem::forget(std::mem::take(&mut self.arrived));
        }
    }
}

#[pymethods]
impl Call {
    /// Takes the next message if it has come. None: not yet, or, when `ended` is set then, no more.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        match self.poll_take(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(received) => self.received(py, received),
            Poll::Pending => Ok(None),
        }
    }

    #[getter]
    fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Calls `callback` once when `take` has something to give. True: it has already, and `callback` is not called.
    fn on_readable(&self, callback: Py<PyAny>) -> bool {
        let waker = self.waker(callback);
        match self.poll_take(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(received) => {
                *lock(&self.arrived) = Some(received);
                true
            }
            Poll::Pending => false,
        }
    }

    /// Waits for the next message; None after the last.
    fn receive<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        match self.link.block_on(py, |task| self.poll_take(task), None)? {
            Some(received) => self.received(py, received),
            None => Ok(None),
        }
    }

    /// Sends a message, and returns whether that was possible: when not, the peer has to read first.
    fn send(&self, py: Python<'_>, message: PyBackedBytes, last: bool) -> PyResult<bool> {
        match self.stream.poll_ready(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(ready) => ready.or_raise(py)?,
            Poll::Pending => return Ok(false),
        }
        self.link.outside(py, || self.send_now(payload(message), last)).or_raise(py)?;
        Ok(true)
    }

    /// Calls `callback` once when `send` is possible, or the call has ended. True: it is already, and `callback` is not called.
    fn on_writable(&self, callback: Py<PyAny>) -> bool {
        self.stream.poll_ready(&mut TaskContext::from_waker(&self.waker(callback))).is_ready()
    }

    /// Waits until the peer has room for a message, and sends it.
    fn send_waiting(&self, py: Python<'_>, message: PyBackedBytes, last: bool) -> PyResult<()> {
        if !self.send(py, message.clone_ref(py), last)? {
            if let Some(ready) = self.link.block_on(py, |task| self.stream.poll_ready(task), None)? {
                ready.or_raise(py)?;
            }
            self.link.outside(py, || self.send_now(payload(message), last)).or_raise(py)?;
        }
        Ok(())
    }

    /// At the caller: says that no message follows. At the callee: ends the call with success.
    fn finish(&self) {
        let server = lock(&self.server).take();
        match server {
            Some(server) => server.finish(Ok(())),
            None if self.context.is_none() => self.stream.end(Ok(())),
            None => {}
        }
        self.forget_waits();
    }

    /// At the caller: cancels the call. At the callee: ends it with a failure.
    fn fail(&self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let error = from_exception(error)?;
        if self.context.is_none() {
            self.stream.end(Err(error));
        } else {
            self.fail_with(error);
        }
        Ok(())
    }

    /// Metadata that the callee sent before its first message; None as long as that has not come.
    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.stream.header().map(|metadata| metadata_to_tuple(py, &metadata)).transpose()
    }

    /// Metadata that the callee sent at the end; None as long as the call has not ended.
    #[getter]
    fn trailer<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.stream.trailer().map(|metadata| metadata_to_tuple(py, &metadata)).transpose()
    }

    // --- what a handler sees ---------------------------------------------------------------------

    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        metadata_to_tuple(py, self.handled(py)?.metadata())
    }

    #[getter]
    fn origin<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.handled(py)?.origin())
    }

    #[getter]
    fn traceparent(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.handled(py)?.traceparent())
    }

    #[getter]
    fn tracestate(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.handled(py)?.tracestate())
    }

    /// Seconds that remain, or None without a deadline.
    #[getter]
    fn remaining(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        Ok(self.handled(py)?.remaining().map(|remaining| remaining.as_secs_f64()))
    }

    /// Why the call was cancelled, or None.
    #[getter]
    fn cancelled(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let reason = self.handled(py)?.cancellation();
        Ok(reason.map(|reason| to_exception(py, &reason).into_value(py).into_any()))
    }

    /// Calls `callback` once, in any thread, when the call is cancelled: at once if it was.
    fn on_cancel(&self, py: Python<'_>, callback: Py<PyAny>) -> PyResult<()> {
        let mut cancelled = self.handled(py)?.cancelled();
        let waker = self.waker(callback.clone_ref(py));
        if Pin::new(&mut cancelled).poll(&mut TaskContext::from_waker(&waker)).is_ready() {
            callback.call0(py)?;
        } else {
            lock(&self.waits).push(cancelled);
        }
        Ok(())
    }

    /// Sleeps until the call is cancelled, `seconds` at most. Returns whether it was.
    fn wait_cancelled(&self, py: Python<'_>, seconds: Option<f64>) -> PyResult<bool> {
        let mut cancelled = self.handled(py)?.cancelled();
        let until = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
        let until = until.map(|duration| Instant::now().saturating_add(duration));
        Ok(self.link.block_on(py, |task| Pin::new(&mut cancelled).poll(task), until)?.is_some())
    }

    fn set_header(&self, py: Python<'_>, key: &str, value: &str) -> PyResult<()> {
        self.handled(py)?.set_header(key, value).or_raise(py)
    }

    fn set_trailer(&self, py: Python<'_>, key: &str, value: &str) -> PyResult<()> {
        self.handled(py)?.set_trailer(key, value).or_raise(py)
    }
}

impl Call {
    fn send_now(&self, message: Payload, last: bool) -> Result<()> {
        if self.context.is_none() {
            return self.stream.send(message, last);
        }
        // Taken for as long as it sends: that may wake others, which no lock should be held for.
        let Some(mut server) = lock(&self.server).take() else {
            return Err(Error::failed_precondition("the call has its answer"));
        };
        let sent = server.send(message, last);
        if last {
            self.forget_waits();
        } else {
            *lock(&self.server) = Some(server);
        }
        sent
    }
}

/// The bytes of a message, without copying them.
fn payload(message: PyBackedBytes) -> Payload {
    Payload::Bytes(Bytes::from_owner(message))
}

/// Has a function of Python called, by whoever does the work of the connection.
struct Callback {
    link: Weak<Link>,
    callback: Mutex<Option<Py<PyAny>>>,
}

impl Wake for Callback {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let callback = lock(&self.callback).take();
        if let (Some(link), Some(callback)) = (self.link.upgrade(), callback) {
            link.push(Work::Call(callback));
        }
    }
}
