//! Calls by bytes, from either end.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;

use super::Inner;
use super::now::{self, CallNow, CalledNow};
use super::slot::{Slot, State};
use crate::channel::Instant;
use crate::code::Code;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::header::{CallHeader, Metadata};
use crate::session::Request;
use crate::status::Status;
use crate::transport::{CallOptions, CallStream, Payload, Response};

/// What [`Connection::start`](super::Connection::start) sends.
#[derive(Debug, Default)]
pub struct RawRequest<'a> {
    /// Index of the method in the peer's table.
    pub method: u16,
    /// The one request message, with `end`; empty otherwise.
    pub payload: &'a [u8],
    /// No message follows.
    pub end: bool,
    /// Timeout, metadata, and the call within which this one is made.
    pub options: CallOptions,
    /// Milliseconds that the call may take when the options give no timeout; 0: no limit.
    pub default_timeout_ms: u32,
}

/// A call by bytes. At the caller, dropping it cancels the call.
pub struct RawCall {
    inner: Arc<Inner>,
    place: usize,
    /// The place is given up: nothing is left to be known of the call. Changed under the lock only.
    is_gone: AtomicBool,
    /// What the handler sees, at the callee.
    context: Option<Context>,
}

impl Inner {
    pub(super) fn start(self: &Arc<Self>, request: RawRequest<'_>) -> Result<RawCall> {
        let RawRequest { method, payload, end, options, default_timeout_ms } = request;
        let (header, deadline) = options.begin(default_timeout_ms, || self.shell.now())?;
        let header = (!header.is_empty()).then_some(&header);
        let (call, news) = self.send_request(method, Request { header, payload, end }, deadline, false)?;
        if news {
            self.shell.wake();
        }
        Ok(call)
    }

    /// Makes a call with one answer, which `take` is given if it is there at once.
    pub(super) fn start_unary(
        self: &Arc<Self>,
        method: u16,
        payload: &[u8],
        options: &mut CallOptions,
        default_timeout_ms: u32,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Started> {
        if default_timeout_ms == 0 && options.is_empty() {
            return self.start_now(method, None, payload, None, take);
        }
        let (header, deadline) = std::mem::take(options).begin(default_timeout_ms, || self.shell.now())?;
        self.start_now(method, (!header.is_empty()).then_some(&header), payload, deadline, take)
    }

    /// Its request may wait until the future was polled for the second time.
    fn start_now(
        self: &Arc<Self>,
        method: u16,
        header: Option<&CallHeader>,
        payload: &[u8],
        deadline: Option<Instant>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Started> {
        let mut call = CallNow::new(self, method, header, payload, deadline, take);
        let ended = match self.shell.call_now(&mut call) {
            CalledNow::Not => {
                let (call, news) = self.send_request(method, Request { header, payload, end: true }, deadline, true)?;
                let stage = if news && self.shell.called() { Stage::Unsent } else { Stage::Sent };
                return Ok(Started::Open(RawUnary(Unary::Open { call, stage })));
            }
            CalledNow::Pending => {
                let place = call.place.ok_or_else(|| Error::internal("a pending call was not adopted"))?;
                let call = RawCall::new(self.clone(), place, None);
                return Ok(Started::Open(RawUnary(Unary::Open { call, stage: Stage::Sent })));
            }
            CalledNow::Done => Ok(()),
            CalledNow::Failed(status) => Err(now::failure(&status)),
            CalledNow::Refused(error) => Err(error),
        };
        Ok(Started::Ended(ended))
    }

    /// As [`start_unary`](Self::start_unary), with an answer that is kept.
    pub(super) fn start_raw_unary(self: &Arc<Self>, request: RawRequest<'_>) -> Result<RawUnary> {
        let RawRequest { method, payload, mut options, default_timeout_ms, .. } = request;
        let mut message = Bytes::new();
        let take = &mut |answer: &[u8]| message = Bytes::copy_from_slice(answer);
        let started = self.start_unary(method, payload, &mut options, default_timeout_ms, take)?;
        Ok(match started {
            Started::Open(call) => call,
            Started::Ended(ended) => RawUnary(Unary::Ended(Mutex::new(Some(ended.map(|()| Response::of(message)))))),
        })
    }

    /// Ends the connection for an answer over the limit of this side, as a frame of that size would.
    pub(super) fn check_answer(self: &Arc<Self>, bytes: usize) -> Result<()> {
        if bytes <= self.max_message_bytes {
            return Ok(());
        }
        let message = format!("a message of {bytes} bytes is over the limit of {} bytes", self.max_message_bytes);
        self.change(|state| state.session.fail(Status::new(Code::ResourceExhausted, message.clone())));
        Err(Error::unavailable(format!("the connection ended: {message}")))
    }

    /// Returns whether there is output that the shell does not know of, too.
    fn send_request(
        self: &Arc<Self>,
        method: u16,
        request: Request<'_>,
        deadline: Option<Instant>,
        may_hold_back: bool,
    ) -> Result<(RawCall, bool)> {
        let header = request.header;
        let send = |state: &mut State| {
            let id = state.session.request_at(method, request)?;
            let timeout_ms = header.and_then(|header| header.timeout_ms).unwrap_or(0);
            Ok::<_, Error>(state.insert(Slot { id, deadline, timeout_ms, ..Slot::default() }))
        };
        let (place, news) = self.change_quietly(may_hold_back, send);
        Ok((RawCall::new(self.clone(), place?, None), news))
    }
}

impl RawCall {
    pub(super) fn new(inner: Arc<Inner>, place: usize, context: Option<Context>) -> Self {
        Self { inner, place, is_gone: AtomicBool::new(false), context }
    }

    fn slot<'a>(&self, state: &'a mut State) -> Option<&'a mut Slot> {
        if self.is_gone.load(Ordering::Relaxed) { None } else { state.slot(self.place) }
    }

