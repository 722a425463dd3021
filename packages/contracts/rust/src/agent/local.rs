//! A plugin that is defined in the agent's own program.

use std::sync::{Arc, OnceLock};

use anyplug_core::{BoxFuture, Grants, Implementation, Link, LogRecord, Result, Router, RouterOptions, Shell};
use anyplug_direct::{Side, connect};
use tokio::runtime::{Builder, Handle, Runtime};

use super::define::AgentPluginDefinition;
use super::defined::agent_plugin;

/// Connects a definition to the services of its agent. It is the program's own code, and may call all of them. Its handlers run in the tokio runtime in which this is called, without one in a
/// runtime that all such plugins share; `on_log` takes what they log.
///
/// # Errors
/// INVALID_ARGUMENT when a name comes twice in the definition.
pub fn local_link(
    definition: AgentPluginDefinition,
    agent_name: &str,
    services: Vec<Implementation>,
    on_log: impl Fn(LogRecord) + Send + Sync + 'static,
) -> Result<Arc<dyn Link>> {
    let side = |name: &str, services| -> Result<Side> {
        let options = RouterOptions { services, grants: Grants::All, ..RouterOptions::default() };
        Ok(Side {
            name: name.to_owned(),
            version: String::new(),
            router: Router::new(options)?,
            limits: Default::default(),
        })
    };
    let name = definition.name.clone();
    let host = side(agent_name, services)?;
    let plugin = side(&name, vec![agent_plugin(definition)?])?;
    let shell = LocalShell { current: Handle::try_current().ok(), on_log: Box::new(on_log) };
    let (link, _) = connect(host, plugin, Arc::new(shell));
    Ok(Arc::new(link))
}

/// Runs what has to wait, and takes the log.
struct LocalShell {
    current: Option<Handle>,
    on_log: Box<dyn Fn(LogRecord) + Send + Sync>,
}

impl LocalShell {
    fn handle(&self) -> Option<&Handle> {
        static SHARED: OnceLock<Option<Runtime>> = OnceLock::new();
        let start = || Builder::new_multi_thread().enable_all().thread_name("anyplug-agent").build().ok();
        self.current.as_ref().or_else(|| SHARED.get_or_init(start).as_ref().map(Runtime::handle))
    }
}

impl Shell for LocalShell {
    fn wake(&self) {}

    fn spawn(&self, future: BoxFuture<()>) {
        // A system that has no thread to give: the future is dropped, which ends its call.
        if let Some(handle) = self.handle() {
            drop(handle.spawn(future));
        }
    }

    fn run(&self, poll: &mut dyn FnMut()) {
        let _entered = self.handle().map(Handle::enter);
        poll();
    }

    fn log(&self, record: LogRecord) {
        (self.on_log)(record);
    }
}
