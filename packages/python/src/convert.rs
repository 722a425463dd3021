//! Statuses, call headers and log records as plain tuples of Python.

use anyplug_core::log::{LogLevel, LogRecord};
use anyplug_core::status::Status;
use anyplug_core::{Any, CallHeader, Code};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::error::metadata_to_tuple;

/// `(code, message, details, metadata)`; code 0 is success.
pub(crate) type StatusParts = (i32, String, Vec<(String, Vec<u8>)>, Vec<(String, String)>);

/// `(timeout_ms, metadata, traceparent, tracestate, origin)`.
pub(crate) type HeaderParts = (Option<u32>, Vec<(String, String)>, String, String, Vec<String>);

/// `(level, message, logger, time_ms, fields)`.
pub(crate) type LogParts = (i32, String, String, i64, std::collections::BTreeMap<String, String>);

pub(crate) fn status_from(parts: StatusParts) -> Status {
    let (code, message, details, metadata) = parts;
    Status {
        code: (code != 0).then(|| Code::from_number(code).unwrap_or(Code::Unknown)),
        message,
        details: details.into_iter().map(|(type_url, value)| Any { type_url, value }).collect(),
        metadata: metadata.into_iter().collect(),
    }
}

pub(crate) fn status_to<'py>(py: Python<'py>, status: &Status) -> PyResult<Bound<'py, PyTuple>> {
    let details = status.details.iter().map(|any| (&any.type_url, PyBytes::new(py, &any.value)));
    let details = PyTuple::new(py, details.collect::<Vec<_>>())?;
    let code = status.code.map_or(0, Code::number);
    (code, &status.message, details, metadata_to_tuple(py, &status.metadata)?).into_pyobject(py)
}

pub(crate) fn header_from(parts: HeaderParts) -> CallHeader {
    let (timeout_ms, metadata, traceparent, tracestate, origin) = parts;
    CallHeader { timeout_ms, metadata: metadata.into_iter().collect(), traceparent, tracestate, origin }
}

pub(crate) fn header_to<'py>(py: Python<'py>, header: &CallHeader) -> PyResult<Bound<'py, PyTuple>> {
    let metadata = metadata_to_tuple(py, &header.metadata)?;
    let origin = PyTuple::new(py, &header.origin)?;
    (header.timeout_ms, metadata, &header.traceparent, &header.tracestate, origin).into_pyobject(py)
}

pub(crate) fn level_from(number: i32) -> PyResult<LogLevel> {
    Ok(match number {
        1 => LogLevel::Trace,
        2 => LogLevel::Debug,
        3 => LogLevel::Info,
        4 => LogLevel::Warn,
        5 => LogLevel::Error,
        _ => {
            return Err(PyValueError::new_err(format!(
                "{number} is not a log level; levels are 1 (TRACE) to 5 (ERROR)"
            )));
        }
    })
}

pub(crate) fn level_to(level: LogLevel) -> i32 {
    match level {
        LogLevel::Trace => 1,
        LogLevel::Debug => 2,
        LogLevel::Info => 3,
        LogLevel::Warn => 4,
        LogLevel::Error => 5,
    }
}

pub(crate) fn log_from(parts: LogParts) -> PyResult<LogRecord> {
    let (level, message, logger, time_ms, fields) = parts;
    Ok(LogRecord { level: level_from(level)?, message, logger, time_ms, fields })
}

pub(crate) fn log_to<'py>(py: Python<'py>, record: &LogRecord) -> PyResult<Bound<'py, PyTuple>> {
    let fields = PyDict::new(py);
    for (key, value) in &record.fields {
        fields.set_item(key, value)?;
    }
    (level_to(record.level), &record.message, &record.logger, record.time_ms, fields).into_pyobject(py)
}
