//! Where the handlers of a host run, and where the log goes.

use std::sync::{Arc, OnceLock};

use anyplug_core::{BoxFuture, LogRecord, Shell};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::options::OnLog;

/// The tokio runtime in which a plugin was loaded; without one, a runtime that all plugins of this program share, started when a handler first needs it.
pub(crate) struct HostRuntime {
    current: Option<Handle>,
    on_log: Option<OnLog>,
}

impl HostRuntime {
    /// The runtime that this thread is in.
    pub(crate) fn current(on_log: Option<OnLog>) -> Self {
        Self { current: Handle::try_current().ok(), on_log }
    }

    fn handle(&self) -> Option<&Handle> {
        self.current.as_ref().or_else(|| shared().map(Runtime::handle))
    }
}

/// None when the system gives no threads for it.
fn shared() -> Option<&'static Runtime> {
    static SHARED: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || Builder::new_multi_thread().enable_all().thread_name("anyplug-handlers").build().ok();
    SHARED.get_or_init(start).as_ref()
}

impl anyplug_ipc::Runtime for HostRuntime {
    fn spawn(&self, future: BoxFuture<()>) {
        match self.handle() {
            Some(handle) => drop(handle.spawn(future)),
            None => anyplug_ipc::spawn_task(future),
        }
    }

    fn run(&self, poll: &mut dyn FnMut()) {
        let _entered = self.handle().map(Handle::enter);
        poll();
    }

    fn log(&self, record: LogRecord) {
        if let Some(on_log) = &self.on_log {
            on_log(&record);
        }
    }
}

/// A plugin in this process has no bytes that would have to be moved: what is around it is the runtime.
pub(crate) struct RuntimeShell(pub(crate) Arc<dyn anyplug_ipc::Runtime>);

impl Shell for RuntimeShell {
    fn wake(&self) {}

    fn spawn(&self, future: BoxFuture<()>) {
        self.0.spawn(future);
    }

    fn run(&self, poll: &mut dyn FnMut()) {
        self.0.run(poll);
    }

    fn log(&self, record: LogRecord) {
        self.0.log(record);
    }
}
