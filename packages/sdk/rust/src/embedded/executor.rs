//! Runs what a plugin waits for: handlers, and whatever else they started. Tasks are polled when they were woken, until all of them wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use anyplug_core::{BoxFuture, Instant};

static READY: Mutex<VecDeque<Arc<Task>>> = Mutex::new(VecDeque::new());
static TIMERS: Mutex<Timers> = Mutex::new(Timers { waiting: BTreeMap::new(), next: 0 });

/// A future that is polled when it was woken.
struct Task(Mutex<State>);

struct State {
    future: Option<BoxFuture<()>>,
    is_queued: bool,
}

struct Timers {
    waiting: BTreeMap<TimerKey, Waker>,
    next: u64,
}

/// When a timer is due; a number tells those of one moment from each other.
pub(super) type TimerKey = (Instant, u64);

/// Runs `future` to its end.
pub(super) fn spawn(future: BoxFuture<()>) {
    lock(&READY).push_back(Arc::new(Task(Mutex::new(State { future: Some(future), is_queued: true }))));
}

/// Polls all tasks that are ready, and those that become so meanwhile. Returns whether there were any.
pub(super) fn run() -> bool {
    let mut any = false;
    loop {
        let Some(task) = lock(&READY).pop_front() else { return any };
        any = true;
        task.poll();
    }
}

/// Wakes those whose time has come; returns when the next one is due.
pub(super) fn fire(now: impl FnOnce() -> Instant) -> Option<Instant> {
    let mut timers = lock(&TIMERS);
    let (first, _) = *timers.waiting.first_key_value()?.0;
    let now = now();
    if first > now {
        return Some(first);
    }
    let later = timers.waiting.split_off(&(now, u64::MAX));
    let due = std::mem::replace(&mut timers.waiting, later);
    let next = timers.waiting.first_key_value().map(|((at, _), _)| *at);
    drop(timers);
    due.into_values().for_each(Waker::wake);
    next
}

/// Has `waker` woken at `at`. With a key that was given before, the timer is changed.
pub(super) fn set_timer(key: Option<TimerKey>, at: Instant, waker: Waker) -> TimerKey {
    let mut timers = lock(&TIMERS);
    let key = key.unwrap_or_else(|| {
        timers.next += 1;
        (at, timers.next)
    });
    timers.waiting.insert(key, waker);
    key
}

/// Forgets a timer.
pub(super) fn forget_timer(key: TimerKey) {
    lock(&TIMERS).waiting.remove(&key);
}

impl Task {
    fn poll(self: Arc<Self>) {
        let mut state = lock(&self.0);
        state.is_queued = false;
        let Some(mut future) = state.future.take() else { return };
        drop(state);
        let waker = Waker::from(self.clone());
        if future.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
            lock(&self.0).future = Some(future);
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !std::mem::replace(&mut lock(&self.0).is_queued, true) {
            lock(&READY).push_back(self);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
