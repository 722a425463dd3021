//! Stands in for `wasm.rs` in a host that was built without the feature.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use anyplug_core::{Error, Link, Result};
use anyplug_ipc::Runtime;

use crate::options::LoadOptions;
use crate::plan::Plan;

/// There is none.
pub(crate) struct WasmInstance(Infallible);

impl WasmInstance {
    /// # Errors
    /// UNIMPLEMENTED.
    pub(crate) fn start(
        plan: &Plan,
        _: &LoadOptions,
        _: Arc<dyn Runtime>,
        _: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        Err(no_wasm(&plan.located.file))
    }

    pub(crate) fn link(&self) -> Arc<dyn Link> {
        match self.0 {}
    }

    pub(crate) fn enforced(&self) -> Vec<String> {
        match self.0 {}
    }

    pub(crate) fn close(&self) {
        match self.0 {}
    }
}

/// What the section of a module says.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) runtime: String,
}

/// # Errors
/// UNIMPLEMENTED.
pub(crate) fn read_section_of(file: &Path) -> Result<Section> {
    Err(no_wasm(file))
}

fn no_wasm(file: &Path) -> Error {
    Error::unimplemented(format!(
        "{}: this program loads no WebAssembly modules: it was built without the feature \"wasm\" of the crate anyplug or anyplug-host",
        file.display()
    ))
}
