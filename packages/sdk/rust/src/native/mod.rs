//! A plugin in a shared library, as `anyplug.h` describes it.

pub(crate) mod entry;
mod guest;
mod output;
mod timer;
mod unload;

#[doc(hidden)]
pub use inventory;

use crate::plugin::Plugin;
pub use crate::section::{section, section_bytes};

/// A plugin that this library or program holds; what `#[plugin]` writes. It is told of when the library is loaded.
#[derive(Debug)]
pub struct Registered {
    section: &'static [u8],
    pub(crate) plugin: fn() -> Plugin,
}

impl Registered {
    /// A plugin, and its [`section`].
    pub const fn new(section: &'static [u8], plugin: fn() -> Plugin) -> Self {
        Self { section, plugin }
    }
}

inventory::collect!(Registered);

/// Exports a plugin from this crate; what `#[plugin]` writes.
#[doc(hidden)]
#[macro_export]
macro_rules! export_plugin {
    ($plugin:path, $name:expr, $version:expr) => {
        const _: () = {
            use $crate::native::{Registered, inventory, section, section_bytes};

            static SECTION: [u8; section_bytes($name, $version)] = section($name, $version);

            inventory::submit! { Registered::new(&SECTION, $plugin) }
        };
    };
}
