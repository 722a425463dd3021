//! Threads of Python that wait for work: they read when nobody else does, and run handlers where they have read them.
//!
//! One thread reads, and runs a handler in place: no change of threads for a handler that is quick. Another stands by. When the reader does not come back in
//! a few milliseconds, because its handler takes long or waits, the one standing by reads on, and a third is asked for. So a slow handler holds up nobody.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyplug_core::Instant;
use anyplug_ipc::{Leader, Turn};
use pyo3::prelude::*;

use crate::link::{Link, NOBODY, SLEEPER, WORKER, lock, nanoseconds};
use crate::service::Handlers;
use crate::work::Work;

/// How long the right to read may lie idle before the thread that stands by takes it.
const LEFT_FOR: Duration = Duration::from_millis(2);
/// How often it looks, as long as the others are busy.
const LOOK: Duration = Duration::from_millis(4);
/// How often the main thread looks whether a signal has come; a signal that is delivered to it ends its sleep in any case.
const SIGNAL_CHECK: Duration = Duration::from_millis(500);
/// Output of handlers that run one after the other is held back for this long at most, to be written at once.
const HOLD_BACK: Duration = Duration::from_micros(50);

/// What a worker does.
#[derive(Clone, Copy)]
pub(crate) struct Habits {
    /// It polls for a moment before it sleeps: for a plugin, whose caller waits.
    pub(crate) spins: bool,
    /// It is the main thread, which has to look for signals.
    pub(crate) is_main: bool,
}

/// Why a worker comes back to Python.
pub(crate) enum Pause {
    /// The connection has ended.
    Ended,
    /// There are more workers than are needed.
    Excess,
}

enum Found {
    Work,
    Ended,
    Excess,
    Signals,
}

impl Link {
    /// Works until the worker has to come back. The thread has to be counted by [`Link::enter`]. `start_another` starts another worker, to read on while this one runs a handler.
    pub(crate) fn work(
        self: &Arc<Self>,
        py: Python<'_>,
        handlers: &Handlers,
        habits: Habits,
        start_another: &Bound<'_, PyAny>,
    ) -> PyResult<Pause> {
        loop {
            match py.detach(|| self.find_work(habits)) {
                Found::Work => {
                    let Some(first) = self.next_work() else { continue };
                    if self.asks_for_standby()
                        && let Err(error) = start_another.call0()
                    {
                        // No thread is to be had: what comes while the handler runs has to wait.
                        self.work.lock().expected -= 1;
                        error.write_unraisable(py, Some(start_another));
                    }
                    self.do_work(py, handlers, first)?;
                }
                Found::Ended => return Ok(Pause::Ended),
                Found::Excess => return Ok(Pause::Excess),
                Found::Signals => py.check_signals()?,
            }
        }
    }

    /// Does what there is to do, for a moment.
    fn do_work(self: &Arc<Self>, py: Python<'_>, handlers: &Handlers, first: Work) -> PyResult<()> {
        let start = Instant::now();
        let mut next = Some(first);
        let mut result = Ok(());
        while let (Ok(()), Some(work)) = (&result, next.take()) {
            if self.work.is_empty() {
                self.release_output();
            } else {
                self.hold_output_back();
            }
            result = self.perform(py, handlers, work).map(drop);
            if Instant::now().saturating_since(start) < HOLD_BACK {
                next = self.next_work();
            }
        }
        self.release_output();
        result
    }

    /// Whether another thread is to be started that reads on while this one runs a handler.
    fn asks_for_standby(&self) -> bool {
        let mut state = self.work.lock();
        let asks = state.standing_by + state.expected == 0 && state.can_leave();
        state.expected += usize::from(asks);
        asks
    }

    fn next_work(&self) -> Option<Work> {
        let mut state = self.work.lock();
        self.work.pop(&mut state)
    }

