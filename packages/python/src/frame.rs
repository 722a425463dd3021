//! The frame codec, and those of status and call header, for tools and tests that look at bytes.

use anyplug_core::frame::{Decoder, Frame, FrameHeader};
use anyplug_core::status::Status;
use anyplug_core::{CallHeader, Error};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::convert::{HeaderParts, StatusParts, header_from, header_to, status_from, status_to};
use crate::error::OrRaise;

/// Cuts bytes into frames.
#[pyclass(module = "anyplug._native")]
pub(crate) struct FrameDecoder {
    decoder: Decoder,
    failed: Option<Error>,
}

#[pymethods]
impl FrameDecoder {
    #[new]
    fn new(max_frame_bytes: u32) -> Self {
        Self { decoder: Decoder::new(max_frame_bytes, 0), failed: None }
    }

    /// The frames that `data` completes: `(offset, kind, flags, method, call, payload)` each. After a malformed one, [`error`] tells why, and no more come.
    fn push<'py>(&mut self, py: Python<'py>, data: &[u8]) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let (mut input, mut frames) = (data, Vec::new());
        while self.failed.is_none() {
            match self.decoder.next(&mut input) {
                Ok(Some(Frame { header, payload, offset })) => {
                    let payload = PyBytes::new(py, payload.as_slice());
                    frames.push(
                        (offset, header.kind, header.flags, header.method, header.call, payload).into_pyobject(py)?,
                    );
                }
                Ok(None) => break,
                Err(error) => self.failed = Some(error),
            }
        }
        Ok(frames)
    }

    /// Why no more frames come, or None.
    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let error = self.failed.as_ref()?;
        Some(crate::error::to_exception(py, error).into_value(py).into_any())
    }

    /// Where the next frame begins, or the malformed one.
    #[getter]
    fn offset(&self) -> u64 {
        self.decoder.offset()
    }

    /// How many bytes of an incomplete frame there are.
    #[getter]
    fn pending_bytes(&self) -> usize {
        self.decoder.pending_bytes()
    }
}

/// The bytes of a frame of any kind, known or not.
#[pyfunction]
pub(crate) fn encode_frame<'py>(
    py: Python<'py>,
    kind: u8,
    flags: u8,
    method: u16,
    call: u32,
    payload: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let Ok(length) = u32::try_from(payload.len()) else {
        return Err(PyValueError::new_err("a frame takes less than 4 GiB"));
    };
    let mut out = FrameHeader { length, kind, flags, method, call }.encode().to_vec();
    out.extend_from_slice(payload);
    Ok(PyBytes::new(py, &out))
}

/// The status that `data` encodes.
#[pyfunction]
pub(crate) fn decode_status<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
    status_to(py, &Status::decode(data).or_raise(py)?)
}

/// The bytes of a status.
#[pyfunction]
pub(crate) fn encode_status<'py>(py: Python<'py>, status: StatusParts) -> Bound<'py, PyBytes> {
    let mut out = Vec::new();
    status_from(status).encode(&mut out);
    PyBytes::new(py, &out)
}

/// The call header that `data` encodes.
#[pyfunction]
pub(crate) fn decode_header<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
    header_to(py, &CallHeader::decode(data).or_raise(py)?)
}

/// The bytes of a call header.
#[pyfunction]
pub(crate) fn encode_header<'py>(py: Python<'py>, header: HeaderParts) -> Bound<'py, PyBytes> {
    let mut out = Vec::new();
    header_from(header).encode(&mut out);
    PyBytes::new(py, &out)
}
