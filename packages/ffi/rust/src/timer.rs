//! One thread for the deadlines of calls to plugins.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use anyplug_core::Instant;

use crate::instance::Instance;
use crate::workers;

#[derive(Default)]
struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What is due when; a number tells those of one moment from each other.
    due: BTreeMap<(Instant, u64), Weak<Instance>>,
    next: u64,
    /// The process that the thread belongs to: a fork has none. 0 before it was started.
    owner: u32,
}

static TIMER: OnceLock<Timer> = OnceLock::new();

impl Timer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let later = state.due.split_off(&(now, u64::MAX));
            let due = std::mem::replace(&mut state.due, later);
            if !due.is_empty() {
                drop(state);
                // Plugins are entered elsewhere: one that takes its time must not hold the others up.
                due.into_values().filter_map(|instance| instance.upgrade()).for_each(|instance| {
                    workers::run(Box::new(move || instance.due(now)));
                });
                state = self.lock();
                continue;
            }
            let wait = state.due.keys().next().map(|(at, _)| at.saturating_since(now));
            state = match wait {
                Some(wait) => self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// Has [`Instance::due`] called at that time, in a thread of its own. Where the system gives no thread for that, nothing happens: a call then takes longer than it may.
pub(crate) fn add(at: Instant, instance: Weak<Instance>) {
    let timer = TIMER.get_or_init(Timer::default);
    let mut state = timer.lock();
    let process = std::process::id();
    if state.owner != process {
        let thread = std::thread::Builder::new().name("anyplug-ffi-timer".to_owned());
        if thread.spawn(|| TIMER.get_or_init(Timer::default).run()).is_ok() {
            state.owner = process;
        }
    }
    state.next += 1;
    let key = (at, state.next);
    state.due.insert(key, instance);
    if state.due.keys().next() == Some(&key) {
        timer.changed.notify_one();
    }
}
