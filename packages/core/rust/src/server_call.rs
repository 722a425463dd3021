//! A call at its callee.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::header::Metadata;
use crate::stream::{Streaming, send};
use crate::transport::{CallStream, Message, Payload};

/// A call at its callee. Dropping it before [`finish`](Self::finish) ends the call with INTERNAL.
pub struct ServerCall {
    context: Context,
    request: Option<Payload>,
    stream: Arc<dyn CallStream>,
    finished: bool,
}

impl ServerCall {
    /// A call whose other end is `stream`; `request` is the one request, where it came with the call.
    pub fn new(context: Context, request: Option<Payload>, stream: Arc<dyn CallStream>) -> Self {
        Self { context, request, stream, finished: false }
    }

    /// The call as handlers see it.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The one request, where it came with the call; none when the requests are streamed, and the second time.
    pub fn take_request(&mut self) -> Option<Payload> {
        self.request.take()
    }

    /// The next streamed request; none after the last.
    pub fn poll_receive(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<Option<Payload>>> {
        self.stream.poll_receive(task)
    }

    /// Waits until a response may be sent.
    pub fn poll_ready(&self, task: &mut TaskContext<'_>) -> Poll<Result<()>> {
        self.stream.poll_ready(task)
    }

    /// Sends a response; `last` ends the call with success.
    ///
    /// # Errors
    /// As [`CallStream::send`].
    pub fn send(&mut self, message: Payload, last: bool) -> Result<()> {
        let sent = self.stream.send(message, last);
        self.finished |= last;
        sent
    }

    /// Ends the call.
    pub fn finish(mut self, result: Result<()>) {
        self.finished = true;
        self.stream.end(result);
    }

    /// The other end, for a handler that reads and writes at the same time.
    pub fn stream(&self) -> &Arc<dyn CallStream> {
        &self.stream
    }

    /// The one request of a call whose requests are not streamed.
    pub(crate) async fn only_request<T: Message>(&mut self) -> Result<T> {
        self.only_payload().await?.into_message()
    }

    /// The one request of a call whose requests are not streamed, as it came.
    pub(crate) async fn only_payload(&mut self) -> Result<Payload> {
        if let Some(request) = self.request.take() {
            return Ok(request);
        }
        let Some(request) = poll_fn(|task| self.poll_receive(task)).await? else {
            return Err(Error::internal("the request ended without the one message that its kind promises"));
        };
        if poll_fn(|task| self.poll_receive(task)).await?.is_some() {
            return Err(Error::internal("the request has a second message where its kind promises one"));
        }
        Ok(request)
    }

    /// The requests as a stream, also when the one request came with the call.
    pub(crate) fn requests<T: Message>(&mut self) -> Streaming<T> {
        match self.request.take() {
            None => Streaming::of_requests(self.stream.clone()),
            Some(request) => Streaming::of_requests(Arc::new(OneRequest::new(request))),
        }
    }

    /// Ends the call with its one response.
    pub(crate) fn finish_with(mut self, message: Payload) {
        self.finished = true;
        if let Err(error) = self.stream.send(message, true) {
            // Most errors have ended the call, and then this does nothing.
            self.stream.end(Err(error));
        }
    }

    pub(crate) fn finish_unary<T: Message>(mut self, response: Result<T>) {
        match response {
            Ok(message) => {
                self.finished = true;
                if let Err(error) = send(&*self.stream, message, true) {
                    // Most errors have ended the call, and then this does nothing.
                    self.stream.end(Err(error));
                }
            }
            Err(error) => self.finish(Err(error)),
        }
    }
}

impl Drop for ServerCall {
    fn drop(&mut self) {
        if !self.finished {
            let what = if std::thread::panicking() { "panicked; its log says why" } else { "ended without an answer" };
            let (service, method) = (self.context.service_name(), self.context.method_name());
            self.stream.end(Err(Error::internal(format!("the handler of {service}/{method} {what}"))));
        }
    }
}

/// A stream of the one request that came with its call.
struct OneRequest(Mutex<Option<Payload>>);

impl OneRequest {
    fn new(request: Payload) -> Self {
        Self(Mutex::new(Some(request)))
    }
}

impl CallStream for OneRequest {
    fn poll_receive(&self, _: &mut TaskContext<'_>) -> Poll<Result<Option<Payload>>> {
        Poll::Ready(Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).take()))
    }

    fn poll_ready(&self, _: &mut TaskContext<'_>) -> Poll<Result<()>> {
        Poll::Ready(Err(Error::internal("requests are read, not sent, by a handler")))
    }

    fn poll_ended(&self, _: &mut TaskContext<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn send(&self, _: Payload, _: bool) -> Result<()> {
        Err(Error::internal("requests are read, not sent, by a handler"))
    }

    fn end(&self, _: Result<()>) {}

    fn header(&self) -> Option<Metadata> {
        None
    }

    fn trailer(&self) -> Option<Metadata> {
        None
    }
}
