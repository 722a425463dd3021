//! The router: the services of one side, and what runs their handlers.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use crate::channel::BoxFuture;
use crate::client::{Sender, Streaming};
use crate::context::{Context, MAX_ORIGIN};
use crate::descriptor::{MethodKind, ServiceDescriptor, ServiceEntry};
use crate::error::{Error, Result};
use crate::hello::ServiceUse;
use crate::log::{LogLevel, LogRecord};
use crate::reflection::Reflection;
use crate::transport::{CallStream, Message, Payload};

/// Handles the calls of one service, message by message. Typed handlers are a layer on it; a runtime that has no static types
/// implements it.
pub trait ServeRaw: Send + Sync + 'static {
    /// Handles a call of the method at this place in the service. What remains to be done is returned as a future; a handler that
    /// answers by itself, later and from any thread, returns none and keeps `call`. It runs in the thread that reads: it must not block.
    fn serve(&self, method: usize, call: ServerCall) -> Option<BoxFuture<()>>;
}

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
    async fn only_request<T: Message>(&mut self) -> Result<T> {
        if let Some(request) = self.request.take() {
            return request.into_message();
        }
        let mut requests = Streaming::<T>::of_requests(self.stream.clone());
        let Some(request) = requests.message().await? else {
            return Err(Error::internal("the request ended without the one message that its kind promises"));
        };
        if requests.message().await?.is_some() {
            return Err(Error::internal("the request has a second message where its kind promises one"));
        }
        Ok(request)
    }

    /// The requests as a stream, also when the one request came with the call.
    fn requests<T: Message>(&mut self) -> Streaming<T> {
        match self.request.take() {
            None => Streaming::of_requests(self.stream.clone()),
            Some(request) => Streaming::of_requests(Arc::new(OneRequest::new(request))),
        }
    }

    fn finish_unary<T: Message>(mut self, response: Result<T>) {
        match response {
            Ok(message) => {
                let message = Payload::of(message, self.stream.passes_objects());
                if let Err(error) = self.send(message, true) {
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
struct OneRequest(std::sync::Mutex<Option<Payload>>);

impl OneRequest {
    fn new(request: Payload) -> Self {
        Self(std::sync::Mutex::new(Some(request)))
    }
}

impl CallStream for OneRequest {
    fn poll_receive(&self, _: &mut TaskContext<'_>) -> Poll<Result<Option<Payload>>> {
        Poll::Ready(Ok(self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()))
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

    fn header(&self) -> Option<crate::header::Metadata> {
        None
    }

    fn trailer(&self) -> Option<crate::header::Metadata> {
        None
    }
}

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
}

impl fmt::Debug for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Implementation").field(&self.entry.name).finish()
    }
}

type ServeMethod = Box<dyn Fn(ServerCall) -> BoxFuture<()> + Send + Sync>;

/// Puts an [`Implementation`] together from typed closures, one per method in the order of the schema; for generated code.
pub struct ImplementationBuilder<H> {
    service: &'static ServiceDescriptor,
    handler: Arc<H>,
    methods: Vec<(MethodKind, ServeMethod)>,
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
        self.push(MethodKind::Unary, move |mut call| {
            let (handler, serve) = (handler.clone(), serve.clone());
            Box::pin(async move {
                let response = match call.only_request::<Req>().await {
                    Ok(request) => serve(handler, request, call.context.clone()).await,
                    Err(error) => Err(error),
                };
                call.finish_unary(response);
            })
        })
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
                        serve(handler, request, Sender::new(call.stream.clone()), call.context.clone()).await
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
                let response = serve(handler, call.requests(), call.context.clone()).await;
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
                let sender = Sender::new(call.stream.clone());
                let result = serve(handler, call.requests(), sender, call.context.clone()).await;
                call.finish(result);
            })
        })
    }

    /// The service with its handler. A method that was given none, or one of another kind, answers UNIMPLEMENTED.
    pub fn build(self) -> Implementation {
        let methods = self.methods.into_iter().zip(self.service.methods);
        let serve = methods.map(|((kind, serve), method)| (kind == method.kind).then_some(serve)).collect();
        Implementation { entry: Arc::new(self.service.into()), handler: Arc::new(Typed { methods: serve }) }
    }

    fn push(mut self, kind: MethodKind, serve: impl Fn(ServerCall) -> BoxFuture<()> + Send + Sync + 'static) -> Self {
        self.methods.push((kind, Box::new(serve)));
        self
    }
}

struct Typed {
    methods: Vec<Option<ServeMethod>>,
}

impl ServeRaw for Typed {
    fn serve(&self, method: usize, call: ServerCall) -> Option<BoxFuture<()>> {
        match self.methods.get(method) {
            Some(Some(serve)) => Some(serve(call)),
            _ => {
                let (service, method) = (call.context.service_name(), call.context.method_name());
                let error = Error::unimplemented(format!("{service}/{method} is not implemented: it has no handler"));
                call.finish(Err(error));
                None
            }
        }
    }
}

