//! What a connection needs of the program around it, beside its bytes.

use anyplug_core::channel::BoxFuture;
use anyplug_core::log::LogRecord;

/// Where handlers run, and where the log goes.
pub trait Runtime: Send + Sync + 'static {
    /// Runs a future to its end. The default runs it in a thread that all futures share which come this way.
    fn spawn(&self, future: BoxFuture<()>) {
        crate::tasks::spawn(future);
    }

    /// Runs `poll`, which polls a handler once, where handlers are to run: with a runtime entered, for one. The default just runs it.
    fn run(&self, poll: &mut dyn FnMut()) {
        poll();
    }

    /// Takes a log record, from any thread.
    fn log(&self, record: LogRecord);
}
