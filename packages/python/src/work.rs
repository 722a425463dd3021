//! What is to be done in Python, and the threads that wait for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyplug_core::ServerCall;
use anyplug_core::log::LogRecord;
use pyo3::prelude::*;

/// Something to do in Python. It comes from whichever thread reads, which may not be one of Python's.
pub(crate) enum Work {
    /// A call of the peer, of the method at this place in Python's table.
    Serve(usize, ServerCall),
    /// What somebody waited for has happened.
    Call(Py<PyAny>),
    /// An asyncio call has its answer; see [`Unaries`](crate::looped::Unaries).
    Answered(usize),
    Log(LogRecord),
}

/// The most threads that run handlers of one connection at the same time. What comes while all are busy waits; bytes are still read.
const MAX_WORKERS: usize = 64;

#[derive(Default)]
pub(crate) struct WorkQueue {
    state: Mutex<WorkState>,
    changed: Condvar,
    length: AtomicUsize,
}

#[derive(Default)]
pub(crate) struct WorkState {
    items: VecDeque<Work>,
    /// Threads that run handlers, or wait for work.
    pub(crate) workers: usize,
    /// Those of them that stand by: they neither read nor run a handler.
    pub(crate) standing_by: usize,
    /// Threads that were asked for and have not begun.
    pub(crate) expected: usize,
    /// No more work will come.
    pub(crate) ended: bool,
}

impl WorkState {
    /// How much there is to do.
    pub(crate) fn length(&self) -> usize {
        self.items.len()
    }

    /// Whether a thread that reads may stop reading to run a handler: another one is there, or can be started, to read on.
    pub(crate) fn can_leave(&self) -> bool {
        self.standing_by > 0 || self.workers + self.expected < MAX_WORKERS
    }
}

impl WorkQueue {
    pub(crate) fn lock(&self) -> MutexGuard<'_, WorkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds work and, unless the thread that adds it goes on to do it, wakes one that stands by.
    pub(crate) fn push(&self, work: Work, does_it_itself: bool) {
        let mut state = self.lock();
        state.items.push_back(work);
        self.length.store(state.items.len(), Ordering::SeqCst);
        if state.standing_by > 0 && !does_it_itself {
            self.changed.notify_one();
        }
    }

    pub(crate) fn pop(&self, state: &mut WorkState) -> Option<Work> {
        let work = state.items.pop_front();
        self.length.store(state.items.len(), Ordering::SeqCst);
        work
    }

    /// The place of an asyncio call that has its answer, if that is what is to be done next.
    pub(crate) fn pop_answered(&self) -> Option<usize> {
        let mut state = self.lock();
        match state.items.front() {
            Some(&Work::Answered(place)) => self.pop(&mut state).map(|_| place),
            _ => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length.load(Ordering::SeqCst) == 0
    }

    /// Says that no more work will come.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Wakes the threads that stand by.
    pub(crate) fn wake_standby(&self) {
        let state = self.lock();
        if state.standing_by > 0 {
            self.changed.notify_all();
        }
    }

    pub(crate) fn wait<'a>(
        &self,
        state: MutexGuard<'a, WorkState>,
        timeout: Option<Duration>,
    ) -> MutexGuard<'a, WorkState> {
        match timeout {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => self.changed.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner).0,
        }
    }
}
