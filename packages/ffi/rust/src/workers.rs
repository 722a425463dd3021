//! Threads for plugins that no caller has entered: as many as are needed at once, each kept for a while.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a thread without work is kept.
const KEPT: Duration = Duration::from_secs(10);

type Work = Box<dyn FnOnce() + Send>;

static WORKERS: Workers =
    Workers { state: Mutex::new(State { waiting: VecDeque::new(), idle: 0, owner: 0 }), changed: Condvar::new() };

struct Workers {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: VecDeque<Work>,
    /// Threads that wait for work.
    idle: usize,
    /// The process that the threads belong to: a fork has none of them.
    owner: u32,
}

/// Does the work in another thread. Where the system gives no thread, one that is there does it when it can.
pub(crate) fn run(work: Work) {
    let mut state = WORKERS.lock();
    let process = std::process::id();
    if state.owner != process {
        *state = State { waiting: VecDeque::new(), idle: 0, owner: process };
    }
    state.waiting.push_back(work);
    if state.idle >= state.waiting.len() {
        WORKERS.changed.notify_one();
        return;
    }
    let thread = std::thread::Builder::new().name("anyplug-ffi".to_owned());
    let _ = thread.spawn(|| WORKERS.work());
}

impl Workers {
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                drop(state);
                work();
                state = self.lock();
                continue;
            }
            state.idle += 1;
            let (next, timeout) = self.changed.wait_timeout(state, KEPT).unwrap_or_else(PoisonError::into_inner);
            state = next;
            state.idle -= 1;
            if timeout.timed_out() && state.waiting.is_empty() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
