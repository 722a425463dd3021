//! One thread that tells what is due.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyplug_core::{Error, Result};

/// When something is due; a number tells those of one moment from each other.
pub type Key = (Instant, u64);

/// Something that is due at a time.
pub trait Due: Send + Sync {
    /// Its time has come. This is called in the thread that tells all others, too: what takes longer is work for [`workers`](crate::workers).
    fn due(self: Arc<Self>);
}

#[derive(Default)]
struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    due: BTreeMap<Key, Weak<dyn Due>>,
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
                due.into_values().filter_map(|due| due.upgrade()).for_each(|due| due.due());
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

/// Has [`Due::due`] called when `after` has passed, unless [`remove`] comes first. None: that is too far away to be told.
///
/// # Errors
/// RESOURCE_EXHAUSTED, when the system has no thread to give.
pub fn add(after: Duration, due: Weak<dyn Due>) -> Result<Option<Key>> {
    let Some(at) = Instant::now().checked_add(after) else {
        return Ok(None);
    };
    let timer = TIMER.get_or_init(Timer::default);
    let mut state = timer.lock();
    let process = std::process::id();
    if state.owner != process {
        let thread = std::thread::Builder::new().name("anyplug-timer".to_owned());
        thread.spawn(|| TIMER.get_or_init(Timer::default).run()).map_err(|error| {
            Error::resource_exhausted("no thread could be started for deadlines").with_source(error)
        })?;
        state.owner = process;
    }
    state.next += 1;
    let key = (at, state.next);
    state.due.insert(key, due);
    if state.due.keys().next() == Some(&key) {
        timer.changed.notify_one();
    }
    Ok(Some(key))
}

/// Forgets what is not to come any more.
pub fn remove(key: Key) {
    if let Some(timer) = TIMER.get() {
        timer.lock().due.remove(&key);
    }
}

/// Something that is told when the first of what it waits for is due.
#[derive(Debug, Default)]
pub struct Alarm(Mutex<Option<anyplug_core::Instant>>);

impl Alarm {
    /// Has `due` told when `next` has come, by the clock `now`, if it is not told before. Where the system gives no thread for that, it is not.
    pub fn set(
        &self,
        next: anyplug_core::Instant,
        now: impl FnOnce() -> anyplug_core::Instant,
        due: Weak<impl Due + 'static>,
    ) {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if set.is_none_or(|set| next < set) {
            *set = Some(next);
            let _ = add(next.saturating_since(now()), due);
        }
    }

    /// It was told.
    pub fn told(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    struct Says(Mutex<Sender<&'static str>>, &'static str);

    impl Due for Says {
        fn due(self: Arc<Self>) {
            let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).send(self.1);
        }
    }

    #[test]
    fn what_is_due_is_told_in_order_and_what_was_removed_is_not() {
        let (said, heard) = channel();
        let say = |what| Arc::new(Says(Mutex::new(said.clone()), what));
        let (first, second, removed, dropped) = (say("first"), say("second"), say("removed"), say("dropped"));
        let weak = |due: &Arc<Says>| -> Weak<dyn Due> { Arc::downgrade(due) as Weak<dyn Due> };
        let ms = Duration::from_millis;
        let key = add(ms(1000), weak(&removed)).unwrap().unwrap();
        remove(key);
        add(ms(1500), weak(&second)).unwrap();
        add(ms(500), weak(&first)).unwrap();
        add(ms(400), weak(&dropped)).unwrap();
        drop(dropped);
        assert_eq!([heard.recv(), heard.recv()], [Ok("first"), Ok("second")]);
    }

    #[test]
    fn a_time_that_never_comes_harms_nothing() {
        let (said, _heard) = channel();
        let never = Arc::new(Says(Mutex::new(said), "never"));
        let weak: Weak<Says> = Arc::downgrade(&never);
        assert_eq!(add(Duration::MAX, weak).unwrap(), None);
    }
}
