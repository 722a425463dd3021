//! Runs `test/vectors/json`: what every language makes of the same JSON.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

use std::fs;
use std::path::PathBuf;

use anyplug_json::{JsonReadOptions, JsonTypes, JsonWriteOptions};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn types() -> JsonTypes {
    JsonTypes::new([fs::read(root().join("generated/descriptors.binpb")).unwrap()])
}

fn vectors(file: &str) -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(root().join("test/vectors/json").join(file)).unwrap()).unwrap()
}

fn type_of(vector: &Value) -> &str {
    vector["type"].as_str().unwrap_or("anyplug.test.v1.Everything")
}

fn bytes_of(vector: &Value) -> Vec<u8> {
    let hex = vector["bytes"].as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn read_options(vector: &Value) -> JsonReadOptions {
    JsonReadOptions { ignore_unknown_members: vector["read"]["ignoreUnknownMembers"] == true }
}

fn write_options(vector: &Value) -> JsonWriteOptions {
    let options = &vector["write"];
    JsonWriteOptions {
        proto_field_names: options["protoFieldNames"] == true,
        print_defaults: options["printDefaults"] == true,
        enums_as_integers: options["enumsAsIntegers"] == true,
    }
}

#[test]
fn messages() {
    let types = types();
    for vector in vectors("messages.json") {
        let (name, of) = (&vector["name"], type_of(&vector));
        if let Some(json) = vector["json"].as_str() {
            let bytes =
                types.json_to_bytes(of, json, read_options(&vector)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(bytes, bytes_of(&vector), "{name}");
        }
        let json = types.bytes_to_json(of, &bytes_of(&vector), write_options(&vector));
        let json = json.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(json, vector["out"].as_str().or(vector["json"].as_str()).unwrap(), "{name}");
    }
}

#[test]
fn refused() {
    let types = types();
    for vector in vectors("refused.json") {
        let (name, of) = (&vector["name"], type_of(&vector));
        let error = match vector["json"].as_str() {
            Some(json) => types.json_to_bytes(of, json, read_options(&vector)).map(|bytes| format!("{bytes:?}")),
            None => types.bytes_to_json(of, &bytes_of(&vector), JsonWriteOptions::default()),
        };
        let Err(error) = error else { panic!("{name}: it was not refused: {error:?}") };
        let (error, expected) = (error.to_string(), vector["error"].as_str().unwrap());
        // What is wrong with bytes each implementation tells in words of its own.
        let compared = if vector["json"].is_null() { error.get(..expected.len()).unwrap_or(&error) } else { &error };
        assert_eq!(compared, expected, "{name}");
    }
}
