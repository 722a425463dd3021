//! Plugins that are part of the host's own program.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyplug_core::{Error, Result};
use anyplug_direct::Definition;

use crate::discovery::{Finding, MakeLinked, PluginSource};
use crate::manifest::{LocatedManifest, Manifest};

static REGISTERED: Mutex<Vec<(Manifest, MakeLinked)>> = Mutex::new(Vec::new());

/// Registers a plugin that is linked into this program: [`discover_plugins`](crate::discover_plugins) finds it first, and it is loaded into this process. `make` is called for each load, and once
/// here for the name.
///
/// # Errors
/// ALREADY_EXISTS when one of this name is registered.
pub fn register_builtin<P: Into<Definition>>(make: impl Fn() -> P + Send + Sync + 'static) -> Result<()> {
    let Definition { name, version, .. } = make().into();
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    if registered.iter().any(|(manifest, _)| manifest.name == name) {
        return Err(Error::already_exists(format!("a builtin plugin \"{name}\" is registered already")));
    }
    let transports = Some(vec!["direct".to_owned()]);
    let manifest = Manifest { name, version, language: "rust".to_owned(), transports, ..Manifest::default() };
    registered.push((manifest, Arc::new(move || make().into())));
    Ok(())
}

/// Takes a registered plugin back. Returns whether it was registered.
pub fn unregister_builtin(name: &str) -> bool {
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    let before = registered.len();
    registered.retain(|(manifest, _)| manifest.name != name);
    registered.len() < before
}

/// What is registered.
pub(crate) fn builtins() -> Vec<Finding> {
    let registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    let finding = |(manifest, make): &(Manifest, MakeLinked)| {
        let name = manifest.name.clone();
        let located = LocatedManifest {
            manifest: manifest.clone(),
            folder: std::env::current_dir().unwrap_or_default(),
            file: PathBuf::from(format!("builtin:{name}")),
            is_derived: true,
            python: None,
        };
        Finding { linked: Some(make.clone()), ..Finding::new(PluginSource::Builtin, name, Ok(located)) }
    };
    registered.iter().map(finding).collect()
}
