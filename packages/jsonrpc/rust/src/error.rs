//! Errors of JSON-RPC, and the sixteen codes.

use anyplug_core::{Any, Code, Error};
use anyplug_json::{Json, from_base64, push_base64};

use crate::message::quoted;

/// What came is not JSON.
pub(crate) const PARSE_ERROR: i32 = -32_700;
/// What came is no request.
pub(crate) const INVALID_REQUEST: i32 = -32_600;

const PREFIX: &str = "type.googleapis.com/";

/// Those that JSON-RPC has a number of its own for; the others are -32000 minus their number.
fn number_of(code: Code) -> i32 {
    match code {
        Code::Unimplemented => -32_601,
        Code::InvalidArgument => -32_602,
        Code::Internal => -32_603,
        other => -32_000 - other.number(),
    }
}

fn code_of(number: &str) -> Option<Code> {
    match number {
        "-32700" | "-32600" | "-32603" => Some(Code::Internal),
        "-32601" => Some(Code::Unimplemented),
        "-32602" => Some(Code::InvalidArgument),
        "-32800" => Some(Code::Cancelled),
        _ => None,
    }
}

/// The answer to request `id` that failed. `number` stands in place of that of the code.
pub(crate) fn failure_text(id: &str, error: &Error, number: Option<i32>) -> String {
    let mut details = String::new();
    for Any { type_url, value } in error.details() {
        let name = type_url.strip_prefix(PREFIX).unwrap_or(type_url);
        let mut bytes = String::new();
        push_base64(&mut bytes, value);
        details.push_str(if details.is_empty() { "" } else { "," });
        details.push_str(&format!("{{\"type\":{},\"value\":\"{bytes}\"}}", quoted(name)));
    }
    if !details.is_empty() {
        details = format!(",\"details\":[{details}]");
    }
    let (code, message) = (number.unwrap_or_else(|| number_of(error.code())), quoted(error.message()));
    let name = error.code().name();
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":{code},\"message\":{message},\"data\":{{\"code\":\"{name}\"{details}}}}}}}"
    )
}

/// The error that an answer tells of. Without a code of ours in its data it is that of the number, and UNKNOWN for numbers that say nothing.
pub(crate) fn error_from(json: &Json<'_>) -> Error {
    let data = json.member("data");
    let named = match data.and_then(|data| data.member("code")) {
        Some(Json::String(name)) => Code::from_name(name),
        _ => None,
    };
    let numbered = match json.member("code") {
        Some(Json::Number(number)) => code_of(number),
        _ => None,
    };
    let message = match json.member("message") {
        Some(Json::String(message)) => message.clone().into_owned(),
        _ => json.to_text(),
    };
    let error = Error::new(named.or(numbered).unwrap_or(Code::Unknown), message);
    let details = match data.and_then(|data| data.member("details")) {
        Some(Json::Array(details)) => details.as_slice(),
        _ => &[],
    };
    // One that cannot be read is left out: the error is more important.
    details.iter().filter_map(detail_from).fold(error, Error::with_detail)
}

fn detail_from(json: &Json<'_>) -> Option<Any> {
    let (Some(Json::String(name)), Some(Json::String(value))) = (json.member("type"), json.member("value")) else {
        return None;
    };
    let type_url = if name.contains('/') { name.to_string() } else { format!("{PREFIX}{name}") };
    Some(Any { type_url, value: from_base64(value)? })
}
