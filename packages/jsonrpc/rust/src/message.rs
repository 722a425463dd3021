//! Requests, notifications and answers of JSON-RPC 2.0.

use anyplug_json::Json;

/// What a JSON text means. An id is kept as it was written: `1`, `"a"`, `null`.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    /// Without an id it is a notification: nothing answers it.
    Request {
        id: Option<String>,
        method: &'a str,
        params: &'a Json<'a>,
        meta: &'a Json<'a>,
    },
    Answer {
        id: String,
        result: &'a Json<'a>,
        error: &'a Json<'a>,
    },
    Invalid {
        id: String,
        why: &'static str,
    },
}

const NULL: &Json<'static> = &Json::Null;

/// What a value means; `null` stands for a member that is not there.
pub(crate) fn message_of<'a>(json: &'a Json<'a>) -> Message<'a> {
    let invalid = |id: &str, why| Message::Invalid { id: id.to_owned(), why };
    if !matches!(json, Json::Object(_)) {
        return invalid("null", "expected an object");
    }
    let id = match json.member("id").map(id_text) {
        Some(None) => return invalid("null", "id: expected a string, a number or null"),
        id => id.flatten(),
    };
    let known = id.as_deref().unwrap_or("null");
    if !matches!(json.member("jsonrpc"), Some(Json::String(version)) if version == "2.0") {
        return invalid(known, "jsonrpc: expected \"2.0\"");
    }
    let member = |name| json.member(name).unwrap_or(NULL);
    match json.member("method") {
        None if json.member("result").is_none() && json.member("error").is_none() => {
            invalid(known, "expected a method, a result or an error")
        }
        None => Message::Answer { id: known.to_owned(), result: member("result"), error: member("error") },
        Some(Json::String(method)) => {
            let params = member("params");
            if !matches!(params, Json::Null | Json::Object(_) | Json::Array(_)) {
                return invalid(known, "params: expected an object or an array");
            }
            Message::Request { id, method, params, meta: member("$meta") }
        }
        Some(_) => invalid(known, "method: expected a string"),
    }
}

/// An id as it was written; none for what is none.
pub(crate) fn id_text(json: &Json<'_>) -> Option<String> {
    matches!(json, Json::Null | Json::String(_) | Json::Number(_)).then(|| json.to_text())
}

/// A request as text; without an id, a notification. `params` and `meta` are JSON, or empty.
pub(crate) fn request_text(id: Option<&str>, method: &str, params: &str, meta: &str) -> String {
    let mut text = String::from("{\"jsonrpc\":\"2.0\"");
    let mut push = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!(",\"{name}\":{value}"));
        }
    };
    push("id", id.unwrap_or_default());
    push("method", &quoted(method));
    push("params", params);
    push("$meta", meta);
    text.push('}');
    text
}

/// The answer to request `id`, of a result in JSON.
pub(crate) fn result_text(id: &str, result: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}")
}

/// A text as a string of JSON.
pub(crate) fn quoted(text: &str) -> String {
    Json::String(text.into()).to_text()
}
