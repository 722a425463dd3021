//! The session, for transports of one's own and for the vectors: bytes and calls in, bytes and events out.

use anyplug_core::CallHeader;
use anyplug_core::descriptor::{MethodEntry, MethodKind, ServiceEntry};
use anyplug_core::hello::{HelloOptions, Peer, ServiceUse};
use anyplug_core::limits::LimitOptions;
use anyplug_core::session::{self, Accepted, Event, Request, Role, SessionOptions};
use anyplug_core::status::Status;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::convert::{
    HeaderParts, LogParts, StatusParts, header_from, header_to, log_from, log_to, status_from, status_to,
};
use crate::error::OrRaise;

/// The limits that an owner sets, by the names of the protocol; those that are absent are the defaults.
pub(crate) fn limits_from(limits: &Bound<'_, PyDict>) -> PyResult<LimitOptions> {
    let mut options = LimitOptions::default();
    for (name, value) in limits {
        match name.extract::<&str>()? {
            "max_message_bytes" => options.max_message_bytes = value.extract()?,
            "max_pending_requests" => options.max_pending_requests = value.extract()?,
            "initial_credit_bytes" => options.initial_credit_bytes = value.extract()?,
            "max_buffer_bytes" => options.max_buffer_bytes = value.extract()?,
            other => return Err(PyValueError::new_err(format!("there is no limit {other:?}"))),
        }
    }
    Ok(options)
}

/// `"host"` or `"plugin"`.
pub(crate) fn role_from(role: &str) -> PyResult<Role> {
    match role {
        "host" => Ok(Role::Host),
        "plugin" => Ok(Role::Plugin),
        _ => Err(PyValueError::new_err(format!("the role is \"host\" or \"plugin\", not {role:?}"))),
    }
}

/// One side of a connection as a state machine without I/O.
#[pyclass(module = "anyplug._native")]
pub(crate) struct Session {
    session: session::Session,
}

#[pymethods]
impl Session {
    #[new]
    #[pyo3(signature = (role, *, name, version, runtime, services, uses, limits, plugin = String::new(), config = String::new()))]
    #[expect(clippy::too_many_arguments, reason = "the members of a hello, by name")]
    fn new(
        py: Python<'_>,
        role: &str,
        name: String,
        version: String,
        runtime: String,
        services: Vec<(String, String, Vec<String>)>,
        uses: Vec<(String, String)>,
        limits: &Bound<'_, PyDict>,
        plugin: String,
        config: String,
    ) -> PyResult<Self> {
        // A session looks at the names of methods only.
        let entry = |(name, fingerprint, methods): (String, String, Vec<String>)| ServiceEntry {
            name: name.into(),
            fingerprint: fingerprint.into(),
            methods: methods.into_iter().map(|method| MethodEntry::new(method, MethodKind::BidiStream)).collect(),
            ..ServiceEntry::default()
        };
        let services = services.into_iter().map(entry).collect();
        let uses = uses.into_iter().map(|(name, fingerprint)| ServiceUse { name, fingerprint }).collect();
        let hello = HelloOptions { name, version, runtime, services, uses, plugin, config };
        let options = SessionOptions { role: role_from(role)?, hello, limits: limits_from(limits)? };
        Ok(Self { session: session::Session::new(options).or_raise(py)? })
    }

    fn receive(&mut self, data: &[u8]) {
        self.session.receive(data);
    }

