//! Drives a session by the names and forms of `test/vectors/sessions`; for the vectors' runner and for `examples/session_driver.rs`.
#![allow(dead_code, reason = "each of its users needs a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

use anyplug_core::hello::{HelloOptions, PeerService, ServiceUse};
use anyplug_core::session::{Accepted, Event, Request, SessionOptions};
use anyplug_core::{
    Any, CallHeader, Code, Error, LimitOptions, LogLevel, LogRecord, Metadata, MethodEntry, MethodKind, Peer, Role,
    ServiceEntry, Session, Status,
};
use serde_json::{Map, Value, json};

/// The session that the `session` member of a script describes.
pub(crate) fn session(spec: &Value) -> Result<Session, Error> {
    let services = list(&spec["services"], |service| ServiceEntry {
        name: text(&service["name"]).into(),
        fingerprint: text(&service["fingerprint"]).into(),
        methods: list(&service["methods"], |name| MethodEntry::new(text(name), MethodKind::Unary)),
        ..ServiceEntry::default()
    });
    let uses =
        list(&spec["uses"], |used| ServiceUse { name: text(&used["name"]), fingerprint: text(&used["fingerprint"]) });
    let limit = |name: &str| spec["limits"][name].as_u64().map(|value| value as u32);
    Session::new(SessionOptions {
        role: if spec["role"] == "host" { Role::Host } else { Role::Plugin },
        hello: HelloOptions {
            name: text(&spec["name"]),
            version: text(&spec["version"]),
            runtime: text(&spec["runtime"]),
            services,
            uses,
            plugin: text(&spec["plugin"]),
            config: text(&spec["config"]),
        },
        limits: LimitOptions {
            max_message_bytes: limit("max_message_bytes"),
            max_pending_requests: limit("max_pending_requests"),
            initial_credit_bytes: limit("initial_credit_bytes"),
            max_buffer_bytes: limit("max_buffer_bytes").map(|value| value as usize),
        },
    })
}

/// Does the operation of a `do` step; gives what it returns, or null.
pub(crate) fn perform(session: &mut Session, step: &Value) -> Result<Value, Error> {
    let call = step["call"].as_u64().unwrap_or(0) as u32;
    let end = step["end"].as_bool().unwrap_or(false);
    let payload = bytes(&step["payload"]);
    let header = step.get("header").filter(|header| !header.is_null()).map(header_from);
    match step["do"].as_str().unwrap_or("") {
        "request" => {
            let request = Request { header: header.as_ref(), payload: &payload, end };
            let call = session.request(&text(&step["service"]), &text(&step["method"]), request)?;
            return Ok(json!({ "call": call }));
        }
        "send_message" => session.send_message(call, &payload, end, header.as_ref())?,
        "half_close" => session.half_close(call),
        "end_call" => session.end_call(call, &status_from(&step["status"])),
        "cancel" => session.cancel(call, status_from(&step["status"])),
        "expire" => session.expire(call),
        "consume" => session.consume(call, step["bytes"].as_u64().unwrap_or(0) as usize),
        "credit" => return Ok(json!({ "bytes": session.credit(call) })),
        "claim_call" => {
            let request = Request { header: header.as_ref(), payload: &payload, end: true };
            return Ok(json!({ "call": session.claim_call(&request)?.0 }));
        }
        "adopt_call" => session.adopt_call(call, step["bytes"].as_u64().unwrap_or(0) as usize)?,
        "accept_call" => {
            let index = step["index"].as_u64().unwrap_or(0) as u16;
            let has_header = step["has_header"].as_bool().unwrap_or(false);
            return Ok(match session.accept_call(call, index, has_header, &payload) {
                Accepted::Yes { header: None, start } => json!({ "start": start }),
                Accepted::Yes { header: Some(header), start } => {
                    let metadata: Vec<_> = header.metadata.iter().map(|(key, value)| json!([key, value])).collect();
                    json!({ "start": start, "header": { "timeout_ms": header.timeout_ms, "metadata": metadata } })
                }
                Accepted::Refused(status) => json!({ "refused": status.code.map_or("OK", Code::name) }),
                Accepted::Broken => json!({ "broken": true }),
            });
        }
        "keep_call" => session.keep_call(call),
        "ping" => session.ping(&payload)?,
        "log" => session.log(&record_from(&step["record"])),
        "drain" => session.drain(),
        "fail" => session.fail(status_from(&step["status"])),
        "closed" => session.closed(status_from(&step["reason"])),
        other => return Err(Error::invalid_argument(format!("there is no operation {other:?}"))),
    }
    Ok(Value::Null)
}

/// The bytes that the session has to write, taken.
pub(crate) fn output(session: &mut Session) -> Vec<u8> {
    let mut out = Vec::new();
    session.take_output(&mut out);
    out
}

