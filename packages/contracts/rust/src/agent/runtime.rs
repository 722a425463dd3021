//! An agent: it registers plugins, and asks them.

use std::collections::BTreeMap;
use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use anyplug_core::{BoxFuture, CallOptions, Context, Error, Implementation, Link, LogLevel, LogRecord, Result};
use anyplug_generated::anyplug::agent::v1::{
    ActionDescription, EvaluatorDescription, ProviderDescription, RouteDescription,
};
use futures_util::future::join_all;

use super::agent::{Memories, StateQuery};
use super::define::AgentPluginDefinition;
use super::json::{Json, JsonObject};
use super::local::local_link;
use super::memories::InMemoryMemories;
use super::registration::{Described, InvokeArguments, Owned, Registration, or_failure};
use super::services::{AgentBehind, agent_services};
use super::values::{ActionResult, Content, Memory, ProviderResult, State};

/// Takes log records, from any thread.
pub type OnLog = Arc<dyn Fn(&LogRecord) + Send + Sync>;

/// What an agent is made with. All of it is optional.
#[derive(Clone)]
pub struct AgentRuntimeOptions {
    /// A UUID. Default: a new one.
    pub id: String,
    /// Default: "agent".
    pub name: String,
    /// What plugins with the capability "agent.settings" may read.
    pub settings: BTreeMap<String, Json>,
    /// Default: memories in this process.
    pub memories: Arc<dyn Memories>,
    /// How long a plugin may take for one answer; a model has no limit. Default 30 s.
    pub timeout: Duration,
    /// Takes what went wrong where the agent goes on: a provider that failed, a name that comes twice. Default: it is dropped.
    pub on_log: Option<OnLog>,
}

impl Default for AgentRuntimeOptions {
    fn default() -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            name: "agent".to_owned(),
            settings: BTreeMap::new(),
            memories: Arc::new(InMemoryMemories::new()),
            timeout: Duration::from_secs(30),
            on_log: None,
        }
    }
}

impl AgentRuntimeOptions {
    /// Says nothing but a name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds a setting.
    #[must_use]
    pub fn setting(mut self, key: impl Into<String>, value: impl Into<Json>) -> Self {
        self.settings.insert(key.into(), value.into());
        self
    }

    /// Takes what went wrong where the agent goes on.
    #[must_use]
    pub fn on_log(mut self, on_log: impl Fn(&LogRecord) + Send + Sync + 'static) -> Self {
        self.on_log = Some(Arc::new(on_log));
        self
    }
}

impl fmt::Debug for AgentRuntimeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Settings are not shown: they may hold secrets.
        f.debug_struct("AgentRuntimeOptions").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// What can be registered: a definition of this program, or the link to a plugin that was loaded (`plugin.link()`).
pub enum AgentPlugin {
    /// Of this program.
    Defined(Box<AgentPluginDefinition>),
    /// Loaded. When the link ends, the plugin is unregistered.
    Linked(Arc<dyn Link>),
}

impl From<AgentPluginDefinition> for AgentPlugin {
    fn from(definition: AgentPluginDefinition) -> Self {
        Self::Defined(Box::new(definition))
    }
}

impl From<Arc<dyn Link>> for AgentPlugin {
    fn from(link: Arc<dyn Link>) -> Self {
        Self::Linked(link)
    }
}

impl From<&Arc<dyn Link>> for AgentPlugin {
    fn from(link: &Arc<dyn Link>) -> Self {
        Self::Linked(link.clone())
    }
}

impl fmt::Debug for AgentPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defined(definition) => f.debug_tuple("Defined").field(&definition.name).finish(),
            Self::Linked(_) => f.debug_tuple("Linked").finish(),
        }
    }
}

/// How one action or evaluator ended.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedResult {
    /// The name of the action or evaluator.
    pub name: String,
    /// The plugin that has it; empty when none has.
    pub plugin: String,
    /// How it ended.
    pub result: ActionResult,
}

/// An agent. Plugins add to it what it can do and know; it asks them, and goes on when one of them fails. A clone is the same agent.
///
/// Its [services](Self::services) do not keep it alive: a plugin that calls an agent that is gone gets UNAVAILABLE.
#[derive(Clone)]
pub struct AgentRuntime {
    inner: Arc<Inner>,
}

struct Inner {
    id: String,
    name: String,
    memories: Arc<dyn Memories>,
    settings: Mutex<BTreeMap<String, Json>>,
    timeout: Duration,
    on_log: Option<OnLog>,
    plugins: Mutex<Plugins>,
}