    /// Gives the place up at once, so that dropping the handle has nothing to do.
    fn forget(&self, state: &mut State) {
        if !self.is_gone.load(Ordering::Relaxed) {
            self.is_gone.store(true, Ordering::Relaxed);
            state.remove(self.place);
        }
    }

    /// The next message that has come: none yet, none any more, or why the call failed.
    pub fn try_receive(&self) -> Option<Result<Option<Bytes>>> {
        self.inner.change(|state| self.take_message(state))
    }

    /// The next message of the other end; none after its last.
    pub fn poll_receive_bytes(&self, task: &mut TaskContext<'_>) -> Poll<Result<Option<Bytes>>> {
        if let Some(received) = self.try_receive() {
            return Poll::Ready(received);
        }
        if self.context.is_none() {
            self.inner.shell.assist(&|| self.has_news());
        }
        let received = self.inner.change(|state| {
            let received = self.take_message(state);
            if let (None, Some(slot)) = (&received, self.slot(state)) {
                set_waker(slot, task);
            }
            received
        });
        received.map_or(Poll::Pending, Poll::Ready)
    }

    /// Sends a message by bytes; `last` when none follows. At the callee that ends the call with success.
    ///
    /// # Errors
    /// As [`CallStream::send`].
    pub fn send_bytes(&self, message: &[u8], last: bool) -> Result<()> {
        let (header, trailer) = self.context.as_ref().map(|context| context.take_metadata(last)).unwrap_or_default();
        let header = (!header.is_empty()).then(|| CallHeader { metadata: header, ..CallHeader::default() });
        self.inner.change(|state| {
            let id = self.open_id(state)?;
            if self.context.is_none() {
                return state.session.send_message(id, message, last, None);
            }
            let sent = match last {
                true => state.answer(id, message, header, trailer),
                false => state.session.send_message(id, message, false, header.as_ref()),
            };
            // A message over the limit has ended the call.
            if if sent.is_ok() { last } else { !state.session.is_open(id) } {
                self.forget(state);
            }
            sent
        })
    }

    /// Answers a call that this side serves, and ends it. For one that has ended it does nothing.
    pub(super) fn answer(&self, answer: Result<Response<Payload>>) {
        self.inner.change(|state| {
            let Ok(id) = self.open_id(state) else { return };
            let answered = answer.and_then(|Response { message, header, trailer }| {
                let header = (!header.is_empty()).then(|| CallHeader { metadata: header, ..CallHeader::default() });
                state.answer(id, &message.into_bytes(), header, trailer)
            });
            if let Err(error) = answered {
                // Most errors of sending have ended the call, and then this does nothing.
                state.session.end_call(id, &error.into());
            }
            self.forget(state);
        });
    }

