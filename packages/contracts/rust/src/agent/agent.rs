//! The agent as its plugins see it: what they may ask of their host, each by a capability.

use std::fmt;
use std::ops::Deref;

use anyplug_core::{BoxFuture, Context, Error, LogLevel, Result};
use anyplug_generated::anyplug::agent::v1 as wire;
use wire::use_model_response::Event;

use super::json::{Json, parse_json};
use super::values::{Memory, State, memories_of, memory_message, memory_of, state_of};

/// Which memories are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryQuery {
    /// Empty: "messages".
    pub table: String,
    /// Empty: of all rooms.
    pub room_id: String,
    /// Empty: of all.
    pub entity_id: String,
    /// At most that many. 0: 100.
    pub count: u32,
    /// Milliseconds since 1970-01-01 UTC, inclusive.
    pub start: Option<i64>,
    /// As `start`.
    pub end: Option<i64>,
}

/// What is searched for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemorySearch {
    /// What is to be near.
    pub embedding: Vec<f64>,
    /// Empty: "messages".
    pub table: String,
    /// Empty: of all rooms.
    pub room_id: String,
    /// At most that many. 0: 10.
    pub count: u32,
    /// Only those at least so near: -1 to 1.
    pub threshold: Option<f64>,
}

/// The memories of an agent.
pub trait Memories: Send + Sync + 'static {
    /// Keeps a memory, and returns its id: a new one when it had none. ALREADY_EXISTS when there is one of that id. An empty table is "messages".
    fn create(&self, memory: Memory, table: &str) -> BoxFuture<Result<String>>;
    /// NOT_FOUND when there is none of that id.
    fn get(&self, id: &str) -> BoxFuture<Result<Memory>>;
    /// The newest first.
    fn list(&self, query: MemoryQuery) -> BoxFuture<Result<Vec<Memory>>>;
    /// The nearest first, by the cosine of the embeddings.
    fn search(&self, search: MemorySearch) -> BoxFuture<Result<Vec<Memory>>>;
    /// Puts the memory in the place of the one with its id. NOT_FOUND when there is none.
    fn update(&self, memory: Memory) -> BoxFuture<Result<()>>;
    /// Forgets a memory. One that is not there is no error.
    fn delete(&self, id: &str) -> BoxFuture<Result<()>>;
}

/// Which providers are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateQuery {
    /// Names of providers to ask beside those that are neither dynamic nor private.
    pub include: Vec<String>,
    /// Asks only those in `include`.
    pub only_included: bool,
}

impl StateQuery {
    /// Asks these too.
    pub fn including<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { include: names.into_iter().map(Into::into).collect(), only_included: false }
    }

    /// Asks these alone.
    pub fn only<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { only_included: true, ..Self::including(names) }
    }
}

/// The agent that made a call, for the time of that call. What was not granted is PERMISSION_DENIED. A clone is the same.
#[derive(Clone)]
pub struct Agent {
    context: Context,
}

impl Agent {
    /// The agent that made the call which this context is of.
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// The call: its deadline, its cancellation, and what else can be called.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// What the agent remembers. Needs "agent.memory".
    pub fn memories(&self) -> RemoteMemories {
        RemoteMemories { client: wire::AgentMemoryClient::new(&self.context) }
    }

    /// The setting, or none. Needs "agent.settings".
    ///
    /// # Errors
    /// As calls fail.
    pub async fn get_setting(&self, key: &str) -> Result<Option<Json>> {
        let request = wire::GetSettingRequest { key: key.to_owned() };
        let answer = wire::AgentSettingsClient::new(&self.context).get_setting(request).await?;
        parse_json(&answer.value_json, "value_json")
    }

    /// What the providers say about a message. Needs "agent.state".
    ///
    /// # Errors
    /// As calls fail; NOT_FOUND when a provider that is named is not there.
    pub async fn compose_state(&self, message: &Memory, query: StateQuery) -> Result<State> {
        let StateQuery { include, only_included } = query;
        let message = Some(memory_message(message.clone()));
        let request = wire::ComposeStateRequest { message, include, only_included };
        state_of(wire::AgentStateClient::new(&self.context).compose_state(request).await?.state)
    }

