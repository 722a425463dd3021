//! Loads plugins.

use std::future::{Future, IntoFuture};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyplug_core::{Error, Implementation, LimitOptions, LogLevel, LogRecord, Result, Service};
use anyplug_direct::Definition;
use anyplug_ipc::{Address, InheritEnv, Runtime, TlsOptions, json_rpc_place};
#[cfg(feature = "wasm")]
use anyplug_wasm::WasmLimits;
use serde_json::Value;

use crate::direct::{DirectInstance, Terms};
use crate::discovery::FoundPlugin;
use crate::ffi::{FfiInstance, library_manifest};
use crate::instance::Instance;
use crate::isolation::{FfiOptions, Isolation};
use crate::json_rpc::JsonRpcInstance;
use crate::locate::locate_plugin;
use crate::manifest::LocatedManifest;
use crate::offload::offload;
use crate::options::LoadOptions;
use crate::plan::plan_load;
use crate::plugin::Plugin;
use crate::reconnect::ReconnectOptions;
use crate::runtime::HostRuntime;
use crate::socket::SocketInstance;
use crate::wasm::WasmInstance;

/// Loads a plugin:
///
/// - a folder that holds a plugin.json, or that file itself;
/// - a WebAssembly module (.wasm), a shared library (.so, .dylib, .dll), a module that exports `plugin`, in JavaScript (.js, .mjs, .cjs) or Python (.py), an executable file, or a Python module by its name, as in
///   `python:my_package.my_module`: they need no plugin.json;
/// - the address where it is served, such as `unix:/run/plugin.sock`, `tcp://127.0.0.1:9000` or `tls://plugins.example:9000`, with `#name` behind it for one of a set, and
///   `json-rpc+` before it where the plugin speaks JSON-RPC.
///
/// What [`discover_plugins`](crate::discover_plugins) found is loaded by [`FoundPlugin::load`]. What is returned takes options and is awaited, on any runtime or none.
///
/// ```no_run
/// # async fn example() -> anyplug_core::Result<()> {
/// let plugin = anyplug_host::load_plugin("./plugins/eliza-classic/python").start_timeout(std::time::Duration::from_secs(3)).await?;
/// println!("{} {}", plugin.name(), plugin.version());
/// plugin.close().await
/// # }
/// ```
pub fn load_plugin(path: impl AsRef<Path>) -> Load {
    Load { place: Some(Place::At(path.as_ref().to_owned())), ..Load::default() }
}

/// Loads a plugin that is linked into this program, without a manifest: its handlers are called with the messages themselves. What is returned takes options and is awaited, on any runtime or none.
///
/// ```
/// # use anyplug_sdk::Plugin;
/// # async fn example() -> anyplug_core::Result<()> {
/// let plugin = anyplug_host::load_direct(Plugin::new("greeter", "1.0.0")).await?;
/// # plugin.close().await
/// # }
/// ```
pub fn load_direct(plugin: impl Into<Definition>) -> Load {
    Load { linked: Some(plugin.into()), ..Load::default() }
}

/// Loads a plugin in this thread, which waits meanwhile. `runtime` runs the handlers of the host's services; `look` is called every now and then, and an error that it returns ends the load.
///
/// # Errors
/// As [`Load`].
pub fn load_blocking(
    path: &Path,
    options: &LoadOptions,
    runtime: Arc<dyn Runtime>,
    look: impl FnMut() -> Result<()>,
) -> Result<Plugin> {
    load_place(Place::At(path.to_owned()), None, None, options, runtime, look)
}

/// Where a plugin is.
#[derive(Debug, Clone)]
enum Place {
    /// A path, a module or an address.
    At(PathBuf),
    Found(Box<LocatedManifest>),
}

impl FoundPlugin {
    /// Loads it. What is returned takes options and is awaited, on any runtime or none.
    pub fn load(&self) -> Load {
        let linked = self.linked.as_ref().map(|make| make());
        Load { place: Some(Place::Found(Box::new(self.located.clone()))), linked, ..Load::default() }
    }
}

