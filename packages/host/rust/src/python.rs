//! Finds plugins among installed Python packages, by their entry points, without starting Python.

use std::fs;
use std::path::{Path, PathBuf};

use anyplug_core::{Error, Result};

use crate::derive::plugin_name;
use crate::discovery::{Finding, Look, PluginSource, names_in};
use crate::interpreter::{InterpreterOptions, interpreter};
use crate::locate::{locate_plugin, locate_python_module};
use crate::manifest::{LocatedManifest, MANIFEST_FILE};

/// The groups of entry points that are plugins.
const ENTRY_POINT_GROUPS: [&str; 2] = ["anyplug.plugins", "jusu.plugins"];

/// The folders of the Python environments to look in: that of the Python which runs plugins, or those given.
pub(crate) fn python_environments(python: &Look) -> Vec<PathBuf> {
    match python {
        Look::No => Vec::new(),
        Look::Default => default_environment().into_iter().collect(),
        Look::In(folders) => {
            folders.iter().map(|folder| std::path::absolute(folder).unwrap_or_else(|_| folder.clone())).collect()
        }
    }
}

fn default_environment() -> Option<PathBuf> {
    let current = std::env::current_dir().ok()?;
    let program = interpreter("python", &current, &InterpreterOptions::default(), |name| std::env::var_os(name));
    let path = if program.contains('/') {
        std::path::absolute(&program).ok()?
    } else {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders).map(|folder| folder.join(&program)).find(|path| path.exists())?
    };
    // A virtual environment is where its link to Python lies; the system's Python belongs to the folder that it really lies in.
    let own = path.parent()?.parent()?;
    if own.join("pyvenv.cfg").exists() {
        return Some(own.to_owned());
    }
    Some(path.canonicalize().ok()?.parent()?.parent()?.to_owned())
}

/// The plugins that are installed in an environment.
pub(crate) fn python_plugins(environment: &Path) -> Vec<Finding> {
    let folders = site_packages(environment);
    if folders.is_empty() {
        let shown = environment.display().to_string();
        let error = Error::not_found(format!("there is no Python environment at {shown}"));
        return vec![Finding::new(PluginSource::Python, shown, Err(error))];
    }
    let program = Some(environment.join("bin/python")).filter(|program| program.exists());
    let python = program.map(|program| program.to_string_lossy().into_owned());
    let mut findings = Vec::new();
    for folder in folders {
        let names = names_in(&folder).unwrap_or_default();
        for info in names.iter().filter(|name| name.ends_with(".dist-info")) {
            let Ok(text) = fs::read_to_string(folder.join(info).join("entry_points.txt")) else { continue };
            for [group, name, value] in entry_points(&text) {
                if !ENTRY_POINT_GROUPS.contains(&group) {
                    continue;
                }
                let from = format!("{group} {name} = {value}");
                let located = locate_entry_point(value, &folder);
                let located = located.map(|located| LocatedManifest { python: python.clone(), ..located });
                let is_derived = located.as_ref().is_ok_and(|located| located.is_derived);
                let own_name = is_derived.then(|| plugin_name(name));
                findings.push(Finding { name: own_name, ..Finding::new(PluginSource::Python, from, located) });
            }
        }
    }
    findings
}

/// The entry points in the text of an entry_points.txt: group, name and value.
fn entry_points(text: &str) -> Vec<[&str; 3]> {
    let mut found = Vec::new();
    let mut group = "";
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(heading) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            group = heading.trim();
        } else if let Some((name, value)) = line.split_once('=') {
            // What stands in brackets behind the value are extras that the entry point needs.
            let value = value.split_once('[').filter(|_| value.ends_with(']')).map_or(value, |(value, _)| value);
            found.push([group, name.trim(), value.trim()]);
        }
    }
    found
}

/// By the plugin.json in the package, or beside the module, if there is one.
fn locate_entry_point(value: &str, folder: &Path) -> Result<LocatedManifest> {
    let (module, attribute) = match value.split_once(':') {
        Some((module, attribute)) => (module.trim(), Some(attribute.trim())),
        None => (value, None),
    };
    let mut place = folder.to_owned();
    place.extend(module.split('.'));
    // A module directly in site-packages has nothing of its own beside it.
    let beside = place.parent().filter(|beside| *beside != folder).map(Path::to_owned);
    for each in [Some(place), beside].into_iter().flatten() {
        if each.join(MANIFEST_FILE).exists() {
            return locate_plugin(&each);
        }
    }
    let bound = attribute.map(|attribute| format!("{module}:{attribute}"));
    locate_python_module(bound.as_deref().unwrap_or(module), folder)
}

fn site_packages(environment: &Path) -> Vec<PathBuf> {
    let lib = environment.join("lib");
    let names = names_in(&lib).unwrap_or_default();
    let versions = names.iter().filter(|name| name.starts_with("python3"));
    let folders = versions.flat_map(|name| ["site-packages", "dist-packages"].map(|each| lib.join(name).join(each)));
    folders.filter(|folder| folder.is_dir()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_points_are_read_as_python_reads_them() {
        let text = "# c\n[a.b]\n; c\nx=y:z\r\n k = m.n\n\n[ c ]\nq = r:s [t, u]";
        assert_eq!(entry_points(text), [["a.b", "x", "y:z"], ["a.b", "k", "m.n"], ["c", "q", "r:s"]]);
    }
}
