//! A call between two ends in one process: a queue of messages for each direction, and how the call ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use anyplug_core::{CallStream, Context, Error, Instant, Metadata, Payload, Response, Result};
use anyplug_threads::timer::{self, Due};

use crate::direct::Shared;

/// Messages that may wait in one direction of a call; a sender waits when there are as many.
const MOST_WAITING: usize = 16;

/// A call. As a [`CallStream`] it is the callee's end; [`CallerEnd`] is the other.
pub(crate) struct DirectCall {
    shared: Arc<Shared>,
    /// The side that answers.
    callee: usize,
    /// What the handler sees.
    context: Context,
    timeout_ms: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    to_callee: Direction,
    to_caller: Direction,
    header: Option<Metadata>,
    /// How the call ended, with the trailer; none while it goes on.
    outcome: Option<Result<Metadata>>,
    timer: Option<timer::Key>,
}

/// One direction of a call.
#[derive(Default)]
struct Direction {
    messages: VecDeque<Payload>,
    /// The sender's last message is in.
    is_complete: bool,
    reader: Option<Waker>,
    writers: Vec<Waker>,
}

impl Direction {
    fn set_reader(&mut self, task: &TaskContext<'_>) {
        match &mut self.reader {
            Some(waker) => waker.clone_from(task.waker()),
            none => *none = Some(task.waker().clone()),
        }
    }

    fn add_writer(&mut self, task: &TaskContext<'_>) {
        if !self.writers.iter().any(|waker| waker.will_wake(task.waker())) {
            self.writers.push(task.waker().clone());
        }
    }

    fn take_wakers(&mut self) -> Vec<Waker> {
        let mut wakers = std::mem::take(&mut self.writers);
        wakers.extend(self.reader.take());
        wakers
    }
}

/// Who does something to a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Caller,
    Callee,
}

impl State {
    fn incoming(&mut self, end: End) -> &mut Direction {
        match end {
            End::Caller => &mut self.to_caller,
            End::Callee => &mut self.to_callee,
        }
    }

    fn outgoing(&mut self, end: End) -> &mut Direction {
        match end {
            End::Caller => &mut self.to_callee,
            End::Callee => &mut self.to_caller,
        }
    }

    /// Why nothing can be sent any more; none while the call goes on.
    fn failure(&self) -> Option<Error> {
        match &self.outcome {
            None => None,
            Some(Err(error)) => Some(error.clone()),
            Some(Ok(_)) => Some(Error::cancelled("the call has ended")),
        }
    }
}

impl DirectCall {
    pub(crate) fn new(shared: Arc<Shared>, callee: usize, context: Context, timeout_ms: u32) -> Self {
        Self { shared, callee, context, timeout_ms, state: Mutex::default() }
    }

