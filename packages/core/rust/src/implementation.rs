//! A service and what answers its calls.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::channel::BoxFuture;
use crate::context::Context;
use crate::descriptor::{MethodKind, ServiceDescriptor, ServiceEntry};
use crate::error::{Error, Result};
use crate::server_call::ServerCall;
use crate::stream::{Sender, Streaming};
use crate::transport::{Asked, Message, Payload};

/// Handles the calls of one service, message by message. Typed handlers are a layer on it; a runtime that has no static types
/// implements it.
pub trait ServeRaw: Send + Sync + 'static {
    /// Handles a call of the method at this place in the service. What remains to be done is returned as a future; a handler that
    /// answers by itself, later and from any thread, returns none and keeps `call`. It runs in the thread that reads: it must not block.
    fn serve(&self, method: usize, call: ServerCall) -> Option<BoxFuture<()>>;

    /// A shorter way to the answer of a method with one request and one response, for callers in the same process. The default has none.
    fn answer(&self, method: usize) -> Option<&Answer> {
        let _ = method;
        None
    }
}

/// Makes one response of one request: an object of an object, else bytes.
pub type Answer = dyn Fn(Asked<'_>, Context) -> BoxFuture<Result<Payload>> + Send + Sync;

/// A service with its handler, the types erased: what `Eliza::implement(handler)` returns.
#[derive(Clone)]
pub struct Implementation {
    entry: Arc<ServiceEntry>,
    handler: Arc<dyn ServeRaw>,
}

impl Implementation {
    /// A service described at run time, with a handler of bytes.
    pub fn raw(entry: impl Into<Arc<ServiceEntry>>, handler: Arc<dyn ServeRaw>) -> Self {
        Self { entry: entry.into(), handler }
    }

    /// The service.
    pub fn service(&self) -> &Arc<ServiceEntry> {
        &self.entry
    }

    /// What answers its calls.
    pub fn handler(&self) -> &Arc<dyn ServeRaw> {
        &self.handler
    }
}

impl fmt::Debug for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Implementation").field(&self.entry.name).finish()
    }
}

type ServeMethod = Box<dyn Fn(ServerCall) -> BoxFuture<()> + Send + Sync>;

/// What handles one method.
struct Handler {
    kind: MethodKind,
    serve: ServeMethod,
    answer: Option<Arc<Answer>>,
}

/// Puts an [`Implementation`] together from typed closures, one per method in the order of the schema; for generated code.
pub struct ImplementationBuilder<H> {
    service: &'static ServiceDescriptor,
    handler: Arc<H>,
    methods: Vec<Handler>,
}

