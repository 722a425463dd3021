//! Loaders for plugins in one language.

use std::path::Path;

use anyplug_ipc::Address;

use crate::load::{Load, load_plugin};
use crate::locate::PYTHON_PREFIX;
use crate::options::LoadOptions;
use crate::package::NPM_PREFIX;

/// Loads plugins in Python.
///
/// ```no_run
/// # async fn example() -> anyplug_core::Result<()> {
/// let plugin = anyplug_host::PythonPluginLoader::default().load("my_python_plugin").await?;
/// # plugin.close().await
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct PythonPluginLoader {
    options: LoadOptions,
}

impl PythonPluginLoader {
    /// A loader with these options; each load can have others over them.
    pub fn new(options: LoadOptions) -> Self {
        Self { options }
    }

    /// Loads a module by its name, such as `my_package.my_module`, which binds the plugin to `plugin` (or to another name: `my_module:other`); or a path or an address, as
    /// [`load_plugin`](crate::load_plugin()) takes it. A module is looked for where the Python of the plugin finds it, and in the working folder. A plugin in another language fails with
    /// FAILED_PRECONDITION.
    pub fn load(&self, module: &str) -> Load {
        let is_path = Address::is_meant(module) || module.contains('/') || Path::new(module).exists();
        let load = if is_path || module.starts_with(PYTHON_PREFIX) {
            load_plugin(module)
        } else {
            load_plugin(format!("{PYTHON_PREFIX}{module}"))
        };
        load.options(self.options.clone()).in_language("python")
    }
}

/// Loads plugins in TypeScript and JavaScript.
#[derive(Debug, Clone, Default)]
pub struct TypeScriptPluginLoader {
    options: LoadOptions,
}

impl TypeScriptPluginLoader {
    /// A loader with these options; each load can have others over them.
    pub fn new(options: LoadOptions) -> Self {
        Self { options }
    }

    /// Loads an npm package by its name, such as `my-plugin` or `@scope/my-plugin`; or a folder, a manifest, a module (.js, .mjs, .cjs) or an address, as
    /// [`load_plugin`](crate::load_plugin()) takes it. A package is looked for in the node_modules of the working folder and of all above it. A plugin in another language fails with
    /// FAILED_PRECONDITION.
    pub fn load(&self, path: impl AsRef<Path>) -> Load {
        let path = path.as_ref();
        let name =
            path.to_str().filter(|name| !Address::is_meant(name) && !name.contains(['/', ':']) && !path.exists());
        let load = match name {
            Some(name) => load_plugin(format!("{NPM_PREFIX}{name}")),
            None => load_plugin(path),
        };
        load.options(self.options.clone()).in_language("typescript")
    }
}
