//! Loads plugins that need each other.

use anyplug_core::{Error, Result};
use futures_util::future::join_all;

use crate::dependencies::{dependent, load_order};
use crate::discovery::{FoundPlugin, PluginFailure};
use crate::options::LoadOptions;
use crate::plugin::Plugin;

/// Plugins that were loaded together.
#[derive(Debug, Default)]
pub struct PluginSet {
    /// The loaded ones with their names, in the order in which they were loaded.
    pub plugins: Vec<(String, Plugin)>,
    /// Those that could not be loaded, and why.
    pub failures: Vec<PluginFailure>,
}

impl PluginSet {
    /// Returns a plugin that was loaded.
    ///
    /// # Errors
    /// NOT_FOUND when there is none of this name; of one that failed its error.
    pub fn get(&self, name: &str) -> Result<&Plugin> {
        if let Some((_, plugin)) = self.plugins.iter().find(|(own, _)| own == name) {
            return Ok(plugin);
        }
        let failure = self.failures.iter().find(|failure| failure.name.as_deref() == Some(name));
        Err(match failure {
            Some(failure) => failure.error.clone(),
            None => Error::not_found(format!("there is no plugin \"{name}\" in this set")),
        })
    }

    /// Closes all, one after the other: each before those that it depends on.
    ///
    /// # Errors
    /// The first of [`Plugin::close`]; the others are closed all the same.
    pub async fn close(&self) -> Result<()> {
        let mut closed = Ok(());
        for (_, plugin) in self.plugins.iter().rev() {
            closed = closed.and(plugin.close().await);
        }
        closed
    }
}

/// Loads plugins, each after those that it names in `dependencies`, others at the same time. One that cannot be loaded fails those that depend on it, with its reason; the others are loaded. A
/// dependency is the name of a plugin, or of the npm package that it is in. `options` says for each how to load it. Dropping the future gives the loads up and ends what was loaded.
pub async fn load_plugins(found: &[FoundPlugin], options: impl Fn(&FoundPlugin) -> LoadOptions) -> PluginSet {
    let order = load_order(found);
    let failure = |at: usize, error: Error| {
        let FoundPlugin { name, source, from, .. } = &found[at];
        PluginFailure { name: Some(name.clone()), source: *source, from: from.clone(), error }
    };
    let failures = order.errors.into_iter().map(|(at, error)| failure(at, error)).collect();
    let mut set = PluginSet { plugins: Vec::new(), failures };
    let mut waiting = order.order;
    while !waiting.is_empty() {
        let unsettled: Vec<usize> = waiting.iter().map(|(at, _)| *at).collect();
        let (ready, later): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(_, needed)| needed.iter().all(|other| !unsettled.contains(other)));
        waiting = later;
        let loads = ready.iter().map(|(at, needed)| {
            let plugin = &found[*at];
            let failed = needed.iter().find_map(|other| {
                let other = found[*other].name.as_str();
                let failure = set.failures.iter().find(|failure| failure.name.as_deref() == Some(other))?;
                Some(dependent(&plugin.name, other, &failure.error))
            });
            let options = options(plugin);
            async move {
                match failed {
                    Some(error) => Err(error),
                    None => plugin.load().options(options).await,
                }
            }
        });
        let loaded = join_all(loads).await;
        for ((at, _), result) in ready.into_iter().zip(loaded) {
            match result {
                Ok(plugin) => set.plugins.push((found[at].name.clone(), plugin)),
                Err(error) => set.failures.push(failure(at, error)),
            }
        }
    }
    set
}
