//! Modules that are refused before they run.

#![allow(clippy::unwrap_used, reason = "a failing test says where by a panic")]

mod guest;

use anyplug_core::{Code, Error};
use anyplug_protocol::anyplug::wire::v1::Hello;
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

#[test]
fn what_is_no_core_module_is_named() {
    check(&refused(b""), Code::InvalidArgument, "is no WebAssembly module");
    check(&refused(b"#!/bin/sh"), Code::InvalidArgument, "is no WebAssembly module");
    check(
        &refused(&text("(component)")),
        Code::InvalidArgument,
        "is a WebAssembly component; a plugin is a core module",
    );
    check(
        &refused(b"\0asm\x01\0\0\0\x01\x7f"),
        Code::InvalidArgument,
        "is no WebAssembly module: it ends in the middle of a section",
    );
    let invalid = with_section(b"\0asm\x01\0\0\0\x01\x01\x05", &section(1, &hello("x")));
    let error = refused(&invalid);
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.message().starts_with("is no valid WebAssembly module: "), "{error}");
}

#[test]
fn the_section_says_whether_a_module_is_a_plugin() {
    let plain = text("(module)");
    check(
        &refused(&plain),
        Code::FailedPrecondition,
        "is no plugin: it has no section \"anyplug\"; build it with the anyplug SDK",
    );
    let good = section(1, &hello("x"));
    let twice = with_section(&with_section(&plain, &good), &good);
    check(&refused(&twice), Code::FailedPrecondition, "has two sections \"anyplug\"; a plugin has one");
    let newer = with_section(&plain, &section(7, &hello("x")));
    let message = "speaks version 7 of the embedded ABI, and this host speaks 1; build it with the SDK of this version";
    check(&refused(&newer), Code::FailedPrecondition, message);
    let short = with_section(&plain, &[1, 0]);
    check(&refused(&short), Code::FailedPrecondition, "has a section \"anyplug\" of 2 bytes");
    let garbage = with_section(&plain, &[1, 0, 0, 0, 0xff, 0xff, 0xff]);
    check(&refused(&garbage), Code::FailedPrecondition, "has a section \"anyplug\" that holds no Hello");
    let nameless = with_section(&plain, &section(1, &Hello::default()));
    let message = "has a section \"anyplug\" that does not tell the plugin's name and version";
    check(&refused(&nameless), Code::FailedPrecondition, message);
    let long = with_section(&plain, &vec![0; (1 << 20) + 1]);
    check(&refused(&long), Code::FailedPrecondition, "has a section \"anyplug\" of more than 1048576 bytes");
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
fn all_that_is_missing_is_told_at_once() {
    let module = text(
        r#"(module
          (import "wasi_snapshot_preview1" "path_open" (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32) (result i32)))
          (import "anyplug" "send" (func (param i32)))
          (import "anyplug" "fork" (func))
          (import "env" "memory" (memory 1))
          (func (export "anyplug_abi") (result i32) (i32.const 0))
          (func (export "anyplug_alloc") (result i32) (i32.const 0))
          (func (export "anyplug_call") (param i32 i32 i32 i32) (result i32) (i32.const 0)))"#,
    );
    let error = refused(&with_section(&module, &section(1, &hello("x"))));
    let message = "does not fit: it does not export memory, its export anyplug_alloc is not of type (i32) -> (i32), it does not export anyplug_free, \
                   it does not export anyplug_recv, it imports wasi_snapshot_preview1.path_open, it imports wasi_snapshot_preview1.fd_write with another type, it imports anyplug.send with another type, \
                   it imports anyplug.fork, it imports env.memory; a host gives anyplug.{send, clock, random, log, checkpoint}, wasi_snapshot_preview1.{args_get, ";
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.message().starts_with(message), "{error}");
    assert!(error.message().ends_with("random_get, sched_yield} and nothing else"), "{error}");
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
