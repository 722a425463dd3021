//! The database as a plugin: each one that is loaded begins empty.

use anyplug_generated::inmemorydb::v1::InMemoryDb;
use anyplug_sdk::Plugin;

use crate::database::Database;

/// The plugin. It has no configuration.
pub fn plugin() -> Plugin {
    Plugin::new("inmemorydb", env!("CARGO_PKG_VERSION"))
        .configured(|_| Ok(vec![InMemoryDb::implement(Database::default())]))
}
