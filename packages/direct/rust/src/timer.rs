//! One thread for the deadlines of all direct calls that have to wait.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyplug_core::{Error, Result};

use crate::call::DirectCall;

/// When a call is due; a number tells those of one moment from each other.
pub(crate) type Key = (Instant, u64);

#[derive(Default)]
struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    due: BTreeMap<Key, Weak<DirectCall>>,
    next: u64,
    runs: bool,
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
                due.into_values().filter_map(|call| call.upgrade()).for_each(|call| call.expire());
                state = self.lock();
                continue;
            }
            let wait = state.due.keys().next().map(|(at, _)| at.saturating_duration_since(now));
            state = match wait {
                Some(wait) => self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// Ends a call when `after` has passed, unless [`remove`] comes first.
///
/// # Errors
/// RESOURCE_EXHAUSTED, when the system has no thread to give.
pub(crate) fn add(after: Duration, call: Weak<DirectCall>) -> Result<Option<Key>> {
    // What is too far away to be told is never.
    let Some(at) = Instant::now().checked_add(after) else {
        return Ok(None);
    };
    let timer = TIMER.get_or_init(Timer::default);
    let mut state = timer.lock();
    if !state.runs {
        let thread = std::thread::Builder::new().name("anyplug-direct-timer".to_owned());
        thread.spawn(|| TIMER.get_or_init(Timer::default).run()).map_err(|error| {
            Error::resource_exhausted("no thread could be started for deadlines").with_source(error)
        })?;
        state.runs = true;
    }
    state.next += 1;
    let key = (at, state.next);
    state.due.insert(key, call);
    if state.due.keys().next() == Some(&key) {
        timer.changed.notify_one();
    }
    Ok(Some(key))
}

/// Forgets a call that has ended.
pub(crate) fn remove(key: Key) {
    if let Some(timer) = TIMER.get() {
        timer.lock().due.remove(&key);
    }
}
