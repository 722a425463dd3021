//! A WebAssembly module that a host in Python has loaded, of which it makes instances.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyplug_core::{Error, Instant, ServiceEntry};
use anyplug_host::{CacheFolder, LoadOptions, Plan, WasiDirectory, WasmLimits};
use anyplug_wasm::Module;
use pyo3::prelude::*;

use crate::link::Link;
use crate::service::{LateLink, implementations};

/// The limits of a module: bytes of it, of its memory, fuel, seconds, tables, elements of a table, the folder for what is compiled (empty: none, None: that of the user), and folders that it may use.
#[derive(FromPyObject)]
pub(crate) struct WasmParts {
    max_wasm_bytes: u64,
    max_memory_bytes: u64,
    fuel: Option<u64>,
    call_timeout: f64,
    max_tables: u32,
    max_table_elements: u32,
    cache_dir: Option<String>,
    /// Path here, path in the module, and whether nothing may be changed.
    wasi_directories: Vec<(PathBuf, String, bool)>,
}

impl From<WasmParts> for WasmLimits {
    fn from(parts: WasmParts) -> Self {
        Self {
            max_wasm_bytes: parts.max_wasm_bytes,
            max_memory_bytes: parts.max_memory_bytes,
            fuel: parts.fuel,
            call_timeout: Duration::try_from_secs_f64(parts.call_timeout.max(0.0)).unwrap_or(Duration::MAX),
            max_tables: parts.max_tables,
            max_table_elements: parts.max_table_elements,
            cache: match parts.cache_dir {
                None => CacheFolder::OfUser,
                Some(folder) if folder.is_empty() => CacheFolder::Off,
                Some(folder) => CacheFolder::At(PathBuf::from(folder)),
            },
            wasi_directories: parts.wasi_directories.into_iter().map(directory_from).collect(),
            ..Self::default()
        }
    }
}

fn directory_from((host_path, guest_path, read_only): (PathBuf, String, bool)) -> WasiDirectory {
    WasiDirectory { host_path, guest_path, read_only }
}

/// A module with all that its instances are made with.
pub(crate) struct WasmModule {
    module: Module,
    plan: Plan,
    options: LoadOptions,
    /// The services of the host. Each connection has implementations of its own, which know its link.
    services: Vec<Arc<ServiceEntry>>,
}

impl WasmModule {
    /// Reads and compiles the module of a plan.
    ///
    /// # Errors
    /// As [`Module::read`].
    pub(crate) fn read(plan: Plan, options: &LoadOptions, services: Vec<Arc<ServiceEntry>>) -> Result<Self, Error> {
        let module = Module::read(&plan.wasm_file()?, &options.wasm)?;
        Ok(Self { module, plan, options: options.clone(), services })
    }

    /// Makes an instance, and a connection with it.
    ///
    /// # Errors
    /// As [`Link::enter_module`].
    pub(crate) fn enter(&self) -> Result<Arc<Link>, Error> {
        let late: LateLink = Arc::default();
        let services = implementations(self.services.clone(), &late);
        let options = LoadOptions { services, ..self.options.clone() };
        let until = Instant::now().saturating_add(options.start_timeout);
        Link::enter_module(&self.module, until, |shell| self.plan.connect(&options, shell), &late)
    }

    pub(crate) fn enforced(&self) -> Vec<String> {
        self.module.limits().enforced()
    }
}