/// What is registered, in the order in which it is asked: the higher priority first, then as they came.
#[derive(Clone, Default)]
struct Plugins {
    all: Arc<[Arc<Registration>]>,
    routes: Arc<[Owned<RouteDescription>]>,
}

impl Default for AgentRuntime {
    fn default() -> Self {
        Self::new(AgentRuntimeOptions::default())
    }
}

impl AgentRuntime {
    /// An agent without plugins.
    pub fn new(options: AgentRuntimeOptions) -> Self {
        let AgentRuntimeOptions { id, name, settings, memories, timeout, on_log } = options;
        let (settings, plugins) = (Mutex::new(settings), Mutex::default());
        Self { inner: Arc::new(Inner { id, name, memories, settings, timeout, on_log, plugins }) }
    }

    /// A UUID.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What it remembers.
    pub fn memories(&self) -> &Arc<dyn Memories> {
        &self.inner.memories
    }

    /// What plugins may call: give it to `load_plugin`, service by service.
    pub fn services(&self) -> Vec<Implementation> {
        agent_services(Arc::new(Behind(Arc::downgrade(&self.inner))))
    }

    /// The names of the registered plugins, in the order in which they are asked.
    pub fn plugins(&self) -> Vec<String> {
        self.inner.all().iter().map(|plugin| plugin.name().to_owned()).collect()
    }

    /// All of one kind that the plugins have; of those with one name the first: `agent.list::<ActionDescription>()`.
    pub fn list<T: Described>(&self) -> Vec<Owned<T>> {
        self.inner.list()
    }

    /// The HTTP routes of all plugins.
    pub fn routes(&self) -> Arc<[Owned<RouteDescription>]> {
        self.inner.lock().routes.clone()
    }

    /// Registers a plugin, loaded or defined in this program, when it is awaited: asks what it has, initializes it and starts its services. When it ends by itself, it is unregistered.
    ///
    /// It fails with ALREADY_EXISTS for a second one of its name, FAILED_PRECONDITION when a plugin that it depends on is not registered, and what the plugin itself answered
    /// when it refuses; it is not registered then.
    pub fn register_plugin(&self, plugin: impl Into<AgentPlugin>) -> Register {
        Register { agent: self.clone(), plugin: plugin.into(), config: JsonObject::new() }
    }

    /// Stops the plugin's services and forgets it; it is not closed. What fails on the way is logged. False when there is none of that name.
    pub async fn unregister_plugin(&self, name: &str) -> bool {
        let Some(plugin) = self.inner.find(name) else {
            return false;
        };
        self.inner.remove(&plugin);
        for service_type in plugin.running().into_iter().rev() {
            if let Err(error) = plugin.stop_service(&service_type, self.inner.options(None)).await {
                self.inner.failed(&format!("service {service_type}"), &plugin, &error);
            }
        }
        true
    }

    /// The setting, or none.
    pub fn get_setting(&self, key: &str) -> Option<Json> {
        self.inner.settings().get(key).cloned()
    }

    /// Sets a setting; none removes it.
    pub fn set_setting(&self, key: impl Into<String>, value: Option<Json>) {
        let mut settings = self.inner.settings();
        match value {
            Some(value) => drop(settings.insert(key.into(), value)),
            None => drop(settings.remove(&key.into())),
        }
    }

    /// Asks the providers, all at once, and puts together what they say: texts by position, values and data by name. One that fails is logged and left out.
    ///
    /// # Errors
    /// NOT_FOUND when a provider that is named is not there.
    pub async fn compose_state(&self, message: &Memory, query: StateQuery) -> Result<State> {
        self.inner.compose_state(message, query, None).await
    }

    /// The actions that make sense for the message, the higher priority first. One that cannot be asked is logged and left out.
    pub async fn valid_actions(&self, message: &Memory, state: &State) -> Vec<Owned<ActionDescription>> {
        let asked = self.list::<ActionDescription>().into_iter().map(|action| async move {
            let Owned { plugin, description } = &action;
            let options = self.inner.options(None);
            match plugin.validate_action(&description.name, message, state, options).await {
                Ok(valid) => valid.then_some(action),
                Err(error) => {
                    self.inner.failed(&format!("action {}", description.name), plugin, &error);
                    None
                }
            }
        });
        let mut valid: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
        valid.sort_by_key(|action| std::cmp::Reverse(action.description.priority));
        valid
    }

