//! Answers lines with lines, for test/interop: what JSON means as bytes, and bytes as JSON. Its argument is a file with a descriptor set.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};

use anyplug_json::{JsonReadOptions, JsonTypes, JsonWriteOptions};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("the file of a descriptor set is missing")?;
    let types = JsonTypes::new([std::fs::read(path)?]);
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        let answer = answer(&types, &serde_json::from_str(&line?)?).unwrap_or_else(|error| json!({ "error": error }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(types: &JsonTypes, question: &Value) -> Result<Value, String> {
    let is_set = |option: &str| question[option] == true;
    let type_name = question["type"].as_str().unwrap_or_default();
    if let Some(text) = question["json"].as_str() {
        let options = JsonReadOptions { ignore_unknown_members: is_set("ignoreUnknownMembers") };
        let bytes = types.json_to_bytes(type_name, text, options).map_err(|error| error.to_string())?;
        return Ok(json!({ "bytes": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }));
    }
    let hex = question["bytes"].as_str().unwrap_or_default();
    let byte = |at: usize| hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).filter_map(byte).collect();
    let options = JsonWriteOptions {
        proto_field_names: is_set("protoFieldNames"),
        print_defaults: is_set("printDefaults"),
        enums_as_integers: is_set("enumsAsIntegers"),
    };
    let text = types.bytes_to_json(type_name, &bytes, options).map_err(|error| error.to_string())?;
    Ok(json!({ "json": text }))
}
