//! What holds for any JSON, any bytes and any descriptors: nothing panics, and what was written is read as the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

use std::sync::LazyLock;

use anyplug_core::{Code, Service};
use anyplug_generated::anyplug::test::v1::{Everything, Test};
use anyplug_json::{JsonReadOptions, JsonTypes, JsonWriteOptions};
use proptest::collection::vec;
use proptest::prelude::*;

const NAME: &str = "anyplug.test.v1.Everything";

static TYPES: LazyLock<JsonTypes> = LazyLock::new(|| JsonTypes::new([Test::DESCRIPTOR.descriptor_set]));

/// JSON that is about the test message's fields more often than not.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?(e-?[0-9]{1,2})?",
        "\"[ -~&&[^\"\\\\]]{0,5}\"",
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("\"COLOR_RED\"".to_owned()),
        Just("\"1.5s\"".to_owned()),
    ];
    let name = prop_oneof![
        "(double|float|int32|uint64|string|bytes)Value",
        "(child|children|names|labels|by_id|byFlag|any|struct|value|duration|color|choice_text|@type|1|true)",
        "[a-z]{0,3}",
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|elements| format!("[{}]", elements.join(","))),
            vec((name.clone(), inner), 0..4).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn stays_the_same(bytes: &[u8]) {
    let write = |bytes: &[u8]| TYPES.bytes_to_json(NAME, bytes, JsonWriteOptions::default());
    let Ok(written) = write(bytes) else { return };
    let read = TYPES.json_to_bytes(NAME, &written, JsonReadOptions::default()).unwrap();
    assert_eq!(write(&read).unwrap(), written);
    let message: Everything = TYPES.from_json(&written, JsonReadOptions::default()).unwrap();
    TYPES.to_json(&message, JsonWriteOptions::default()).unwrap();
}

proptest! {
    #[test]
    fn json_is_read_or_refused(json in json(), ignore_unknown_members: bool) {
        match TYPES.json_to_bytes(NAME, &json, JsonReadOptions { ignore_unknown_members }) {
            Ok(bytes) => stays_the_same(&bytes),
            Err(error) => prop_assert_eq!(error.code(), Code::InvalidArgument),
        }
    }

    #[test]
    fn text_is_read_or_refused(text in ".{0,40}|[\\[\\]{}\",:0-9eE.\\\\u+-]{0,40}") {
        if let Ok(bytes) = TYPES.json_to_bytes("google.protobuf.Value", &text, JsonReadOptions::default()) {
            let written = TYPES.bytes_to_json("google.protobuf.Value", &bytes, JsonWriteOptions::default()).unwrap();
            let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap().is_object(), expected.is_object());
        }
    }

    #[test]
    fn bytes_are_written_or_refused(bytes in vec(any::<u8>(), 0..60)) {
        stays_the_same(&bytes);
    }

    #[test]
    fn descriptors_are_taken_or_refused(at in 0..Test::DESCRIPTOR.descriptor_set.len(), byte: u8) {
        let mut set = Test::DESCRIPTOR.descriptor_set.to_vec();
        set[at] = byte;
        let _ = JsonTypes::new([set]).json_to_bytes(NAME, r#"{"children":[{"names":["a"]}]}"#, JsonReadOptions::default());
    }
}

#[test]
fn a_set_that_cannot_be_used_is_refused_by_its_first_use() {
    // A file named "a" of edition 2023.
    let editions = b"\x0a\x10\x0a\x01a\x62\x08editions\x70\xe8\x07";
    for (set, told) in [(&b"\xff"[..], "cannot be used"), (editions, "a is of the syntax \"editions\"")] {
        let error = JsonTypes::new([set]).has(NAME).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.message().contains(told), "{error}");
    }
}

#[test]
fn nothing_is_read_so_deep_that_the_codec_would_refuse_it() {
    let child = |levels: usize| format!("{}{{}}{}", "{\"child\":".repeat(levels), "}".repeat(levels));
    let by_id = |levels: usize| format!("{}{{}}{}", "{\"byId\":{\"1\":".repeat(levels), "}}".repeat(levels));
    for json in [child(100), by_id(50)] {
        let message: Everything = TYPES.from_json(&json, JsonReadOptions::default()).unwrap();
        assert_eq!(TYPES.to_json(&message, JsonWriteOptions::default()).unwrap(), json);
    }
    for json in [child(101), by_id(51)] {
        assert!(TYPES.json_to_bytes(NAME, &json, JsonReadOptions::default()).is_err());
    }
}