    /// Runs the actions that the responses name, one after the other, when it is awaited; later ones see in their state what earlier ones returned. An action that fails, or is
    /// not there, has a result that says so, and the next one runs.
    pub fn process_actions<'a>(&self, message: &'a Memory, responses: &'a [Memory]) -> Process<'a> {
        Process::new(self, Kind::Actions, message, responses)
    }

    /// Runs the evaluators that want to look at the message, when it is awaited: all of them when the agent answered, else those that always run. One that fails has a result that
    /// says so.
    pub fn run_evaluators<'a>(&self, message: &'a Memory, responses: &'a [Memory]) -> Process<'a> {
        Process::new(self, Kind::Evaluators, message, responses)
    }

    /// Gives an event to all plugins that handle it, at once, and waits for them. One that fails is logged.
    pub async fn emit_event(&self, event_type: &str, payload: &Json) {
        self.inner.emit_event(event_type, payload, None).await;
    }

    /// Runs the model of that type of the first plugin that has one; `on_text` takes the pieces as they come.
    ///
    /// # Errors
    /// NOT_FOUND when no plugin has one, and what the plugin answered.
    pub async fn use_model(&self, model: &str, params: &Json, on_text: impl FnMut(String) + Send) -> Result<Json> {
        self.inner.use_model(model, params, on_text, None).await
    }
}

impl fmt::Debug for AgentRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentRuntime")
            .field("id", &self.inner.id)
            .field("name", &self.inner.name)
            .field("plugins", &self.plugins())
            .finish_non_exhaustive()
    }
}

/// A plugin that is to be registered: its configuration, and then `.await`.
#[derive(Debug)]
#[must_use = "a plugin is registered when it is awaited"]
pub struct Register {
    agent: AgentRuntime,
    plugin: AgentPlugin,
    config: JsonObject,
}

impl Register {
    /// Sets a member of the configuration for its Init.
    pub fn config(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.config.insert(name.into(), value.into());
        self
    }

    /// Sets all of the configuration for its Init.
    pub fn configured(mut self, config: JsonObject) -> Self {
        self.config = config;
        self
    }
}

impl IntoFuture for Register {
    type Output = Result<Arc<Registration>>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { agent, plugin, config } = self;
            match plugin {
                AgentPlugin::Linked(link) => agent.inner.register(&link, config, Some(link.clone())).await,
                AgentPlugin::Defined(definition) => {
                    let weak = Arc::downgrade(&agent.inner);
                    let on_log = move |record: LogRecord| {
                        if let Some(inner) = weak.upgrade() {
                            inner.take_log(&record);
                        }
                    };
                    let link = local_link(*definition, &agent.inner.name, agent.services(), on_log)?;
                    agent.inner.register(&link, config, None).await
                }
            }
        })
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Actions,
    Evaluators,
}

type OnContent<'a> = Box<dyn FnMut(Content, &str) + Send + 'a>;

/// Actions or evaluators that are to be run: how, and then `.await`.
#[must_use = "they are run when it is awaited"]
pub struct Process<'a> {
    agent: AgentRuntime,
    kind: Kind,
    message: &'a Memory,
    responses: &'a [Memory],
    state: Option<State>,
    options: Option<JsonObject>,
    on_content: OnContent<'a>,
}

impl<'a> Process<'a> {
    fn new(agent: &AgentRuntime, kind: Kind, message: &'a Memory, responses: &'a [Memory]) -> Self {
        let (agent, on_content) = (agent.clone(), Box::new(|_: Content, _: &str| {}));
        Self { agent, kind, message, responses, state: None, options: None, on_content }
    }

    /// What the agent knows. Default: composed for the message.
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// Free options for each.
    pub fn options(mut self, options: JsonObject) -> Self {
        self.options = Some(options);
        self
    }

    /// Takes what is said on the way, with the name of who said it.
    pub fn on_content(mut self, on_content: impl FnMut(Content, &str) + Send + 'a) -> Self {
        self.on_content = Box::new(on_content);
        self
    }

    fn arguments(&self, state: &State) -> InvokeArguments {
        InvokeArguments {
            message: self.message.clone(),
            state: state.clone(),
            options: self.options.clone(),
            responses: self.responses.to_vec(),
        }
    }

