//! Loads plugins.

use std::future::{Future, IntoFuture};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyplug_core::{Implementation, LimitOptions, LogLevel, LogRecord, Result, Service};
use anyplug_ipc::{InheritEnv, Runtime};
use serde_json::Value;

use crate::instance::Instance;
use crate::offload::offload;
use crate::options::LoadOptions;
use crate::plan::plan;
use crate::plugin::Plugin;
use crate::runtime::HostRuntime;

/// Loads the plugin at `path`: a folder that holds a plugin.json, or that file itself. What is returned takes options and is awaited, on any runtime or none.
///
/// ```no_run
/// # async fn example() -> anyplug_core::Result<()> {
/// let plugin = anyplug_host::load_plugin("./plugins/eliza-classic/python").start_timeout(std::time::Duration::from_secs(3)).await?;
/// println!("{} {}", plugin.name(), plugin.version());
/// plugin.close().await
/// # }
/// ```
pub fn load_plugin(path: impl AsRef<Path>) -> Load {
    Load { path: path.as_ref().to_owned(), options: LoadOptions::default() }
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
    let plan = plan(path, options)?;
    for grant in options.grants.iter().filter(|grant| !plan.grants.contains(grant)) {
        let message = format!(
            "capability \"{grant}\" is not granted: capabilities in {} does not name it",
            plan.located.file.display()
        );
        runtime.log(LogRecord::new(LogLevel::Warn, "anyplug", message));
    }
    let instance = Instance::start(&plan, options, runtime)?;
    instance.open(options, look)?;
    Ok(Plugin::of_process(instance, plan.located.manifest, plan.transport))
}

/// A plugin that is to be loaded: options, and then `.await`. Dropping the future gives the load up and kills what was started.
///
/// It fails with NOT_FOUND when there is no plugin or no program, INVALID_ARGUMENT for a manifest or option that is wrong, UNAVAILABLE when the process ends before its hello,
/// DEADLINE_EXCEEDED when the hello does not come, FAILED_PRECONDITION when protocol or schemas do not fit, and with the plugin's own error when it refuses its configuration.
#[derive(Debug, Clone)]
#[must_use = "a plugin is loaded when it is awaited"]
pub struct Load {
    path: PathBuf,
    options: LoadOptions,
}

impl Load {
    /// Sets all options at once.
    pub fn options(mut self, options: LoadOptions) -> Self {
        self.options = options;
        self
    }

    /// Chooses the transport: "process" or "stdio".
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

    /// Limits the time until calls can be made. Default 10 s.
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
            offload(move |abandoned| load_blocking(&self.path, &self.options, runtime, || abandoned.check())).await
        })
    }
}
