//! Calls of one method of a plugin that is a module, from message to message: what answers at once needs no bytes of Python's, and no turn of its loop.

use std::pin::Pin;
use std::sync::Arc;

use anyplug_core::{CallOptions, Error, RawRequest, RawUnary, Response};
use bytes::Bytes;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use crate::codec::Table;
use crate::error::OrRaise;
use crate::link::Link;

/// How many calls of a loop are answered in a row before it has its turn: a call into a module takes less than a turn does.
const MOST_IN_A_ROW: u32 = 64;

/// Makes calls of one method without options.
#[pyclass(frozen, module = "anyplug._native")]
pub(crate) struct Caller {
    link: Arc<Link>,
    method: u16,
    default_timeout_ms: u32,
    request: Table,
    response: Table,
}

impl Caller {
    /// None where calls have to go another way: the peer is no module, or a class is of the user's own.
    pub(crate) fn new(
        link: &Arc<Link>,
        method: u16,
        default_timeout_ms: u32,
        request: &Bound<'_, PyType>,
        response: &Bound<'_, PyType>,
    ) -> PyResult<Option<Self>> {
        if link.guest().is_none() {
            return Ok(None);
        }
        let (Some(request), Some(response)) = (Table::of(request)?, Table::of(response)?) else { return Ok(None) };
        Ok(Some(Self { link: link.clone(), method, default_timeout_ms, request, response }))
    }

    /// Makes the call. None: nothing was made, and the general way says why, or goes.
    fn make(&self, request: &Bound<'_, PyAny>) -> PyResult<Option<RawUnary>> {
        let is_there = self.link.guest().is_some_and(|guest| !guest.is_over()) && self.link.is_own_process();
        if !is_there {
            return Ok(None);
        }
        let (py, core) = (request.py(), self.link.connection());
        let call = self.request.encoded(request, |payload| {
            let (method, default_timeout_ms) = (self.method, self.default_timeout_ms);
            let request =
                RawRequest { method, payload, end: true, options: CallOptions::default(), default_timeout_ms };
            self.link.outside(py, || core.unary(request))
        });
        call.map(|call| call.or_raise(py)).transpose()
    }

    /// The message, or its bytes where they are none: the general way says why.
    fn response<'py>(&self, py: Python<'py>, answer: Result<Response<Bytes>, Error>) -> PyResult<Bound<'py, PyAny>> {
        let message = answer.or_raise(py)?.message;
        match self.response.decoded(py, &message) {
            Some(message) => Ok(message),
            None => Ok(PyBytes::new(py, &message).into_any()),
        }
    }
}

#[pymethods]
impl Caller {
    /// Makes the call and waits for its response. None: it was not made, and is to go another way.
    fn __call__<'py>(&self, request: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = request.py();
        let Some(mut call) = self.make(request)? else { return Ok(None) };
        let answer = match call.try_take() {
            Some(answer) => answer,
            None => match self.link.block_on(py, |task| Pin::new(&mut call).poll(task), None)? {
                Some(answer) => answer,
                None => return Err(PyRuntimeError::new_err("the wait ended without an answer")),
            },
        };
        self.response(py, answer).map(Some)
    }

    /// Makes the call if its event loop has nothing else to do. Returns the response if it is there at once; else what to wait for: a future, and what `Connection.forget` takes. None: it was not made, and is to go another way.
    fn soon<'py>(&self, request: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = request.py();
        let Some(looped) = self.link.looped.get().filter(|looped| looped.is_own_thread()) else { return Ok(None) };
        if !looped.begins_alone(py, MOST_IN_A_ROW) {
            return Ok(None);
        }
        let made = self.make(request).and_then(|call| {
            let Some(call) = call else { return Ok(None) };
            if let Some(answer) = call.try_take() {
                return Ok(Some(Ok(answer)));
            }
            let future = looped.event_loop.call_method0(py, intern!(py, "create_future"))?;
            let number = self.link.keep_unary(looped, call, future.bind(py), false)?;
            Ok(Some(Err((future, number))))
        });
        self.link.answer_alone(py, looped, matches!(made, Ok(Some(_))))?;
        match made? {
            None => Ok(None),
            Some(Ok(answer)) => self.response(py, answer).map(Some),
            Some(Err(waits)) => {
                self.link.set_timer(py, looped)?;
                Ok(Some(waits.into_pyobject(py)?.into_any()))
            }
        }
    }
}
