//! An echo by PyO3: bytes in, other bytes out.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A module of Python.
#[pymodule]
mod anyplug_bench_pyo3 {
    use super::{Bound, PyBytes, Python, pyfunction};

    /// Returns the same bytes in an object of their own.
    #[pyfunction]
    fn echo<'py>(py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
        PyBytes::new(py, data)
    }
}
