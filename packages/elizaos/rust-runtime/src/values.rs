//! ElizaOS's values as ours, and back.

use std::collections::HashMap;

use anyplug_contracts::agent::{ActionResult, Content, Json, JsonObject, Memory, State};
use anyplug_core::{Error, Result};
use elizaos::types::components::{ActionResult as TheirResult, HandlerOptions};
use serde_json::json;

/// Their memory as ours: members of a content that theirs has no field for are in its `extra` there.
pub(crate) fn memory_of(memory: &elizaos::Memory) -> Result<Memory> {
    let mut found = serde_json::to_value(memory).map_err(|error| Error::internal(format!("a memory: {error}")))?;
    for name in ["id", "entityId", "agentId", "roomId", "worldId"] {
        if let Some(value) = found[name].get("value").cloned() {
            found[name] = value;
        }
    }
    if let Some(content) = found["content"].as_object_mut() {
        if let Some(Json::Object(extra)) = content.remove("extra") {
            content.extend(extra);
        }
    }
    Memory::from_json(&found, "memory")
}

/// Our memory as theirs.
pub(crate) fn their_memory(memory: Memory) -> Result<elizaos::Memory> {
    let id = |value: &Option<String>| value.as_deref().map(uuid);
    Ok(elizaos::Memory {
        id: id(&memory.id),
        entity_id: id(&memory.entity_id).unwrap_or_else(elizaos::UUID::default_uuid),
        agent_id: id(&memory.agent_id),
        created_at: memory.created_at,
        content: their_content(memory.content)?,
        embedding: (!memory.embedding.is_empty())
            .then(|| memory.embedding.iter().map(|number| *number as f32).collect()),
        room_id: id(&memory.room_id).unwrap_or_else(elizaos::UUID::default_uuid),
        world_id: id(&memory.world_id),
        unique: memory.unique,
        similarity: memory.similarity.map(|number| number as f32),
        metadata: memory.metadata.map(|metadata| elizaos::types::memory::MemoryMetadata::Custom(metadata.into())),
    })
}

fn their_content(content: Content) -> Result<elizaos::Content> {
    let extra = content.extra.clone();
    let plain = Content { extra: JsonObject::new(), ..content };
    let mut made: elizaos::Content = serde_json::from_value(plain.into_json().into())
        .map_err(|error| Error::invalid_argument(format!("memory.content: {error}")))?;
    made.extra = extra.into_iter().collect();
    Ok(made)
}

pub(crate) fn state_of(state: Option<&elizaos::State>) -> State {
    let Some(state) = state else { return State::default() };
    State { text: state.text.clone(), values: state.values_map().into_iter().collect(), ..State::default() }
}

pub(crate) fn options_of(options: Option<&HandlerOptions>) -> JsonObject {
    let options = options.and_then(|options| serde_json::to_value(options).ok());
    options.and_then(|options| options.as_object().cloned()).unwrap_or_default()
}

pub(crate) fn their_result(result: ActionResult) -> TheirResult {
    TheirResult {
        success: result.success,
        text: result.text,
        values: map(result.values),
        data: map(result.data),
        error: result.error,
    }
}

/// What a model of ElizaOS answers is text: JSON is written as such.
pub(crate) fn as_text(answer: Json) -> String {
    match answer {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

pub(crate) fn map(object: Option<JsonObject>) -> Option<HashMap<String, Json>> {
    object.map(|object| object.into_iter().collect())
}

/// The parameters of a JSON Schema, as ElizaOS lists them.
pub(crate) fn parameters(schema: &str) -> Option<Vec<elizaos::types::components::ActionParameter>> {
    use elizaos::types::components::{ActionParameter, ActionParameterSchema};
    let schema: Json = serde_json::from_str(schema).ok()?;
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let made = |(name, member): (&String, &Json)| ActionParameter {
        name: name.clone(),
        description: member["description"].as_str().unwrap_or_default().to_owned(),
        required: Some(required.contains(&json!(name))),
        schema: Some(ActionParameterSchema {
            r#type: member["type"].as_str().unwrap_or("string").to_owned(),
            enum_values: member["enum"]
                .as_array()
                .map(|values| values.iter().map(|value| as_text(value.clone())).collect())
                .unwrap_or_default(),
            minimum: member["minimum"].as_f64(),
            maximum: member["maximum"].as_f64(),
            pattern: member["pattern"].as_str().map(str::to_owned),
            ..ActionParameterSchema::default()
        }),
    };
    Some(schema["properties"].as_object()?.iter().map(made).collect())
}

/// An id that is no UUID is made one as ElizaOS does it.
pub(crate) fn uuid(id: &str) -> elizaos::UUID {
    elizaos::UUID::new(id).unwrap_or_else(|_| elizaos::types::primitives::string_to_uuid(id))
}

/// The id of a room or an entity, where one is asked for.
pub(crate) fn id_of(id: &str) -> Option<elizaos::UUID> {
    (!id.is_empty()).then(|| uuid(id))
}
