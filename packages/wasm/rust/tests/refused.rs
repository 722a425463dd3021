//! Modules that are refused before they run.

#![allow(clippy::unwrap_used, reason = "a failing test says where by a panic")]

mod guest;

use anyplug_core::{Code, Error};
use anyplug_wasm::{Module, WasmLimits, read_section, read_section_of};
use guest::{ECHO, Guest, Host, hello, limits, section, with_section};

fn refused(bytes: &[u8]) -> Error {
    refused_within(bytes, &limits())
}

fn refused_within(bytes: &[u8], limits: &WasmLimits) -> Error {
    Module::new(bytes, limits).unwrap_err()
}

fn text(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

#[track_caller]
fn check(error: &Error, code: Code, message: &str) {
    assert_eq!((error.code(), error.message()), (code, message));
}

/// What the hosts of all languages refuse, in the same words.
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../test/modules/refused.json");

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The name of an option as it is here.
fn in_snake_case(message: &str) -> String {
    let mut text = message.to_owned();
    for (option, own) in [("maxWasmBytes", "max_wasm_bytes"), ("maxMemoryBytes", "max_memory_bytes")] {
        text = text.replace(option, own);
    }
    text
}

#[test]
fn modules_are_refused_in_the_words_of_all_hosts() {
    let cases: Vec<serde_json::Value> = serde_json::from_str(&std::fs::read_to_string(CASES).unwrap()).unwrap();
    assert!(cases.len() > 10);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let mut module = case["wat"].as_str().map_or_else(|| bytes_of(case["hex"].as_str().unwrap()), text);
        let sections = match (case["sections"].as_array(), case["long"].as_u64()) {
            (Some(sections), _) => sections.iter().map(|section| bytes_of(section.as_str().unwrap())).collect(),
            (None, Some(long)) => vec![vec![0; long as usize]],
            (None, None) => vec![section(1, &hello("guest"))],
        };
        for section in &sections {
            module = with_section(&module, section);
        }
        let mut limits = limits();
        if let Some(most) = case["limits"]["maxWasmBytes"].as_u64() {
            limits.max_wasm_bytes = most;
        }
        if let Some(most) = case["limits"]["maxMemoryBytes"].as_u64() {
            limits.max_memory_bytes = most;
        }
        let error = refused_within(&module, &limits);
        assert_eq!(error.code().name(), case["code"].as_str().unwrap(), "{name}: {error}");
        match case["message"].as_str() {
            Some(message) => assert_eq!(error.message(), in_snake_case(message), "{name}"),
            None => assert!(error.message().starts_with(case["begins"].as_str().unwrap()), "{name}: {error}"),
        }
    }
}

