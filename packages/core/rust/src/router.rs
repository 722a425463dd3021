//! The router: the services of one side, and what runs their handlers.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use crate::channel::BoxFuture;
use crate::context::{Context, MAX_ORIGIN};
use crate::descriptor::ServiceEntry;
use crate::error::{Error, Result};
use crate::hello::ServiceUse;
use crate::log::{LogLevel, LogRecord};
use crate::reflection::Reflection;
use crate::transport::{Asked, Payload, Response};

pub use crate::implementation::{Answer, Implementation, ImplementationBuilder, ServeRaw};
pub use crate::server_call::ServerCall;

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
            let name = &implementation.service().name;
            if services.iter().any(|other: &Implementation| other.service().name == *name) {
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
        self.services.iter().enumerate().find(|(_, found)| found.service().name == service)
    }

    /// Checks a call and starts its handler. What remains to be done is returned; a panic ends the call, not this process.
    pub fn serve(&self, service: usize, method: usize, call: ServerCall) -> Option<Handling> {
        let Some(implementation) = self.services.get(service) else {
            call.finish(Err(Error::unimplemented("there is no such service")));
            return None;
        };
        if let Err(error) = admit(call.context()) {
            call.finish(Err(error));
            return None;
        }
        let context = call.context().clone();
        match catch_unwind(AssertUnwindSafe(|| implementation.handler().serve(method, call))) {
            Ok(future) => future.map(|future| Handling { future, context }),
            Err(panic) => {
                log_panic(&context, &*panic);
                None
            }
        }
    }
}

impl Router {
    /// Starts the handler of a call with one request and one response by its shorter way, for callers in the same process; the request
    /// comes back, with the context, where it has none. It is checked as by [`serve`](Self::serve).
    ///
    /// # Errors
    /// The request and the context.
    pub fn answer<'a>(
        &self,
        service: usize,
        method: usize,
        request: Asked<'a>,
        context: Context,
    ) -> std::result::Result<Answering, (Asked<'a>, Context)> {
        let handler = self.services.get(service).map(Implementation::handler);
        let Some(answer) = handler.and_then(|handler| handler.answer(method)) else {
            return Err((request, context));
        };
        let future = match admit(&context) {
            Ok(()) => answer(request, context.clone()),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        };
        Ok(Answering { future, context })
    }
}

/// A handler that is to answer. Its panic is logged and is the failure of its call.
pub struct Answering {
    future: BoxFuture<Result<Payload>>,
    context: Context,
}

impl Answering {
    /// The call as its handler sees it.
    pub fn context(&self) -> &Context {
        &self.context
    }
}

impl Future for Answering {
    type Output = Result<Response<Payload>>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = match catch_unwind(AssertUnwindSafe(|| this.future.as_mut().poll(task))) {
            Ok(polled) => ready!(polled),
            Err(panic) => {
                log_panic(&this.context, &*panic);
                let (service, method) = (this.context.service_name(), this.context.method_name());
                Err(Error::internal(format!("the handler of {service}/{method} panicked; its log says why")))
            }
        };
        let (header, trailer) = this.context.take_metadata(true);
        Poll::Ready(match polled {
            Ok(message) => Ok(Response { message, header, trailer }),
            // There is no message for the header to go before.
            Err(error) => Err(error.with_trailer(header).with_trailer(trailer)),
        })
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
