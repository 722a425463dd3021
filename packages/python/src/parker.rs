//! Lets a thread sleep until it is woken, or a time has come.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Wake;
use std::time::Duration;

use anyplug_core::Instant;

/// A thread that sleeps, or is about to. It is a waker as well.
#[derive(Default)]
pub(crate) struct Parker {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    /// The parker of this thread. A wake-up that was meant for an earlier wait of the thread ends the next one early; who waits looks again.
    pub(crate) fn of_this_thread() -> Arc<Self> {
        thread_local!(static PARKER: Arc<Parker> = Arc::default());
        PARKER.with(Arc::clone)
    }

    /// Sleeps until [`wake_up`](Self::wake_up) is called, or was since the last sleep, or `until` has come.
    pub(crate) fn sleep(&self, until: Instant) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*woken {
            let left = until.saturating_since(Instant::now());
            if left == Duration::ZERO {
                return;
            }
            woken = self.changed.wait_timeout(woken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *woken = false;
    }

    /// Ends the sleep, or the next one.
    pub(crate) fn wake_up(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_up();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_up();
    }
}

/// A number that no other thread has at the same time; cheaper than asking for the thread's id.
pub(crate) fn current_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}
