//! Memories, contents, states and results as Rust has them, and as messages. Members without a field of their own are kept, both ways.

use anyplug_core::Result;
use anyplug_generated::anyplug::agent::v1 as wire;

use super::json::{Json, JsonObject, parse_list, parse_object, print_extra, print_list, print_object};

/// What a memory says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// What is said.
    pub text: Option<String>,
    /// What was thought.
    pub thought: Option<String>,
    /// Names of actions that were chosen.
    pub actions: Vec<String>,
    /// Names of providers that were chosen.
    pub providers: Vec<String>,
    /// Where it came from.
    pub source: Option<String>,
    /// Where it goes.
    pub target: Option<String>,
    /// An address.
    pub url: Option<String>,
    /// The id of the memory that this one answers.
    pub in_reply_to: Option<String>,
    /// The kind of channel that it was said in.
    pub channel_type: Option<String>,
    /// What comes with it.
    pub attachments: Option<Vec<Json>>,
    /// Free data.
    pub data: Option<JsonObject>,
    /// Members that the schema does not name.
    pub extra: JsonObject,
}

/// Something that was said or done, in a room, as agents remember it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// A UUID, as are all ids.
    pub id: Option<String>,
    /// Who said or did it.
    pub entity_id: Option<String>,
    /// Whose memory it is.
    pub agent_id: Option<String>,
    /// Where it was said or done.
    pub room_id: Option<String>,
    /// What the room is in.
    pub world_id: Option<String>,
    /// Milliseconds since 1970-01-01 UTC.
    pub created_at: Option<i64>,
    /// What it says.
    pub content: Content,
    /// Its place among others, to search by; empty: it has none.
    pub embedding: Vec<f64>,
    /// Whether nothing alike may be kept beside it.
    pub unique: Option<bool>,
    /// How near it is to what was searched for: -1 to 1. Only in answers to a search.
    pub similarity: Option<f64>,
    /// Free data.
    pub metadata: Option<JsonObject>,
    /// Members that the schema does not name.
    pub extra: JsonObject,
}

/// What an agent knows when it decides: the texts and values of its providers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// What the providers say, in order of their positions.
    pub text: String,
    /// Values of all providers, by the names they give them.
    pub values: JsonObject,
    /// Free data.
    pub data: JsonObject,
    /// Members that the schema does not name.
    pub extra: JsonObject,
}

/// How an action or an evaluator ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ActionResult {
    /// Whether it did what it should.
    pub success: bool,
    /// For a person.
    pub text: Option<String>,
    /// Merged into the state that later actions see.
    pub values: Option<JsonObject>,
    /// Free data.
    pub data: Option<JsonObject>,
    /// Why there was no success.
    pub error: Option<String>,
    /// Members that the schema does not name.
    pub extra: JsonObject,
}

/// What a provider tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderResult {
    /// For the state's text.
    pub text: Option<String>,
    /// For the state's values.
    pub values: Option<JsonObject>,
    /// For the state's data, under the provider's name.
    pub data: Option<JsonObject>,
}

impl Content {
    /// A content that says this.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// The same content with one more action chosen.
    #[must_use]
    pub fn with_action(mut self, name: impl Into<String>) -> Self {
        self.actions.push(name.into());
        self
    }
}

impl Memory {
    /// A memory of a content, and nothing more.
    pub fn of(content: Content) -> Self {
        Self { content, ..Self::default() }
    }
}

impl ActionResult {
    /// A success that tells nothing.
    pub fn success() -> Self {
        Self { success: true, ..Self::default() }
    }

    /// A failure, and why.
    pub fn failure(error: impl Into<String>) -> Self {
        Self { error: Some(error.into()), ..Self::default() }
    }
}

impl ProviderResult {
    /// What a provider tells that has only text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }
}

/// The message of a content.
pub(crate) fn content_message(content: Content) -> wire::Content {
    wire::Content {
        text: content.text,
        thought: content.thought,
        actions: content.actions,
        providers: content.providers,
        source: content.source,
        target: content.target,
        url: content.url,
        in_reply_to: content.in_reply_to,
        channel_type: content.channel_type,
        attachments_json: print_list(content.attachments),
        data_json: print_object(content.data),
        extra_json: print_extra(content.extra),
    }
}

