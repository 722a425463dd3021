//! The typed client over a [`Transport`]: what the methods of a generated client return.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use futures_core::Stream;

use crate::channel::BoxFuture;
use crate::context::{Cancelled, Context};
use crate::descriptor::ServiceDescriptor;
use crate::error::{Error, Result};
use crate::stream::{Requests, forward};
pub use crate::stream::{Sender, Streaming};
use crate::transport::{
    CallOptions, CallStream, Message, MethodRef, Payload, Response, Running, Transport, decode_into,
};

/// What clients can be made for: a plugin, a connection, the context of a handler.
///
/// `ElizaClient::new(&plugin)` takes any of them.
pub trait Caller {
    /// An untyped client of a service; generated clients wrap it.
    fn client_of(&self, service: &'static ServiceDescriptor) -> Client;
}

/// An untyped client of one service. Generated clients wrap it; a clone costs a reference count.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    service: &'static ServiceDescriptor,
    within: Option<Context>,
}

impl Client {
    /// A client of a service over a transport.
    pub fn new(transport: Arc<dyn Transport>, service: &'static ServiceDescriptor) -> Self {
        Self { transport, service, within: None }
    }

    /// The same client, its calls belonging to the call that a handler handles.
    #[must_use]
    pub fn within(mut self, context: Context) -> Self {
        self.within = Some(context);
        self
    }

    /// A call with one request and one response of the method at this place in the service.
    pub fn unary<Req: Message, Res: Message>(&self, method: usize, request: Req) -> UnaryCall<Req, Res> {
        UnaryCall { call: self.call(method), request: Some(request), running: None, response: PhantomData }
    }

    /// A call with one request and a stream of responses.
    pub fn server_stream<Req: Message, Res: Message>(&self, method: usize, request: Req) -> ServerStreamCall<Req, Res> {
        ServerStreamCall { call: self.call(method), request: Some(request), running: None, response: PhantomData }
    }

    /// A call with a stream of requests and one response.
    pub fn client_stream<Req: Message, Res: Message>(
        &self,
        method: usize,
        requests: impl Stream<Item = Req> + Send + 'static,
    ) -> ClientStreamCall<Req, Res> {
        ClientStreamCall {
            call: self.call(method),
            requests: Some(Box::pin(requests)),
            running: None,
            response: PhantomData,
        }
    }

    /// A call with a stream in each direction.
    pub fn bidi_stream<Req: Message, Res: Message>(
        &self,
        method: usize,
        requests: impl Stream<Item = Req> + Send + 'static,
    ) -> BidiStreamCall<Req, Res> {
        BidiStreamCall {
            call: self.call(method),
            requests: Some(Box::pin(requests)),
            running: None,
            response: PhantomData,
        }
    }

    fn call(&self, method: usize) -> Call {
        let options = CallOptions { within: self.within.clone(), ..CallOptions::default() };
        Call { client: self.clone(), method, options }
    }
}

/// A call that has not been made yet.
struct Call {
    client: Client,
    method: usize,
    options: CallOptions,
}

impl Call {
    fn method(&self) -> MethodRef {
        MethodRef { service: self.client.service, index: self.method }
    }

    fn set_options(&mut self, options: CallOptions) {
        let within = options.within.or_else(|| self.options.within.take());
        self.options = CallOptions { within, ..options };
    }

    fn stream(&mut self, request: Option<Payload>) -> BoxFuture<Result<Arc<dyn CallStream>>> {
        let options = std::mem::take(&mut self.options);
        self.client.transport.stream(self.method(), request, options)
    }
}

macro_rules! options {
    () => {
        /// Limits how long the call may take, in place of the default of its method.
        pub fn timeout(mut self, timeout: Duration) -> Self {
            self.call.options.timeout = Some(timeout);
            self
        }

        /// Adds a pair of metadata for the callee.
        pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
            self.call.options.metadata.append(key, value);
            self
        }

        /// Replaces all options of the call.
        pub fn options(mut self, options: CallOptions) -> Self {
            self.call.set_options(options);
            self
        }
    };
}

/// A call with one request and one response. It is made when it is first polled; dropping it cancels it.
#[must_use = "a call is made when it is awaited"]
pub struct UnaryCall<Req, Res> {
    call: Call,
    request: Option<Req>,
    running: Option<BoxFuture<Result<Response<Payload>>>>,
    response: PhantomData<fn() -> Res>,
}

impl<Req: Message, Res: Message> UnaryCall<Req, Res> {
    options!();

    /// The response together with the callee's header and trailer metadata.
    pub async fn response(mut self) -> Result<Response<Res>> {
        if self.request.is_some() {
            let mut message = Res::default();
            if let Some(ended) = self.begin(&mut message) {
                return ended.map(|()| Response::of(message));
            }
        }
        let response = std::future::poll_fn(|task| self.poll_response(task)).await?;
        Ok(Response { message: response.message.into_message()?, header: response.header, trailer: response.trailer })
    }

