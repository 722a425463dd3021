//! Finds and loads ELIZA.

use std::path::{Path, PathBuf};

use anyplug::{Error, Plugin, Result};

use crate::arguments::Arguments;

/// Loads ELIZA as the arguments say.
///
/// # Errors
/// As a load; NOT_FOUND when the plugins' folder is not here or above.
pub(crate) async fn load(arguments: &Arguments) -> Result<Plugin> {
    let language = if arguments.plugin == "typescript" { "ts" } else { &arguments.plugin };
    let plugins = arguments.plugins.clone().map_or_else(nearest_plugins, Ok)?;
    let load = anyplug::load_plugin(plugins.join("eliza-classic").join(language)).transport(&*arguments.transport);
    // The plugin in Rust is linked into this program too, for transport "direct".
    if language == "rust" { load.linked(eliza_classic::plugin()).await } else { load.await }
}

/// The nearest folder `plugins` with eliza-classic in it, from the working folder upward, or else from this program's.
fn nearest_plugins() -> Result<PathBuf> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let above = |start: PathBuf| {
        start.ancestors().map(|folder| folder.join("plugins")).find(|plugins| plugins.join("eliza-classic").is_dir())
    };
    starts.into_iter().flatten().find_map(above).ok_or_else(|| {
        Error::not_found(format!(
            "there is no folder {} here or above; name the one that it is in by --plugins",
            Path::new("plugins/eliza-classic").display()
        ))
    })
}