fn load_place(
    place: Place,
    linked: Option<Definition>,
    language: Option<&str>,
    options: &LoadOptions,
    runtime: Arc<dyn Runtime>,
    look: impl FnMut() -> Result<()>,
) -> Result<Plugin> {
    let located = match place {
        Place::Found(located) => *located,
        Place::At(path) => {
            if let Some(address) = path.to_str().filter(|text| Address::is_meant(text)) {
                if let Some(place) = json_rpc_place(address) {
                    let address: Address = place.parse()?;
                    let (instance, manifest) = JsonRpcInstance::connect(&address, options, runtime, look)?;
                    return Ok(Plugin::of_json_rpc(instance, manifest, address.transport()));
                }
                let (instance, manifest, transport) = SocketInstance::start(&address.parse()?, options, runtime, look)?;
                return Ok(Plugin::of_socket(instance, manifest, transport));
            }
            locate_plugin(&path)?
        }
    };
    check_language(&located, language)?;
    let plan = plan_load(located, options, linked.is_some())?;
    for grant in options.grants.iter().filter(|grant| !plan.grants.contains(grant)) {
        let file = plan.located.file.display();
        let message = format!("capability \"{grant}\" is not granted: capabilities in {file} does not name it");
        runtime.log(LogRecord::new(LogLevel::Warn, "anyplug", message));
    }
    if let Some(linked) = linked.filter(|_| plan.transport == "direct") {
        let instance = DirectInstance::start(linked, &(&plan).into(), options, &runtime, look)?;
        return Ok(Plugin::of_direct(instance, Some(plan.located.manifest)));
    }
    if plan.is_json_rpc() {
        let instance = JsonRpcInstance::start(&plan, options, runtime, look)?;
        return Ok(Plugin::of_json_rpc(instance, plan.located.manifest, plan.transport));
    }
    if plan.transport == "wasm" {
        let instance = WasmInstance::start(&plan, options, runtime, look)?;
        return Ok(Plugin::of_wasm(instance, plan.located.manifest));
    }
    if plan.transport == "ffi" && options.ffi.isolation == Isolation::None {
        let instance = FfiInstance::start(&plan, options, runtime, look)?;
        let manifest = instance.manifest(plan.located);
        return Ok(Plugin::of_ffi(instance, manifest));
    }
    let instance = Instance::start(&plan, options, runtime)?;
    instance.open(options, look)?;
    if plan.transport == "ffi" {
        let manifest = match instance.connection().peer() {
            Some(peer) => library_manifest(plan.located, &peer.name, &peer.version, &peer.runtime),
            None => plan.located.manifest,
        };
        return Ok(Plugin::of_process(instance, manifest, plan.transport));
    }
    Ok(Plugin::of_process(instance, plan.located.manifest, plan.transport))
}

fn check_language(located: &LocatedManifest, expected: Option<&str>) -> Result<()> {
    let own = &located.manifest.language;
    match expected {
        Some(expected) if expected != own => Err(Error::failed_precondition(format!(
            "{}: expected a plugin in {expected}, and its language is {own:?}; load it by load_plugin",
            located.file.display()
        ))),
        _ => Ok(()),
    }
}

/// A plugin that is to be loaded: options, and then `.await`. Dropping the future gives the load up and kills what was started.
///
/// It fails with NOT_FOUND when there is no plugin or no program, INVALID_ARGUMENT for a manifest or option that is wrong, UNAVAILABLE when the process ends before its hello,
/// DEADLINE_EXCEEDED when the hello does not come, FAILED_PRECONDITION when protocol or schemas do not fit, and with the plugin's own error when it refuses its configuration.
#[derive(Debug, Default)]
#[must_use = "a plugin is loaded when it is awaited"]
pub struct Load {
    place: Option<Place>,
    linked: Option<Definition>,
    language: Option<&'static str>,
    options: LoadOptions,
}

impl Load {
    /// Sets all options at once.
    pub fn options(mut self, options: LoadOptions) -> Self {
        self.options = options;
        self
    }

    /// Fails unless the plugin is in this language.
    pub(crate) fn in_language(mut self, language: &'static str) -> Self {
        self.language = Some(language);
        self
    }

    /// Gives the plugin itself, which is linked into this program, for transport "direct"; the manifest says whether that is preferred.
    pub fn linked(mut self, plugin: impl Into<Definition>) -> Self {
        self.linked = Some(plugin.into());
        self
    }

    /// Chooses the transport: "direct" for a plugin that is linked into this program, "process", "stdio", "wasm" or "ffi".
    pub fn transport(mut self, transport: impl Into<String>) -> Self {
        self.options.transport = Some(transport.into());
        self
    }