    /// Makes the call, unless it was made. Gives how it ended, where that is known at once and without metadata: `message` is the response then.
    fn begin(&mut self, message: &mut Res) -> Option<Result<()>> {
        let transport = &self.call.client.transport;
        let within = self.call.options.within.clone();
        let method = self.call.method();
        let running = if transport.passes_objects() {
            let request = Payload::Object(Box::new(self.request.take()?));
            transport.unary(method, request, std::mem::take(&mut self.call.options))
        } else {
            // Messages may be large: this one stays where it is.
            let request = self.request.as_ref()?.encode_to_vec();
            self.request = None;
            let mut taken = Ok(());
            let take = &mut |answer: &[u8]| taken = decode_into(message, answer);
            match transport.unary_taken(method, &request, &mut self.call.options, take) {
                Some(running) => running,
                None => return Some(taken),
            }
        };
        self.running = Some(match (running, within) {
            (Running::Ended(Err(error)), _) => return Some(Err(error)),
            (Running::Ended(Ok(response)), _) if response.header.is_empty() && response.trailer.is_empty() => {
                return Some(response.message.into_message().map(|response| *message = response));
            }
            (Running::Ended(result), _) => Box::pin(std::future::ready(result)),
            (Running::Waits(running), None) => running,
            (Running::Waits(running), Some(context)) => Box::pin(Within { cancelled: context.cancelled(), running }),
        });
        None
    }

    fn poll_response(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<Response<Payload>>> {
        match &mut self.running {
            Some(running) => {
                let result = ready!(running.as_mut().poll(task));
                self.running = None;
                Poll::Ready(result)
            }
            None => Poll::Ready(Err(Error::internal("a call was polled after it had ended"))),
        }
    }
}

impl<Req, Res> Unpin for UnaryCall<Req, Res> {}

impl<Req: Message, Res: Message> Future for UnaryCall<Req, Res> {
    type Output = Result<Res>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        if self.request.is_some() {
            let mut message = Res::default();
            if let Some(ended) = self.begin(&mut message) {
                return Poll::Ready(ended.map(|()| message));
            }
        }
        let response = ready!(self.poll_response(task))?;
        Poll::Ready(response.message.into_message())
    }
}

/// A call within another: it ends when that is cancelled.
struct Within<F> {
    cancelled: Cancelled,
    running: F,
}

impl<T, F: Future<Output = Result<T>> + Unpin> Future for Within<F> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(result) = Pin::new(&mut self.running).poll(task) {
            return Poll::Ready(result);
        }
        Pin::new(&mut self.cancelled).poll(task).map(Err)
    }
}

/// A call with one request and a stream of responses. It is made when it is first polled.
#[must_use = "a call is made when it is awaited"]
pub struct ServerStreamCall<Req, Res> {
    call: Call,
    request: Option<Req>,
    running: Option<BoxFuture<Result<Streaming<Res>>>>,
    response: PhantomData<fn() -> Res>,
}

impl<Req: Message, Res: Message> ServerStreamCall<Req, Res> {
    options!();

    fn start(&mut self) -> Option<BoxFuture<Result<Streaming<Res>>>> {
        let request = Payload::of(self.request.take()?, self.call.client.transport.passes_objects());
        let within = self.call.options.within.clone();
        let stream = self.call.stream(Some(request));
        Some(Box::pin(async move { Ok(Streaming::of_responses(stream.await?, within)) }))
    }
}

/// A call with a stream of requests and one response. It is made when it is first polled; dropping it cancels it.
#[must_use = "a call is made when it is awaited"]
pub struct ClientStreamCall<Req, Res> {
    call: Call,
    requests: Option<Requests<Req>>,
    running: Option<BoxFuture<Result<Response<Res>>>>,
    response: PhantomData<fn() -> Res>,
}

impl<Req: Message, Res: Message> ClientStreamCall<Req, Res> {
    options!();

    /// The response together with the callee's header and trailer metadata.
    pub async fn response(mut self) -> Result<Response<Res>> {
        match self.start() {
            Some(running) => running.await,
            None => Err(Error::internal("a call was polled after it had ended")),
        }
    }

    fn start(&mut self) -> Option<BoxFuture<Result<Response<Res>>>> {
        let requests = self.requests.take()?;
        let within = self.call.options.within.clone();
        let transport = self.call.client.transport.clone();
        let stream = self.call.stream(None);
        Some(Box::pin(async move {
            let stream = stream.await?;
            forward(&*transport, stream.clone(), requests);
            Streaming::of_responses(stream, within).only_message().await
        }))
    }
}

/// A call with a stream in each direction. It is made when it is first polled.
#[must_use = "a call is made when it is awaited"]
pub struct BidiStreamCall<Req, Res> {
    call: Call,
    requests: Option<Requests<Req>>,
    running: Option<BoxFuture<Result<Streaming<Res>>>>,
    response: PhantomData<fn() -> Res>,
}

impl<Req: Message, Res: Message> BidiStreamCall<Req, Res> {
    options!();

    fn start(&mut self) -> Option<BoxFuture<Result<Streaming<Res>>>> {
        let requests = self.requests.take()?;
        let within = self.call.options.within.clone();
        let transport = self.call.client.transport.clone();
        let stream = self.call.stream(None);
        Some(Box::pin(async move {
            let stream = stream.await?;
            let responses = Streaming::of_responses(stream.clone(), within);
            forward(&*transport, stream, requests);
            Ok(responses)
        }))
    }
}

macro_rules! future {
    ($name:ident, $output:ty, |$value:ident| $map:expr) => {
        impl<Req, Res> Unpin for $name<Req, Res> {}

        impl<Req: Message, Res: Message> Future for $name<Req, Res> {
            type Output = Result<$output>;

            fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
                if self.running.is_none() {
                    self.running = self.start();
                }
                match &mut self.running {
                    Some(running) => {
                        let $value = ready!(running.as_mut().poll(task));
                        self.running = None;
                        Poll::Ready($map)
                    }
                    None => Poll::Ready(Err(Error::internal("a call was polled after it had ended"))),
                }
            }
        }
    };
}

future!(ServerStreamCall, Streaming<Res>, |stream| stream);
future!(BidiStreamCall, Streaming<Res>, |stream| stream);
future!(ClientStreamCall, Res, |response| response.map(|response| response.message));
