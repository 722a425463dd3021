//! A plugin that is a module of Python as well, by PyO3: what such a module has, for the one that `#[plugin(python = "…")]` makes, or for an author's own `#[pymodule]`.

use std::ffi::c_void;
use std::ptr::NonNull;

/// The version of PyO3 that this is made with, and there is but one in a program.
pub use pyo3;

use pyo3::exceptions::PyRuntimeError;
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use pyo3::{type_hint_identifier, type_hint_subscript};

use crate::listen::ServeOptions;
use crate::native::entry::{anyplug_plugin, only};
use crate::serve::serve_for_status;

/// What `anyplug.load_plugin` returns.
pub struct PluginLoad<'py>(Bound<'py, PyAny>);

impl<'py> IntoPyObject<'py> for PluginLoad<'py> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = std::convert::Infallible;
    // What a signature names as text is not imported by the stub file; what a type names is. So the types of the options stand beside the type that it is, where nobody looks at them.
    const OUTPUT_TYPE: PyStaticExpr = type_hint_subscript!(
        type_hint_identifier!("typing", "Annotated"),
        type_hint_identifier!("anyplug", "PluginLoad"),
        type_hint_subscript!(
            type_hint_identifier!("typing", "Unpack"),
            type_hint_identifier!("anyplug", "LoadOptions")
        )
    );

    fn into_pyobject(self, _: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(self.0)
    }
}

/// Says how to load the plugin of this module, in this process: `with` what it returns for threads, `async with` it for asyncio.
///
/// `options`: those of `anyplug.load_plugin`, which explains them.
#[pyfunction]
#[pyo3(pass_module, signature = (**options: "Unpack[LoadOptions]"))]
pub fn load<'py>(module: &Bound<'py, PyModule>, options: Option<&Bound<'py, PyDict>>) -> PyResult<PluginLoad<'py>> {
    let py = module.py();
    let entry = NonNull::new(anyplug_plugin as *mut c_void);
    let entry = entry.ok_or_else(|| PyRuntimeError::new_err("this module has no plugin"))?;
    // SAFETY: a function is there for as long as the module, which Python never unloads.
    let entry = unsafe { PyCapsule::new_with_pointer(py, entry, c"anyplug_plugin") }?;
    let load_library = py.import("anyplug.codegen.v1")?.getattr("load_library")?;
    Ok(PluginLoad(load_library.call((module.filename()?, entry), options)?))
}

/// Serves the plugin of this module as a program does: to the host that has started this process, or at the address in ANYPLUG_LISTEN.
///
/// Returns the status that the process is to end with. `python -m anyplug.run` calls it.
#[pyfunction]
pub fn serve(py: Python<'_>) -> PyResult<u8> {
    let Some(registered) = only() else {
        return Err(PyRuntimeError::new_err("this module has no plugin, or several: #[plugin] goes on one function"));
    };
    Ok(py.detach(|| serve_for_status(vec![(registered.plugin)()], ServeOptions::default())))
}

/// Writes what is there when the feature `python` is on; what `#[plugin]` writes.
#[doc(hidden)]
#[macro_export]
macro_rules! export_python {
    ($($module:item)*) => { $($module)* };
}
