//! An Extism plugin that a host in Python has loaded.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyplug_core::{Error, Instant, LogRecord};
use anyplug_host::{ExtismOptions, HostFunction, WasmLimits};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::convert::log_to;
use crate::error::{OrRaise, from_exception, to_exception};
use crate::fork;
use crate::wasm::WasmParts;

/// What a host says about an Extism plugin that it loads.
#[derive(FromPyObject)]
pub(crate) struct ExtismParts {
    /// One of the two.
    path: Option<PathBuf>,
    module: Option<PyBackedBytes>,
    name: Option<String>,
    config: BTreeMap<String, String>,
    allowed_hosts: Vec<String>,
    wasm: WasmParts,
    instances: u32,
    max_var_bytes: u64,
    max_http_response_bytes: u64,
    /// Each takes bytes and returns bytes, or raises an AnyplugError.
    functions: BTreeMap<String, Py<PyAny>>,
    /// Takes the parts of a log record.
    on_log: Py<PyAny>,
}

/// An Extism plugin, which any thread may call.
#[pyclass(frozen, module = "anyplug._native")]
pub(crate) struct Extism {
    plugin: anyplug_wasm::Extism,
    /// A fork of the process that loaded it must leave it alone.
    generation: u32,
}

#[pymethods]
impl Extism {
    /// Reads, checks and compiles a module, and makes an instance.
    #[staticmethod]
    fn load(py: Python<'_>, parts: ExtismParts) -> PyResult<Self> {
        let on_log = parts.on_log;
        let options = ExtismOptions {
            name: parts.name,
            config: parts.config,
            allowed_hosts: parts.allowed_hosts,
            wasm: WasmLimits { instances: parts.instances, ..parts.wasm.into() },
            max_var_bytes: parts.max_var_bytes,
            max_http_response_bytes: parts.max_http_response_bytes,
            functions: parts.functions.into_iter().map(|(name, function)| (name, wrap(function))).collect(),
            on_log: Some(Arc::new(move |record| Python::attach(|py| log(py, &on_log, record)))),
        };
        let (path, module) = (parts.path, parts.module);
        let loaded = py.detach(|| match (&path, &module) {
            (Some(path), _) => anyplug_wasm::Extism::read(path, options),
            (None, module) => anyplug_wasm::Extism::new(module.as_deref().unwrap_or_default(), options),
        });
        Ok(Self { plugin: loaded.or_raise(py)?, generation: fork::generation() })
    }

    #[getter]
    fn name(&self) -> &str {
        self.plugin.name()
    }

    #[getter]
    fn functions(&self) -> Vec<String> {
        self.plugin.functions().to_vec()
    }

    #[getter]
    fn enforced(&self) -> Vec<String> {
        self.plugin.enforced()
    }

    /// Calls a function in this thread; other threads go on meanwhile. `timeout` in seconds.
    fn call<'py>(
        &self,
        py: Python<'py>,
        function: &str,
        data: PyBackedBytes,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        if self.generation != fork::generation() {
            let message = "the plugin belongs to the process that loaded it, and this is a fork of that: load it here";
            return Err(to_exception(py, &Error::failed_precondition(message)));
        }
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
        let deadline = timeout.map(|timeout| Instant::now().saturating_add(seconds(timeout)));
        let output = py.detach(|| self.plugin.call(function, &data, deadline));
        Ok(PyBytes::new(py, &output.or_raise(py)?))
    }

    /// Takes no more calls.
    fn close(&self, py: Python<'_>) {
        if self.generation == fork::generation() {
            py.detach(|| self.plugin.close());
        }
    }
}

fn wrap(function: Py<PyAny>) -> HostFunction {
    Arc::new(move |input| {
        Python::attach(|py| {
            let output = function.call1(py, (PyBytes::new(py, input),)).and_then(|output| {
                let bytes: PyBackedBytes = output.extract(py)?;
                Ok(bytes.to_vec())
            });
            output.map_err(|raised| {
                let unexpected = |_| Error::internal(format!("a function of the host's own raised {raised}"));
                from_exception(raised.value(py)).unwrap_or_else(unexpected)
            })
        })
    })
}

fn log(py: Python<'_>, on_log: &Py<PyAny>, record: &LogRecord) {
    let told = log_to(py, record).and_then(|record| on_log.call1(py, (record,)));
    if let Err(error) = told {
        error.write_unraisable(py, Some(on_log.bind(py)));
    }
}
