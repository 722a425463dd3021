//! The runtime, as what is behind the services that our plugins call.

use std::sync::{Arc, Weak};

use anyplug_contracts::agent::{AgentBehind, Json, Memories, Memory, MemoryQuery, MemorySearch, State, StateQuery};
use anyplug_core::{BoxFuture, Context, Error, Result};
use elizaos::AgentRuntime;
use elizaos::runtime::DatabaseAdapter;
use elizaos::types::database::{GetMemoriesParams, SearchMemoriesParams};
use elizaos::types::settings::SettingValue;

use crate::values::{id_of, memory_of, state_of, their_memory, uuid};

/// The runtime holds the plugins, and they hold this.
pub(crate) struct BehindElizaos(pub(crate) Weak<AgentRuntime>);

impl BehindElizaos {
    fn runtime(&self) -> Result<Arc<AgentRuntime>> {
        self.0.upgrade().ok_or_else(|| Error::unavailable("the runtime of ElizaOS is gone"))
    }
}

impl AgentBehind for BehindElizaos {
    fn memories(&self) -> Result<Arc<dyn Memories>> {
        match self.runtime()?.get_adapter() {
            Some(adapter) => Ok(Arc::new(ElizaosMemories(adapter.clone()))),
            None => Err(Error::failed_precondition("the runtime of ElizaOS has no database; give it an adapter")),
        }
    }

    fn get_setting(&self, key: &str) -> Result<Option<Json>> {
        // It waits for nothing but locks that are held for moments.
        Ok(match futures_executor::block_on(self.runtime()?.get_setting(key)) {
            None | Some(SettingValue::Null) => None,
            Some(SettingValue::String(text)) => Some(text.into()),
            Some(SettingValue::Bool(flag)) => Some(flag.into()),
            Some(SettingValue::Number(number)) => Some(number.into()),
        })
    }

    fn compose_state(&self, message: Memory, query: StateQuery, _: Context) -> BoxFuture<Result<State>> {
        let runtime = self.runtime();
        Box::pin(async move {
            let message = their_memory(message)?;
            let include = (!query.include.is_empty() || query.only_included).then_some(query.include);
            let composed = runtime?.compose_state_filtered(&message, include.as_deref(), query.only_included).await;
            Ok(state_of(Some(&composed.map_err(failed)?)))
        })
    }

    fn use_model(
        &self,
        model: String,
        params: Json,
        mut on_text: Box<dyn FnMut(String) + Send>,
        _: Context,
    ) -> BoxFuture<Result<Json>> {
        let runtime = self.runtime();
        Box::pin(async move {
            let runtime = runtime?;
            // The models of ElizaOS that stream have types of their own.
            if !model.ends_with("_STREAM") {
                return Ok(runtime.use_model(&model, params).await.map_err(failed)?.into());
            }
            let mut pieces = runtime.use_model_stream(&model, params).await.map_err(failed)?;
            let mut whole = String::new();
            while let Some(piece) = pieces.recv().await {
                let piece = piece.map_err(failed)?;
                whole.push_str(&piece);
                on_text(piece);
            }
            Ok(whole.into())
        })
    }

    fn emit_event(&self, event_type: String, payload: Json, _: Context) -> BoxFuture<Result<()>> {
        let runtime = self.runtime();
        Box::pin(async move {
            let known = serde_json::from_value(event_type.clone().into())
                .map_err(|_| Error::invalid_argument(format!("ElizaOS has no event {event_type:?}")))?;
            let extra = payload.as_object().cloned().unwrap_or_default().into_iter().collect();
            let payload = elizaos::types::events::EventPayload { source: "anyplug".to_owned(), extra };
            runtime?.emit_event(known, payload).await.map_err(failed)
        })
    }
}

/// The memories of the runtime, which are those of its database.
struct ElizaosMemories(Arc<dyn DatabaseAdapter>);

impl Memories for ElizaosMemories {
    fn create(&self, memory: Memory, table: &str) -> BoxFuture<Result<String>> {
        let (adapter, table) = (self.0.clone(), table_of(table.to_owned()));
        Box::pin(async move {
            let id = adapter.create_memory(&their_memory(memory)?, &table).await.map_err(failed)?;
            Ok(id.as_str().to_owned())
        })
    }

    fn get(&self, id: &str) -> BoxFuture<Result<Memory>> {
        let (adapter, id) = (self.0.clone(), id.to_owned());
        Box::pin(async move {
            let missing = || Error::not_found(format!("there is no memory of id {id:?}"));
            memory_of(&adapter.get_memory_by_id(&uuid(&id)).await.map_err(failed)?.ok_or_else(missing)?)
        })
    }

    fn list(&self, query: MemoryQuery) -> BoxFuture<Result<Vec<Memory>>> {
        let adapter = self.0.clone();
        Box::pin(async move {
            let params = GetMemoriesParams {
                entity_id: id_of(&query.entity_id),
                agent_id: None,
                count: Some(count_of(query.count, 100)),
                offset: None,
                unique: None,
                table_name: table_of(query.table),
                start: query.start,
                end: query.end,
                room_id: id_of(&query.room_id),
                world_id: None,
            };
            adapter.get_memories(params).await.map_err(failed)?.iter().map(memory_of).collect()
        })
    }

    fn search(&self, search: MemorySearch) -> BoxFuture<Result<Vec<Memory>>> {
        let adapter = self.0.clone();
        Box::pin(async move {
            let params = SearchMemoriesParams {
                embedding: search.embedding.iter().map(|number| *number as f32).collect(),
                match_threshold: search.threshold,
                count: Some(count_of(search.count, 10)),
                unique: None,
                table_name: table_of(search.table),
                query: None,
                room_id: id_of(&search.room_id),
                world_id: None,
                entity_id: None,
            };
            adapter.search_memories(params).await.map_err(failed)?.iter().map(memory_of).collect()
        })
    }

    fn update(&self, memory: Memory) -> BoxFuture<Result<()>> {
        let adapter = self.0.clone();
        Box::pin(async move { adapter.update_memory(&their_memory(memory)?).await.map(drop).map_err(failed) })
    }

    fn delete(&self, id: &str) -> BoxFuture<Result<()>> {
        let (adapter, id) = (self.0.clone(), uuid(id));
        Box::pin(async move { adapter.delete_memory(&id).await.map_err(failed) })
    }
}

fn table_of(table: String) -> String {
    if table.is_empty() { "messages".to_owned() } else { table }
}

fn count_of(count: u32, usual: i32) -> i32 {
    if count == 0 { usual } else { i32::try_from(count).unwrap_or(i32::MAX) }
}

fn failed(error: anyhow::Error) -> Error {
    Error::unknown(format!("{error:#}"))
}
