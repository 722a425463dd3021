//! ElizaOS's C ABI: functions that take and return JSON as C strings. What the messages of the line protocol mean there.

use std::ffi::CString;

use anyplug_contracts::agent::{Json, JsonObject};
use anyplug_core::{Error, Result};
use anyplug_ffi::ElizaosAnswer;
use serde_json::json;

struct Function {
    /// The type of the message that means the same.
    message_type: &'static str,
    function: &'static str,
    /// The members of the message that it takes, in their order. A name is given as it is, all else as JSON.
    takes: &'static [&'static str],
    /// The member of the answering message that its result is.
    answer: &'static str,
}

const fn function(
    message_type: &'static str,
    function: &'static str,
    takes: &'static [&'static str],
    answer: &'static str,
) -> Function {
    Function { message_type, function, takes, answer }
}

static FUNCTIONS: [Function; 6] = [
    function("plugin.init", "elizaos_init", &["config"], "success"),
    function("action.validate", "elizaos_validate_action", &["action", "memory", "state"], "valid"),
    function("action.invoke", "elizaos_invoke_action", &["action", "memory", "state", "options"], "result"),
    function("provider.get", "elizaos_get_provider", &["provider", "memory", "state"], "result"),
    function("evaluator.validate", "elizaos_validate_evaluator", &["evaluator", "memory", "state"], "valid"),
    function("evaluator.invoke", "elizaos_invoke_evaluator", &["evaluator", "memory", "state"], "result"),
];

/// What a message asks of a library.
pub(crate) struct Asked {
    /// The function to call.
    pub(crate) function: &'static str,
    /// What it is called with.
    pub(crate) arguments: Vec<CString>,
    asked: &'static Function,
}

/// The call that a message means. UNIMPLEMENTED when this ABI has none, INVALID_ARGUMENT for a name that no C string can be.
pub(crate) fn asked_by(message_type: &str, members: &JsonObject) -> Result<Asked> {
    let asked = FUNCTIONS.iter().find(|one| one.message_type == message_type).ok_or_else(|| {
        Error::unimplemented(format!("the plugin's interface, ElizaOS's C ABI, has nothing for {message_type}"))
    })?;
    let text = |name: &&str| {
        let text = match members.get(*name) {
            Some(Json::String(name)) => name.clone(),
            Some(value) => value.to_string(),
            None => "null".to_owned(),
        };
        // JSON has no zero byte.
        CString::new(text).map_err(|_| Error::invalid_argument(format!("{name}: a zero byte is in it")))
    };
    let arguments = asked.takes.iter().map(text).collect::<Result<_>>()?;
    Ok(Asked { function: asked.function, arguments, asked })
}

impl Asked {
    /// What stands for the answer of a function that the library does not have: without one that validates, all is valid, and without one that initializes there is nothing to be done.
    pub(crate) fn without(&self, members: &JsonObject) -> Option<JsonObject> {
        let is_empty = |name: &str| members.get(name).and_then(Json::as_object).is_none_or(JsonObject::is_empty);
        match self.asked.answer {
            "success" if is_empty("config") => Some(self.message(true.into())),
            "valid" => Some(self.message(true.into())),
            _ => None,
        }
    }

    /// The answer, as the line protocol has it. INTERNAL when it is none.
    pub(crate) fn answered(&self, answer: ElizaosAnswer) -> Result<JsonObject> {
        let Self { function, asked, .. } = self;
        match (asked.answer, answer) {
            ("success", ElizaosAnswer::Number(0)) => Ok(self.message(true.into())),
            ("success", ElizaosAnswer::Number(status)) => {
                let mut message = self.message(false.into());
                message.insert("error".to_owned(), format!("{function} returned {status}").into());
                Ok(message)
            }
            ("valid", ElizaosAnswer::Number(valid @ 0..)) => Ok(self.message((valid != 0).into())),
            // An action that has nothing to tell says "null".
            ("result", ElizaosAnswer::Text(None)) if asked.message_type == "action.invoke" => {
                Ok(self.message(json!({ "success": false, "error": format!("{function} returned nothing") })))
            }
            ("result", ElizaosAnswer::Text(None)) => Ok(self.message(Json::Null)),
            ("result", ElizaosAnswer::Text(Some(text))) => Ok(self.message(json_of(function, &text)?)),
            ("valid", ElizaosAnswer::Number(status)) => {
                Err(Error::internal(format!("{function} returned {status}, and 0 or 1 are expected")))
            }
            (_, ElizaosAnswer::Number(_) | ElizaosAnswer::Text(_)) => {
                Err(Error::internal(format!("{function} returned what it does not return")))
            }
        }
    }

    fn message(&self, answer: Json) -> JsonObject {
        JsonObject::from_iter([(self.asked.answer.to_owned(), answer)])
    }
}

/// The JSON that a function returned. INTERNAL when it is none.
pub(crate) fn json_of(function: &str, text: &[u8]) -> Result<Json> {
    let text = std::str::from_utf8(text)
        .map_err(|error| Error::internal(format!("{function} returned what is no UTF-8: {error}")))?;
    serde_json::from_str(text).map_err(|error| Error::internal(format!("{function} returned what is no JSON: {error}")))
}
