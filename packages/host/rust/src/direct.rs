//! A plugin in this process, which it is linked into: its handlers are called with objects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyplug_core::{Error, LimitOptions, Link, Result};
use anyplug_direct::{Definition, Direct, Side, connect};
use anyplug_ipc::Runtime;
use serde_json::{Map, Value};

use crate::options::LoadOptions;
use crate::plan::{Plan, host_name, host_router};
use crate::runtime::RuntimeShell;
use crate::wait::block_on;

/// What a plugin in this process is loaded with.
pub(crate) struct Terms {
    config: Map<String, Value>,
    limits: LimitOptions,
    grants: Vec<String>,
}

impl From<&LoadOptions> for Terms {
    /// For a plugin without a manifest.
    fn from(options: &LoadOptions) -> Self {
        Self { config: options.config.clone(), limits: options.limits, grants: options.grants.clone() }
    }
}

impl From<&Plan> for Terms {
    fn from(plan: &Plan) -> Self {
        Self { config: plan.config.clone(), limits: plan.limits, grants: plan.grants.clone() }
    }
}

/// A plugin in this process.
pub(crate) struct DirectInstance {
    link: Direct,
    name: String,
    drain_timeout: Duration,
}

impl DirectInstance {
    /// Starts the plugin, and returns it when the schemas fit.
    ///
    /// # Errors
    /// The plugin's own when it refuses to start, FAILED_PRECONDITION when the schemas do not fit, DEADLINE_EXCEEDED when it takes too long; what `look` returned.
    pub(crate) fn start(
        plugin: Definition,
        terms: &Terms,
        options: &LoadOptions,
        runtime: &Arc<dyn Runtime>,
        mut look: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        let Definition { name, version, limits, start } = plugin;
        let until = Instant::now() + options.start_timeout;
        let config = Value::Object(terms.config.clone()).to_string();
        let mut router = Err(Error::internal("the runtime ran nothing"));
        let mut start = Some(start);
        runtime.run(&mut || {
            if let Some(start) = start.take() {
                router = start(&config);
            }
        });
        let router = router
            .map_err(|error| error.map_message(|message| format!("plugin \"{name}\" refused to start: {message}")))?;
        let host = Side {
            name: host_name(options),
            version: String::new(),
            router: host_router(options, &terms.grants)?,
            limits: terms.limits,
        };
        let plugin = Side { name: name.clone(), version, router, limits };
        let (link, _) = connect(host, plugin, Arc::new(RuntimeShell(runtime.clone())));
        let instance = Self { link, name, drain_timeout: options.drain_timeout };
        let opened = async {
            for service in &options.expect {
                instance.link.negotiate(service.clone()).await?;
            }
            instance.link.negotiate_uses().await
        };
        let in_time = || if Instant::now() < until { look() } else { Err(instance.late(options.start_timeout)) };
        block_on(opened, in_time)??;
        Ok(instance)
    }

    pub(crate) fn link(&self) -> Arc<dyn Link> {
        Arc::new(self.link.clone())
    }

    /// Lets calls in flight end, and then ends the link. Calling it again changes nothing.
    pub(crate) fn close(&self) {
        let until = Instant::now() + self.drain_timeout;
        let in_time = || if Instant::now() < until { Ok(()) } else { Err(()) };
        // Calls that take longer end with the link.
        let _ = block_on(self.link.drain(), in_time);
        self.link.close(Error::unavailable(format!("plugin \"{}\" was closed", self.name)));
    }

    fn late(&self, timeout: Duration) -> Error {
        Error::deadline_exceeded(format!("plugin \"{}\" was not ready within {} ms", self.name, timeout.as_millis()))
    }
}

impl Drop for DirectInstance {
    fn drop(&mut self) {
        self.link.close(Error::unavailable(format!("plugin \"{}\" was dropped by its host", self.name)));
    }
}
