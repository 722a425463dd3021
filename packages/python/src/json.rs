//! JSON by descriptors: the crate `anyplug-json` behind `anyplug._json`.

use anyplug_json::{JsonReadOptions, JsonWriteOptions};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::OrRaise;

/// A set of message types.
#[pyclass(frozen, module = "anyplug._native")]
pub(crate) struct JsonTypes {
    types: anyplug_json::JsonTypes,
}

#[pymethods]
impl JsonTypes {
    #[new]
    fn new(sets: Vec<Vec<u8>>) -> Self {
        Self { types: anyplug_json::JsonTypes::new(sets) }
    }

    fn has(&self, py: Python<'_>, type_name: &str) -> PyResult<bool> {
        self.types.has(type_name).or_raise(py)
    }

    fn bytes_to_json(
        &self,
        py: Python<'_>,
        type_name: &str,
        data: &[u8],
        proto_field_names: bool,
        print_defaults: bool,
        enums_as_integers: bool,
    ) -> PyResult<String> {
        let options = JsonWriteOptions { proto_field_names, print_defaults, enums_as_integers };
        self.types.bytes_to_json(type_name, data, options).or_raise(py)
    }

    fn json_to_bytes<'py>(
        &self,
        py: Python<'py>,
        type_name: &str,
        json: &str,
        ignore_unknown_members: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let options = JsonReadOptions { ignore_unknown_members };
        let bytes = self.types.json_to_bytes(type_name, json, options).or_raise(py)?;
        Ok(PyBytes::new(py, &bytes))
    }
}