#[test]
fn the_section_is_read_wherever_it_stands() {
    let bytes = with_section(&with_section(b"\0asm\x01\0\0\0", &section(1, &hello("first"))), b"");
    assert!(read_section(&bytes).is_err(), "two of them");
    let mut bytes = b"\0asm\x01\0\0\0\0\x08\x07anyplux".to_vec();
    bytes = with_section(&bytes, &section(1, &hello("first")));
    bytes.extend_from_slice(b"\0\x02\x01a");
    let read = read_section(&bytes).unwrap();
    assert_eq!((&*read.name, &*read.version, &*read.runtime), ("first", "1.0.0", "wat"));
    assert_eq!(read.services, ["test.v1.OddService"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = read_section_of("/nowhere/x.wasm".as_ref()).unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(error.message().starts_with("there is no module at /nowhere/x.wasm: "), "{error}");
    let error = Module::read("/nowhere/x.wasm".as_ref(), &limits()).unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

#[test]
fn what_begins_over_a_limit_is_refused() {
    let bytes = Guest::default().bytes();
    let limit = |change: fn(&mut WasmLimits)| {
        let mut limits = limits();
        change(&mut limits);
        refused_within(&bytes, &limits)
    };
    let size = bytes.len();
    let error = limit(|limits| limits.max_wasm_bytes = 100);
    let message = format!("has {size} bytes, and a module may have 100; raise wasm.max_wasm_bytes");
    check(&error, Code::ResourceExhausted, &message);
    let error = limit(|limits| limits.max_memory_bytes = 100_000);
    let message = "begins with 262144 bytes of memory, and may have 100000; raise wasm.max_memory_bytes";
    check(&error, Code::ResourceExhausted, message);
    let error = limit(|limits| limits.max_tables = 0);
    check(&error, Code::ResourceExhausted, "begins with 1 tables, and may have 0; raise wasm.max_tables");
    let error = limit(|limits| limits.max_table_elements = 0);
    let message = "begins with 1 elements in a table, and may have 0; raise wasm.max_table_elements";
    check(&error, Code::ResourceExhausted, message);
    let huge = with_section(&text("(module (memory (export \"memory\") 65536))"), &section(1, &hello("x")));
    assert_eq!(refused(&huge).code(), Code::FailedPrecondition, "its exports are looked at first");
}

#[test]
fn features_that_are_off_are_refused() {
    for odd in ["(memory $other 1)", "(func (param i64) (drop (i32x4.relaxed_trunc_f32x4_s (v128.const i64x2 0 0))))"] {
        let bytes = with_section(&text(&Guest { more: odd, ..Guest::default() }.text()), &section(1, &hello("x")));
        assert_eq!(refused(&bytes).code(), Code::InvalidArgument, "{odd}");
    }
    let wide = text("(module (memory (export \"memory\") i64 1))");
    let error = refused(&with_section(&wide, &section(1, &hello("x"))));
    assert_eq!(error.code(), Code::InvalidArgument);
    let shared = text("(module (memory (export \"memory\") 1 1 shared))");
    let error = refused(&with_section(&shared, &section(1, &hello("x"))));
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[test]
fn a_hello_that_says_otherwise_than_the_section_is_refused() {
    let host = Guest { hello: hello("somebody-else"), ..Guest::default() }.load();
    let message = "plugin \"guest\" 1.0.0: its hello says that it is \"somebody-else\" 1.0.0";
    check(host.instance.failure().unwrap(), Code::FailedPrecondition, message);
    assert!(host.instance.is_over());
    let error = host.call(ECHO, b"x").unwrap_err();
    check(&error, Code::Unavailable, &format!("the connection ended: {message}"));
}

#[test]
fn an_exchange_area_that_is_wrong_ends_the_instance() {
    let failure = |abi: &str| {
        let module = Module::new(&Guest { abi, ..Guest::default() }.bytes(), &limits()).unwrap();
        let error = Host::new(&module).instance.failure().unwrap().clone();
        assert_eq!(error.code(), Code::Internal, "{error}");
        error.message().trim_start_matches("plugin \"guest\" broke the embedded ABI: ").to_owned()
    };
    let outside = |at: u32| format!("its exchange area at {at} is not within its memory, at a multiple of 4");
    assert_eq!(failure("(i32.const -4)"), outside(u32::MAX - 3));
    assert_eq!(failure("(i32.const 66)"), outside(66));
    assert_eq!(failure("(i32.const 262124)"), outside(262_124));
    assert_eq!(failure("(i32.const 128)"), "its exchange area is of version 0, and this host's is 1");
    let scratch = |at: u32, length: u32| {
        format!("its scratch buffer of {length} bytes at {at} is not within its memory, or below 4096 bytes")
    };
    assert_eq!(failure("(i32.store (i32.const 72) (i32.const 4095)) (i32.const 64)"), scratch(8192, 4095));
    assert_eq!(failure("(i32.store (i32.const 72) (i32.const -1)) (i32.const 64)"), scratch(8192, u32::MAX));
    assert_eq!(failure("(i32.store (i32.const 68) (i32.const 262000)) (i32.const 64)"), scratch(262_000, 8192));
}