/// The content of a message.
pub(crate) fn content_of(message: Option<wire::Content>) -> Result<Content> {
    let Some(message) = message else {
        return Ok(Content::default());
    };
    Ok(Content {
        text: message.text,
        thought: message.thought,
        actions: message.actions,
        providers: message.providers,
        source: message.source,
        target: message.target,
        url: message.url,
        in_reply_to: message.in_reply_to,
        channel_type: message.channel_type,
        attachments: parse_list(&message.attachments_json, "content.attachments_json")?,
        data: parse_object(&message.data_json, "content.data_json")?,
        extra: parse_object(&message.extra_json, "content.extra_json")?.unwrap_or_default(),
    })
}

/// The message of a memory.
pub(crate) fn memory_message(memory: Memory) -> wire::Memory {
    wire::Memory {
        id: memory.id.unwrap_or_default(),
        entity_id: memory.entity_id.unwrap_or_default(),
        agent_id: memory.agent_id.unwrap_or_default(),
        room_id: memory.room_id.unwrap_or_default(),
        world_id: memory.world_id.unwrap_or_default(),
        created_at_ms: memory.created_at,
        content: Some(content_message(memory.content)),
        embedding: memory.embedding,
        unique: memory.unique,
        similarity: memory.similarity,
        metadata_json: print_object(memory.metadata),
        extra_json: print_extra(memory.extra),
    }
}

/// The memory of a message.
pub(crate) fn memory_of(message: Option<wire::Memory>) -> Result<Memory> {
    let Some(message) = message else {
        return Ok(Memory::default());
    };
    let present = |text: String| (!text.is_empty()).then_some(text);
    Ok(Memory {
        id: present(message.id),
        entity_id: present(message.entity_id),
        agent_id: present(message.agent_id),
        room_id: present(message.room_id),
        world_id: present(message.world_id),
        created_at: message.created_at_ms,
        content: content_of(message.content)?,
        embedding: message.embedding,
        unique: message.unique,
        similarity: message.similarity,
        metadata: parse_object(&message.metadata_json, "memory.metadata_json")?,
        extra: parse_object(&message.extra_json, "memory.extra_json")?.unwrap_or_default(),
    })
}

/// The memories of a list of messages.
pub(crate) fn memories_of(messages: Vec<wire::Memory>) -> Result<Vec<Memory>> {
    messages.into_iter().map(|message| memory_of(Some(message))).collect()
}

/// The message of a state.
pub(crate) fn state_message(state: State) -> wire::State {
    wire::State {
        text: state.text,
        values_json: print_object(Some(state.values)),
        data_json: print_object(Some(state.data)),
        extra_json: print_extra(state.extra),
    }
}

/// The state of a message.
pub(crate) fn state_of(message: Option<wire::State>) -> Result<State> {
    let message = message.unwrap_or_default();
    Ok(State {
        text: message.text,
        values: parse_object(&message.values_json, "state.values_json")?.unwrap_or_default(),
        data: parse_object(&message.data_json, "state.data_json")?.unwrap_or_default(),
        extra: parse_object(&message.extra_json, "state.extra_json")?.unwrap_or_default(),
    })
}

/// The message of a result.
pub(crate) fn result_message(result: ActionResult) -> wire::ActionResult {
    wire::ActionResult {
        success: result.success,
        text: result.text,
        values_json: print_object(result.values),
        data_json: print_object(result.data),
        error: result.error,
        extra_json: print_extra(result.extra),
    }
}

/// The result of a message.
pub(crate) fn result_of(message: wire::ActionResult) -> Result<ActionResult> {
    Ok(ActionResult {
        success: message.success,
        text: message.text,
        values: parse_object(&message.values_json, "result.values_json")?,
        data: parse_object(&message.data_json, "result.data_json")?,
        error: message.error,
        extra: parse_object(&message.extra_json, "result.extra_json")?.unwrap_or_default(),
    })
}

/// The message of what a provider tells.
pub(crate) fn provider_message(result: ProviderResult) -> wire::ProviderResult {
    wire::ProviderResult {
        text: result.text,
        values_json: print_object(result.values),
        data_json: print_object(result.data),
    }
}

/// What a provider tells.
pub(crate) fn provider_result_of(message: Option<wire::ProviderResult>) -> Result<ProviderResult> {
    let message = message.unwrap_or_default();
    Ok(ProviderResult {
        text: message.text,
        values: parse_object(&message.values_json, "result.values_json")?,
        data: parse_object(&message.data_json, "result.data_json")?,
    })
}
