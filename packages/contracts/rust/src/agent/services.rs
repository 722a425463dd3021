//! What an agent serves to its plugins. A host gives it to `load_plugin`, a service each.

use std::sync::Arc;

use anyplug_core::{BoxFuture, Context, Implementation, Result, Sender};
use anyplug_generated::anyplug::agent::v1 as wire;
use wire::use_model_response::Event;

use super::agent::{Memories, MemoryQuery, MemorySearch, StateQuery};
use super::json::{Json, parse_json};
use super::streamed::streamed;
use super::values::{Memory, State, memory_message, memory_of, state_message};

/// What the services are made of.
pub trait AgentBehind: Send + Sync + 'static {
    /// Where the memories are.
    fn memories(&self) -> Result<Arc<dyn Memories>>;
    /// A setting, or none.
    fn get_setting(&self, key: &str) -> Result<Option<Json>>;
    /// Asks the providers.
    fn compose_state(&self, message: Memory, query: StateQuery, within: Context) -> BoxFuture<Result<State>>;
    /// Runs a model; `on_text` takes the pieces as they come.
    fn use_model(
        &self,
        model: String,
        params: Json,
        on_text: Box<dyn FnMut(String) + Send>,
        within: Context,
    ) -> BoxFuture<Result<Json>>;
    /// Gives an event to all who handle it.
    fn emit_event(&self, event_type: String, payload: Json, within: Context) -> BoxFuture<Result<()>>;
}

/// Returns the implementations of the agent's services, in the order of the schema.
pub fn agent_services(agent: Arc<dyn AgentBehind>) -> Vec<Implementation> {
    vec![
        wire::AgentSettings::implement(Served(agent.clone())),
        wire::AgentState::implement(Served(agent.clone())),
        wire::AgentMemory::implement(Served(agent.clone())),
        wire::AgentModel::implement(Served(agent.clone())),
        wire::AgentEvent::implement(Served(agent)),
    ]
}

struct Served(Arc<dyn AgentBehind>);

impl wire::AgentSettingsHandler for Served {
    async fn get_setting(&self, request: wire::GetSettingRequest, _: Context) -> Result<wire::GetSettingResponse> {
        let value = self.0.get_setting(&request.key)?;
        Ok(wire::GetSettingResponse { value_json: value.map(|value| value.to_string()).unwrap_or_default() })
    }
}

impl wire::AgentStateHandler for Served {
    async fn compose_state(
        &self,
        request: wire::ComposeStateRequest,
        context: Context,
    ) -> Result<wire::ComposeStateResponse> {
        let wire::ComposeStateRequest { message, include, only_included } = request;
        let query = StateQuery { include, only_included };
        let state = self.0.compose_state(memory_of(message)?, query, context).await?;
        Ok(wire::ComposeStateResponse { state: Some(state_message(state)) })
    }
}

impl wire::AgentMemoryHandler for Served {
    async fn create_memory(
        &self,
        request: wire::CreateMemoryRequest,
        _: Context,
    ) -> Result<wire::CreateMemoryResponse> {
        let memory = memory_of(request.memory)?;
        Ok(wire::CreateMemoryResponse { id: self.0.memories()?.create(memory, &request.table).await? })
    }

    async fn get_memory(&self, request: wire::GetMemoryRequest, _: Context) -> Result<wire::GetMemoryResponse> {
        let memory = self.0.memories()?.get(&request.id).await?;
        Ok(wire::GetMemoryResponse { memory: Some(memory_message(memory)) })
    }

    async fn list_memories(
        &self,
        request: wire::ListMemoriesRequest,
        _: Context,
    ) -> Result<wire::ListMemoriesResponse> {
        let wire::ListMemoriesRequest { table, room_id, entity_id, count, start_ms, end_ms } = request;
        let query = MemoryQuery { table, room_id, entity_id, count, start: start_ms, end: end_ms };
        let memories = self.0.memories()?.list(query).await?;
        Ok(wire::ListMemoriesResponse { memories: memories.into_iter().map(memory_message).collect() })
    }

    async fn search_memories(
        &self,
        request: wire::SearchMemoriesRequest,
        _: Context,
    ) -> Result<wire::SearchMemoriesResponse> {
        let wire::SearchMemoriesRequest { table, embedding, room_id, count, threshold } = request;
        let search = MemorySearch { embedding, table, room_id, count, threshold };
        let memories = self.0.memories()?.search(search).await?;
        Ok(wire::SearchMemoriesResponse { memories: memories.into_iter().map(memory_message).collect() })
    }

    async fn update_memory(
        &self,
        request: wire::UpdateMemoryRequest,
        _: Context,
    ) -> Result<wire::UpdateMemoryResponse> {
        self.0.memories()?.update(memory_of(request.memory)?).await?;
        Ok(wire::UpdateMemoryResponse {})
    }

    async fn delete_memory(
        &self,
        request: wire::DeleteMemoryRequest,
        _: Context,
    ) -> Result<wire::DeleteMemoryResponse> {
        self.0.memories()?.delete(&request.id).await?;
        Ok(wire::DeleteMemoryResponse {})
    }
}

impl wire::AgentModelHandler for Served {
    async fn use_model(
        &self,
        request: wire::UseModelRequest,
        responses: Sender<wire::UseModelResponse>,
        context: Context,
    ) -> Result<()> {
        let params = parse_json(&request.params_json, "params_json")?.unwrap_or_default();
        streamed(responses, |give| {
            let on_text = move |text| give.give(wire::UseModelResponse { event: Some(Event::Text(text)) });
            let running = self.0.use_model(request.model, params, Box::new(on_text), context);
            async move {
                let result = running.await?.to_string();
                Ok(wire::UseModelResponse { event: Some(Event::ResultJson(result)) })
            }
        })
        .await
    }
}

impl wire::AgentEventHandler for Served {
    async fn emit_event(&self, request: wire::EmitEventRequest, context: Context) -> Result<wire::EmitEventResponse> {
        let payload = parse_json(&request.payload_json, "payload_json")?.unwrap_or_default();
        self.0.emit_event(request.r#type, payload, context).await?;
        Ok(wire::EmitEventResponse {})
    }
}
