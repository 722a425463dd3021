//! Where the handlers of a plugin run.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyplug_core::{BoxFuture, Error, LogRecord, Result};
use anyplug_ipc::Runtime as IpcRuntime;
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use crate::log;

/// How long handlers have that were cancelled because the channel ended.
const FINISH_GRACE: Duration = Duration::from_millis(500);

/// A tokio runtime, and a count of the handlers in it.
pub(crate) struct PluginRuntime {
    handle: Handle,
    /// None where the plugin's main function brought a runtime.
    own: Mutex<Option<Runtime>>,
    running: Arc<Running>,
}

#[derive(Default)]
struct Running {
    count: Mutex<usize>,
    changed: Condvar,
}

impl PluginRuntime {
    /// The runtime that this thread is in, when it has threads of its own; else a new one.
    pub(crate) fn new() -> Result<Self> {
        let brought =
            Handle::try_current().ok().filter(|handle| handle.runtime_flavor() != RuntimeFlavor::CurrentThread);
        match brought {
            Some(handle) => Ok(Self { handle, own: Mutex::default(), running: Arc::default() }),
            None => Self::of_its_own(),
        }
    }

    /// A new runtime.
    pub(crate) fn of_its_own() -> Result<Self> {
        let runtime = Builder::new_multi_thread().enable_all().thread_name("anyplug-handlers").build();
        let runtime = runtime
            .map_err(|error| Error::unavailable(format!("no runtime for the handlers: {error}")).with_source(error))?;
        Ok(Self { handle: runtime.handle().clone(), own: Mutex::new(Some(runtime)), running: Arc::default() })
    }

    /// Runs `work` with the runtime entered.
    pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.handle.enter();
        work()
    }

    /// Runs a future to its end, which is no handler.
    pub(crate) fn spawn_task(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(future);
    }

    /// Waits for the handlers that were cancelled, for a moment.
    pub(crate) fn finish(&self) {
        self.wait_for_handlers();
        self.shut_down();
    }

    /// As [`finish`](Self::finish), and waits until the runtime's threads have ended, for a moment as well. Returns whether they have.
    pub(crate) fn finish_threads(&self) -> bool {
        self.wait_for_handlers();
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(runtime) = own else { return false };
        let since = Instant::now();
        // It joins its threads when all of them end in time, and does not tell whether they did.
        runtime.shutdown_timeout(FINISH_GRACE);
        since.elapsed() < FINISH_GRACE
    }

    fn wait_for_handlers(&self) {
        let until = Instant::now() + FINISH_GRACE;
        let mut count = self.running.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            count = self.running.changed.wait_timeout(count, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn shut_down(&self) {
        if let Some(runtime) = self.own.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // What still runs ends with the process; to wait for it would let a handler that never ends keep the process alive.
            runtime.shutdown_background();
        }
    }
}

impl Drop for PluginRuntime {
    fn drop(&mut self) {
        // A server of plugins may be dropped within a runtime, where none may be waited for.
        self.shut_down();
    }
}

impl IpcRuntime for PluginRuntime {
    fn spawn(&self, future: BoxFuture<()>) {
        let counted = Counted::new(self.running.clone());
        self.handle.spawn(async move {
            let _counted = counted;
            future.await;
        });
    }

    fn run(&self, poll: &mut dyn FnMut()) {
        self.enter(poll);
    }

    fn log(&self, record: LogRecord) {
        log::print(&record);
    }
}

struct Counted(Arc<Running>);

impl Counted {
    fn new(running: Arc<Running>) -> Self {
        *running.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(running)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.changed.notify_all();
    }
}
