//! Listens for hosts.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyplug_core::Error;
use anyplug_ipc::{
    Address, Incoming as IpcIncoming, JSON_RPC_PREFIX, Listener as IpcListener, ListenerOptions, hear_preface,
    json_rpc_place,
};
use anyplug_jsonrpc::front;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::channel::Channel;
use crate::error::{OrRaise, to_exception};
use crate::link::lock;
use crate::load::{TlsParts, tls_from};

/// Whether a text is meant as an address, and not as the path of a plugin.
#[pyfunction]
pub(crate) fn is_address(text: &str) -> bool {
    Address::is_meant(text)
}

/// A socket that hosts connect to.
#[pyclass(frozen, module = "anyplug._native")]
pub(crate) struct Listener {
    listener: Arc<IpcListener>,
    is_json_rpc: bool,
}

#[pymethods]
impl Listener {
    #[new]
    fn new(py: Python<'_>, address: &str, tls: Option<TlsParts>, allow_plaintext: bool) -> PyResult<Self> {
        let json_rpc = json_rpc_place(address);
        let parsed: Address = json_rpc.unwrap_or(address).parse::<Address>().or_raise(py)?;
        if !parsed.plugin.is_empty() {
            let message = format!(
                "address {address:?}: a server offers all of its plugins; leave #{} to the hosts",
                parsed.plugin
            );
            return Err(to_exception(py, &Error::invalid_argument(message)));
        }
        let options = ListenerOptions { tls: tls.map(tls_from), allow_plaintext };
        let listener = py.detach(|| IpcListener::bind(&parsed, &options)).or_raise(py)?;
        Ok(Self { listener, is_json_rpc: json_rpc.is_some() })
    }

    /// Where it listens, with the port that the system chose.
    #[getter]
    fn address(&self) -> String {
        let prefix = if self.is_json_rpc { JSON_RPC_PREFIX } else { "" };
        format!("{prefix}{}", self.listener.address())
    }

    /// Waits for the next host; None when the listener was closed.
    fn accept(&self, py: Python<'_>) -> Option<Incoming> {
        let host = py.detach(|| self.listener.accept())?;
        Some(Incoming { host: Mutex::new(Some(host)), is_json_rpc: self.is_json_rpc })
    }

    /// Listens no longer, and removes the file of a Unix socket.
    fn close(&self) {
        self.listener.close();
    }
}

/// A host that has connected, and not said anything yet.
#[pyclass(frozen, module = "anyplug._native")]
pub(crate) struct Incoming {
    host: Mutex<Option<IpcIncoming>>,
    is_json_rpc: bool,
}

/// The channel; the bytes that were read; the plugin that the host wants and its configuration, if its hello came; why none came.
type Heard<'py> = (Channel, Bound<'py, PyBytes>, Option<(String, String)>, Option<Py<PyAny>>);

#[pymethods]
impl Incoming {
    /// Finds out who it is and hears its hello, within so many seconds.
    fn hear<'py>(&self, py: Python<'py>, seconds: f64) -> PyResult<Heard<'py>> {
        let host = lock(&self.host).take().ok_or_else(|| PyRuntimeError::new_err("the host was heard already"))?;
        let timeout = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::from_secs(3600));
        let heard = py.detach(|| {
            let until = Instant::now() + timeout;
            let mut pipe = host.into_pipe(until)?;
            if self.is_json_rpc {
                // It ends by itself.
                (pipe, _) = front(pipe)?;
            }
            let preface = hear_preface(&pipe, until);
            Ok::<_, Error>((pipe, preface))
        });
        let (pipe, preface) = heard.or_raise(py)?;
        let channel = Channel::new(pipe);
        Ok(match preface {
            Ok(preface) => {
                let hello = preface.hello.map(|hello| (hello.plugin, hello.config));
                (channel, PyBytes::new(py, &preface.heard), hello, None)
            }
            Err(error) => {
                (channel, PyBytes::new(py, &[]), None, Some(to_exception(py, &error).into_value(py).into_any()))
            }
        })
    }
}
