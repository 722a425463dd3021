//! A call that is made while its event loop has nothing else to do.
//!
//! It is written, and its answer waited for, before its task gives way to the loop: for as long as a tick would, 20 us at most. Two turns of the loop, which take longer than the call, fall away then.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pyo3::prelude::*;

use crate::link::Link;
use crate::looped::Looped;

/// How many calls of a loop are answered in a row before it has its turn: timers and other descriptors wait until then.
pub(crate) const MOST_IN_A_ROW: u32 = 16;

impl Looped {
    /// Whether a call that is made now is alone: no other waits for its answer, and no task or callback is ready to run. If so, no tick is asked for before [`Link::answer_alone`], which is to follow.
    pub(crate) fn begins_alone(&self, py: Python<'_>, most_in_a_row: u32) -> bool {
        let is_alone = self.pending.load(Ordering::Relaxed) == 0
            && self.in_a_row.fetch_add(1, Ordering::Relaxed) < most_in_a_row
            && self.ready.as_ref().is_some_and(|ready| ready.bind(py).len().is_ok_and(|ready| ready == 0));
        is_alone && !self.is_ticking.swap(true, Ordering::SeqCst)
    }
}

impl Link {
    /// Writes the call that was made alone, and gives its future the answer if that comes at once. Other work is left to a tick, where no task is running.
    pub(crate) fn answer_alone(self: &Arc<Self>, py: Python<'_>, looped: &Looped, is_made: bool) -> PyResult<()> {
        let mut answered = Ok(());
        if is_made {
            self.pump.flush();
            if self.guest().is_none()
                && let (false, Some(mut leader)) = (self.has_ended(), self.pump.try_lead())
            {
                self.read_some(&mut leader, looped);
            }
            if let Some(place) = self.work.pop_answered() {
                answered = looped.answer(py, place);
            }
            self.pump.flush();
        }
        looped.is_ticking.store(false, Ordering::SeqCst);
        if !self.work.is_empty() || self.pump.is_blocked() {
            looped.nudge();
        }
        answered
    }
}
