//! Libraries as plugins use them.

use prost::Message;
use serde_json::Value;

/// Reads and writes a JSON text, so many times.
#[unsafe(no_mangle)]
pub extern "C" fn json(n: u32) -> u32 {
    let entry = r#"{"name":"Ada Lovelace","born":1815,"works":["notes","letters \u00e4"],"score":12.5,"alive":false,"more":null}"#;
    let text = format!("[{}]", [entry; 20].join(","));
    (0..n).map(|_| serde_json::from_str::<Value>(&text).map_or(0, |value| value.to_string().len() as u32)).sum()
}

/// Looks for a pattern in a text, so many times.
#[unsafe(no_mangle)]
pub extern "C" fn regex(n: u32) -> u32 {
    let Ok(pattern) = regex_lite::Regex::new(r"(?i)\b(i (am|was)|you are)\s+(\w+)[.,;]") else { return 0 };
    let text = "They say I am sad, and you are not. It was long ago; I was young, you are old. ".repeat(5);
    (0..n).map(|_| pattern.captures_iter(&text).map(|found| found[3].len() as u32).sum::<u32>()).sum()
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(sint64, tag = "2")]
    number: i64,
    #[prost(double, repeated, tag = "3")]
    values: Vec<f64>,
    #[prost(message, repeated, tag = "4")]
    entries: Vec<Entry>,
}

/// Encodes and decodes a message, so many times.
#[unsafe(no_mangle)]
pub extern "C" fn protobuf(n: u32) -> u32 {
    let leaf =
        Entry { name: "a name of some length".into(), number: -4_711, values: vec![0.5; 8], entries: Vec::new() };
    let root = Entry { name: "root".into(), number: 1, values: Vec::new(), entries: vec![leaf; 30] };
    let decoded = |bytes: &[u8]| Entry::decode(bytes).map_or(0, |entry| entry.entries.len() as u32);
    (0..n).map(|_| decoded(&root.encode_to_vec())).sum()
}
