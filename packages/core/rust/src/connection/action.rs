//! What follows from the session's events: collected under the lock, done without it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Waker};

use bytes::Bytes;

use super::Inner;
use super::slot::State;
use crate::context::Context;
use crate::error::Error;
use crate::header::{CallHeader, Metadata};
use crate::log::LogRecord;
use crate::router::ServerCall;
use crate::session::Event;
use crate::transport::Payload;

/// Something to do once the lock is released.
pub(super) enum Action {
    Wake(Waker),
    Cancel(Context, Error),
    Serve { service: usize, method: usize, call: ServerCall },
    Log(LogRecord),
}

/// Things to do, in order. Mostly there is one, which needs no memory.
#[derive(Default)]
pub(super) struct Actions {
    first: Option<Action>,
    rest: Vec<Action>,
}

impl Actions {
    pub(super) fn push(&mut self, action: Action) {
        match self.first {
            None => self.first = Some(action),
            Some(_) => self.rest.push(action),
        }
    }

    pub(super) fn wake(&mut self, waker: &mut Option<Waker>) {
        if let Some(waker) = waker.take() {
            self.push(Action::Wake(waker));
        }
    }

    pub(super) fn wake_all(&mut self, wakers: &mut Vec<Waker>) {
        while let Some(waker) = wakers.pop() {
            self.push(Action::Wake(waker));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Does everything; the lock must not be held.
    pub(super) fn perform(self, inner: &Inner) {
        if let Some(first) = self.first {
            first.perform(inner);
            if !self.rest.is_empty() {
                self.rest.into_iter().for_each(|action| action.perform(inner));
            }
        }
    }
}

impl Action {
    fn perform(self, inner: &Inner) {
        match self {
            Self::Wake(waker) => waker.wake(),
            Self::Cancel(context, reason) => context.cancel(reason),
            Self::Log(record) => inner.shell.log(record),
            Self::Serve { service, method, call } => inner.serve(service, method, call),
        }
    }
}

impl Inner {
    /// Runs a handler until it first has to wait; what remains is the shell's.
    pub(super) fn serve(&self, service: usize, method: usize, call: ServerCall) {
        let mut call = Some(call);
        self.shell.run(&mut || {
            let Some(mut handling) = call.take().and_then(|call| self.router.serve(service, method, call)) else {
                return;
            };
            // Polled again at once by whoever it is given to, so a wake-up in between is not lost.
            let mut task = TaskContext::from_waker(Waker::noop());
            if Pin::new(&mut handling).poll(&mut task).is_pending() {
                self.shell.spawn(Box::pin(handling));
            }
        });
    }

    /// Turns the session's events into changes of the calls and things to do.
    pub(super) fn collect(self: &Arc<Self>, state: &mut State) -> Actions {
        let mut actions = std::mem::take(&mut state.later);
        while let Some(event) = state.session.next_event() {
            self.handle(state, event, &mut actions);
        }
        actions
    }

    fn handle(self: &Arc<Self>, state: &mut State, event: Event, actions: &mut Actions) {
        match event {
            Event::Hello { peer } => {
                let _ = self.peer_name.set(Arc::from(peer.name.as_str()));
                let _ = self.peer.set(peer);
                actions.wake_all(&mut state.waiting);
            }
            Event::Request { call, method, header, payload, end } => {
                if let Some(action) = self.begin(state, call, method, header, payload, end) {
                    actions.push(action);
                }
            }
            Event::Message { call, payload, end, header, held } => {
                let metadata = header.map(|header| header.metadata);
                receive_message(state, call, (payload, held), end, metadata, actions);
            }
            Event::End { call, status } => match state.slot_of(call).is_some_and(|slot| slot.is_callee) {
                true => {
                    if let Some(slot) = state.slot_of(call) {
                        slot.received_all = true;
                        actions.wake(&mut slot.reader);
                    }
                }
                false => {
                    if let Some(slot) = state.end(call) {
                        slot.received_all = true;
                        match status.into_result() {
                            Ok(trailer) => slot.succeed(trailer),
                            Err(error) => slot.outcome = Some(Err(error)),
                        }
                        slot.wake_all(actions);
                    }
                }
            },
            Event::Cancelled { call, status } => {
                state.answers.remove(call);
                if let Some(slot) = state.end(call) {
                    let reason = status.into_error(crate::code::Code::Cancelled, "the call was cancelled");
                    slot.outcome = Some(Err(reason.clone()));
                    slot.drop_messages();
                    if let Some(context) = slot.context.take() {
                        actions.push(Action::Cancel(context, reason));
                    }
                    slot.wake_all(actions);
                }
            }
            Event::Writable { call } => {
                state.send_waiting_answer(call);
                if let Some(slot) = state.slot_of(call) {
                    slot.wake_writers(actions);
                }
            }
            Event::Pong { payload } => {
                if let Ok(number) = payload.as_ref().try_into() {
                    state.pongs = state.pongs.max(u64::from_le_bytes(number));
                }
                actions.wake_all(&mut state.waiting);
            }
            Event::Log { record } => actions.push(Action::Log(*record)),
            Event::Goaway { .. } => {
                state.draining = true;
                actions.wake_all(&mut state.waiting);
            }
            Event::Drained => {
                state.drained = true;
                actions.wake_all(&mut state.waiting);
            }
            Event::Closed { .. } => actions.wake_all(&mut state.waiting),
        }
    }

    /// Keeps a call that the peer makes, and gives the start of its handler.
    fn begin(
        self: &Arc<Self>,
        state: &mut State,
        id: u32,
        index: u16,
        header: Option<Box<CallHeader>>,
        payload: Option<Bytes>,
        end: bool,
    ) -> Option<Action> {
        // The session has refused what is past the table.
        let (service, method) = *self.table.get(usize::from(index))?;
        let context = Context::new(service, method, header, self.clone());
        let stream = Arc::new(self.open_callee(state, id, &context, end));
        let call = ServerCall::new(context, payload.map(Payload::Bytes), stream);
        Some(Action::Serve { service, method, call })
    }
}

fn receive_message(
    state: &mut State,
    call: u32,
    message: (Bytes, bool),
    end: bool,
    header: Option<Metadata>,
    actions: &mut Actions,
) {
    let is_callee = state.slot_of(call).is_some_and(|slot| slot.is_callee);
    let slot = if end && !is_callee { state.end(call) } else { state.slot_of(call) };
    let Some(slot) = slot else {
        return;
    };
    slot.push_message(message.0, message.1);
    if let Some(header) = header {
        slot.set_header(header);
    }
    if end {
        slot.received_all = true;
        if is_callee {
            actions.wake(&mut slot.reader);
        } else {
            slot.outcome = Some(Ok(()));
            slot.wake_all(actions);
        }
    } else {
        actions.wake(&mut slot.reader);
    }
}