    async fn actions(mut self, mut state: State) -> Vec<NamedResult> {
        let mut results: Vec<NamedResult> = Vec::new();
        let inner = self.agent.inner.clone();
        for name in self.responses.iter().flat_map(|response| &response.content.actions) {
            let Some(Owned { plugin, description }) = inner.action(name) else {
                let result = ActionResult::failure(format!("Action not found: {name}"));
                results.push(NamedResult { name: name.clone(), plugin: String::new(), result });
                continue;
            };
            let name = description.name;
            let arguments = self.arguments(&state);
            let said = |content: Content| (self.on_content)(content, &name);
            let result = or_failure(plugin.invoke_action(&name, arguments, said, inner.options(None)).await);
            results.push(NamedResult { plugin: plugin.name().to_owned(), name, result });
            state = with_result(state, &results);
        }
        results
    }

    async fn evaluators(mut self, state: State) -> Vec<NamedResult> {
        let mut results = Vec::new();
        let inner = self.agent.inner.clone();
        for Owned { plugin, description } in inner.list::<EvaluatorDescription>() {
            if self.responses.is_empty() && !description.always_run {
                continue;
            }
            let name = description.name;
            match plugin.validate_evaluator(&name, self.message, &state, inner.options(None)).await {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => {
                    inner.failed(&format!("evaluator {name}"), &plugin, &error);
                    continue;
                }
            }
            let arguments = self.arguments(&state);
            let said = |content: Content| (self.on_content)(content, &name);
            let result = or_failure(plugin.invoke_evaluator(&name, arguments, said, inner.options(None)).await);
            results.push(NamedResult { plugin: plugin.name().to_owned(), name, result });
        }
        results
    }
}

impl fmt::Debug for Process<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("agent", &self.agent).finish_non_exhaustive()
    }
}

impl<'a> IntoFuture for Process<'a> {
    type Output = Vec<NamedResult>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            let state = match self.state.take() {
                Some(state) => state,
                // Nothing is named in the query, so that nothing can be missing.
                None => self.agent.compose_state(self.message, StateQuery::default()).await.unwrap_or_default(),
            };
            match self.kind {
                Kind::Actions => self.actions(state).await,
                Kind::Evaluators => self.evaluators(state).await,
            }
        })
    }
}