    fn next_event<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(event) = self.session.next_event() else { return Ok(None) };
        event_to(py, &self.session, &event).map(Some)
    }

    fn take_output<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut out = Vec::new();
        self.session.take_output(&mut out);
        PyBytes::new(py, &out)
    }

    #[pyo3(signature = (service, method, *, end, payload = None, header = None))]
    fn request(
        &mut self,
        py: Python<'_>,
        service: &str,
        method: &str,
        end: bool,
        payload: Option<&[u8]>,
        header: Option<HeaderParts>,
    ) -> PyResult<u32> {
        let header = header.map(header_from);
        let request = Request { header: header.as_ref(), payload: payload.unwrap_or_default(), end };
        self.session.request(service, method, request).or_raise(py)
    }

    fn claim_call(&mut self, py: Python<'_>, payload: &[u8]) -> PyResult<u32> {
        let request = Request { header: None, payload, end: true };
        self.session.claim_call(&request).map(|(call, _)| call).or_raise(py)
    }

    fn adopt_call(&mut self, py: Python<'_>, call: u32, size: usize) -> PyResult<()> {
        self.session.adopt_call(call, size).or_raise(py)
    }

    /// Where the message of an accepted call begins; else the code that it is refused with; None: the connection has ended.
    fn accept_call<'py>(
        &mut self,
        py: Python<'py>,
        call: u32,
        index: u16,
        has_header: bool,
        payload: &[u8],
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(match self.session.accept_call(call, index, has_header, payload) {
            Accepted::Yes { start, .. } => Some(start.into_pyobject(py)?.into_any()),
            Accepted::Refused(status) => {
                Some(status.code.map_or("OK", anyplug_core::Code::name).into_pyobject(py)?.into_any())
            }
            Accepted::Broken => None,
        })
    }

    fn keep_call(&mut self, call: u32) {
        self.session.keep_call(call);
    }

    #[pyo3(signature = (call, payload, end, header = None))]
    fn send_message(
        &mut self,
        py: Python<'_>,
        call: u32,
        payload: &[u8],
        end: bool,
        header: Option<HeaderParts>,
    ) -> PyResult<()> {
        let header: Option<CallHeader> = header.map(header_from);
        self.session.send_message(call, payload, end, header.as_ref()).or_raise(py)
    }

    fn half_close(&mut self, call: u32) {
        self.session.half_close(call);
    }

    fn end_call(&mut self, call: u32, status: StatusParts) {
        self.session.end_call(call, &status_from(status));
    }

    fn cancel(&mut self, call: u32, status: StatusParts) {
        self.session.cancel(call, status_from(status));
    }

    fn expire(&mut self, call: u32) {
        self.session.expire(call);
    }

    fn consume(&mut self, call: u32, size: usize) {
        self.session.consume(call, size);
    }

    fn credit(&mut self, call: u32) -> u32 {
        self.session.credit(call)
    }

    fn ping(&mut self, py: Python<'_>, payload: &[u8]) -> PyResult<()> {
        self.session.ping(payload).or_raise(py)
    }

    fn log(&mut self, record: LogParts) -> PyResult<()> {
        self.session.log(&log_from(record)?);
        Ok(())
    }

    fn drain(&mut self) {
        self.session.drain();
    }

    fn fail(&mut self, status: StatusParts) {
        self.session.fail(status_from(status));
    }

    fn closed(&mut self, reason: StatusParts) {
        self.session.closed(status_from(reason));
    }
}

fn event_to<'py>(py: Python<'py>, session: &session::Session, event: &Event) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let header = |header: &Option<Box<CallHeader>>| header.as_deref().map(|header| header_to(py, header)).transpose();
    let name = match event {
        Event::Hello { peer } => {
            dict.set_item("peer", peer_to(py, peer)?)?;
            "hello"
        }
        Event::Request { call, method, header: sent, payload, end } => {
            let (service, method) = session.local_method(*method).unwrap_or_default();
            dict.set_item("service", service)?;
            dict.set_item("method", method)?;
            dict.set_item("call", call)?;
            dict.set_item("header", header(sent)?)?;
            dict.set_item("payload", payload.as_ref().map(|payload| PyBytes::new(py, payload)))?;
            dict.set_item("end", end)?;
            "request"
        }
        Event::Message { call, payload, end, header: sent, .. } => {
            dict.set_item("call", call)?;
            dict.set_item("payload", PyBytes::new(py, payload))?;
            dict.set_item("end", end)?;
            dict.set_item("header", header(sent)?)?;
            "message"
        }
        Event::End { call, status } => return call_event(dict, "end", *call, Some(status)),
        Event::Cancelled { call, status } => return call_event(dict, "cancelled", *call, Some(status)),
        Event::Writable { call } => return call_event(dict, "writable", *call, None),
        Event::Pong { payload } => {
            dict.set_item("payload", PyBytes::new(py, payload))?;
            "pong"
        }
        Event::Log { record } => {
            dict.set_item("record", log_to(py, record)?)?;
            "log"
        }
        Event::Goaway { status } => {
            dict.set_item("status", status.as_deref().map(|status| status_to(py, status)).transpose()?)?;
            "goaway"
        }
        Event::Drained => "drained",
        Event::Closed { status } => {
            dict.set_item("status", status_to(py, status)?)?;
            "closed"
        }
    };
    dict.set_item("type", name)?;
    Ok(dict)
}

fn call_event<'py>(
    dict: Bound<'py, PyDict>,
    name: &str,
    call: u32,
    status: Option<&Status>,
) -> PyResult<Bound<'py, PyDict>> {
    dict.set_item("type", name)?;
    dict.set_item("call", call)?;
    if let Some(status) = status {
        dict.set_item("status", status_to(dict.py(), status)?)?;
    }
    Ok(dict)
}

fn peer_to<'py>(py: Python<'py>, peer: &Peer) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("name", &peer.name)?;
    dict.set_item("version", &peer.version)?;
    dict.set_item("runtime", &peer.runtime)?;
    dict.set_item("protocol", peer.protocol)?;
    let services: Vec<_> =
        peer.services.iter().map(|service| (&service.name, &service.fingerprint, service.methods.clone())).collect();
    dict.set_item("services", services)?;
    dict.set_item("uses", peer.uses.iter().map(|used| (&used.name, &used.fingerprint)).collect::<Vec<_>>())?;
    dict.set_item("plugin", &peer.plugin)?;
    dict.set_item("config", &peer.config)?;
    Ok(dict)
}
