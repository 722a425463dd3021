//! Finds the plugin in an npm package.

use std::fs;
use std::path::{Path, PathBuf};

use anyplug_core::{Error, Result};
use serde_json::{Map, Value};

use crate::derive::derived_module;
use crate::discovery::Look;
use crate::manifest::{LocatedManifest, MANIFEST_FILE, read_manifest};
use crate::paths::path_inside;

/// Stands before the name of an npm package.
pub(crate) const NPM_PREFIX: &str = "npm:";

/// By which of its `exports` a package is imported, the first that it has.
const CONDITIONS: [&str; 3] = ["node", "import", "default"];

/// The folders named node_modules to look in: those of the working folder and all above it, or of the folders given.
pub(crate) fn node_modules_folders(npm: &Look) -> Vec<PathBuf> {
    let modules = |folder: &Path| {
        if folder.ends_with("node_modules") { folder.to_owned() } else { folder.join("node_modules") }
    };
    match npm {
        Look::No => Vec::new(),
        Look::Default => {
            let current = std::env::current_dir().unwrap_or_default();
            current.ancestors().map(modules).filter(|folder| folder.is_dir()).collect()
        }
        Look::In(folders) => folders.iter().map(|folder| modules(folder)).collect(),
    }
}

/// Returns the plugin in the installed npm package of that name: that of its manifest, or without one what its main module exports as `plugin`.
///
/// # Errors
/// NOT_FOUND when it is not installed in a node_modules of the working folder or of one above it; as [`read_manifest`]; INVALID_ARGUMENT when this is no name.
pub(crate) fn locate_npm_package(name: &str) -> Result<LocatedManifest> {
    let plain = match name.strip_prefix('@').map(|scoped| scoped.split_once('/')) {
        None => name,
        Some(Some((scope, plain))) if is_word(scope) => plain,
        Some(_) => "",
    };
    if !is_word(plain) || plain.starts_with('.') {
        return Err(Error::invalid_argument(format!(
            "{name:?} is no npm package: expected a name such as my-plugin or @scope/my-plugin"
        )));
    }
    let folders = node_modules_folders(&Look::Default);
    let Some(file) = folders.iter().map(|folder| folder.join(name).join("package.json")).find(|file| file.exists())
    else {
        let looked: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let looked = match looked.is_empty() {
            true => format!("no node_modules in {} or above it", std::env::current_dir().unwrap_or_default().display()),
            false => looked.join(", "),
        };
        return Err(Error::not_found(format!("there is no npm package {name}; looked in {looked}")));
    };
    let wrong = |why: String| Error::invalid_argument(format!("{}: {why}", file.display()));
    let text = fs::read(&file).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let description: Map<String, Value> =
        serde_json::from_slice(&text).map_err(|error| wrong(format!("it is no JSON object: {error}")))?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let anyplug = description.get("anyplug");
    if anyplug.is_some() || folder.join(MANIFEST_FILE).exists() {
        return locate_package(&file, anyplug);
    }
    let main = path_inside(folder, main_module(&description), &format!("{}: its main module", file.display()))?;
    if main.exists() {
        return Ok(derived_module(&main, Some(plain)));
    }
    Err(Error::not_found(format!("{}: there is no plugin.json, and no main module {}", file.display(), main.display())))
}

/// Returns the plugin of a package's manifest; `anyplug` is that member of its package.json.
pub(crate) fn locate_package(file: &Path, anyplug: Option<&Value>) -> Result<LocatedManifest> {
    let shown = file.display();
    let inside = match anyplug {
        None => MANIFEST_FILE,
        Some(Value::String(path)) => path,
        Some(other) => {
            let message = format!("{shown}: anyplug: expected the path of the manifest, got {other}");
            return Err(Error::invalid_argument(message));
        }
    };
    let folder = file.parent().unwrap_or(Path::new("/"));
    let manifest = path_inside(folder, inside, &format!("{shown}: anyplug"))?;
    if manifest.exists() {
        return read_manifest(&manifest);
    }
    Err(Error::not_found(format!(
        "{shown}: there is no {}; add it, or name the manifest's path in a member \"anyplug\"",
        manifest.display()
    )))
}

/// The module that is imported by the package's name.
fn main_module(description: &Map<String, Value>) -> &str {
    let exports = description.get("exports");
    let mut entry = exports.and_then(|exports| exports.get(".")).or(exports);
    while let Some(Value::Object(among)) = entry {
        entry = CONDITIONS.into_iter().find_map(|condition| among.get(condition));
    }
    entry.or(description.get("main")).and_then(Value::as_str).unwrap_or("index.js")
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|char| char.is_ascii_alphanumeric() || "_~.-".contains(char))
}
