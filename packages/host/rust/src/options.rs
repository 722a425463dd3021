//! What a host can say about loading a plugin.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyplug_core::{Implementation, LimitOptions, LogRecord, ServiceEntry};
use anyplug_ipc::{EnvironmentOptions, TlsOptions};
#[cfg(feature = "wasm")]
use anyplug_wasm::WasmLimits;
use serde_json::{Map, Value};

use crate::interpreter::InterpreterOptions;
use crate::isolation::FfiOptions;
use crate::reconnect::ReconnectOptions;

/// Takes log records of a plugin: what it logs, and the lines that it prints. It is called from any thread.
pub type OnLog = Arc<dyn Fn(&LogRecord) + Send + Sync>;

/// What a host can say about loading a plugin. [`LoadOptions::default`] says nothing; [`Load`](crate::Load) sets each member by a method of its own.
#[derive(Clone)]
pub struct LoadOptions {
    /// "direct", "process", "stdio", "wasm" or "ffi", of an address "unix", "tcp" or "tls"; none: the first of the manifest's that this host has.
    pub transport: Option<String>,
    /// What the plugin may call on the host.
    pub services: Vec<Implementation>,
    /// The capabilities that the plugin is granted, of those that its manifest names; of a plugin at an address, which has none, all of these.
    pub grants: Vec<String>,
    /// Services that the plugin must serve, with schemas that fit.
    pub expect: Vec<Arc<ServiceEntry>>,
    /// What this side accepts. What is not set is as the manifest says.
    pub limits: LimitOptions,
    /// How long the plugin may take from its start until calls can be made. Default 30 s.
    pub start_timeout: Duration,
    /// How long calls in flight may take when the plugin is closed. Default 5 s.
    pub drain_timeout: Duration,
    /// What the plugin's process gets of the environment.
    pub environment: EnvironmentOptions,
    /// The plugin's configuration, over that of its manifest.
    pub config: Map<String, Value>,
    /// What decides on the interpreter.
    pub interpreter: InterpreterOptions,
    /// Takes log records. Without it they are dropped, but for the last lines of a process, which come with its errors.
    pub on_log: Option<OnLog>,
    /// The name that the plugin sees of this host. Default: that of the program.
    pub host_name: Option<String>,
    /// Certificates for an address `tls://`.
    pub tls: Option<TlsOptions>,
    /// Allows an address `tcp://` beyond this machine, where anybody may read along or answer in the plugin's place.
    pub allow_plaintext: bool,
    /// How a lost link to an address is made again; none: not at all, then the plugin has ended.
    pub reconnect: Option<ReconnectOptions>,
    /// Where a shared library runs.
    pub ffi: FfiOptions,
    /// What a WebAssembly module may take.
    #[cfg(feature = "wasm")]
    pub wasm: WasmLimits,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            transport: None,
            services: Vec::new(),
            grants: Vec::new(),
            expect: Vec::new(),
            limits: LimitOptions::default(),
            start_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(5),
            environment: EnvironmentOptions::default(),
            config: Map::new(),
            interpreter: InterpreterOptions::default(),
            on_log: None,
            host_name: None,
            tls: None,
            allow_plaintext: false,
            reconnect: Some(ReconnectOptions::default()),
            ffi: FfiOptions::default(),
            #[cfg(feature = "wasm")]
            wasm: WasmLimits::default(),
        }
    }
}

impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Environment and configuration are not shown: they may hold secrets.
        f.debug_struct("LoadOptions")
            .field("transport", &self.transport)
            .field("services", &self.services)
            .field("grants", &self.grants)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