/// An event in the form of the vectors, with all its members.
pub(crate) fn event_to(session: &Session, event: Event) -> Value {
    match event {
        Event::Hello { peer } => json!({ "type": "hello", "peer": peer_to(&peer) }),
        Event::Request { call, method, header, payload, end } => {
            let (service, method) = session.local_method(method).unwrap_or_default();
            let payload = payload.map(|payload| hex(&payload));
            let header = header.as_deref().map(header_to);
            json!({ "type": "request", "call": call, "service": service, "method": method, "header": header, "payload": payload, "end": end })
        }
        Event::Message { call, payload, end, header, held } => {
            let header = header.as_deref().map(header_to);
            json!({ "type": "message", "call": call, "payload": hex(&payload), "end": end, "header": header, "held": held })
        }
        Event::End { call, status } => json!({ "type": "end", "call": call, "status": status_to(&status) }),
        Event::Cancelled { call, status } => json!({ "type": "cancelled", "call": call, "status": status_to(&status) }),
        Event::Writable { call } => json!({ "type": "writable", "call": call }),
        Event::Pong { payload } => json!({ "type": "pong", "payload": hex(&payload) }),
        Event::Log { record } => json!({ "type": "log", "record": record_to(&record) }),
        Event::Goaway { status } => json!({ "type": "goaway", "status": status.as_deref().map(status_to) }),
        Event::Drained => json!({ "type": "drained" }),
        Event::Closed { status } => json!({ "type": "closed", "status": status_to(&status) }),
    }
}

fn peer_to(peer: &Peer) -> Value {
    let service = |service: &PeerService| json!({ "name": service.name, "fingerprint": service.fingerprint, "methods": service.methods });
    let used = |used: &ServiceUse| json!({ "name": used.name, "fingerprint": used.fingerprint });
    json!({
        "name": peer.name,
        "version": peer.version,
        "runtime": peer.runtime,
        "protocol": peer.protocol,
        "services": peer.services.iter().map(service).collect::<Vec<_>>(),
        "uses": peer.uses.iter().map(used).collect::<Vec<_>>(),
        "plugin": peer.plugin,
        "config": peer.config,
    })
}

/// A status in the form of the vectors.
pub(crate) fn status_to(status: &Status) -> Value {
    let detail = |any: &Any| json!({ "type_url": any.type_url, "value": hex(&any.value) });
    json!({
        "code": status.code.map_or("OK", Code::name),
        "message": status.message,
        "details": status.details.iter().map(detail).collect::<Vec<_>>(),
        "metadata": metadata_to(&status.metadata),
    })
}

/// A status from the form of the vectors.
pub(crate) fn status_from(value: &Value) -> Status {
    Status {
        code: Code::from_name(&text(&value["code"])),
        message: text(&value["message"]),
        details: list(&value["details"], |any| Any { type_url: text(&any["type_url"]), value: bytes(&any["value"]) }),
        metadata: metadata_from(&value["metadata"]),
    }
}

/// A call header in the form of the vectors.
pub(crate) fn header_to(header: &CallHeader) -> Value {
    json!({
        "timeout_ms": header.timeout_ms,
        "metadata": metadata_to(&header.metadata),
        "traceparent": header.traceparent,
        "tracestate": header.tracestate,
        "origin": header.origin,
    })
}

fn header_from(value: &Value) -> CallHeader {
    CallHeader {
        timeout_ms: value["timeout_ms"].as_u64().map(|ms| ms as u32),
        metadata: metadata_from(&value["metadata"]),
        traceparent: text(&value["traceparent"]),
        tracestate: text(&value["tracestate"]),
        origin: list(&value["origin"], text),
    }
}

fn metadata_to(metadata: &Metadata) -> Value {
    metadata.iter().map(|(key, value)| json!([key, value])).collect()
}

fn metadata_from(value: &Value) -> Metadata {
    list(value, |pair| (text(&pair[0]), text(&pair[1]))).into_iter().collect()
}

const LEVELS: [LogLevel; 5] = [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];

fn record_to(record: &LogRecord) -> Value {
    json!({
        "level": record.level.name(),
        "message": record.message,
        "logger": record.logger,
        "time_ms": record.time_ms,
        "fields": record.fields,
    })
}

fn record_from(value: &Value) -> LogRecord {
    let empty = Map::new();
    let fields = value["fields"].as_object().unwrap_or(&empty);
    LogRecord {
        level: LEVELS.into_iter().find(|level| value["level"] == level.name()).unwrap_or_default(),
        message: text(&value["message"]),
        logger: text(&value["logger"]),
        time_ms: value["time_ms"].as_i64().unwrap_or(0),
        fields: fields.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list<T>(value: &Value, each: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().map(|values| values.iter().map(each).collect()).unwrap_or_default()
}

/// Bytes from hex; none from anything else.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_default();
    let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// Hex of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