/// The state with what the last action returned, and with all results so far.
fn with_result(mut state: State, results: &[NamedResult]) -> State {
    if let Some(values) = results.last().and_then(|last| last.result.values.clone()) {
        state.values.extend(values);
    }
    let all = results.iter().map(|NamedResult { name, result, .. }| {
        let mut told = JsonObject::from_iter([("name".to_owned(), name.clone().into())]);
        told.extend(result.clone().into_json());
        Json::Object(told)
    });
    state.data.insert("actionResults".to_owned(), all.collect());
    state
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace('_', "")
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Plugins> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settings(&self) -> MutexGuard<'_, BTreeMap<String, Json>> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Arc<[Arc<Registration>]> {
        self.lock().all.clone()
    }

    fn find(&self, name: &str) -> Option<Arc<Registration>> {
        self.all().iter().find(|plugin| plugin.name() == name).cloned()
    }

    fn list<T: Described>(&self) -> Vec<Owned<T>> {
        list_of(&self.all())
    }

    fn options(&self, within: Option<&Context>) -> CallOptions {
        CallOptions { timeout: Some(self.timeout), within: within.cloned(), ..CallOptions::default() }
    }

    async fn register(
        self: &Arc<Self>,
        link: &Arc<dyn Link>,
        config: JsonObject,
        watched: Option<Arc<dyn Link>>,
    ) -> Result<Arc<Registration>> {
        let added = Arc::new(Registration::of_link(link, self.options(None)).await?);
        admit(&self.all(), &added)?;
        added.init(&self.id, &self.name, config, self.options(None)).await?;
        // Another of its name may have come while it was initialized: this asks again.
        self.add(&added)?;
        for service in &added.description().services {
            if let Err(error) = added.start_service(&service.r#type, self.options(None)).await {
                AgentRuntime { inner: self.clone() }.unregister_plugin(added.name()).await;
                return Err(error);
            }
        }
        if let Some(link) = watched {
            let (agent, plugin) = (Arc::downgrade(self), Arc::downgrade(&added));
            let closed = link.wait_closed();
            link.spawn(Box::pin(async move {
                let reason = closed.await;
                if let (Some(agent), Some(plugin)) = (agent.upgrade(), plugin.upgrade())
                    && agent.remove(&plugin)
                {
                    let message = format!("plugin \"{}\" is unregistered: {}", plugin.name(), reason.message());
                    agent.log(LogLevel::Warn, message);
                }
            }));
        }
        Ok(added)
    }

    fn add(&self, added: &Arc<Registration>) -> Result<()> {
        let found = {
            let mut plugins = self.lock();
            admit(&plugins.all, added)?;
            let mut found = clashes::<ActionDescription>(&plugins.all, added, "actions");
            found.extend(clashes::<ProviderDescription>(&plugins.all, added, "providers"));
            found.extend(clashes::<EvaluatorDescription>(&plugins.all, added, "evaluators"));
            let mut all = plugins.all.to_vec();
            all.push(added.clone());
            // The sort is stable.
            all.sort_by_key(|plugin| std::cmp::Reverse(plugin.description().priority));
            *plugins = Plugins::of(all);
            found
        };
        for message in found {
            self.log(LogLevel::Warn, message);
        }
        Ok(())
    }

    fn remove(&self, plugin: &Arc<Registration>) -> bool {
        let mut plugins = self.lock();
        let mut all = plugins.all.to_vec();
        all.retain(|other| !Arc::ptr_eq(other, plugin));
        let was_there = all.len() < plugins.all.len();
        if was_there {
            *plugins = Plugins::of(all);
        }
        was_there
    }

    async fn compose_state(&self, message: &Memory, query: StateQuery, within: Option<&Context>) -> Result<State> {
        let chosen = self.providers(&query)?;
        let answers = chosen.iter().map(|Owned { plugin, description }| async move {
            let name = &description.name;
            let none = State::default();
            match plugin.get_provider(name, message, &none, self.options(within)).await {
                Ok(answer) => (name, answer),
                Err(error) => {
                    self.failed(&format!("provider {name}"), plugin, &error);
                    (name, ProviderResult::default())
                }
            }
        });
        let (mut texts, mut values, mut providers) = (Vec::new(), JsonObject::new(), JsonObject::new());
        for (name, answer) in join_all(answers).await {
            texts.extend(answer.text.clone().filter(|text| !text.is_empty()));
            values.extend(answer.values.clone().unwrap_or_default());
            providers.insert(name.clone(), answer.into_json().into());
        }
        let data = JsonObject::from_iter([("providers".to_owned(), providers.into())]);
        Ok(State { text: texts.join("\n"), values, data, extra: JsonObject::new() })
    }

    fn providers(&self, query: &StateQuery) -> Result<Vec<Owned<ProviderDescription>>> {
        let mut all = self.list::<ProviderDescription>();
        for name in &query.include {
            if !all.iter().any(|one| one.description.name == *name) {
                let known: Vec<_> = all.iter().map(|one| &*one.description.name).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Error::not_found(format!("there is no provider \"{name}\"; there are: {known}")));
            }
        }
        all.retain(|Owned { description: ProviderDescription { name, dynamic, private, .. }, .. }| {
            query.include.contains(name) || !(query.only_included || *dynamic || *private)
        });
        all.sort_by_key(|one| one.description.position);
        Ok(all)
    }

    /// The action of that name, or that is spelled alike, or that has it among its similes.
    fn action(&self, name: &str) -> Option<Owned<ActionDescription>> {
        let all = self.list::<ActionDescription>();
        let alike = plain(name);
        let matches: [&dyn Fn(&ActionDescription) -> bool; 3] =
            [&|action| action.name == name, &|action| plain(&action.name) == alike, &|action| {
                action.similes.iter().any(|simile| plain(simile) == alike)
            }];
        matches.iter().find_map(|is_it| all.iter().find(|one| is_it(&one.description)).cloned())
    }

    async fn emit_event(&self, event_type: &str, payload: &Json, within: Option<&Context>) {
        let all = self.all();
        let handles = |plugin: &&Arc<Registration>| plugin.description().events.iter().any(|other| other == event_type);
        join_all(all.iter().filter(handles).map(|plugin| async move {
            if let Err(error) = plugin.handle_event(event_type, payload, self.options(within)).await {
                self.failed(&format!("event {event_type}"), plugin, &error);
            }
        }))
        .await;
    }

    async fn use_model(
        &self,
        model: &str,
        params: &Json,
        on_text: impl FnMut(String) + Send,
        within: Option<&Context>,
    ) -> Result<Json> {
        let all = self.all();
        match all.iter().find(|plugin| plugin.description().models.iter().any(|other| other == model)) {
            Some(plugin) => {
                let options = CallOptions { within: within.cloned(), ..CallOptions::default() };
                plugin.generate(model, params, on_text, options).await
            }
            None => Err(Error::not_found(format!("no plugin has a model \"{model}\"; register one that has"))),
        }
    }

    fn failed(&self, what: &str, plugin: &Registration, error: &Error) {
        self.log(LogLevel::Error, format!("{what} of plugin \"{}\" failed: {}", plugin.name(), error.message()));
    }

    fn log(&self, level: LogLevel, message: String) {
        self.take_log(&LogRecord::new(level, "anyplug.agent", message).with_time_of_now());
    }

    fn take_log(&self, record: &LogRecord) {
        if let Some(on_log) = &self.on_log {
            on_log(record);
        }
    }
}

