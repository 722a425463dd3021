//! Errors of the crates as `anyplug.AnyplugError`, and back.

use anyplug_core::{Any, Code, Error, Metadata};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyTuple, PyType};

/// Makes the exception that tells this error.
pub(crate) fn to_exception(py: Python<'_>, error: &Error) -> PyErr {
    match build(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(unexpected) => unexpected,
    }
}

/// For `?` where the interpreter is attached.
pub(crate) trait OrRaise<T> {
    /// The value, or the error as an exception.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| to_exception(py, &error))
    }
}

fn build<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static DETAIL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = ERROR.import(py, "anyplug._error", "AnyplugError")?;
    let exception = class.call1((error.code().number(), error.message()))?;
    if !error.details().is_empty() {
        let detail = DETAIL.import(py, "anyplug._error", "Detail")?;
        let details: Vec<_> = error
            .details()
            .iter()
            .map(|any| detail.call1((&any.type_url, PyBytes::new(py, &any.value))))
            .collect::<PyResult<_>>()?;
        exception.setattr(intern!(py, "details"), PyTuple::new(py, details)?)?;
    }
    if !error.metadata().is_empty() {
        exception.setattr(intern!(py, "metadata"), metadata_to_tuple(py, error.metadata())?)?;
    }
    Ok(exception)
}

/// Reads an `AnyplugError`.
pub(crate) fn from_exception(exception: &Bound<'_, PyAny>) -> PyResult<Error> {
    let py = exception.py();
    let number: i32 = exception.getattr(intern!(py, "code"))?.extract()?;
    let message: String = exception.getattr(intern!(py, "message"))?.extract()?;
    let mut error = Error::new(Code::from_number(number).unwrap_or(Code::Unknown), message);
    for detail in exception.getattr(intern!(py, "details"))?.try_iter()? {
        let detail = detail?;
        error = error.with_detail(Any {
            type_url: detail.getattr(intern!(py, "type_url"))?.extract()?,
            value: detail.getattr(intern!(py, "value"))?.extract()?,
        });
    }
    let metadata: Vec<(String, String)> = exception.getattr(intern!(py, "metadata"))?.extract()?;
    Ok(error.with_metadata(metadata.into_iter().collect()))
}

/// Pairs of metadata as Python has them.
pub(crate) fn metadata_to_tuple<'py>(py: Python<'py>, metadata: &Metadata) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, metadata.iter().collect::<Vec<_>>())
}