    /// Runs a model and returns its answer; `on_text` takes the pieces as they come. Needs "agent.model".
    ///
    /// # Errors
    /// As calls fail; NOT_FOUND when no plugin has a model of that type.
    pub async fn use_model(&self, model: &str, params: Json, mut on_text: impl FnMut(String) + Send) -> Result<Json> {
        let request = wire::UseModelRequest { model: model.to_owned(), params_json: params.to_string() };
        let mut events = wire::AgentModelClient::new(&self.context).use_model(request).await?;
        while let Some(response) = events.message().await? {
            match response.event {
                Some(Event::Text(text)) => on_text(text),
                Some(Event::ResultJson(result)) => return Ok(parse_json(&result, "result_json")?.unwrap_or_default()),
                None => {}
            }
        }
        Err(without_result(&format!("the model {model}")))
    }

    /// Gives an event to all plugins that handle it, and waits for them. Needs "agent.events".
    ///
    /// # Errors
    /// As calls fail.
    pub async fn emit_event(&self, event_type: &str, payload: &Json) -> Result<()> {
        let request = wire::EmitEventRequest { r#type: event_type.to_owned(), payload_json: payload.to_string() };
        wire::AgentEventClient::new(&self.context).emit_event(request).await?;
        Ok(())
    }

    /// Writes to the agent's log.
    pub fn log(&self, level: LogLevel, message: impl Into<String>) {
        self.context.log(level, message);
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Agent").field(&self.context).finish()
    }
}

/// The agent, as it registers a plugin: who it is beside what it offers.
#[derive(Clone, Debug)]
pub struct RegisteringAgent {
    agent: Agent,
    id: String,
    name: String,
}

impl RegisteringAgent {
    pub(crate) fn new(agent: Agent, id: String, name: String) -> Self {
        Self { agent, id, name }
    }

    /// A UUID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The agent without its name.
    pub fn into_agent(self) -> Agent {
        self.agent
    }
}

impl Deref for RegisteringAgent {
    type Target = Agent;

    fn deref(&self) -> &Agent {
        &self.agent
    }
}

/// A stream ended without the message that ends it.
pub(crate) fn without_result(what: &str) -> Error {
    Error::internal(format!("{what} ended its stream without a result"))
}

/// The memories of the agent that made a call.
#[derive(Clone)]
pub struct RemoteMemories {
    client: wire::AgentMemoryClient,
}

impl fmt::Debug for RemoteMemories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteMemories").finish_non_exhaustive()
    }
}

impl Memories for RemoteMemories {
    fn create(&self, memory: Memory, table: &str) -> BoxFuture<Result<String>> {
        let request = wire::CreateMemoryRequest { memory: Some(memory_message(memory)), table: table.to_owned() };
        let call = self.client.create_memory(request);
        Box::pin(async move { Ok(call.await?.id) })
    }

    fn get(&self, id: &str) -> BoxFuture<Result<Memory>> {
        let call = self.client.get_memory(wire::GetMemoryRequest { id: id.to_owned() });
        Box::pin(async move { memory_of(call.await?.memory) })
    }

    fn list(&self, query: MemoryQuery) -> BoxFuture<Result<Vec<Memory>>> {
        let MemoryQuery { table, room_id, entity_id, count, start, end } = query;
        let request = wire::ListMemoriesRequest { table, room_id, entity_id, count, start_ms: start, end_ms: end };
        let call = self.client.list_memories(request);
        Box::pin(async move { memories_of(call.await?.memories) })
    }

    fn search(&self, search: MemorySearch) -> BoxFuture<Result<Vec<Memory>>> {
        let MemorySearch { embedding, table, room_id, count, threshold } = search;
        let request = wire::SearchMemoriesRequest { table, embedding, room_id, count, threshold };
        let call = self.client.search_memories(request);
        Box::pin(async move { memories_of(call.await?.memories) })
    }

    fn update(&self, memory: Memory) -> BoxFuture<Result<()>> {
        let call = self.client.update_memory(wire::UpdateMemoryRequest { memory: Some(memory_message(memory)) });
        Box::pin(async move { call.await.map(drop) })
    }

    fn delete(&self, id: &str) -> BoxFuture<Result<()>> {
        let call = self.client.delete_memory(wire::DeleteMemoryRequest { id: id.to_owned() });
        Box::pin(async move { call.await.map(drop) })
    }
}