impl Plugins {
    fn of(all: Vec<Arc<Registration>>) -> Self {
        let route = |plugin: &Arc<Registration>, description: &RouteDescription| Owned {
            plugin: plugin.clone(),
            description: description.clone(),
        };
        let routes = all.iter().flat_map(|plugin| plugin.description().routes.iter().map(|one| route(plugin, one)));
        Self { routes: routes.collect(), all: all.iter().cloned().collect() }
    }
}

fn list_of<T: Described>(plugins: &[Arc<Registration>]) -> Vec<Owned<T>> {
    let mut found: Vec<Owned<T>> = Vec::new();
    for plugin in plugins {
        for description in T::of(plugin.description()) {
            if !found.iter().any(|other| other.description.name() == description.name()) {
                found.push(Owned { plugin: plugin.clone(), description: description.clone() });
            }
        }
    }
    found
}

/// Whether a plugin may be registered beside those that are.
fn admit(plugins: &[Arc<Registration>], added: &Registration) -> Result<()> {
    let is_there = |name: &str| plugins.iter().any(|plugin| plugin.name() == name);
    let name = added.name();
    if is_there(name) {
        let message = format!("a plugin \"{name}\" is registered; unregister it first");
        return Err(Error::already_exists(message));
    }
    let dependencies = &added.description().dependencies;
    let missing: Vec<_> = dependencies.iter().map(String::as_str).filter(|name| !is_there(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    let message = format!("plugin \"{name}\" depends on {missing}, not registered; register that first");
    Err(Error::failed_precondition(message))
}

/// What is to be logged about names that two plugins have.
fn clashes<T: Described>(plugins: &[Arc<Registration>], added: &Registration, kind: &str) -> Vec<String> {
    let taken = list_of::<T>(plugins);
    let clash = |description: &T| {
        let name = description.name();
        let first = taken.iter().find(|one| one.description.name() == name)?.plugin.name();
        Some(format!(
            "plugins \"{first}\" and \"{}\" both have {name} among their {kind}; the one with the higher priority, else the first, is used",
            added.name()
        ))
    };
    T::of(added.description()).iter().filter_map(clash).collect()
}

/// The agent as its services have it.
struct Behind(Weak<Inner>);

impl Behind {
    fn agent(&self) -> Result<Arc<Inner>> {
        self.0.upgrade().ok_or_else(|| Error::unavailable("the agent is gone"))
    }
}

impl AgentBehind for Behind {
    fn memories(&self) -> Result<Arc<dyn Memories>> {
        Ok(self.agent()?.memories.clone())
    }

    fn get_setting(&self, key: &str) -> Result<Option<Json>> {
        Ok(self.agent()?.settings().get(key).cloned())
    }

    fn compose_state(&self, message: Memory, query: StateQuery, within: Context) -> BoxFuture<Result<State>> {
        let agent = self.agent();
        Box::pin(async move { agent?.compose_state(&message, query, Some(&within)).await })
    }

    fn use_model(
        &self,
        model: String,
        params: Json,
        on_text: Box<dyn FnMut(String) + Send>,
        within: Context,
    ) -> BoxFuture<Result<Json>> {
        let agent = self.agent();
        Box::pin(async move { agent?.use_model(&model, &params, on_text, Some(&within)).await })
    }

    fn emit_event(&self, event_type: String, payload: Json, within: Context) -> BoxFuture<Result<()>> {
        let agent = self.agent();
        Box::pin(async move {
            agent?.emit_event(&event_type, &payload, Some(&within)).await;
            Ok(())
        })
    }
}
