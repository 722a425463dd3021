//! Runs `test/vectors`: the rules of the wire as data, the same for every implementation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

mod script;

use std::fs;
use std::path::PathBuf;

use anyplug_core::frame::{Decoder, FRAME_HEADER_BYTES, FrameHeader, Kind, encode_frame};
use anyplug_core::{CallHeader, Code, Session, Status};
use prost::Message;
use script::{bytes, event_to, header_to, hex, output, perform, status_to};
use serde_json::{Value, json};

fn vectors(path: &str) -> Vec<Value> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../test/vectors");
    let text = fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn frames() {
    for vector in vectors("frames.json") {
        let input = bytes(&vector["bytes"]);
        for chunk in [input.len().max(1), 1] {
            let found = decode_frames(&input, chunk, vector["max_frame_bytes"].as_u64().unwrap() as u32);
            assert_eq!(found["frames"], vector["frames"], "{} in chunks of {chunk}", vector["name"]);
            assert_eq!(found["error"], vector["error"], "{} in chunks of {chunk}", vector["name"]);
            if vector["error"].is_null() {
                assert_eq!(found["rest"], vector["rest"], "{} in chunks of {chunk}", vector["name"]);
            }
        }
        if vector["error"].is_null() && vector["canonical"] != false {
            encodes_again(&vector, &input);
        }
    }
}

fn decode_frames(input: &[u8], chunk: usize, max_frame_bytes: u32) -> Value {
    let mut decoder = Decoder::new(max_frame_bytes, 0);
    let mut frames = Vec::new();
    let mut error = Value::Null;
    'chunks: for mut part in input.chunks(chunk) {
        loop {
            match decoder.next(&mut part) {
                Ok(Some(frame)) => frames.push(json!({
                    "offset": frame.offset,
                    "kind": frame.header.kind,
                    "flags": frame.header.flags,
                    "method": frame.header.method,
                    "call": frame.header.call,
                    "payload": hex(frame.payload.as_slice()),
                })),
                Ok(None) => break,
                Err(failure) => {
                    error = json!({ "code": failure.code().name(), "offset": decoder.offset() });
                    break 'chunks;
                }
            }
        }
    }
    json!({ "frames": frames, "error": error, "rest": decoder.pending_bytes() })
}

fn encodes_again(vector: &Value, input: &[u8]) {
    let mut out = Vec::new();
    for frame in vector["frames"].as_array().unwrap() {
        let number = |name: &str| frame[name].as_u64().unwrap();
        let payload = bytes(&frame["payload"]);
        match Kind::from_number(number("kind") as u8) {
            Some(kind) => {
                let (method, call) = (number("method") as u16, number("call") as u32);
                encode_frame(&mut out, kind, number("flags") as u8, method, call, &[&payload]).unwrap();
            }
            None => {
                let header = FrameHeader {
                    length: payload.len() as u32,
                    kind: number("kind") as u8,
                    flags: number("flags") as u8,
                    method: number("method") as u16,
                    call: number("call") as u32,
                };
                out.extend_from_slice(&header.encode());
                out.extend_from_slice(&payload);
            }
        }
    }
    let complete = input.len() - vector["rest"].as_u64().unwrap() as usize;
    assert_eq!(hex(&out), hex(&input[..complete]), "{}", vector["name"]);
}

#[test]
fn statuses() {
    for vector in vectors("statuses.json") {
        let (name, input) = (&vector["name"], bytes(&vector["bytes"]));
        let decoded = Status::decode(&input);
        if vector["error"] == true {
            assert_eq!(decoded.unwrap_err().code(), Code::Internal, "{name}");
            continue;
        }
        let status = decoded.unwrap();
        let expected = json!({ "code": vector["code"], "message": vector["message"], "details": vector["details"], "metadata": vector["metadata"] });
        assert_eq!(status_to(&status), expected, "{name}");
        if vector["canonical"] == true {
            let mut out = Vec::new();
            status.encode(&mut out);
            assert_eq!(hex(&out), hex(&input), "{name}");
        }
    }
}

#[test]
fn headers() {
    for vector in vectors("headers.json") {
        let (name, input) = (&vector["name"], bytes(&vector["bytes"]));
        let decoded = CallHeader::decode(&input);
        if vector["error"] == true {
            assert_eq!(decoded.unwrap_err().code(), Code::Internal, "{name}");
            continue;
        }
        let header = decoded.unwrap();
        assert_eq!(header_to(&header), vector["header"], "{name}");
        if vector["canonical"] == true {
            let mut out = Vec::new();
            header.encode(&mut out);
            assert_eq!(hex(&out), hex(&input), "{name}");
        }
    }
}

