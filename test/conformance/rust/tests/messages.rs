//! Runs `test/vectors/messages.json`: what is a message and what is not, the same for every codec.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

use std::fs;

use anyplug_generated::anyplug::test::v1::Everything;
use prost::Message;
use serde_json::Value;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn messages() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/messages.json");
    let vectors: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(!vectors.is_empty());
    for vector in vectors {
        let (name, input) = (vector["name"].as_str().unwrap(), bytes(vector["bytes"].as_str().unwrap()));
        let message = Everything::decode(&*input);
        if vector.get("error").is_some() {
            assert!(message.is_err(), "{name}: {message:?}");
        } else {
            let message = message.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(hex(&message.encode_to_vec()), vector["again"].as_str().unwrap(), "{name}");
        }
    }
}
