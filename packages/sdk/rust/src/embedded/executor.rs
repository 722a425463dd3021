//! Runs what a plugin waits for: handlers, and whatever else they started. Tasks are polled when they were woken, until all of them wait.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use anyplug_core::{BoxFuture, Instant};

static READY: Mutex<VecDeque<Arc<Task>>> = Mutex::new(VecDeque::new());
static TIMERS: Mutex<Timers> = Mutex::new(Timers { waiting: Vec::new(), next: 0 });

/// A future that is polled when it was woken.
struct Task(Mutex<State>);

struct State {
    future: Option<BoxFuture<()>>,
    is_queued: bool,
}

struct Timers {
    /// Sorted: the last one is due first.
    waiting: Vec<(TimerKey, Waker)>,
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

/// Whether a task waits to be polled, or for its time.
pub(super) fn is_busy() -> bool {
    is_ready() || !lock(&TIMERS).waiting.is_empty()
}

/// Whether a task waits to be polled.
pub(super) fn is_ready() -> bool {
    !lock(&READY).is_empty()
}

/// Wakes those whose time has come; returns when the next one is due.
pub(super) fn fire(now: impl FnOnce() -> Instant) -> Option<Instant> {
    let mut timers = lock(&TIMERS);
    let mut next = timers.waiting.last()?.0.0;
    let now = now();
    while next <= now {
        let due = timers.waiting.pop();
        // A waker that is woken may set a timer.
        drop(timers);
        if let Some((_, waker)) = due {
            waker.wake();
        }
        timers = lock(&TIMERS);
        next = timers.waiting.last()?.0.0;
    }
    Some(next)
}

/// Has `waker` woken at `at`. With a key that was given before, the timer is changed.
pub(super) fn set_timer(key: Option<TimerKey>, at: Instant, waker: Waker) -> TimerKey {
    let mut timers = lock(&TIMERS);
    let key = key.unwrap_or_else(|| {
        timers.next += 1;
        (at, timers.next)
    });
    match timers.place(key) {
        Ok(place) => timers.waiting[place].1 = waker,
        Err(place) => timers.waiting.insert(place, (key, waker)),
    }
    key
}

/// Forgets a timer.
pub(super) fn forget_timer(key: TimerKey) {
    let mut timers = lock(&TIMERS);
    if let Ok(place) = timers.place(key) {
        timers.waiting.remove(place);
    }
}

impl Timers {
    fn place(&self, key: TimerKey) -> Result<usize, usize> {
        self.waiting.binary_search_by(|(other, _)| key.cmp(other))
    }
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
