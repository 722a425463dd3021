//! The bytes that a connection is made over, where they are not those of a child process.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::Mutex;

use anyplug_ipc::{Pipe, open_channel, open_standard_streams};
use anyplug_jsonrpc::{FrontEnd, front};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

use crate::error::OrRaise;
use crate::link::lock;

/// A channel that no connection has taken yet.
#[pyclass(frozen, module = "anyplug._native")]
pub(crate) struct Channel {
    pipe: Mutex<Option<Pipe>>,
    /// Where JSON-RPC is spoken at its other end.
    end: Mutex<Option<FrontEnd>>,
}

impl Channel {
    pub(crate) fn new(pipe: Pipe) -> Self {
        Self { pipe: Mutex::new(Some(pipe)), end: Mutex::new(None) }
    }

    pub(crate) fn take(&self) -> Option<Pipe> {
        lock(&self.pipe).take()
    }
}

#[pymethods]
impl Channel {
    /// A channel of two descriptors, which it owns from now on.
    #[staticmethod]
    fn descriptors(read: RawFd, write: RawFd) -> PyResult<Self> {
        if read < 0 || write < 0 || read == write {
            return Err(PyOSError::new_err(format!("{read} and {write} are not two descriptors")));
        }
        // SAFETY: the caller hands both over, and nothing else in this process closes them.
        let (read, write) = unsafe { (OwnedFd::from_raw_fd(read), OwnedFd::from_raw_fd(write)) };
        Ok(Self::new(Pipe::new(read, write)?))
    }

    /// The channel that the host of this process opened for it, or None when no host started it.
    #[staticmethod]
    fn of_host(py: Python<'_>) -> PyResult<Option<Self>> {
        Ok(open_channel().or_raise(py)?.map(Self::new))
    }

    /// The channel of a host that asks what comes in JSON-RPC on the standard streams.
    #[staticmethod]
    fn of_json_rpc(py: Python<'_>) -> PyResult<Self> {
        let (pipe, end) = open_standard_streams().and_then(front).or_raise(py)?;
        Ok(Self { pipe: Mutex::new(Some(pipe)), end: Mutex::new(Some(end)) })
    }

    /// Waits until all is written, where JSON-RPC is spoken at the other end.
    fn finish(&self, py: Python<'_>) {
        if let Some(end) = lock(&self.end).take() {
            py.detach(|| end.wait());
        }
    }
}
