//! What a module may take of its host.

use std::path::PathBuf;
use std::time::Duration;

/// What a module may take of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasmLimits {
    /// The size of the module, in bytes. Default 64 MiB.
    pub max_wasm_bytes: u64,
    /// The memory of an instance, in bytes; also what it may send before it returns. Default 256 MiB.
    pub max_memory_bytes: u64,
    /// Units of work for one call into the guest; none: it is limited by time alone.
    pub fuel: Option<u64>,
    /// The longest that the guest may run without returning. Default 10 s.
    pub call_timeout: Duration,
    /// How many tables a module may have. Default 16.
    pub max_tables: u32,
    /// How many elements a table may have. Default 100,000.
    pub max_table_elements: u32,
    /// How many instances share the calls. Default 1.
    pub instances: u32,
    /// Where compiled modules are kept.
    pub cache: CacheFolder,
    /// Folders that a module that was built for WASI may use. Default: none.
    pub wasi_directories: Vec<WasiDirectory>,
}

/// A folder that a module that was built for WASI may use, with all that lies in it. Nothing else is reached from there: not by "..", not by a path from the root, and not over links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasiDirectory {
    /// Where it is.
    pub host_path: PathBuf,
    /// What it is called in the module, such as "/data".
    pub guest_path: String,
    /// Whether nothing in it may be changed.
    pub read_only: bool,
}

impl WasiDirectory {
    /// A folder in which nothing may be changed.
    pub fn read_only(host_path: impl Into<PathBuf>, guest_path: impl Into<String>) -> Self {
        Self { host_path: host_path.into(), guest_path: guest_path.into(), read_only: true }
    }

    /// A folder in which files and folders may be made, changed and removed.
    pub fn writable(host_path: impl Into<PathBuf>, guest_path: impl Into<String>) -> Self {
        Self { read_only: false, ..Self::read_only(host_path, guest_path) }
    }
}

/// Where compiled modules are kept. They are machine code: nobody but the user may be able to write there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CacheFolder {
    /// In `anyplug/wasm` of the folder for caches: `$XDG_CACHE_HOME`, or `~/.cache`.
    #[default]
    OfUser,
    /// Here.
    At(PathBuf),
    /// Nowhere: each program compiles for itself.
    Off,
}

impl Default for WasmLimits {
    fn default() -> Self {
        Self {
            max_wasm_bytes: 64 << 20,
            max_memory_bytes: 256 << 20,
            fuel: None,
            call_timeout: Duration::from_secs(10),
            max_tables: 16,
            max_table_elements: 100_000,
            instances: 1,
            cache: CacheFolder::OfUser,
            wasi_directories: Vec::new(),
        }
    }
}

impl WasmLimits {
    /// Which limits are enforced, and how.
    pub fn enforced(&self) -> Vec<String> {
        let mut enforced: Vec<String> = [
            "max_wasm_bytes: when loaded",
            "max_memory_bytes: by the engine",
            "call_timeout: epochs",
            "max_tables: when loaded",
            "max_table_elements: by the engine",
        ]
        .map(str::to_owned)
        .into();
        if self.fuel.is_some() {
            enforced.push("fuel: by the engine".to_owned());
        }
        enforced
    }
}
