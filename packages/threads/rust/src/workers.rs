//! Threads for work that no caller does in its own: as many as are needed at once, each kept for a while.

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

/// Does work, which may block, in another thread, one that is kept for a while for the next. Where the system gives no thread, one that is there does it when it can.
pub fn run(work: impl FnOnce() + Send + 'static) {
    let mut state = WORKERS.lock();
    let process = std::process::id();
    if state.owner != process {
        *state = State { waiting: VecDeque::new(), idle: 0, owner: process };
    }
    state.waiting.push_back(Box::new(work));
    if state.idle >= state.waiting.len() {
        WORKERS.changed.notify_one();
        return;
    }
    let thread = std::thread::Builder::new().name("anyplug-worker".to_owned());
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn work_that_waits_for_other_work_does_not_hold_it_up() {
        let (first, of_first) = channel();
        let (done, all) = channel();
        let also = done.clone();
        run(move || also.send(of_first.recv()).unwrap_or_default());
        run(move || {
            let _ = first.send(7);
            let _ = done.send(Ok(8));
        });
        let mut numbers = [all.recv(), all.recv()].map(|number| number.unwrap().unwrap());
        numbers.sort_unstable();
        assert_eq!(numbers, [7, 8]);
    }
}
