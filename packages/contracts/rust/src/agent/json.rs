//! Free JSON: what plugins and hosts tell each other beyond the schema.

use anyplug_core::{Error, Result};

/// Any JSON value. Numbers are as they were written.
pub type Json = serde_json::Value;

/// A JSON object.
pub type JsonObject = serde_json::Map<String, Json>;

/// The JSON in a `_json` member; none when it is empty. `place` is the member's name, for the error.
pub(crate) fn parse_json(text: &str, place: &str) -> Result<Option<Json>> {
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = serde_json::from_str(text);
    parsed
        .map(Some)
        .map_err(|error| Error::invalid_argument(format!("{place} is not JSON: {error}")).with_source(error))
}

/// As [`parse_json`], and INVALID_ARGUMENT for JSON that is no object.
pub(crate) fn parse_object(text: &str, place: &str) -> Result<Option<JsonObject>> {
    match parse_json(text, place)? {
        None => Ok(None),
        Some(Json::Object(object)) => Ok(Some(object)),
        Some(_) => Err(Error::invalid_argument(format!("{place}: expected an object, got {}", short(text)))),
    }
}

/// As [`parse_json`], and INVALID_ARGUMENT for JSON that is no list.
pub(crate) fn parse_list(text: &str, place: &str) -> Result<Option<Vec<Json>>> {
    match parse_json(text, place)? {
        None => Ok(None),
        Some(Json::Array(list)) => Ok(Some(list)),
        Some(_) => Err(Error::invalid_argument(format!("{place}: expected a list, got {}", short(text)))),
    }
}

/// The text of a `_json` member that holds an object; empty for none.
pub(crate) fn print_object(object: Option<JsonObject>) -> String {
    object.map(|object| Json::Object(object).to_string()).unwrap_or_default()
}

/// The text of a `_json` member that holds a list; empty for none.
pub(crate) fn print_list(list: Option<Vec<Json>>) -> String {
    list.map(|list| Json::Array(list).to_string()).unwrap_or_default()
}

/// The text of the member for what has no field of its own; empty when there is nothing.
pub(crate) fn print_extra(extra: JsonObject) -> String {
    print_object((!extra.is_empty()).then_some(extra))
}

/// The text, cut after 60 characters.
pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
