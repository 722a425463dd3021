//! Where the handlers of a host run, and where the log goes.

use anyplug_core::{BoxFuture, LogRecord};
use tokio::runtime::Handle;

use crate::options::OnLog;

/// The tokio runtime in which a plugin was loaded; without one, a thread that all handlers share.
pub(crate) struct HostRuntime {
    handle: Option<Handle>,
    on_log: Option<OnLog>,
}

impl HostRuntime {
    /// The runtime that this thread is in.
    pub(crate) fn current(on_log: Option<OnLog>) -> Self {
        Self { handle: Handle::try_current().ok(), on_log }
    }
}

impl anyplug_ipc::Runtime for HostRuntime {
    fn spawn(&self, future: BoxFuture<()>) {
        match &self.handle {
            Some(handle) => drop(handle.spawn(future)),
            None => anyplug_ipc::spawn_task(future),
        }
    }

    fn run(&self, poll: &mut dyn FnMut()) {
        let _entered = self.handle.as_ref().map(Handle::enter);
        poll();
    }

    fn log(&self, record: LogRecord) {
        if let Some(on_log) = &self.on_log {
            on_log(&record);
        }
    }
}
