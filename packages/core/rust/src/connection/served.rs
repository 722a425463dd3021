//! Calls with one request that the peer makes the short way of the embedded ABI, at the side that answers them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll, Waker, ready};

use bytes::Bytes;

use super::Inner;
use super::raw::RawCall;
use super::slot::{self, Slot, State};
use crate::context::Context;
use crate::error::Result;
use crate::router::{Answering, ServerCall};
use crate::session::Accepted;
use crate::status::Status;
use crate::transport::{Asked, Payload, Response};

/// How [`Connection::serve_now`](super::Connection::serve_now) went.
#[derive(Debug)]
pub enum ServedNow {
    /// The call has ended with this message.
    Done(Bytes),
    /// The call has ended with this [`Status`], encoded.
    Failed(Vec<u8>),
    /// The call is answered by frames.
    Pending,
}

impl ServedNow {
    fn failed(status: &Status) -> Self {
        let mut bytes = Vec::new();
        status.encode(&mut bytes);
        Self::Failed(bytes)
    }
}

impl Inner {
    /// Returns whether there is output that it caused, too.
    pub(super) fn serve_now(
        self: &Arc<Self>,
        call: u32,
        method: u16,
        has_header: bool,
        payload: &[u8],
    ) -> (ServedNow, bool) {
        self.has_written.store(false, Ordering::Relaxed);
        let served = self.accept_now(call, method, has_header, payload);
        (served, self.has_written.load(Ordering::Relaxed))
    }

    fn accept_now(self: &Arc<Self>, call: u32, method: u16, has_header: bool, payload: &[u8]) -> ServedNow {
        let accepted = self.lock().session.accept_call(call, method, has_header, payload);
        let (header, start) = match accepted {
            Accepted::Yes { header, start } => (header, start),
            Accepted::Refused(status) => return ServedNow::failed(&status),
            Accepted::Broken => {
                self.pump(|_| {});
                return ServedNow::Pending;
            }
        };
        // The session has refused what is past the table.
        let Some(&(service, method)) = self.table.get(usize::from(method)) else { return ServedNow::Pending };
        let context = Context::new(service, method, header, self.clone());
        let request = Asked::Encoding(payload.get(start..).unwrap_or_default());
        self.pump.store(slot::current_thread(), Ordering::Relaxed);
        let served = match self.router.answer(service, method, request, context) {
            Ok(answering) => self.poll_once(call, answering),
            Err((request, context)) => {
                let stream = self.keep(call, &context);
                self.serve(service, method, ServerCall::new(context, Some(request.into_payload()), Arc::new(stream)));
                ServedNow::Pending
            }
        };
        self.pump.store(0, Ordering::Relaxed);
        served
    }

    /// Runs a handler until it first has to wait. Only then, and where its answer has metadata, is the call kept as an open one.
    fn poll_once(self: &Arc<Self>, call: u32, mut answering: Answering) -> ServedNow {
        let mut polled = Poll::Pending;
        // Polled again at once by whoever it is given to, so a wake-up in between is not lost.
        let mut task = TaskContext::from_waker(Waker::noop());
        self.shell.run(&mut || polled = Pin::new(&mut answering).poll(&mut task));
        match polled {
            Poll::Pending => {
                let call = self.keep(call, answering.context());
                self.shell.spawn(Box::pin(Waits { answering, call }));
            }
            Poll::Ready(Ok(answer)) if answer.header.is_empty() && answer.trailer.is_empty() => {
                let message = answer.message.into_bytes();
                return match self.check_answer_of_own(message.len()) {
                    Ok(()) => ServedNow::Done(message),
                    Err(error) => ServedNow::failed(&error.into()),
                };
            }
            Poll::Ready(Ok(answer)) => self.keep(call, answering.context()).answer(Ok(answer)),
            Poll::Ready(Err(error)) => return ServedNow::failed(&error.into()),
        }
        ServedNow::Pending
    }

    /// Whether the peer takes an answer of this size.
    fn check_answer_of_own(&self, bytes: usize) -> Result<()> {
        match self.peer.get() {
            // Mostly it is small, and needs no lock.
            Some(peer) if bytes <= peer.limits.max_message_bytes as usize => Ok(()),
            _ => self.lock().session.check_message_size(bytes),
        }
    }

    /// Keeps a call of the peer's with one request as an open one.
    fn keep(self: &Arc<Self>, call: u32, context: &Context) -> RawCall {
        let mut state = self.lock();
        state.session.keep_call(call);
        self.open_callee(&mut state, call, context, true)
    }

    /// Keeps what is known of a call that the peer makes; `end`: its last message has come.
    pub(super) fn open_callee(self: &Arc<Self>, state: &mut State, id: u32, context: &Context, end: bool) -> RawCall {
        let slot = Slot {
            id,
            is_callee: true,
            received_all: end,
            deadline: context.deadline(),
            timeout_ms: context.timeout_ms(),
            context: Some(context.clone()),
            ..Slot::default()
        };
        let place = state.insert(slot);
        RawCall::new(self.clone(), place, Some(context.clone()))
    }
}

/// A handler that had to wait before it answered.
struct Waits {
    answering: Answering,
    call: RawCall,
}

impl Future for Waits {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        let answer: Result<Response<Payload>> = ready!(Pin::new(&mut self.answering).poll(task));
        self.call.answer(answer);
        Poll::Ready(())
    }
}
