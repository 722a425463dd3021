//! A thread of Python that waits for something: it lets go of the interpreter, and reads for itself when nobody else does.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use anyplug_core::{Error, Instant};
use anyplug_ipc::{Leader, Turn};
use pyo3::prelude::*;

use crate::error::to_exception;
use crate::link::{CALLER, Link, NOBODY, SLEEPER, WORKER, lock, nanoseconds};
use crate::parker::{Parker, current_thread};

/// How often a thread that waits looks whether a signal has come, for Ctrl-C.
const SIGNAL_CHECK: Duration = Duration::from_millis(50);

impl Link {
    /// Waits until `poll` is ready, or `until` has come (then: None).
    ///
    /// Raises what a signal handler raises (KeyboardInterrupt), and FAILED_PRECONDITION in the thread of the event loop that has to do the reading.
    pub(crate) fn block_on<T: Send>(
        self: &Arc<Self>,
        py: Python<'_>,
        mut poll: impl FnMut(&mut TaskContext<'_>) -> Poll<T> + Send,
        until: Option<Instant>,
    ) -> PyResult<Option<T>> {
        self.check_may_wait(py)?;
        loop {
            let found = py.detach(|| {
                let slice = Instant::now().saturating_add(SIGNAL_CHECK);
                self.wait_slice(&mut poll, until.map_or(slice, |until| until.min(slice)))
            });
            if let Some(found) = found {
                return Ok(Some(found));
            }
            py.check_signals()?;
            if until.is_some_and(|until| until <= Instant::now()) {
                return Ok(None);
            }
        }
    }

    fn check_may_wait(&self, py: Python<'_>) -> PyResult<()> {
        if self.looped.get().is_some_and(crate::looped::Looped::is_own_thread) {
            let error = Error::failed_precondition(
                "a synchronous call in the thread of the event loop would wait for itself: await the asyncio client instead",
            );
            return Err(to_exception(py, &error));
        }
        Ok(())
    }

    fn wait_slice<T>(
        self: &Arc<Self>,
        poll: &mut impl FnMut(&mut TaskContext<'_>) -> Poll<T>,
        until: Instant,
    ) -> Option<T> {
        let parker = Parker::of_this_thread();
        let waker = Waker::from(parker.clone());
        loop {
            let found = self.read_until(poll, until);
            if found.is_some() {
                return found;
            }
            // Somebody else reads. From here on there is a wake-up for the answer, and one for the right to read.
            lock(&self.followers).push(parker.clone());
            let found = poll(&mut TaskContext::from_waker(&waker));
            if found.is_pending() && !self.can_read() {
                self.ask_to_read();
                parker.sleep(until);
            }
            lock(&self.followers).retain(|follower| !Arc::ptr_eq(follower, &parker));
            if let Poll::Ready(found) = found {
                // A right to read that was given to this thread goes on to the next.
                self.hand_over();
                return Some(found);
            }
            if Instant::now() >= until {
                self.hand_over();
                return None;
            }
        }
    }

    fn can_read(&self) -> bool {
        !self.has_ended()
            && self.guest().is_none()
            && self.looped.get().is_none()
            && self.reads.load(Ordering::SeqCst) == NOBODY
    }

    /// A thread that sleeps until there is something to read lets a caller read instead: that saves a change of threads for each answer.
    fn ask_to_read(&self) {
        if self.guest().is_none() && self.reads.load(Ordering::SeqCst) == SLEEPER {
            self.takes_over.store(true, Ordering::SeqCst);
            self.pump.kick();
        }
    }

    /// Becomes the one who reads, if nobody is.
    pub(crate) fn try_lead(&self, as_what: u8) -> Option<Leader<'_>> {
        // A caller of a module has nothing to read: it is inside itself, or told by who is.
        if self.has_ended() || self.looped.get().is_some() || (as_what == CALLER && self.guest().is_some()) {
            return None;
        }
        let leader = self.pump.try_lead()?;
        self.reads.store(as_what, Ordering::SeqCst);
        if as_what == WORKER {
            self.working_reader.store(current_thread(), Ordering::Relaxed);
        }
        Some(leader)
    }

    /// Stops to read, and lets another thread.
    pub(crate) fn stop_leading(&self, leader: Leader<'_>) {
        self.left_at.store(nanoseconds(Instant::now()), Ordering::SeqCst);
        self.working_reader.store(0, Ordering::Relaxed);
        self.reads.store(NOBODY, Ordering::SeqCst);
        drop(leader);
        self.hand_over();
    }

    /// Reads until `poll` is ready, or the time has come. None at once when somebody else reads.
    fn read_until<T>(
        self: &Arc<Self>,
        poll: &mut impl FnMut(&mut TaskContext<'_>) -> Poll<T>,
        until: Instant,
    ) -> Option<T> {
        let mut leader = self.try_lead(CALLER)?;
        let found = RefCell::new(None);
        let poll = RefCell::new(poll);
        let is_done = || {
            if let Poll::Ready(value) = (poll.borrow_mut())(&mut TaskContext::from_waker(Waker::noop())) {
                *found.borrow_mut() = Some(value);
                return true;
            }
            false
        };
        self.pump.flush();
        let mut done = is_done();
        if !done {
            let mut spin = lock(&self.spin);
            if spin.allowed() {
                // Ends after 20 us, or at the end of the stream, which the next look sees as well.
                leader.spin(&mut spin, is_done);
                done = found.borrow().is_some();
            }
        }
        while !done {
            match leader.turn() {
                Turn::Moved => {}
                Turn::Idle if !self.is_finishing() => {
                    if Instant::now() >= until {
                        break;
                    }
                    if leader.wait(Some(until)) == Turn::Ended {
                        self.stream_ended();
                        break;
                    }
                }
                Turn::Idle | Turn::Ended => {
                    self.stream_ended();
                    break;
                }
            }
            done = is_done();
        }
        self.stop_leading(leader);
        found.into_inner()
    }
}
