//! Finds plugins among installed npm packages.

use std::fs;
use std::path::{Path, PathBuf};

use anyplug_core::{Error, Result};
use serde_json::{Map, Value};

use crate::discovery::{Finding, Look, PluginSource, names_in};
use crate::locate::locate_plugin;
use crate::manifest::{LocatedManifest, MANIFEST_FILE};
use crate::paths::path_inside;

/// npm packages with this keyword are plugins.
const NPM_KEYWORD: &str = "anyplug-plugin";

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

/// What is a plugin in a folder node_modules.
pub(crate) fn npm_plugins(folder: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in package_names(folder) {
        let file = folder.join(&name).join("package.json");
        // A package whose package.json cannot be read does not say that it is a plugin.
        let Ok(Ok(description)) = fs::read(&file).map(|json| serde_json::from_slice::<Map<String, Value>>(&json))
        else {
            continue;
        };
        let keywords = description.get("keywords").and_then(Value::as_array);
        let is_named = keywords.is_some_and(|keywords| keywords.iter().any(|keyword| keyword == NPM_KEYWORD));
        let anyplug = description.get("anyplug");
        if is_named || anyplug.is_some() {
            findings.push(Finding::new(PluginSource::Npm, name, locate_package(&file, anyplug)));
        }
    }
    findings
}

fn locate_package(file: &Path, anyplug: Option<&Value>) -> Result<LocatedManifest> {
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
        return locate_plugin(&manifest);
    }
    Err(Error::not_found(format!(
        "{shown}: there is no {}; add it, or name the manifest's path in a member \"anyplug\"",
        manifest.display()
    )))
}

fn package_names(folder: &Path) -> Vec<String> {
    let visible = |path: &Path| {
        let names = names_in(path).unwrap_or_default().into_iter();
        names.filter(|name| !name.starts_with('.')).collect::<Vec<_>>()
    };
    let mut names = Vec::new();
    for name in visible(folder) {
        if name.starts_with('@') {
            names.extend(visible(&folder.join(&name)).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}
