//! What a [`Connection`](crate::Connection) needs of whoever moves its bytes: a shell that writes, wakes, spawns and tells the time.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::log::LogRecord;

pub use crate::connection::{CallNow, CalledNow};

/// A future on the heap that may move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// A point in time of the shell's clock. It is of use on targets too where the standard library has no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// The point that lies this long after the beginning of the shell's clock.
    pub const fn from_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// Now, by the monotonic clock of the system.
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    pub fn now() -> Self {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        Self(START.get_or_init(std::time::Instant::now).elapsed())
    }

    /// The point that lies this much later; the last one there is, when it would be past that.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// How much later this point is than `earlier`; zero when it is not.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// What is around a connection. One shell serves one connection; its methods are called from any thread, and never while the
/// connection's lock is held.
pub trait Shell: Send + Sync + 'static {
    /// There is output to take (or an earlier deadline) that the pump does not know of: something other than
    /// [`receive`](crate::Connection::receive) or [`expire_due`](crate::Connection::expire_due) caused it, from this thread.
    /// It is called once until the output is taken. Writing here, or waking the pump so that it writes, are both right.
    fn wake(&self);

    /// As [`wake`](Self::wake), for a call with one answer that was made in this thread. True: its request need not be written yet, because other tasks of
    /// this thread are likely to make calls too; its future is polled again after them, and the shell is woken then. The default wakes.
    fn called(&self) -> bool {
        self.wake();
        false
    }

    /// Makes a call with one request at once, the short way of the embedded ABI, if it can: see [`CallNow`]. The default cannot.
    fn call_now(&self, call: &mut CallNow<'_>) -> CalledNow {
        let _ = call;
        CalledNow::Not
    }

    /// Runs a future to its end: a handler that could not finish at once, or a stream of requests that is being sent.
    fn spawn(&self, future: BoxFuture<()>);

    /// Runs `poll`, which polls a handler once, where handlers are to run: with the runtime entered, for one. The default just runs it.
    fn run(&self, poll: &mut dyn FnMut()) {
        poll();
    }

    /// A caller is about to wait in this thread until `is_done`. The shell may move bytes here for a moment (flush, spin, receive)
    /// so that it need not wait at all. The default does nothing.
    fn assist(&self, is_done: &dyn Fn() -> bool) {
        let _ = is_done;
    }

    /// Now, by this shell's clock. The default is [`Instant::now`], where the target has a clock.
    fn now(&self) -> Instant {
        #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
        return Instant::now();
        #[cfg(all(target_family = "wasm", target_os = "unknown"))]
        return Instant::default();
    }

    /// Takes a record for the log of this process: one that the peer sent, or one of the connection's own. The default drops it.
    fn log(&self, record: LogRecord) {
        let _ = record;
    }
}