#[test]
fn sessions() {
    let mut count = 0;
    for file in ["hello", "unary", "streams", "cancellation", "credit", "limits", "connection", "malformed", "short"] {
        for vector in vectors(&format!("sessions/{file}.json")) {
            for whole in [true, false] {
                let name = format!("{file}: {}{}", vector["name"], if whole { "" } else { ", byte by byte" });
                Run { name, session: script::session(&vector["session"]).unwrap(), whole }.run(&vector["steps"]);
            }
            count += 1;
        }
    }
    assert!(count > 60, "only {count} scripts were found");
}

struct Run {
    name: String,
    session: Session,
    whole: bool,
}

impl Run {
    fn run(mut self, steps: &Value) {
        for (index, step) in steps.as_array().unwrap().iter().enumerate() {
            self.step(&format!("{}, step {index} {step}", self.name), step);
        }
        assert!(self.session.next_event().is_none(), "{}: an event is left", self.name);
        assert_eq!(hex(&output(&mut self.session)), "", "{}: output is left", self.name);
    }

    fn step(&mut self, name: &str, step: &Value) {
        if let Some(input) = step.get("receive") {
            let input = bytes(input);
            let chunk = if self.whole { input.len().max(1) } else { 1 };
            input.chunks(chunk).for_each(|part| self.session.receive(part));
        } else if let Some(expected) = step.get("output") {
            assert_eq!(hex(&output(&mut self.session)), expected.as_str().unwrap(), "{name}");
        } else if let Some(start) = step.get("output_starts") {
            assert!(hex(&output(&mut self.session)).starts_with(start.as_str().unwrap()), "{name}");
        } else if let Some(expected) = step.get("output_frame") {
            let found = status_frame(&output(&mut self.session), name);
            matches_expected(&found, expected, name);
        } else if let Some(expected) = step.get("event") {
            let event = self.session.next_event().unwrap_or_else(|| panic!("{name}: there is no event"));
            matches_expected(&event_to(&self.session, event), expected, name);
        } else {
            let result = perform(&mut self.session, step);
            match (step.get("fails"), result) {
                (Some(expected), Err(error)) => {
                    let found = json!({ "code": error.code().name(), "message": error.message() });
                    matches_expected(&found, expected, name);
                }
                (Some(_), Ok(value)) => panic!("{name}: it returned {value}"),
                (None, Ok(value)) => {
                    if let Some(expected) = step.get("returns") {
                        assert_eq!(&value, expected, "{name}");
                    }
                }
                (None, Err(error)) => panic!("{name}: {error}"),
            }
        }
    }
}

/// The one frame of the output, with the status that it carries.
fn status_frame(bytes: &[u8], name: &str) -> Value {
    #[derive(Clone, PartialEq, Message)]
    struct GoAway {
        #[prost(bytes = "vec", tag = "1")]
        status: Vec<u8>,
    }
    let head: &[u8; FRAME_HEADER_BYTES] = bytes.first_chunk().unwrap_or_else(|| panic!("{name}: there is no frame"));
    let header = FrameHeader::decode(head);
    let payload = &bytes[FRAME_HEADER_BYTES..];
    assert_eq!(payload.len(), header.length as usize, "{name}: more than one frame");
    let status = match Kind::from_number(header.kind) {
        Some(Kind::Goaway) => Status::decode(&GoAway::decode(payload).unwrap().status).unwrap(),
        _ => Status::decode(payload).unwrap(),
    };
    json!({ "kind": header.kind, "call": header.call, "status": status_to(&status) })
}

/// Compares the members that the vector names; `contains` with the message beside it.
fn matches_expected(found: &Value, expected: &Value, name: &str) {
    match expected {
        Value::Object(members) => {
            for (key, expected) in members {
                if key == "contains" {
                    let message = found["message"].as_str().unwrap_or_default();
                    for part in expected.as_array().unwrap() {
                        let part = part.as_str().unwrap();
                        assert!(message.contains(part), "{name}: {message:?} does not contain {part:?}");
                    }
                } else {
                    matches_expected(&found[key], expected, &format!("{name}: {key}"));
                }
            }
        }
        _ => assert_eq!(found, expected, "{name}"),
    }
}