    /// Bytes that may be sent now; 0 when the sender has to wait, or the call has ended.
    pub fn credit(&self) -> u32 {
        self.inner.change(|state| self.open_id(state).map_or(0, |id| state.session.credit(id)))
    }

    /// Waits until a message may be sent. An error, when the call has ended.
    pub fn poll_writable(&self, task: &mut TaskContext<'_>) -> Poll<Result<()>> {
        self.inner.change(|state| {
            let id = match self.open_id(state) {
                Ok(id) => id,
                Err(error) => return Poll::Ready(Err(error)),
            };
            if state.session.credit(id) > 0 {
                return Poll::Ready(Ok(()));
            }
            if let Some(slot) = self.slot(state) {
                slot.add_writer(task.waker());
            }
            Poll::Pending
        })
    }

    /// Whether the call has ended, or at the caller whether its outcome is known.
    pub fn is_over(&self) -> bool {
        self.slot(&mut self.inner.lock()).is_none_or(|slot| slot.outcome.is_some())
    }

    fn has_news(&self) -> bool {
        self.slot(&mut self.inner.lock())
            .is_none_or(|slot| slot.has_message() || slot.received_all || slot.outcome.is_some())
    }

    fn open_id(&self, state: &mut State) -> Result<u32> {
        match self.slot(state) {
            None => Err(Error::cancelled("the call has ended")),
            Some(slot) => match slot.failure() {
                Some(error) => Err(error),
                None => Ok(slot.id),
            },
        }
    }

    /// Takes the next message, and lets the peer send more.
    fn take_message(&self, state: &mut State) -> Option<Result<Option<Bytes>>> {
        let Some(slot) = self.slot(state) else {
            return Some(Err(Error::cancelled("the call has ended")));
        };
        let Some((message, held)) = slot.pop_message() else {
            return match &slot.outcome {
                Some(Err(error)) => Some(Err(error.clone())),
                _ => slot.received_all.then_some(Ok(None)),
            };
        };
        let id = slot.id;
        if held {
            state.session.consume(id, message.len());
        }
        Some(Ok(Some(message)))
    }

    /// How a call with one response stands: exactly one message, and then success.
    fn take_response(&self, state: &mut State) -> Option<Result<Response<Bytes>>> {
        let slot = self.slot(state)?;
        if slot.has_several_messages() {
            let error = Error::internal("the call got a second message where its kind promises one");
            if slot.outcome.is_none() {
                let id = slot.id;
                state.session.cancel(id, Status::from(&error));
            }
            return Some(Err(error));
        }
        if let Err(error) = slot.outcome.as_ref()? {
            return Some(Err(error.clone()));
        }
        let (header, trailer) = slot.take_metadata();
        let message = self.take_message(state);
        self.forget(state);
        match message {
            Some(Ok(Some(message))) => Some(Ok(Response { message, header, trailer })),
            _ => Some(Err(Error::internal("the call succeeded without the one message that its kind promises"))),
        }
    }
}

fn set_waker(slot: &mut Slot, task: &TaskContext<'_>) {
    match &mut slot.reader {
        Some(waker) => waker.clone_from(task.waker()),
        none => *none = Some(task.waker().clone()),
    }
}

impl CallStream for RawCall {
    fn poll_receive(&self, task: &mut TaskContext<'_>) -> Poll<Result<Option<Payload>>> {
        let received = ready!(self.poll_receive_bytes(task));
        Poll::Ready(received.map(|message| message.map(Payload::Bytes)))
    }

    fn poll_ready(&self, task: &mut TaskContext<'_>) -> Poll<Result<()>> {
        self.poll_writable(task)
    }