    /// When the call ends at the latest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.context.deadline()
    }

    /// Whether the call has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().outcome.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what will have to be forgotten when the call ends; false when it has ended already.
    pub(crate) fn keep_timer(&self, key: timer::Key) -> bool {
        let mut state = self.lock();
        let goes_on = state.outcome.is_none();
        if goes_on {
            state.timer = Some(key);
        }
        goes_on
    }

    /// Ends the call from outside: the caller gets the reason, and the handler is told.
    pub(crate) fn give_up(&self, reason: Error) {
        if self.conclude(Err(reason.clone())) {
            self.context.cancel(reason);
        }
    }

    /// Notes how the call ended, and wakes everyone; false when it had ended before.
    fn conclude(&self, outcome: Result<Metadata>) -> bool {
        let (wakers, unread, timer) = {
            let mut state = self.lock();
            if state.outcome.is_some() {
                return false;
            }
            state.outcome = Some(outcome);
            state.to_caller.is_complete = true;
            let mut wakers = state.to_caller.take_wakers();
            wakers.append(&mut state.to_callee.take_wakers());
            (wakers, std::mem::take(&mut state.to_callee.messages), state.timer.take())
        };
        drop(unread);
        timer.into_iter().for_each(timer::remove);
        self.shared.call_ended(self.callee, std::ptr::from_ref(self).addr());
        wakers.into_iter().for_each(Waker::wake);
        true
    }

    /// The answer of a handler that had to wait.
    pub(crate) fn answer(&self, answer: Result<Response<Payload>>) {
        self.conclude(answer.map(|Response { message, header, trailer }| {
            let mut state = self.lock();
            state.header = Some(header);
            state.to_caller.messages.push_back(message);
            trailer
        }));
    }

    fn poll_receive_at(&self, end: End, task: &mut TaskContext<'_>) -> Poll<Result<Option<Payload>>> {
        let (message, writers) = {
            let mut state = self.lock();
            let direction = state.incoming(end);
            match direction.messages.pop_front() {
                Some(message) => (message, std::mem::take(&mut direction.writers)),
                None => {
                    let is_complete = direction.is_complete;
                    return match &state.outcome {
                        Some(Err(error)) => Poll::Ready(Err(error.clone())),
                        _ if is_complete => Poll::Ready(Ok(None)),
                        Some(Ok(_)) => Poll::Ready(Err(Error::cancelled("the call has ended"))),
                        None => {
                            state.incoming(end).set_reader(task);
                            Poll::Pending
                        }
                    };
                }
            }
        };
        writers.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(Some(message)))
    }

    fn poll_ready_at(&self, end: End, task: &mut TaskContext<'_>) -> Poll<Result<()>> {
        let mut state = self.lock();
        if let Some(error) = state.failure() {
            return Poll::Ready(Err(error));
        }
        let direction = state.outgoing(end);
        if direction.messages.len() < MOST_WAITING {
            return Poll::Ready(Ok(()));
        }
        direction.add_writer(task);
        Poll::Pending
    }

    fn poll_ended_at(&self, end: End, task: &mut TaskContext<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.outcome.is_some() {
            return Poll::Ready(());
        }
        state.outgoing(end).add_writer(task);
        Poll::Pending
    }

    fn send_at(&self, end: End, message: Payload, last: bool, header: Metadata) -> Result<()> {
        let reader = {
            let mut state = self.lock();
            if let Some(error) = state.failure() {
                return Err(error);
            }
            if end == End::Callee {
                state.header.get_or_insert(header);
            }
            let direction = state.outgoing(end);
            if direction.is_complete {
                return Err(Error::internal("a message after the last"));
            }
            if direction.messages.len() >= MOST_WAITING {
                return Err(Error::resource_exhausted("the call has no credit; wait until it is writable"));
            }
            direction.messages.push_back(message);
            direction.is_complete = last;
            direction.reader.take()
        };
        reader.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

impl Due for DirectCall {
    fn due(self: Arc<Self>) {
        let message = format!("the call took longer than its {} ms", self.timeout_ms);
        self.give_up(Error::deadline_exceeded(message));
    }
}

impl CallStream for DirectCall {
    fn passes_objects(&self) -> bool {
        true
    }

    fn poll_receive(&self, task: &mut TaskContext<'_>) -> Poll<Result<Option<Payload>>> {
        self.poll_receive_at(End::Callee, task)
    }

    fn poll_ready(&self, task: &mut TaskContext<'_>) -> Poll<Result<()>> {
        self.poll_ready_at(End::Callee, task)
    }

    fn poll_ended(&self, task: &mut TaskContext<'_>) -> Poll<()> {
        self.poll_ended_at(End::Callee, task)
    }

    fn send(&self, message: Payload, last: bool) -> Result<()> {
        let (header, trailer) = self.context.take_metadata(last);
        self.send_at(End::Callee, message, last, header)?;
        if last {
            self.conclude(Ok(trailer));
        }
        Ok(())
    }

    fn end(&self, result: Result<()>) {
        let trailer = self.context.take_trailer();
        self.conclude(match result {
            Ok(()) => Ok(trailer),
            Err(error) => Err(error.with_trailer(trailer)),
        });
    }

    fn header(&self) -> Option<Metadata> {
        None
    }

    fn trailer(&self) -> Option<Metadata> {
        None
    }
}

/// The caller's end of a call. Dropping it cancels the call.
pub(crate) struct CallerEnd(pub(crate) Arc<DirectCall>);

impl CallerEnd {
    /// The answer to a call with one response: exactly one message, and then success.
    pub(crate) fn poll_response(&self, task: &mut TaskContext<'_>) -> Poll<Result<Response<Payload>>> {
        let mut state = self.0.lock();
        if state.to_caller.messages.len() > 1 {
            drop(state);
            let error = Error::internal("the call got a second message where its kind promises one");
            self.0.give_up(error.clone());
            return Poll::Ready(Err(error));
        }
        let trailer = match &mut state.outcome {
            Some(Ok(trailer)) => std::mem::take(trailer),
            Some(Err(error)) => return Poll::Ready(Err(error.clone())),
            None => {
                state.to_caller.set_reader(task);
                return Poll::Pending;
            }
        };
        let header = state.header.take().unwrap_or_default();
        Poll::Ready(match state.to_caller.messages.pop_front() {
            Some(message) => Ok(Response { message, header, trailer }),
            None => Err(Error::internal("the call succeeded without the one message that its kind promises")),
        })
    }
}

impl CallStream for CallerEnd {
    fn passes_objects(&self) -> bool {
        true
    }

    fn poll_receive(&self, task: &mut TaskContext<'_>) -> Poll<Result<Option<Payload>>> {
        self.0.poll_receive_at(End::Caller, task)
    }

    fn poll_ready(&self, task: &mut TaskContext<'_>) -> Poll<Result<()>> {
        self.0.poll_ready_at(End::Caller, task)
    }

    fn poll_ended(&self, task: &mut TaskContext<'_>) -> Poll<()> {
        self.0.poll_ended_at(End::Caller, task)
    }

    fn send(&self, message: Payload, last: bool) -> Result<()> {
        self.0.send_at(End::Caller, message, last, Metadata::new())
    }

    fn end(&self, result: Result<()>) {
        match result {
            Ok(()) => {
                let reader = {
                    let mut state = self.0.lock();
                    state.to_callee.is_complete = true;
                    state.to_callee.reader.take()
                };
                reader.into_iter().for_each(Waker::wake);
            }
            Err(reason) => self.0.give_up(reason),
        }
    }

    fn header(&self) -> Option<Metadata> {
        let state = self.0.lock();
        match (&state.header, &state.outcome) {
            (Some(header), _) => Some(header.clone()),
            (None, Some(_)) => Some(Metadata::new()),
            (None, None) => None,
        }
    }

    fn trailer(&self) -> Option<Metadata> {
        match self.0.lock().outcome.as_ref()? {
            Ok(trailer) => Some(trailer.clone()),
            Err(error) => Some(error.metadata().clone()),
        }
    }
}

impl Drop for CallerEnd {
    fn drop(&mut self) {
        if self.0.lock().outcome.is_none() {
            self.0.give_up(Error::cancelled("the caller dropped the call"));
        }
    }
}