/// What the peer may call of what needs a capability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grants {
    /// Everything: what a plugin grants its host.
    All,
    /// Methods that need one of these capabilities, and those that need none.
    Only(Vec<String>),
}

impl Default for Grants {
    /// Nothing.
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

impl Grants {
    /// Whether a capability is granted.
    pub fn includes(&self, capability: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(granted) => granted.iter().any(|name| name == capability),
        }
    }
}

/// How a router is made. The default offers nothing and grants nothing.
#[derive(Clone, Debug, Default)]
pub struct RouterOptions {
    /// What this side serves.
    pub services: Vec<Implementation>,
    /// The services of the peer that this side means to call. The peer checks their schemas; it learns them by reflection.
    pub uses: Vec<Arc<ServiceEntry>>,
    /// The capabilities that the peer has.
    pub grants: Grants,
    /// What handlers see as [`Context::config`]: JSON, or nothing.
    pub config: String,
}

/// The services that one side offers, in the order of its method table; the first is always reflection.
#[derive(Clone)]
pub struct Router {
    services: Vec<Implementation>,
    uses: Vec<Arc<ServiceEntry>>,
    grants: Grants,
    config: String,
}

impl Router {
    /// A router of these services.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, when a service is implemented twice.
    pub fn new(options: RouterOptions) -> Result<Self> {
        let RouterOptions { services: own, uses, grants, config } = options;
        let mut services = Vec::with_capacity(own.len() + 1);
        services.push(Reflection::implementation(&own, &uses));
        for implementation in own {
            let name = &implementation.entry.name;
            if services.iter().any(|other: &Implementation| other.entry.name == *name) {
                return Err(Error::invalid_argument(format!(
                    "service {name} is implemented twice; give one implementation"
                )));
            }
            services.push(implementation);
        }
        Ok(Self { services, uses, grants, config })
    }

    /// The services, reflection first.
    pub fn services(&self) -> &[Implementation] {
        &self.services
    }

    /// The services that this side expects of its peer.
    pub fn uses(&self) -> &[Arc<ServiceEntry>] {
        &self.uses
    }

    /// The capabilities that the peer has.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// What handlers see as [`Context::config`].
    pub fn config(&self) -> &str {
        &self.config
    }

    /// What HELLO tells of the services that this side expects.
    pub fn uses_in_hello(&self) -> Vec<ServiceUse> {
        let used = |entry: &Arc<ServiceEntry>| ServiceUse {
            name: entry.name.clone().into_owned(),
            fingerprint: entry.fingerprint.clone().into_owned(),
        };
        self.uses.iter().map(used).collect()
    }

    /// The service of this name and its place.
    pub fn find(&self, service: &str) -> Option<(usize, &Implementation)> {
        self.services.iter().enumerate().find(|(_, found)| found.entry.name == service)
    }

    /// Checks a call and starts its handler. What remains to be done is returned; a panic ends the call, not this process.
    pub fn serve(&self, service: usize, method: usize, call: ServerCall) -> Option<Handling> {
        let Some(implementation) = self.services.get(service) else {
            call.finish(Err(Error::unimplemented("there is no such service")));
            return None;
        };
        let context = call.context.clone();
        if let Err(error) = admit(&context) {
            call.finish(Err(error));
            return None;
        }
        match catch_unwind(AssertUnwindSafe(|| implementation.handler.serve(method, call))) {
            Ok(future) => future.map(|future| Handling { future, context }),
            Err(panic) => {
                log_panic(&context, &*panic);
                None
            }
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").field("services", &self.services).finish_non_exhaustive()
    }
}

/// Whether a call may be handled at all.
fn admit(context: &Context) -> Result<()> {
    let hops = context.origin().len();
    if hops > MAX_ORIGIN {
        return Err(Error::failed_precondition(format!(
            "the call went through {hops} peers, over the limit of {MAX_ORIGIN}; do they answer each other without end?"
        )));
    }
    let capability = context.method().map_or("", |method| &method.required_capability);
    if !capability.is_empty() && !context.is_granted(capability) {
        return Err(Error::permission_denied(format!(
            "{}/{} needs the capability {capability:?}, which was not granted: name it in \"capabilities\" of plugin.json, and grant it by the option \"grants\" where the plugin is loaded",
            context.service_name(),
            context.method_name(),
        )));
    }
    Ok(())
}

/// A handler that is not done yet. Its panic is logged and ends its call only.
pub struct Handling {
    future: BoxFuture<()>,
    context: Context,
}

impl Future for Handling {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        let this = &mut *self;
        match catch_unwind(AssertUnwindSafe(|| this.future.as_mut().poll(task))) {
            Ok(poll) => poll,
            Err(panic) => {
                // The call is dropped with the future, which ends it; the panic is over by now, so the reason is given here.
                log_panic(&this.context, &*panic);
                this.future = Box::pin(async {});
                Poll::Ready(())
            }
        }
    }
}

fn log_panic(context: &Context, panic: &(dyn std::any::Any + Send)) {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let message = format!("the handler of {}/{} panicked: {text}", context.service_name(), context.method_name());
    context.log_locally(LogRecord::new(LogLevel::Error, context.service_name(), message));
}