    /// Does one thing. Returns whether it is done; a handler may answer later.
    pub(crate) fn perform(self: &Arc<Self>, py: Python<'_>, handlers: &Handlers, work: Work) -> PyResult<bool> {
        match work {
            Work::Serve(method, call) => handlers.serve(py, self, method, call),
            Work::Call(callback) => callback.call0(py).map(|_| false),
            Work::Log(record) => handlers.log(py, &record).map(|()| false),
            Work::Answered(place) => match self.looped.get() {
                Some(looped) => looped.answer(py, place).map(|()| false),
                None => Ok(true),
            },
        }
    }

    fn find_work(self: &Arc<Self>, habits: Habits) -> Found {
        loop {
            {
                let state = self.work.lock();
                if !self.work.is_empty() {
                    return Found::Work;
                }
                if state.ended {
                    return Found::Ended;
                }
            }
            if let Some(leader) = self.try_lead(WORKER) {
                let found = self.read_for_work(leader, habits);
                if let Some(found) = found {
                    return found;
                }
                continue;
            }
            if let Some(found) = self.stand_by(habits) {
                return found;
            }
        }
    }

    /// Reads until there is work, a caller wants to read, or the stream ends.
    fn read_for_work(self: &Arc<Self>, mut leader: Leader<'_>, habits: Habits) -> Option<Found> {
        let has_work = || !self.work.is_empty();
        let mut found = None;
        self.pump.flush();
        if habits.spins && !has_work() {
            let mut spin = lock(&self.spin);
            if spin.allowed() {
                leader.spin(&mut spin, has_work);
            }
        }
        let mut may_leave = true;
        while !(has_work() && may_leave) {
            match leader.turn() {
                Turn::Moved => {}
                Turn::Idle if !self.is_finishing() => {
                    if self.takes_over.swap(false, Ordering::SeqCst) {
                        break;
                    }
                    self.reads.store(SLEEPER, Ordering::SeqCst);
                    let until = habits.is_main.then(|| Instant::now().saturating_add(SIGNAL_CHECK));
                    let turn = leader.wait(until);
                    self.reads.store(WORKER, Ordering::SeqCst);
                    self.work.wake_standby();
                    if turn == Turn::Ended {
                        self.stream_ended();
                        break;
                    }
                    if habits.is_main && !has_work() {
                        found = Some(Found::Signals);
                        break;
                    }
                }
                Turn::Idle | Turn::Ended => {
                    self.stream_ended();
                    break;
                }
            }
            may_leave = !has_work() || self.work.lock().can_leave();
        }
        self.stop_leading(leader);
        found
    }

    /// Waits until there is work, or the right to read lies idle. None: look again.
    fn stand_by(&self, habits: Habits) -> Option<Found> {
        let mut state = self.work.lock();
        if !habits.is_main && state.standing_by > 0 {
            return Some(Found::Excess);
        }
        state.standing_by += 1;
        let mut found = None;
        while self.work.is_empty() && !state.ended && !self.lies_idle() {
            let is_watched = self.reads.load(Ordering::SeqCst) == SLEEPER || self.looped.get().is_some();
            let timeout = match (is_watched, habits.is_main) {
                (false, _) => Some(LOOK),
                (true, true) => Some(SIGNAL_CHECK),
                (true, false) => None,
            };
            state = self.work.wait(state, timeout);
            if habits.is_main {
                found = Some(Found::Signals);
                break;
            }
        }
        state.standing_by -= 1;
        found
    }

    /// Whether nobody has read for a while.
    fn lies_idle(&self) -> bool {
        let left_at = self.left_at.load(Ordering::SeqCst);
        self.reads.load(Ordering::SeqCst) == NOBODY
            && !self.has_ended()
            && nanoseconds(Instant::now()).saturating_sub(left_at) >= LEFT_FOR.as_nanos() as u64
    }

    /// Counts this thread as a worker.
    pub(crate) fn enter(&self) {
        let mut state = self.work.lock();
        state.workers += 1;
        state.expected = state.expected.saturating_sub(1);
    }

    /// No longer counts this thread as a worker.
    pub(crate) fn leave(&self) {
        self.work.lock().workers -= 1;
    }
}
