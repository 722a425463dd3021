//! Finds plugins among installed npm packages.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::discovery::{Finding, PluginSource, names_in};
use crate::package::locate_package;

/// npm packages with this keyword are plugins.
const NPM_KEYWORD: &str = "anyplug-plugin";

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
