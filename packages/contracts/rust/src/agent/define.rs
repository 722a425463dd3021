//! Defines what a plugin adds to an agent.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use anyplug_core::{BoxFuture, Result};
use anyplug_generated::anyplug::agent::v1::HttpField;

use super::agent::{Agent, RegisteringAgent};
use super::json::{Json, JsonObject};
use super::streamed::Give;
use super::values::{ActionResult, Content, Memory, ProviderResult, State};

/// What an action or an evaluator is called with.
#[derive(Clone)]
pub struct Invocation {
    /// The message that it is about.
    pub message: Memory,
    /// What the agent knows.
    pub state: State,
    /// Free options.
    pub options: JsonObject,
    /// What was answered before, oldest first.
    pub responses: Vec<Memory>,
    /// The agent that asks.
    pub agent: Agent,
    pub(crate) say: Arc<dyn Fn(Content) + Send + Sync>,
}

impl Invocation {
    /// Says something now, before the result.
    pub fn say(&self, content: Content) {
        (self.say)(content);
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("message", &self.message).finish_non_exhaustive()
    }
}

/// What an action or an evaluator is validated with, and a provider asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The message that it is about.
    pub message: Memory,
    /// What the agent knows.
    pub state: State,
    /// The agent that asks.
    pub agent: Agent,
}

/// What a model is called with, beside its parameters.
#[derive(Clone)]
pub struct ModelCall {
    /// The agent that asks.
    pub agent: Agent,
    pub(crate) give: Arc<dyn Fn(String) + Send + Sync>,
}

impl ModelCall {
    /// Gives a piece of text, before the whole answer is returned.
    pub fn give(&self, text: impl Into<String>) {
        (self.give)(text.into());
    }
}

impl fmt::Debug for ModelCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelCall").finish_non_exhaustive()
    }
}

pub(crate) type Handle = Arc<dyn Fn(Invocation) -> BoxFuture<Result<ActionResult>> + Send + Sync>;
pub(crate) type Validate = Arc<dyn Fn(Question) -> BoxFuture<Result<bool>> + Send + Sync>;
pub(crate) type Get = Arc<dyn Fn(Question) -> BoxFuture<Result<ProviderResult>> + Send + Sync>;
pub(crate) type Lead = Arc<dyn Fn(Agent) -> BoxFuture<Result<()>> + Send + Sync>;
pub(crate) type Answer = Arc<dyn Fn(RouteRequest, Agent) -> BoxFuture<Result<RouteResponse>> + Send + Sync>;
pub(crate) type EventHandler = Arc<dyn Fn(Json, Agent) -> BoxFuture<Result<()>> + Send + Sync>;
pub(crate) type ModelHandler = Arc<dyn Fn(Json, ModelCall) -> BoxFuture<Result<Json>> + Send + Sync>;
pub(crate) type Init = Arc<dyn Fn(JsonObject, RegisteringAgent) -> BoxFuture<Result<()>> + Send + Sync>;

