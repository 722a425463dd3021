//! Finds plugins: those that are registered, at given paths, in folders, among npm packages and Python's entry points.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyplug_core::{Error, Result};
use anyplug_direct::Definition;

use crate::builtin::builtins;
use crate::locate::locate_plugin;
use crate::manifest::{LocatedManifest, MANIFEST_FILE};
use crate::npm::npm_plugins;
use crate::package::node_modules_folders;
use crate::python::{python_environments, python_plugins};

/// Where to look. What is not given is not looked at.
#[derive(Debug, Clone, Default)]
pub struct DiscoveryOptions {
    /// Plugins: what [`load_plugin`](crate::load_plugin) takes, but for addresses.
    pub paths: Vec<PathBuf>,
    /// Folders of plugins: each folder in them that holds a plugin.json is one.
    pub folders: Vec<PathBuf>,
    /// npm packages with the keyword `anyplug-plugin`; given folders are those whose node_modules to read, default those of the working folder and of all above it.
    pub npm: Look,
    /// Entry points `anyplug.plugins` and `jusu.plugins` of installed Python packages; given folders are environments, default that whose Python runs plugins.
    pub python: Look,
}

/// Whether to look, and in which folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Look {
    /// Not at all.
    #[default]
    No,
    /// Where such plugins are by default.
    Default,
    /// In these folders.
    In(Vec<PathBuf>),
}

/// How a plugin was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginSource {
    /// Registered by this program.
    Builtin,
    /// At a given path.
    Path,
    /// In a folder of plugins.
    Folder,
    /// Among npm packages.
    Npm,
    /// Among Python's entry points.
    Python,
}

impl PluginSource {
    /// "builtin", "path", "folder", "npm" or "python".
    pub fn name(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Path => "path",
            Self::Folder => "folder",
            Self::Npm => "npm",
            Self::Python => "python",
        }
    }
}

/// Makes a plugin that is linked into this program.
pub(crate) type MakeLinked = Arc<dyn Fn() -> Definition + Send + Sync>;

/// A plugin that was found, and can be loaded.
#[derive(Clone)]
pub struct FoundPlugin {
    /// Its name.
    pub name: String,
    /// How it was found.
    pub source: PluginSource,
    /// What it was found in: the path as given, the folder, the npm package, the entry point; of a builtin its name.
    pub from: String,
    /// Its manifest, and where it is.
    pub located: LocatedManifest,
    pub(crate) linked: Option<MakeLinked>,
}

impl fmt::Debug for FoundPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundPlugin")
            .field("name", &self.name)
            .field("source", &self.source)
            .field("from", &self.from)
            .field("file", &self.located.file)
            .finish_non_exhaustive()
    }
}

/// A plugin that was found and cannot be used, or could not be loaded.
#[derive(Debug, Clone)]
pub struct PluginFailure {
    /// Its name, if that is known.
    pub name: Option<String>,
    /// How it was found.
    pub source: PluginSource,
    /// What it was found in.
    pub from: String,
    /// Why.
    pub error: Error,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    /// Those that can be loaded.
    pub plugins: Vec<FoundPlugin>,
    /// What is broken; it does not hinder the others.
    pub failures: Vec<PluginFailure>,
}

/// What one source found, or why it cannot be used.
pub(crate) struct Finding {
    pub(crate) source: PluginSource,
    pub(crate) from: String,
    /// A name that counts before that of the manifest.
    pub(crate) name: Option<String>,
    pub(crate) located: Result<LocatedManifest>,
    pub(crate) linked: Option<MakeLinked>,
}

impl Finding {
    pub(crate) fn new(source: PluginSource, from: impl Into<String>, located: Result<LocatedManifest>) -> Self {
        Self { source, from: from.into(), name: None, located, linked: None }
    }
}

/// Looks for plugins, in the order: registered ones, paths, folders, npm, Python. Of plugins with one name the first counts, and the others are failures with ALREADY_EXISTS. Nothing is started.
pub fn discover_plugins(options: &DiscoveryOptions) -> Discovery {
    let mut discovery = Discovery::default();
    for Finding { source, from, name, located, linked } in findings(options) {
        let located = match located {
            Ok(located) => located,
            Err(error) => {
                discovery.failures.push(PluginFailure { name, source, from, error });
                continue;
            }
        };
        let name = name.unwrap_or_else(|| located.manifest.name.clone());
        match discovery.plugins.iter().find(|before| before.name == name) {
            None => discovery.plugins.push(FoundPlugin { name, source, from, located, linked }),
            Some(before) if before.located.file == located.file => {}
            Some(before) => {
                let (how, place) = (before.source.name(), &before.from);
                let error = Error::already_exists(format!("plugin \"{name}\" was found before: {how} {place}"));
                discovery.failures.push(PluginFailure { name: Some(name), source, from, error });
            }
        }
    }
    discovery
}

fn findings(options: &DiscoveryOptions) -> Vec<Finding> {
    let mut findings = builtins();
    for path in &options.paths {
        findings.push(Finding::new(PluginSource::Path, path.to_string_lossy(), locate_plugin(path)));
    }
    findings.extend(options.folders.iter().flat_map(|folder| plugins_in(folder)));
    findings.extend(node_modules_folders(&options.npm).iter().flat_map(|folder| npm_plugins(folder)));
    findings.extend(python_environments(&options.python).iter().flat_map(|folder| python_plugins(folder)));
    findings
}

fn plugins_in(folder: &Path) -> Vec<Finding> {
    let from = folder.to_string_lossy();
    let finding = |located| Finding::new(PluginSource::Folder, from.clone(), located);
    match names_in(folder) {
        Ok(names) => {
            let paths = names.iter().map(|name| folder.join(name));
            let plugins = paths.filter(|path| path.join(MANIFEST_FILE).exists());
            plugins.map(|path| finding(locate_plugin(&path))).collect()
        }
        Err(error) => {
            let message = format!("there is no folder of plugins at {from}");
            vec![finding(Err(Error::not_found(message).with_source(error)))]
        }
    }
}

/// The names in a folder, in order.
pub(crate) fn names_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
