//! A plugin that is linked into this program: what its author made of it, before a host has loaded it.

use std::fmt;

use anyplug_core::{LimitOptions, Result, Router};

/// What a plugin serves with a configuration (JSON, or nothing), or why it refuses to start.
pub type Start = Box<dyn FnOnce(&str) -> Result<Router> + Send>;

/// A plugin that is linked into this program. The SDK's plugin becomes one, and the host takes it, so that neither needs the other.
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Limits of its own.
    pub limits: LimitOptions,
    /// Starts it.
    pub start: Start,
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}
