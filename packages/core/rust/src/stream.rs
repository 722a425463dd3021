//! The two directions of a call as typed streams.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker, ready};

use futures_core::Stream;

use crate::context::{Cancelled, Context};
use crate::error::{Error, Result};
use crate::header::Metadata;
use crate::transport::{CallStream, Message, Payload, Response, Transport};

/// A caller's stream of requests.
pub(crate) type Requests<Req> = Pin<Box<dyn Stream<Item = Req> + Send>>;

/// Sends a stream of requests beside the call, until it or the call ends.
pub(crate) fn forward<Req: Message>(transport: &dyn Transport, stream: Arc<dyn CallStream>, requests: Requests<Req>) {
    let mut forward = Forward { stream, requests: Some(requests), next: None };
    // What can be sent at once is; whoever the rest is given to polls it again.
    let mut task = TaskContext::from_waker(Waker::noop());
    if Pin::new(&mut forward).poll(&mut task).is_pending() {
        transport.spawn(Box::pin(forward));
    }
}

struct Forward<Req> {
    stream: Arc<dyn CallStream>,
    requests: Option<Requests<Req>>,
    next: Option<Payload>,
}

impl<Req> Unpin for Forward<Req> {}

impl<Req: Message> Future for Forward<Req> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            if this.next.is_some() {
                if ready!(this.stream.poll_ready(task)).is_err() {
                    return this.stop();
                }
                if let Some(message) = this.next.take()
                    && this.stream.send(message, false).is_err()
                {
                    return this.stop();
                }
            }
            let Some(requests) = &mut this.requests else {
                return Poll::Ready(());
            };
            match requests.as_mut().poll_next(task) {
                Poll::Ready(Some(request)) => this.next = Some(Payload::of(request, this.stream.passes_objects())),
                Poll::Ready(None) => {
                    this.stream.end(Ok(()));
                    return this.stop();
                }
                Poll::Pending => {
                    ready!(this.stream.poll_ended(task));
                    return this.stop();
                }
            }
        }
    }
}

impl<Req> Forward<Req> {
    /// There is nothing more to send.
    fn stop(&mut self) -> Poll<()> {
        self.requests = None;
        Poll::Ready(())
    }
}

impl<Req> Drop for Forward<Req> {
    fn drop(&mut self) {
        // Gone before the requests came to their end: the stream panicked, or its runtime ended.
        if self.requests.is_some() {
            self.stream.end(Err(Error::cancelled("the stream of requests was dropped before its end")));
        }
    }
}

/// The messages of the other end of a call, as they come. For a caller, dropping it before the end cancels the call.
pub struct Streaming<T> {
    stream: Arc<dyn CallStream>,
    cancelled: Option<Cancelled>,
    /// A caller's stream that has not ended; dropping it cancels the call.
    cancels: bool,
    finished: bool,
    message: PhantomData<fn() -> T>,
}

impl<T> Unpin for Streaming<T> {}

impl<T: Message> Streaming<T> {
    /// The responses of a call that was made.
    pub(crate) fn of_responses(stream: Arc<dyn CallStream>, within: Option<Context>) -> Self {
        let cancelled = within.map(|context| context.cancelled());
        Self { stream, cancelled, cancels: true, finished: false, message: PhantomData }
    }

    /// The requests of a call that is being handled.
    pub(crate) fn of_requests(stream: Arc<dyn CallStream>) -> Self {
        Self { stream, cancelled: None, cancels: false, finished: false, message: PhantomData }
    }

    /// The next message; none after the last.
    ///
    /// # Errors
    /// How the call failed, or that a message cannot be parsed. After an error there is nothing more.
    pub async fn message(&mut self) -> Result<Option<T>> {
        std::future::poll_fn(|task| self.poll_message(task)).await
    }

    /// Metadata that the callee sent before its first message, once that has come; for callers.
    pub fn header(&self) -> Option<Metadata> {
        self.stream.header()
    }

    /// Metadata that the callee sent after its last message, once the call has ended; for callers.
    pub fn trailer(&self) -> Option<Metadata> {
        self.stream.trailer()
    }

    fn poll_message(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<Option<T>>> {
        if self.finished {
            return Poll::Ready(Ok(None));
        }
        let received = match self.stream.poll_receive(task) {
            Poll::Ready(received) => received,
            Poll::Pending => match &mut self.cancelled {
                None => return Poll::Pending,
                Some(cancelled) => {
                    let reason = ready!(pin!(cancelled).poll(task));
                    self.stream.end(Err(reason.clone()));
                    Err(reason)
                }
            },
        };
        let message = match received {
            Ok(Some(payload)) => payload.into_message().map(Some),
            Ok(None) => Ok(None),
            Err(error) => {
                self.cancels = false;
                Err(error)
            }
        };
        match &message {
            Ok(Some(_)) => {}
            Ok(None) => (self.finished, self.cancels) = (true, false),
            Err(_) => self.finished = true,
        }
        Poll::Ready(message)
    }

    /// The one message of a response that is not a stream.
    pub(crate) async fn only_message(mut self) -> Result<Response<T>> {
        let Some(message) = self.message().await? else {
            return Err(Error::internal("the call succeeded without the one message that its kind promises"));
        };
        if self.message().await?.is_some() {
            self.cancels = false;
            let error = Error::internal("the call got a second message where its kind promises one");
            self.stream.end(Err(error.clone()));
            return Err(error);
        }
        let header = self.header().unwrap_or_default();
        Ok(Response { message, header, trailer: self.trailer().unwrap_or_default() })
    }
}

impl<T: Message> Stream for Streaming<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<Result<T>>> {
        self.poll_message(task).map(Result::transpose)
    }
}

impl<T> Drop for Streaming<T> {
    fn drop(&mut self) {
        if self.cancels {
            self.stream.end(Err(Error::cancelled("the caller stopped reading the responses")));
        }
    }
}

/// Sends a message as the stream takes it.
pub(crate) fn send<T: Message>(stream: &dyn CallStream, message: T, last: bool) -> Result<()> {
    if stream.passes_objects() {
        return stream.send(Payload::Object(Box::new(message)), last);
    }
    stream.send_encoded(&message.encode_to_vec(), last)
}

/// The responses of a call that is being handled.
pub struct Sender<T> {
    stream: Arc<dyn CallStream>,
    message: PhantomData<fn(T)>,
}

impl<T: Message> Sender<T> {
    pub(crate) fn new(stream: Arc<dyn CallStream>) -> Self {
        Self { stream, message: PhantomData }
    }

    /// Sends a response; waits until the caller has room for it.
    ///
    /// # Errors
    /// Why the call has ended, or RESOURCE_EXHAUSTED for a message over the limit, which ends it.
    pub async fn send(&self, message: T) -> Result<()> {
        std::future::poll_fn(|task| self.stream.poll_ready(task)).await?;
        send(&*self.stream, message, false)
    }
}
