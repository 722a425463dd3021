//! Loads Extism plugins.

use std::future::{Future, IntoFuture};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyplug_core::{Instant, LogRecord, Result};
use anyplug_wasm::{Extism, ExtismOptions, WasmLimits};

use crate::offload::{offload, offload_call};

/// Loads an Extism plugin: a module that was built with one of Extism's development kits, by its path or its bytes. What is returned takes options and is awaited, on any runtime or none.
///
/// ```no_run
/// # async fn example() -> anyplug_core::Result<()> {
/// let plugin = anyplug_host::load_extism_plugin("count_vowels.wasm").config("vowels", "aeiou").await?;
/// let counted = plugin.call("count_vowels", "Hello, World!").await?;
/// # let _ = counted;
/// # Ok(())
/// # }
/// ```
pub fn load_extism_plugin(source: impl Into<ExtismSource>) -> ExtismLoad {
    ExtismLoad { source: source.into(), options: ExtismOptions::default() }
}

/// Where an Extism plugin comes from.
#[derive(Debug, Clone)]
pub enum ExtismSource {
    /// The file of its module.
    File(PathBuf),
    /// Its module.
    Bytes(Vec<u8>),
}

impl From<&str> for ExtismSource {
    fn from(path: &str) -> Self {
        Self::File(path.into())
    }
}

impl From<&Path> for ExtismSource {
    fn from(path: &Path) -> Self {
        Self::File(path.into())
    }
}

impl From<&PathBuf> for ExtismSource {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<PathBuf> for ExtismSource {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&[u8]> for ExtismSource {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for ExtismSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// An Extism plugin that is to be loaded: options, and then `.await`.
///
/// It fails with NOT_FOUND when there is no such file, INVALID_ARGUMENT when it is no valid core module, FAILED_PRECONDITION when it wants imports that there are not, RESOURCE_EXHAUSTED when it is
/// over a limit, and with what its first instance fails with.
#[derive(Debug)]
#[must_use = "a plugin is loaded when it is awaited"]
pub struct ExtismLoad {
    source: ExtismSource,
    options: ExtismOptions,
}

impl ExtismLoad {
    /// Sets all options at once.
    pub fn options(mut self, options: ExtismOptions) -> Self {
        self.options = options;
        self
    }

    /// Says what the plugin is called. Default: the name of its file without ".wasm", or "extism".
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.options.name = Some(name.into());
        self
    }

    /// Sets a value of the plugin's configuration.
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.config.insert(key.into(), value.into());
        self
    }

    /// Grants requests to a host: its name, with `*` for any characters.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.options.allowed_hosts.push(host.into());
        self
    }

    /// Sets what it may take: memory, time, fuel, tables.
    pub fn wasm(mut self, limits: WasmLimits) -> Self {
        self.options.wasm = limits;
        self
    }

    /// Limits the names and values of variables, in bytes. Default 1 MiB.
    pub fn max_var_bytes(mut self, bytes: u64) -> Self {
        self.options.max_var_bytes = bytes;
        self
    }

    /// Limits the body of the answer to an HTTP request, in bytes. Default 50 MiB.
    pub fn max_http_response_bytes(mut self, bytes: u64) -> Self {
        self.options.max_http_response_bytes = bytes;
        self
    }

    /// Gives a function that the plugin may import from `extism:host/user`: bytes in, bytes out. It is called in the thread of the plugin's call, and may block that.
    pub fn function(
        mut self,
        name: impl Into<String>,
        function: impl Fn(&[u8]) -> Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.options.functions.insert(name.into(), Arc::new(function));
        self
    }

    /// Takes what the plugin logs and prints, after each call, from any thread.
    pub fn on_log(mut self, on_log: impl Fn(&LogRecord) + Send + Sync + 'static) -> Self {
        self.options.on_log = Some(Arc::new(on_log));
        self
    }

    /// Loads it in this thread, which waits meanwhile.
    ///
    /// # Errors
    /// As when it is awaited.
    pub fn blocking(self) -> Result<ExtismPlugin> {
        let plugin = match self.source {
            ExtismSource::File(path) => Extism::read(&path, self.options),
            ExtismSource::Bytes(bytes) => Extism::new(&bytes, self.options),
        };
        plugin.map(|plugin| ExtismPlugin { plugin })
    }
}

impl IntoFuture for ExtismLoad {
    type Output = Result<ExtismPlugin>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<ExtismPlugin>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(offload(move |_| self.blocking()))
    }
}

/// An Extism plugin. A clone is another handle of the same one.
///
/// Each of its instances (`wasm.instances`, 1 by default) takes one call at a time; others wait. Variables stay with the instance. One that traps or is stopped is thrown away, and the next call gets
/// a new one.
#[derive(Debug, Clone)]
pub struct ExtismPlugin {
    plugin: Extism,
}

impl ExtismPlugin {
    /// What it is called.
    pub fn name(&self) -> &str {
        self.plugin.name()
    }

    /// The functions that can be called.
    pub fn functions(&self) -> &[String] {
        self.plugin.functions()
    }

    /// Which limits are enforced, and how.
    pub fn enforced(&self) -> Vec<String> {
        self.plugin.enforced()
    }

    /// Calls a function. What is returned is awaited, on any runtime or none, or runs in this thread by [`blocking`](ExtismCall::blocking).
    pub fn call(&self, function: impl Into<String>, input: impl Into<Vec<u8>>) -> ExtismCall {
        ExtismCall { plugin: self.plugin.clone(), function: function.into(), input: input.into(), timeout: None }
    }

    /// Takes no more calls. Those that are being made end by themselves.
    pub fn close(&self) {
        self.plugin.close();
    }
}

/// A call to an Extism plugin, which is made when it is awaited, or by [`blocking`](Self::blocking).
///
/// It fails with UNIMPLEMENTED when the plugin has no such function; INTERNAL in the plugin's words when it fails, and when it traps; DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED when it is over a limit;
/// PERMISSION_DENIED when it asks a host that it was not granted; UNAVAILABLE when a request of its fails, and when it was closed; what a function of the host's own returned.
#[derive(Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct ExtismCall {
    plugin: Extism,
    function: String,
    input: Vec<u8>,
    timeout: Option<Duration>,
}

impl ExtismCall {
    /// Limits the time that it may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Makes the call in this thread, which waits meanwhile.
    ///
    /// # Errors
    /// As when it is awaited.
    pub fn blocking(self) -> Result<Vec<u8>> {
        let deadline = self.timeout.map(|timeout| Instant::now().saturating_add(timeout));
        self.plugin.call(&self.function, &self.input, deadline)
    }
}

impl IntoFuture for ExtismCall {
    type Output = Result<Vec<u8>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Vec<u8>>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(offload_call(move || self.blocking()))
    }
}
