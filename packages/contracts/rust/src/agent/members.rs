//! Memories, contents, states and results as the JSON objects that they are elsewhere: known members are of their kind, the others are kept.

use anyplug_core::{Error, Result};

use super::json::{Json, JsonObject, short};
use super::values::{ActionResult, Content, Memory, ProviderResult, State};

/// An object whose known members are taken out one by one. What is null counts as absent.
struct Members<'a> {
    rest: JsonObject,
    path: &'a str,
}

impl<'a> Members<'a> {
    fn of(value: &Json, path: &'a str) -> Result<Self> {
        match value {
            Json::Object(object) => {
                let present = object.iter().filter(|(_, member)| !member.is_null());
                Ok(Self { rest: present.map(|(name, member)| (name.clone(), member.clone())).collect(), path })
            }
            other => Err(unexpected(path, "an object", other)),
        }
    }

    fn take<T>(&mut self, name: &str, wanted: &str, read: impl FnOnce(&Json) -> Option<T>) -> Result<Option<T>> {
        match self.rest.remove(name) {
            None => Ok(None),
            Some(value) => match read(&value) {
                Some(read) => Ok(Some(read)),
                None => Err(unexpected(&format!("{}.{name}", self.path), wanted, &value)),
            },
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.take(name, "text", |value| value.as_str().map(str::to_owned))
    }

    fn number(&mut self, name: &str) -> Result<Option<f64>> {
        self.take(name, "a number", Json::as_f64)
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        self.take(name, "true or false", Json::as_bool)
    }

    fn object(&mut self, name: &str) -> Result<Option<JsonObject>> {
        self.take(name, "an object", |value| value.as_object().cloned())
    }

    fn list(&mut self, name: &str) -> Result<Option<Vec<Json>>> {
        self.take(name, "a list", |value| value.as_array().cloned())
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let texts = self.take(name, "a list of texts", |value| value.as_array()?.iter().map(text).collect())?;
        Ok(texts.unwrap_or_default())
    }

    fn numbers(&mut self, name: &str) -> Result<Vec<f64>> {
        let numbers =
            self.take(name, "a list of numbers", |value| value.as_array()?.iter().map(Json::as_f64).collect())?;
        Ok(numbers.unwrap_or_default())
    }
}

fn unexpected(path: &str, wanted: &str, value: &Json) -> Error {
    Error::invalid_argument(format!("{path}: expected {wanted}, got {}", short(&value.to_string())))
}

/// Puts the members that are there over the others.
fn with(mut extra: JsonObject, members: impl IntoIterator<Item = (&'static str, Option<Json>)>) -> JsonObject {
    for (name, member) in members {
        if let Some(member) = member {
            extra.insert(name.to_owned(), member);
        }
    }
    extra
}

fn listed<T: Into<Json>>(values: Vec<T>) -> Option<Json> {
    (!values.is_empty()).then(|| values.into())
}

impl Content {
    /// The content that a JSON object is; `path` names it in errors.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming what is wrong in it.
    pub fn from_json(value: &Json, path: &str) -> Result<Self> {
        let mut members = Members::of(value, path)?;
        Ok(Self {
            text: members.text("text")?,
            thought: members.text("thought")?,
            actions: members.texts("actions")?,
            providers: members.texts("providers")?,
            source: members.text("source")?,
            target: members.text("target")?,
            url: members.text("url")?,
            in_reply_to: members.text("inReplyTo")?,
            channel_type: members.text("channelType")?,
            attachments: members.list("attachments")?,
            data: members.object("data")?,
            extra: members.rest,
        })
    }

    /// The content as a JSON object.
    pub fn into_json(self) -> JsonObject {
        let members = [
            ("text", self.text.map(Json::from)),
            ("thought", self.thought.map(Json::from)),
            ("actions", listed(self.actions)),
            ("providers", listed(self.providers)),
            ("source", self.source.map(Json::from)),
            ("target", self.target.map(Json::from)),
            ("url", self.url.map(Json::from)),
            ("inReplyTo", self.in_reply_to.map(Json::from)),
            ("channelType", self.channel_type.map(Json::from)),
            ("attachments", self.attachments.map(Json::from)),
            ("data", self.data.map(Json::from)),
        ];
        with(self.extra, members)
    }
}

impl Memory {
    /// The memory that a JSON object is; `path` names it in errors. A content that is only text may be that text.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming what is wrong in it.
    pub fn from_json(value: &Json, path: &str) -> Result<Self> {
        let mut members = Members::of(value, path)?;
        let content = match members.rest.remove("content") {
            None => Content::default(),
            Some(Json::String(text)) => Content::text(text),
            Some(content) => Content::from_json(&content, &format!("{path}.content"))?,
        };
        Ok(Self {
            id: members.text("id")?,
            entity_id: members.text("entityId")?,
            agent_id: members.text("agentId")?,
            room_id: members.text("roomId")?,
            world_id: members.text("worldId")?,
            // Parts of a millisecond are cut off; out of range counts as its end.
            created_at: members.number("createdAt")?.map(|ms| ms as i64),
            content,
            embedding: members.numbers("embedding")?,
            unique: members.flag("unique")?,
            similarity: members.number("similarity")?,
            metadata: members.object("metadata")?,
            extra: members.rest,
        })
    }

    /// The memory as a JSON object.
    pub fn into_json(self) -> JsonObject {
        let members = [
            ("id", self.id.map(Json::from)),
            ("entityId", self.entity_id.map(Json::from)),
            ("agentId", self.agent_id.map(Json::from)),
            ("roomId", self.room_id.map(Json::from)),
            ("worldId", self.world_id.map(Json::from)),
            ("createdAt", self.created_at.map(Json::from)),
            ("content", Some(self.content.into_json().into())),
            ("embedding", listed(self.embedding)),
            ("unique", self.unique.map(Json::from)),
            ("similarity", self.similarity.map(Json::from)),
            ("metadata", self.metadata.map(Json::from)),
        ];
        with(self.extra, members)
    }
}

impl State {
    /// The state that a JSON object is; `path` names it in errors.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming what is wrong in it.
    pub fn from_json(value: &Json, path: &str) -> Result<Self> {
        let mut members = Members::of(value, path)?;
        Ok(Self {
            text: members.text("text")?.unwrap_or_default(),
            values: members.object("values")?.unwrap_or_default(),
            data: members.object("data")?.unwrap_or_default(),
            extra: members.rest,
        })
    }

    /// The state as a JSON object.
    pub fn into_json(self) -> JsonObject {
        let members = [("text", self.text.into()), ("values", self.values.into()), ("data", self.data.into())];
        with(self.extra, members.map(|(name, member): (_, Json)| (name, Some(member))))
    }
}

impl ActionResult {
    /// The result that a JSON object is; `path` names it in errors. It is a success unless it says otherwise; an error that is no text is told as JSON.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming what is wrong in it.
    pub fn from_json(value: &Json, path: &str) -> Result<Self> {
        let mut members = Members::of(value, path)?;
        Ok(Self {
            success: members.rest.remove("success") != Some(Json::Bool(false)),
            text: members.text("text")?,
            values: members.object("values")?,
            data: members.object("data")?,
            error: members.rest.remove("error").map(|error| match error {
                Json::String(text) => text,
                other => other.to_string(),
            }),
            extra: members.rest,
        })
    }

    /// The result as a JSON object.
    pub fn into_json(self) -> JsonObject {
        let members = [
            ("success", Some(self.success.into())),
            ("text", self.text.map(Json::from)),
            ("values", self.values.map(Json::from)),
            ("data", self.data.map(Json::from)),
            ("error", self.error.map(Json::from)),
        ];
        with(self.extra, members)
    }
}

impl ProviderResult {
    /// What a provider tells, as a JSON object; `path` names it in errors. Members that are not known are left out.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming what is wrong in it.
    pub fn from_json(value: &Json, path: &str) -> Result<Self> {
        let mut members = Members::of(value, path)?;
        Ok(Self { text: members.text("text")?, values: members.object("values")?, data: members.object("data")? })
    }

    /// What a provider tells, as a JSON object.
    pub fn into_json(self) -> JsonObject {
        let members = [
            ("text", self.text.map(Json::from)),
            ("values", self.values.map(Json::from)),
            ("data", self.data.map(Json::from)),
        ];
        with(JsonObject::new(), members)
    }
}