    fn poll_ended(&self, task: &mut TaskContext<'_>) -> Poll<()> {
        let mut state = self.inner.lock();
        match self.slot(&mut state) {
            Some(slot) if slot.outcome.is_none() => {
                slot.add_writer(task.waker());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    fn send(&self, message: Payload, last: bool) -> Result<()> {
        self.send_bytes(&message.into_bytes(), last)
    }

    fn send_encoded(&self, message: &[u8], last: bool) -> Result<()> {
        self.send_bytes(message, last)
    }

    fn end(&self, result: Result<()>) {
        let Some(context) = &self.context else {
            return self.inner.change(|state| {
                if let Ok(id) = self.open_id(state) {
                    match result {
                        Ok(()) => state.session.half_close(id),
                        Err(error) => state.session.cancel(id, error.into()),
                    }
                }
            });
        };
        let trailer = context.take_trailer();
        self.inner.change(|state| {
            if let Ok(id) = self.open_id(state) {
                let mut status = result.as_ref().err().map(Status::from).unwrap_or_default();
                trailer.into_iter().for_each(|(key, value)| status.metadata.append(key, value));
                state.session.end_call(id, &status);
                self.forget(state);
            }
        });
    }

    fn header(&self) -> Option<Metadata> {
        let mut state = self.inner.lock();
        let slot = self.slot(&mut state)?;
        let has_begun = slot.received_any || slot.received_all;
        has_begun.then(|| slot.header().cloned().unwrap_or_default())
    }

    fn trailer(&self) -> Option<Metadata> {
        let mut state = self.inner.lock();
        let slot = self.slot(&mut state)?;
        match slot.outcome.as_ref()? {
            Ok(()) => Some(slot.trailer().cloned().unwrap_or_default()),
            Err(error) => Some(error.metadata().clone()),
        }
    }
}

impl Drop for RawCall {
    fn drop(&mut self) {
        if *self.is_gone.get_mut() {
            return;
        }
        self.inner.change(|state| {
            if let Some(slot) = state.slot(self.place) {
                let id = slot.id;
                // A call that has ended may still hold messages: they are dropped with it.
                if self.context.is_none() && (slot.outcome.is_none() || slot.has_message()) {
                    state.session.cancel(id, Status::new(Code::Cancelled, "the caller dropped the call"));
                }
                state.remove(self.place);
            }
        });
    }
}

/// A call with one request and one response that was made.
pub(super) enum Started {
    /// It has ended; if it has succeeded, whom the answer was for has it.
    Ended(Result<()>),
    Open(RawUnary),
}

/// A call with one request and one response by bytes. Dropping it cancels the call.
#[must_use = "dropping a call cancels it"]
pub struct RawUnary(Unary);

enum Unary {
    /// It was made at once; how it ended, until that is taken.
    Ended(Mutex<Option<Result<Response<Bytes>>>>),
    Open {
        call: RawCall,
        stage: Stage,
    },
}

/// What the future of a call with one answer does next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It lets other tasks go first.
    Unsent,
    /// They have gone first: its request is to be written, with theirs.
    Behind,
    /// It lets the shell assist.
    Sent,
    /// It waits.
    Waiting,
}

impl RawUnary {
    /// The response or the failure, if it has come; none before, and after it was taken.
    pub fn try_take(&self) -> Option<Result<Response<Bytes>>> {
        match &self.0 {
            Unary::Ended(ended) => ended.lock().unwrap_or_else(PoisonError::into_inner).take(),
            Unary::Open { call, .. } => call.inner.change(|state| call.take_response(state)),
        }
    }

    /// Whether [`try_take`](Self::try_take) has something to give.
    pub fn is_done(&self) -> bool {
        match &self.0 {
            Unary::Ended(_) => true,
            Unary::Open { call, .. } => call.is_over(),
        }
    }
}

impl Drop for RawUnary {
    fn drop(&mut self) {
        // Nobody comes back to write the request: the shell is woken when the call is dropped, right after this.
        if let Unary::Open { call, stage: Stage::Unsent | Stage::Behind } = &self.0 {
            call.inner.lock().forget_announcement();
        }
    }
}

impl Future for RawUnary {
    type Output = Result<Response<Bytes>>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let (call, stage) = match &mut self.0 {
            Unary::Open { call, stage } => (call, stage),
            Unary::Ended(ended) => {
                let ended = ended.get_mut().unwrap_or_else(PoisonError::into_inner);
                return ended.take().map_or(Poll::Pending, Poll::Ready);
            }
        };
        match *stage {
            Stage::Unsent => {
                *stage = Stage::Behind;
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            Stage::Behind => call.inner.shell.wake(),
            Stage::Sent | Stage::Waiting => {}
        }
        if std::mem::replace(stage, Stage::Waiting) != Stage::Waiting {
            call.inner.shell.assist(&|| call.is_over());
        }
        let response = call.inner.change(|state| {
            let response = call.take_response(state);
            if let (None, Some(slot)) = (&response, call.slot(state)) {
                set_waker(slot, task);
            }
            response
        });
        response.map_or(Poll::Pending, Poll::Ready)
    }
}
