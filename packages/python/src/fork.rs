//! Tells a process from a fork of it: connections belong to the process that made them.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static FORKS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// How many forks lie between this process and the first that loaded the module. Cheaper than its id, which is asked of the system.
pub(crate) fn generation() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Begins to count. Without it, for lack of memory, a fork would be taken for its parent.
pub(crate) fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        // SAFETY: the function only adds to an atomic number, which is allowed in the child of a process with threads.
        unsafe { libc::pthread_atfork(None, None, Some(count)) };
    });
}
