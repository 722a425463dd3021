//! What a host can say about an Extism plugin.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyplug_core::{LogRecord, Result};

use crate::limits::WasmLimits;

/// A function of the host's own: bytes in, bytes out. It is called in the thread of the plugin's call, and may block that.
pub type HostFunction = Arc<dyn Fn(&[u8]) -> Result<Vec<u8>> + Send + Sync>;

/// Takes log records.
pub type OnLog = Arc<dyn Fn(&LogRecord) + Send + Sync>;

/// What a host can say about an Extism plugin. [`ExtismOptions::default`] says nothing.
#[derive(Clone)]
pub struct ExtismOptions {
    /// What the plugin is called. Default: the name of its file without ".wasm", or "extism".
    pub name: Option<String>,
    /// The plugin's configuration.
    pub config: BTreeMap<String, String>,
    /// The hosts that it may send HTTP requests to: their names, with `*` for any characters. Default: none.
    pub allowed_hosts: Vec<String>,
    /// What it may take.
    pub wasm: WasmLimits,
    /// The names and values of variables, in bytes. Default 1 MiB.
    pub max_var_bytes: u64,
    /// The body of the answer to an HTTP request, in bytes. Default 50 MiB.
    pub max_http_response_bytes: u64,
    /// What it may import from `extism:host/user`, by name.
    pub functions: BTreeMap<String, HostFunction>,
    /// Takes what it logs and prints, after each call, in the thread of that. Without it that is dropped.
    pub on_log: Option<OnLog>,
}

impl Default for ExtismOptions {
    fn default() -> Self {
        Self {
            name: None,
            config: BTreeMap::new(),
            allowed_hosts: Vec::new(),
            wasm: WasmLimits::default(),
            max_var_bytes: 1 << 20,
            max_http_response_bytes: 50 << 20,
            functions: BTreeMap::new(),
            on_log: None,
        }
    }
}

impl fmt::Debug for ExtismOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The configuration is not shown: it may hold secrets.
        f.debug_struct("ExtismOptions")
            .field("name", &self.name)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("wasm", &self.wasm)
            .finish_non_exhaustive()
    }
}

/// The options, as all instances of a plugin share them.
pub(crate) type Terms = ExtismOptions;
