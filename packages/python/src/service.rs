//! Services whose handlers are written in Python. A call is queued where it is read; see [`worker`](crate::worker) and [`looped`](crate::looped) for where it is run.

use std::sync::{Arc, OnceLock, Weak};

use anyplug_core::channel::BoxFuture;
use anyplug_core::descriptor::{MethodEntry, MethodKind, ServiceEntry};
use anyplug_core::log::LogRecord;
use anyplug_core::{Error, Implementation, Payload, Role, ServeRaw, ServerCall};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::call::Call;
use crate::convert::log_to;
use crate::link::Link;
use crate::work::Work;

/// `(name, kind, idempotent, default_timeout_ms, required_capability)`.
type MethodParts = (String, String, bool, u32, String);

/// `(name, fingerprint, descriptor_set, methods)`.
pub(crate) type ServiceParts = (String, String, Vec<u8>, Vec<MethodParts>);

/// A service as Python describes it.
pub(crate) fn service_from(parts: ServiceParts) -> PyResult<Arc<ServiceEntry>> {
    let (name, fingerprint, descriptor_set, methods) = parts;
    let methods = methods.into_iter().map(|(name, kind, idempotent, default_timeout_ms, required_capability)| {
        let entry = MethodEntry::new(name, kind_from(&kind)?);
        Ok(MethodEntry { idempotent, default_timeout_ms, required_capability: required_capability.into(), ..entry })
    });
    Ok(Arc::new(ServiceEntry {
        name: name.into(),
        fingerprint: fingerprint.into(),
        methods: methods.collect::<PyResult<_>>()?,
        descriptor_set: descriptor_set.into(),
    }))
}

fn kind_from(kind: &str) -> PyResult<MethodKind> {
    Ok(match kind {
        "unary" => MethodKind::Unary,
        "server_stream" => MethodKind::ServerStream,
        "client_stream" => MethodKind::ClientStream,
        "bidi_stream" => MethodKind::BidiStream,
        _ => return Err(PyValueError::new_err(format!("{kind:?} is not a kind of method"))),
    })
}

/// The link of services that are made before it.
pub(crate) type LateLink = Arc<OnceLock<Weak<Link>>>;

/// The implementations of these services, whose methods are counted through in Python's table of handlers.
pub(crate) fn implementations(services: Vec<Arc<ServiceEntry>>, link: &LateLink) -> Vec<Implementation> {
    let mut first = 0;
    let implement = |entry: Arc<ServiceEntry>| {
        let queue = Queue { first, link: link.clone() };
        first += entry.methods.len();
        Implementation::raw(entry, Arc::new(queue))
    };
    services.into_iter().map(implement).collect()
}

struct Queue {
    /// The place of the service's first method.
    first: usize,
    link: LateLink,
}

impl ServeRaw for Queue {
    fn serve(&self, method: usize, call: ServerCall) -> Option<BoxFuture<()>> {
        match self.link.get().and_then(Weak::upgrade) {
            Some(link) => link.push(Work::Serve(self.first + method, call)),
            None => call.finish(Err(Error::unavailable("the connection has ended"))),
        }
        None
    }
}

/// What Python does with work.
pub(crate) struct Handlers {
    /// For each method, a function of the call and its one request. It returns the answer's bytes, or None and answers by the call later.
    pub(crate) serve: Vec<Py<PyAny>>,
    /// Takes the parts of a log record.
    pub(crate) on_log: Py<PyAny>,
}

impl Handlers {
    /// Runs a handler. Returns whether it has answered.
    pub(crate) fn serve(
        &self,
        py: Python<'_>,
        link: &Arc<Link>,
        method: usize,
        mut call: ServerCall,
    ) -> PyResult<bool> {
        let Some(handler) = self.serve.get(method) else {
            call.finish(Err(Error::unimplemented("the method has no handler")));
            return Ok(true);
        };
        let request = match call.take_request() {
            Some(Payload::Bytes(bytes)) => Some(PyBytes::new(py, &bytes)),
            _ => None,
        };
        let call = Py::new(py, Call::of_callee(link.clone(), call))?;
        match handler.call1(py, (&call, request)) {
            Ok(answer) if answer.is_none(py) => Ok(false),
            Ok(answer) => {
                let answer: PyBackedBytes = answer.extract(py)?;
                call.get().answer(py, answer);
                Ok(true)
            }
            Err(error) => {
                // Handlers tell their failures by the call; this is a defect, or the end of the program.
                if error.is_instance_of::<PyException>(py) {
                    call.get().fail_with(Error::internal("the handler did not answer"));
                    error.write_unraisable(py, Some(handler.bind(py)));
                    return Ok(true);
                }
                match link.connection().role() {
                    // The host will see how the process ended.
                    Role::Plugin => call.get().abandon(),
                    Role::Host => call.get().fail_with(Error::internal("the handler ended its thread")),
                }
                Err(error)
            }
        }
    }

    pub(crate) fn log(&self, py: Python<'_>, record: &LogRecord) -> PyResult<()> {
        let told = log_to(py, record).and_then(|record| self.on_log.call1(py, (record,)));
        match told {
            Ok(_) => Ok(()),
            Err(error) if error.is_instance_of::<PyException>(py) => {
                error.write_unraisable(py, Some(self.on_log.bind(py)));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
