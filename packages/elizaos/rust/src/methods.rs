//! The second protocol: `{"id":1,"method":"invokeAction","params":{…}}` and `{"id":1,"result":…}` or `{"id":1,"error":"text"}`.

use anyplug_contracts::agent::{Json, JsonObject};
use anyplug_core::{Error, Result};

struct Method {
    /// The type of the message of the first protocol that means the same.
    message_type: &'static str,
    method: &'static str,
    /// The member of the message that holds the name of what is asked.
    named: Option<&'static str>,
    /// The member of the answering message that its result is.
    answer: &'static str,
}

const fn method(
    message_type: &'static str,
    method: &'static str,
    named: Option<&'static str>,
    answer: &'static str,
) -> Method {
    Method { message_type, method, named, answer }
}

static METHODS: [Method; 6] = [
    method("plugin.init", "init", None, "success"),
    method("action.validate", "validateAction", Some("action"), "valid"),
    method("action.invoke", "invokeAction", Some("action"), "result"),
    method("provider.get", "getProvider", Some("provider"), "result"),
    method("evaluator.validate", "validateEvaluator", Some("evaluator"), "valid"),
    method("evaluator.invoke", "invokeEvaluator", Some("evaluator"), "result"),
];

/// The method and the parameters of the call that a message means. UNIMPLEMENTED when this protocol has none.
pub(crate) fn call_of(message_type: &str, mut members: JsonObject) -> Result<(&'static str, JsonObject)> {
    let found = METHODS.iter().find(|one| one.message_type == message_type).ok_or_else(|| {
        Error::unimplemented(format!("the plugin's protocol, of methods, has nothing for {message_type}"))
    })?;
    if let Some(name) = found.named.and_then(|named| members.remove(named)) {
        members.insert("name".to_owned(), name);
    }
    Ok((found.method, members))
}

/// The answer to a call as the message of the first protocol has it.
pub(crate) fn method_answer(message_type: &str, mut answer: JsonObject) -> JsonObject {
    let name = METHODS.iter().find(|one| one.message_type == message_type).map_or("result", |one| one.answer);
    let result = answer.remove("result").unwrap_or_default();
    let inner = match (name, result) {
        ("success", result) => (result != false).into(),
        // Some answer {"valid":true} where others answer true.
        ("valid", Json::Object(mut result)) => result.remove("valid").unwrap_or_default(),
        (_, result) => result,
    };
    JsonObject::from_iter([(name.to_owned(), inner)])
}

/// The message of the first protocol that a call means, or none.
pub(crate) fn message_of(method: &str, mut params: JsonObject) -> Option<JsonObject> {
    let found = METHODS.iter().find(|one| one.method == method)?;
    if let (Some(named), Some(name)) = (found.named, params.remove("name")) {
        params.insert(named.to_owned(), name);
    }
    params.insert("type".to_owned(), found.message_type.into());
    Some(params)
}

/// The result of a call, of the answer that the first protocol has.
pub(crate) fn result_in(method: &str, mut answer: JsonObject) -> Json {
    let name = METHODS.iter().find(|one| one.method == method).map_or("result", |one| one.answer);
    answer.remove(name).unwrap_or_default()
}
