//! The plugin that anyplug's own tests load: every kind of method, and every way to harm its process.

mod harm;
mod test;
mod waits;

pub use test::TestPlugin;

use anyplug_generated::anyplug::test::v1::{Host, Secret, Test};
use anyplug_sdk::Plugin;

/// The plugin. The configuration `{"refuse": "why"}` makes it refuse to start.
#[anyplug_sdk::plugin(name = "test-plugin")]
pub fn plugin() -> Plugin {
    Plugin::new("test-plugin", env!("CARGO_PKG_VERSION"))
        .configured(|config| match config.get("refuse").and_then(|why| why.as_str()) {
            Some(why) => Err(anyplug_sdk::Error::invalid_argument(why.to_owned())),
            None => Ok(vec![Test::implement(TestPlugin::default())]),
        })
        .uses::<Host>()
        .uses::<Secret>()
}