fn handle<F, R>(handler: impl Fn(Invocation) -> F + Send + Sync + 'static) -> Handle
where
    F: Future<Output = Result<R>> + Send + 'static,
    R: Into<ActionResult>,
{
    Arc::new(move |invocation| {
        let running = handler(invocation);
        Box::pin(async move { running.await.map(Into::into) })
    })
}

fn validate<F>(validate: impl Fn(Question) -> F + Send + Sync + 'static) -> Validate
where
    F: Future<Output = Result<bool>> + Send + 'static,
{
    Arc::new(move |question| Box::pin(validate(question)))
}

impl From<()> for ActionResult {
    fn from((): ()) -> Self {
        Self::success()
    }
}

/// Something that an agent can do.
#[derive(Clone)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// For a model.
    pub description: String,
    /// Other names by which a model may ask for it.
    pub similes: Vec<String>,
    /// Conversations, each a list of {name, content}.
    pub examples: Option<Vec<Json>>,
    /// Those with a higher one are listed first.
    pub priority: i32,
    /// Free words.
    pub tags: Vec<String>,
    /// A JSON Schema.
    pub parameters: Option<JsonObject>,
    pub(crate) validate: Option<Validate>,
    pub(crate) handler: Handle,
}

impl Action {
    /// An action that makes sense for every message. It returns an [`ActionResult`], or `()` for a success; its error is the result's error.
    pub fn new<F, R>(name: impl Into<String>, handler: impl Fn(Invocation) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<R>> + Send + 'static,
        R: Into<ActionResult>,
    {
        Self {
            name: name.into(),
            description: String::new(),
            similes: Vec::new(),
            examples: None,
            priority: 0,
            tags: Vec::new(),
            parameters: None,
            validate: None,
            handler: handle(handler),
        }
    }

    /// Describes it to a model.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Adds another name by which a model may ask for it.
    #[must_use]
    pub fn simile(mut self, name: impl Into<String>) -> Self {
        self.similes.push(name.into());
        self
    }

    /// Sets its priority.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Says whether it makes sense for the message.
    #[must_use]
    pub fn validate<F>(mut self, check: impl Fn(Question) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<bool>> + Send + 'static,
    {
        self.validate = Some(validate(check));
        self
    }
}

/// Something that an agent can know.
#[derive(Clone)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// For a model.
    pub description: String,
    /// Asked only when it is named.
    pub dynamic: bool,
    /// The lower, the earlier in the state's text.
    pub position: i32,
    /// Not listed to a model, and asked only when it is named.
    pub private: bool,
    pub(crate) get: Get,
}

impl Provider {
    /// A provider that is asked always.
    pub fn new<F>(name: impl Into<String>, get: impl Fn(Question) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<ProviderResult>> + Send + 'static,
    {
        Self {
            name: name.into(),
            description: String::new(),
            dynamic: false,
            position: 0,
            private: false,
            get: Arc::new(move |question| Box::pin(get(question))),
        }
    }

    /// Describes it to a model.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// It is asked only when it is named.
    #[must_use]
    pub fn dynamic(mut self) -> Self {
        self.dynamic = true;
        self
    }

    /// It is not listed to a model, and asked only when it is named.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Sets its position: the lower, the earlier in the state's text.
    #[must_use]
    pub fn position(mut self, position: i32) -> Self {
        self.position = position;
        self
    }
}

/// Something that looks at a message after it was answered.
#[derive(Clone)]
pub struct Evaluator {
    /// Its name.
    pub name: String,
    /// For a model.
    pub description: String,
    /// Other names.
    pub similes: Vec<String>,
    /// Also when the agent did not answer.
    pub always_run: bool,
    /// Free examples.
    pub examples: Option<Vec<Json>>,
    pub(crate) validate: Option<Validate>,
    pub(crate) handler: Handle,
}

impl Evaluator {
    /// An evaluator of every message that was answered. It returns an [`ActionResult`], or `()` for a success.
    pub fn new<F, R>(name: impl Into<String>, handler: impl Fn(Invocation) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<R>> + Send + 'static,
        R: Into<ActionResult>,
    {
        Self {
            name: name.into(),
            description: String::new(),
            similes: Vec::new(),
            always_run: false,
            examples: None,
            validate: None,
            handler: handle(handler),
        }
    }

    /// Describes it to a model.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// It runs also when the agent did not answer.
    #[must_use]
    pub fn always_run(mut self) -> Self {
        self.always_run = true;
        self
    }

    /// Says whether it wants to look.
    #[must_use]
    pub fn validate<F>(mut self, check: impl Fn(Question) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<bool>> + Send + 'static,
    {
        self.validate = Some(validate(check));
        self
    }
}

/// Something that runs until it is stopped.
#[derive(Clone)]
pub struct AgentService {
    /// Its type.
    pub service_type: String,
    /// For a person.
    pub description: String,
    pub(crate) start: Lead,
    pub(crate) stop: Lead,
}

impl AgentService {
    /// A service of that type.
    pub fn new<A, B>(
        service_type: impl Into<String>,
        start: impl Fn(Agent) -> A + Send + Sync + 'static,
        stop: impl Fn(Agent) -> B + Send + Sync + 'static,
    ) -> Self
    where
        A: Future<Output = Result<()>> + Send + 'static,
        B: Future<Output = Result<()>> + Send + 'static,
    {
        Self {
            service_type: service_type.into(),
            description: String::new(),
            start: Arc::new(move |agent| Box::pin(start(agent))),
            stop: Arc::new(move |agent| Box::pin(stop(agent))),
        }
    }

    /// Describes it to a person.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }
}

/// A request to a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteRequest {
    /// As the plugin described it.
    pub path: String,
    /// The HTTP method.
    pub method: String,
    /// The segments that stand for ":name"; "*" for what is below a static path.
    pub params: BTreeMap<String, String>,
    /// The query, in its order.
    pub query: Vec<HttpField>,
    /// The headers, in their order.
    pub headers: Vec<HttpField>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

impl RouteRequest {
    /// All values of a query parameter.
    pub fn query(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|field| field.name == name).map(|field| &*field.value).collect()
    }

    /// The first header of that name, however it is spelled.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| &*field.value)
    }
}

/// What a route answers with.
#[derive(Clone, Debug, PartialEq)]
pub enum RouteBody {
    /// Bytes as they are; none for nothing.
    Bytes(Vec<u8>),
    /// Text, in UTF-8.
    Text(String),
    /// JSON, with its content type unless the headers have one.
    Json(Json),
}

impl Default for RouteBody {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

/// The answer of a route.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteResponse {
    /// The HTTP status; none: 200.
    pub status: Option<u32>,
    /// The headers, in their order.
    pub headers: Vec<HttpField>,
    /// The body.
    pub body: RouteBody,
}

impl RouteResponse {
    /// An answer of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { body: RouteBody::Text(text.into()), ..Self::default() }
    }

    /// An answer of JSON.
    pub fn json(value: impl Into<Json>) -> Self {
        Self { body: RouteBody::Json(value.into()), ..Self::default() }
    }

    /// Sets the status.
    #[must_use]
    pub fn status(mut self, status: u32) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(HttpField { name: name.into(), value: value.into() });
        self
    }
}

/// An HTTP route.
#[derive(Clone)]
pub struct Route {
    /// Below the plugin's own: "/status" of the plugin "weather" is "/weather/status". ":name" stands for a segment.
    pub path: String,
    /// GET, POST, PUT, PATCH, DELETE or STATIC.
    pub method: String,
    /// Its name.
    pub name: String,
    /// Listed to anyone, not only to who runs the agent.
    pub public: bool,
    /// Whether its body has parts.
    pub multipart: bool,
    pub(crate) handler: Answer,
}

impl Route {
    /// A route for this method and path.
    pub fn new<F>(
        method: impl Into<String>,
        path: impl Into<String>,
        handler: impl Fn(RouteRequest, Agent) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<RouteResponse>> + Send + 'static,
    {
        Self {
            path: path.into(),
            method: method.into(),
            name: String::new(),
            public: false,
            multipart: false,
            handler: Arc::new(move |request, agent| Box::pin(handler(request, agent))),
        }
    }
}

/// What a plugin adds to an agent.
#[derive(Clone, Default)]
pub struct AgentPluginDefinition {
    /// Its name.
    pub name: String,
    /// For a person.
    pub description: String,
    /// Plugins with a higher one are asked first.
    pub priority: i32,
    /// Names of plugins that are registered before this one.
    pub dependencies: Vec<String>,
    /// What the agent can do with it.
    pub actions: Vec<Action>,
    /// What the agent knows with it.
    pub providers: Vec<Provider>,
    /// What looks at messages.
    pub evaluators: Vec<Evaluator>,
    /// What runs.
    pub services: Vec<AgentService>,
    /// What is served over HTTP.
    pub routes: Vec<Route>,
    pub(crate) init: Option<Init>,
    /// By the type of the event, in the order in which the types came.
    pub(crate) events: Vec<(String, Vec<EventHandler>)>,
    pub(crate) models: Vec<(String, ModelHandler)>,
}

impl AgentPluginDefinition {
    /// A plugin that has nothing yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Describes it to a person.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets its priority: plugins with a higher one are asked first.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Names a plugin that must be registered before this one.
    #[must_use]
    pub fn depends_on(mut self, name: impl Into<String>) -> Self {
        self.dependencies.push(name.into());
        self
    }

    /// Sets what is called once, before all else, with the configuration. Its error refuses the registration.
    #[must_use]
    pub fn init<F>(mut self, init: impl Fn(JsonObject, RegisteringAgent) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.init = Some(Arc::new(move |config, agent| Box::pin(init(config, agent))));
        self
    }

    /// Adds an action.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// Adds a provider.
    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Self {
        self.providers.push(provider);
        self
    }

    /// Adds an evaluator.
    #[must_use]
    pub fn evaluator(mut self, evaluator: Evaluator) -> Self {
        self.evaluators.push(evaluator);
        self
    }

    /// Adds a service.
    #[must_use]
    pub fn service(mut self, service: AgentService) -> Self {
        self.services.push(service);
        self
    }

    /// Adds a route.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route);
        self
    }

    /// Adds a handler of events of a type; those of one type are called one after the other.
    #[must_use]
    pub fn event<F>(
        mut self,
        event_type: impl Into<String>,
        handler: impl Fn(Json, Agent) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let event_type = event_type.into();
        let handler: EventHandler = Arc::new(move |payload, agent| Box::pin(handler(payload, agent)));
        match self.events.iter_mut().find(|(other, _)| *other == event_type) {
            Some((_, handlers)) => handlers.push(handler),
            None => self.events.push((event_type, vec![handler])),
        }
        self
    }

    /// Adds a model of a type: it gives pieces of text as they come, and returns the whole answer.
    #[must_use]
    pub fn model<F>(
        mut self,
        model: impl Into<String>,
        handler: impl Fn(Json, ModelCall) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Json>> + Send + 'static,
    {
        self.models.push((model.into(), Arc::new(move |params, call| Box::pin(handler(params, call)))));
        self
    }
}

impl fmt::Debug for AgentPluginDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentPluginDefinition").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Makes what a function gives into events of a stream.
pub(crate) fn giving<T: Send + 'static, E: Send + 'static>(
    give: Give<E>,
    event: impl Fn(T) -> E + Send + Sync + 'static,
) -> Arc<dyn Fn(T) + Send + Sync> {
    Arc::new(move |value| give.give(event(value)))
}