    /// Offers a service to the plugin: `load.service(Host::implement(MyHost))`.
    pub fn service(mut self, service: Implementation) -> Self {
        self.options.services.push(service);
        self
    }

    /// Grants a capability, if the plugin's manifest names it.
    pub fn grant(mut self, capability: impl Into<String>) -> Self {
        self.options.grants.push(capability.into());
        self
    }

    /// Fails unless the plugin serves this service with a schema that fits.
    pub fn expect<S: Service>(mut self) -> Self {
        self.options.expect.push(Arc::new(S::DESCRIPTOR.into()));
        self
    }

    /// Sets what this side accepts.
    pub fn limits(mut self, limits: LimitOptions) -> Self {
        self.options.limits = limits;
        self
    }

    /// Limits the time until calls can be made. Default 30 s.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.options.start_timeout = timeout;
        self
    }

    /// Limits the time for calls in flight when the plugin is closed. Default 5 s.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.options.drain_timeout = timeout;
        self
    }

    /// Sets a variable of the plugin's environment.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.environment.env.insert(name.into(), value.into());
        self
    }

    /// Says which of this program's variables the plugin inherits, beside PATH, HOME, LANG, LC_*, TZ and TMPDIR.
    pub fn inherit_env(mut self, inherit: InheritEnv) -> Self {
        self.options.environment.inherit_env = inherit;
        self
    }

    /// Names a variable that is never inherited.
    pub fn deny_env(mut self, name: impl Into<String>) -> Self {
        self.options.environment.env_denylist.push(name.into());
        self
    }

    /// Sets a member of the plugin's configuration, over that of its manifest.
    pub fn config(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options.config.insert(name.into(), value.into());
        self
    }

    /// Gives the certificates for an address `tls://`.
    pub fn tls(mut self, tls: TlsOptions) -> Self {
        self.options.tls = Some(tls);
        self
    }

    /// Allows an address `tcp://` beyond this machine, where anybody may read along or answer in the plugin's place.
    pub fn allow_plaintext(mut self) -> Self {
        self.options.allow_plaintext = true;
        self
    }

    /// Says how a lost link to an address is made again; none: not at all, then the plugin has ended.
    pub fn reconnect(mut self, reconnect: Option<ReconnectOptions>) -> Self {
        self.options.reconnect = reconnect;
        self
    }

    /// Sets what a WebAssembly module may take: memory, time, fuel, tables.
    #[cfg(feature = "wasm")]
    pub fn wasm(mut self, limits: WasmLimits) -> Self {
        self.options.wasm = limits;
        self
    }

    /// Says where a shared library runs: in this process, or in one of its own.
    pub fn ffi(mut self, options: FfiOptions) -> Self {
        self.options.ffi = options;
        self
    }

    /// Chooses the Python program for plugins in Python.
    pub fn python(mut self, program: impl Into<String>) -> Self {
        self.options.interpreter.python = Some(program.into());
        self
    }

    /// Takes the plugin's log, from any thread.
    pub fn on_log(mut self, on_log: impl Fn(&LogRecord) + Send + Sync + 'static) -> Self {
        self.options.on_log = Some(Arc::new(on_log));
        self
    }

    /// Sets the name that the plugin sees of this host. Default: that of the program.
    pub fn host_name(mut self, name: impl Into<String>) -> Self {
        self.options.host_name = Some(name.into());
        self
    }
}

impl IntoFuture for Load {
    type Output = Result<Plugin>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Plugin>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            // Asked here: the handlers of the host's services run where the plugin was loaded.
            let runtime = Arc::new(HostRuntime::current(self.options.on_log.clone()));
            let Self { place, linked, language, options } = self;
            offload(move |abandoned| {
                let look = || abandoned.check();
                match (place, linked) {
                    (Some(place), linked) => load_place(place, linked, language, &options, runtime, look),
                    (None, Some(linked)) => {
                        let runtime: Arc<dyn Runtime> = runtime;
                        let terms = Terms::from(&options);
                        let instance = DirectInstance::start(linked, &terms, &options, &runtime, look)?;
                        Ok(Plugin::of_direct(instance, None))
                    }
                    (None, None) => Err(Error::internal("there is nothing to load")),
                }
            })
            .await
        })
    }
}
