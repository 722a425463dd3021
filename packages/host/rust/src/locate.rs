//! Finds out what a plugin is that is given by a path or by the name of a module, with a manifest or without.

use std::path::{Path, PathBuf};

use anyplug_core::{Error, Result};

use crate::command::quote_word;
use crate::derive::{derived, derived_library, derived_module, derived_wasm, is_library, is_node_module};
use crate::manifest::{LocatedManifest, read_manifest};
use crate::package::{NPM_PREFIX, locate_npm_package};

/// Stands before the name of a Python module.
pub(crate) const PYTHON_PREFIX: &str = "python:";

/// Returns the plugin at `path`: a folder that holds a plugin.json, a manifest (.json), a module that exports `plugin` (.js, .mjs, .cjs, .py), a WebAssembly module (.wasm), a shared library (.so, .dylib, .dll), an
/// executable file, the name of a Python module behind `python:`, or that of an npm package behind `npm:`, which `@scope/name` does not need.
///
/// # Errors
/// As [`read_manifest`] and `read_section_of` of anyplug-wasm; INVALID_ARGUMENT for a file that is none of these; NOT_FOUND for a package that is not installed.
pub fn locate_plugin(path: &Path) -> Result<LocatedManifest> {
    if let Some(module) = path.to_str().and_then(|path| path.strip_prefix(PYTHON_PREFIX)) {
        return locate_python_module(module, Path::new("."));
    }
    if let Some(package) = path.to_str().and_then(|path| path.strip_prefix(NPM_PREFIX)) {
        return locate_npm_package(package);
    }
    let file = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Some(name) = path.to_str().filter(|name| is_scoped(name) && !file.exists()) {
        return locate_npm_package(name);
    }
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if !file.is_file() || extension == "json" {
        return read_manifest(&file);
    }
    if extension == "wasm" {
        return derived_wasm(&file);
    }
    if is_library(&file) {
        return Ok(derived_library(&file));
    }
    let base = format!("./{}", file.file_name().unwrap_or_default().to_string_lossy());
    let name = quote_word(&base);
    if extension == "py" {
        return Ok(derived(&file, "python", format!("python -m anyplug.run {name}"), None, None));
    }
    if is_node_module(&file) {
        return Ok(derived_module(&file, None));
    }
    if anyplug_ipc::is_executable(&file) {
        return Ok(derived(&file, "", name, None, None));
    }
    Err(Error::invalid_argument(format!(
        "{} is no plugin: expected a folder with a plugin.json, a manifest (.json), a module (.js, .mjs, .cjs, .py, .wasm), a shared library (.so, .dylib, .dll) or an executable file",
        file.display()
    )))
}

/// Returns the plugin that a Python module binds to `plugin`, or to the attribute named: `my_package.my_module:my_plugin`. Python is started in `folder`; modules there are found as well.
///
/// # Errors
/// INVALID_ARGUMENT when this is no name of a module.
pub(crate) fn locate_python_module(module: &str, folder: &Path) -> Result<LocatedManifest> {
    let (dotted, attribute) = module.split_once(':').unwrap_or((module, "plugin"));
    if !dotted.split('.').chain(attribute.split('.')).all(is_identifier) {
        return Err(Error::invalid_argument(format!(
            "{module:?} is no Python module: expected a name such as my_package.my_module, or a path"
        )));
    }
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let file = folder.join(dotted.rsplit('.').next().unwrap_or_default());
    let located = derived(&file, "python", format!("python -m anyplug.run {module}"), None, None);
    Ok(LocatedManifest { file: PathBuf::from(module), ..located })
}

fn is_identifier(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && chars.all(|char| char == '_' || char.is_alphanumeric())
}

/// Whether it is the name of an npm package with a scope.
fn is_scoped(name: &str) -> bool {
    name.strip_prefix('@')
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(scope, plain)| !scope.is_empty() && !plain.is_empty() && !plain.contains('/'))
}