impl<H: Send + Sync + 'static> ImplementationBuilder<H> {
    /// For a service and the value that handles it.
    pub fn new(service: &'static ServiceDescriptor, handler: Arc<H>) -> Self {
        Self { service, handler, methods: Vec::with_capacity(service.methods.len()) }
    }

    /// The next method, with one request and one response.
    #[must_use]
    pub fn unary<Req, Res, Fut>(
        self,
        serve: impl Fn(Arc<H>, Req, Context) -> Fut + Clone + Send + Sync + 'static,
    ) -> Self
    where
        Req: Message,
        Res: Message,
        Fut: Future<Output = Result<Res>> + Send + 'static,
    {
        let handler = self.handler.clone();
        let answer: Arc<Answer> = Arc::new(move |request: Asked<'_>, context| {
            let (handler, serve, as_object) = (handler.clone(), serve.clone(), request.is_object());
            let request = request.into_message();
            Box::pin(async move { Ok(Payload::of(serve(handler, request?, context).await?, as_object)) })
        });
        let answers = answer.clone();
        let mut built = self.push(MethodKind::Unary, move |call| Box::pin(serve_unary(answers.clone(), call)));
        if let Some(method) = built.methods.last_mut() {
            method.answer = Some(answer);
        }
        built
    }

    /// The next method, with one request and a stream of responses.
    #[must_use]
    pub fn server_stream<Req, Res, Fut>(
        self,
        serve: impl Fn(Arc<H>, Req, Sender<Res>, Context) -> Fut + Clone + Send + Sync + 'static,
    ) -> Self
    where
        Req: Message,
        Res: Message,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let handler = self.handler.clone();
        self.push(MethodKind::ServerStream, move |mut call| {
            let (handler, serve) = (handler.clone(), serve.clone());
            Box::pin(async move {
                let result = match call.only_request::<Req>().await {
                    Ok(request) => {
                        serve(handler, request, Sender::new(call.stream().clone()), call.context().clone()).await
                    }
                    Err(error) => Err(error),
                };
                call.finish(result);
            })
        })
    }

    /// The next method, with a stream of requests and one response.
    #[must_use]
    pub fn client_stream<Req, Res, Fut>(
        self,
        serve: impl Fn(Arc<H>, Streaming<Req>, Context) -> Fut + Clone + Send + Sync + 'static,
    ) -> Self
    where
        Req: Message,
        Res: Message,
        Fut: Future<Output = Result<Res>> + Send + 'static,
    {
        let handler = self.handler.clone();
        self.push(MethodKind::ClientStream, move |mut call| {
            let (handler, serve) = (handler.clone(), serve.clone());
            Box::pin(async move {
                let response = serve(handler, call.requests(), call.context().clone()).await;
                call.finish_unary(response);
            })
        })
    }

    /// The next method, with a stream in each direction.
    #[must_use]
    pub fn bidi_stream<Req, Res, Fut>(
        self,
        serve: impl Fn(Arc<H>, Streaming<Req>, Sender<Res>, Context) -> Fut + Clone + Send + Sync + 'static,
    ) -> Self
    where
        Req: Message,
        Res: Message,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let handler = self.handler.clone();
        self.push(MethodKind::BidiStream, move |mut call| {
            let (handler, serve) = (handler.clone(), serve.clone());
            Box::pin(async move {
                let sender = Sender::new(call.stream().clone());
                let result = serve(handler, call.requests(), sender, call.context().clone()).await;
                call.finish(result);
            })
        })
    }

    /// The service with its handler. A method that was given none, or one of another kind, answers UNIMPLEMENTED.
    pub fn build(self) -> Implementation {
        let methods = self.methods.into_iter().zip(self.service.methods);
        let methods = methods.map(|(handler, method)| (handler.kind == method.kind).then_some(handler)).collect();
        Implementation { entry: Arc::new(self.service.into()), handler: Arc::new(Typed { methods }) }
    }

    fn push(mut self, kind: MethodKind, serve: impl Fn(ServerCall) -> BoxFuture<()> + Send + Sync + 'static) -> Self {
        self.methods.push(Handler { kind, serve: Box::new(serve), answer: None });
        self
    }
}

/// Serves a call with one request and one response by what makes the one of the other.
async fn serve_unary(answer: Arc<Answer>, mut call: ServerCall) {
    let response = match call.only_payload().await {
        Ok(request) => answer(Asked::Payload(request), call.context().clone()).await,
        Err(error) => Err(error),
    };
    match response {
        Ok(message) => call.finish_with(message),
        Err(error) => call.finish(Err(error)),
    }
}

struct Typed {
    methods: Vec<Option<Handler>>,
}

impl ServeRaw for Typed {
    fn serve(&self, method: usize, call: ServerCall) -> Option<BoxFuture<()>> {
        match self.methods.get(method) {
            Some(Some(handler)) => Some((handler.serve)(call)),
            _ => {
                let (service, method) = (call.context().service_name(), call.context().method_name());
                let error = Error::unimplemented(format!("{service}/{method} is not implemented: it has no handler"));
                call.finish(Err(error));
                None
            }
        }
    }

    fn answer(&self, method: usize) -> Option<&Answer> {
        self.methods.get(method)?.as_ref()?.answer.as_deref()
    }
}
