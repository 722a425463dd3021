//! A library with ElizaOS's C ABI, for a host in Python.

use std::ffi::CString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyplug_core::Error;
use anyplug_ffi::ElizaosAnswer;
use anyplug_host::locate_library;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::error::OrRaise;

/// A loaded library. Any thread may call it; one at a time is within it.
#[pyclass(frozen, module = "anyplug._native")]
pub(crate) struct ElizaosLibrary {
    library: Mutex<Option<Arc<anyplug_ffi::ElizaosLibrary>>>,
    /// Where it was.
    #[pyo3(get)]
    file: PathBuf,
}

#[pymethods]
impl ElizaosLibrary {
    /// Loads the library of a folder with a plugin.json, of that file, or at a path.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let opened = py.detach(|| {
            let file = locate_library(&path)?;
            Ok::<_, Error>((anyplug_ffi::ElizaosLibrary::open(&file)?, file))
        });
        let (library, file) = opened.or_raise(py)?;
        Ok(Self { library: Mutex::new(Some(Arc::new(library))), file })
    }

    /// Whether it exports a function of this name; False when it was closed.
    fn exports(&self, function: &str) -> bool {
        self.library().as_ref().is_some_and(|library| library.exports(function))
    }

    /// Calls a function with texts: an int, or the bytes that it returned; None for a null pointer.
    fn call<'py>(
        &self,
        py: Python<'py>,
        function: &str,
        arguments: Vec<PyBackedBytes>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let library = self.library().clone();
        let called = py.detach(|| {
            let library = library.ok_or_else(|| Error::unavailable("the library was closed"))?;
            let text = |argument: &PyBackedBytes| {
                CString::new(&**argument).map_err(|_| Error::invalid_argument("a zero byte is in a name"))
            };
            let arguments: Vec<CString> = arguments.iter().map(text).collect::<Result<_, _>>()?;
            library.call(function, &arguments)
        });
        Ok(match called.or_raise(py)? {
            ElizaosAnswer::Number(number) => Some(number.into_pyobject(py)?.into_any()),
            ElizaosAnswer::Text(Some(text)) => Some(PyBytes::new(py, &text).into_any()),
            ElizaosAnswer::Text(None) => None,
        })
    }

    /// Lets it go: it is unloaded when no call is within it.
    fn close(&self, py: Python<'_>) {
        let library = self.library().take();
        py.detach(|| drop(library));
    }
}

impl ElizaosLibrary {
    fn library(&self) -> MutexGuard<'_, Option<Arc<anyplug_ffi::ElizaosLibrary>>> {
        self.library.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
