//! Finds plugins.

use std::path::PathBuf;

use anyplug_host::{Discovery, DiscoveryOptions, FoundPlugin, Look, discover_plugins};
use pyo3::prelude::*;

use crate::error::to_exception;

/// Name, source, what it was found in, what `load_plugin` takes, file, folder, Python program, language, dependencies.
type Found = (String, &'static str, String, String, PathBuf, PathBuf, Option<String>, String, Vec<String>);

/// Name, source, what it was found in, and why it cannot be used.
type Failed = (Option<String>, &'static str, String, Py<PyAny>);

/// Looks for plugins. npm and Python: None for not at all, an empty list for where they are by default, else the folders.
#[pyfunction]
pub(crate) fn discover(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    npm: Option<Vec<PathBuf>>,
    python: Option<Vec<PathBuf>>,
) -> PyResult<(Vec<Found>, Vec<Failed>)> {
    let look = |folders: Option<Vec<PathBuf>>| match folders {
        None => Look::No,
        Some(folders) if folders.is_empty() => Look::Default,
        Some(folders) => Look::In(folders),
    };
    let options = DiscoveryOptions { paths, folders, npm: look(npm), python: look(python) };
    let Discovery { plugins, failures } = py.detach(|| discover_plugins(&options));
    let failed = failures.into_iter().map(|failure| {
        let error = to_exception(py, &failure.error).into_value(py).into_any();
        (failure.name, failure.source.name(), failure.from, error)
    });
    Ok((plugins.into_iter().map(found).collect(), failed.collect()))
}

fn found(FoundPlugin { name, source, from, located, .. }: FoundPlugin) -> Found {
    let is_module = located.is_derived && !located.file.is_absolute();
    let place = located.file.to_string_lossy();
    let place = if is_module { format!("python:{place}") } else { place.into_owned() };
    let manifest = located.manifest;
    let (language, dependencies) = (manifest.language, manifest.dependencies);
    (name, source.name(), from, place, located.file, located.folder, located.python, language, dependencies)
}
