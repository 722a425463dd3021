//! Calls the short way, by `anyplug_call`.

#![allow(clippy::unwrap_used, reason = "a failing test says where by a panic")]

mod guest;

use anyplug_core::{CallOptions, Code, LogLevel, LogRecord, Status};
use guest::{ECHO, Guest, Host, ODD, block_on, timeout};

/// Answers at once, with what it was asked.
const DONE: &str = "(call $result (local.get $at) (local.get $length)) (i32.const 0)";

/// The bytes, for the text format.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

fn frame(kind: u8, flags: u8, call: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_le_bytes().to_vec();
    frame.extend_from_slice(&[kind, flags, 0, 0]);
    frame.extend_from_slice(&call.to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

fn broken(host: &Host, message: &str) {
    let error = host.call(ECHO, b"x").unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Internal, message));
    assert!(host.instance.is_over());
}

#[test]
fn an_answer_at_once_needs_no_frame() {
    let host = Guest { call: DONE, ..Guest::default() }.load();
    for bytes in [0, 1, 100, 8192, 8193, 60_000] {
        let request: Vec<u8> = (0..bytes).map(|at| at as u8).collect();
        let call = host.start(ECHO, &request, CallOptions::default()).unwrap();
        assert!(call.is_done());
        assert_eq!(block_on(call).unwrap().message, request);
    }
    assert_eq!(host.connection.open_calls(), 0);
    assert_eq!(host.connection.output_bytes(), 0);
}

#[test]
fn a_header_goes_before_the_request() {
    let call = "(call $result (local.get $at) (local.get $length)) (i32.store (local.get $at) (local.get $method)) (i32.const 0)";
    let host = Guest { call, ..Guest::default() }.load();
    let answer = host.call_with(ODD, b"request", timeout(60_000)).unwrap();
    assert_eq!(answer[..4], [1, 0, 2, 0], "the method's index, and HEADER above");
    assert!(answer.ends_with(b"request") && answer.len() > 4 + 7);
    assert_eq!(host.call(ODD, b"request").unwrap(), b"\x01\0\0\0est", "none without a deadline");
}

#[test]
fn a_failure_has_its_code_and_message() {
    let mut status = Vec::new();
    Status::new(Code::NotFound, "no such thing").encode(&mut status);
    let more = format!("(data (i32.const 2048) \"{}\")", escaped(&status));
    let call = format!("(call $result (i32.const 2048) (i32.const {})) (i32.const 1)", status.len());
    let host = Guest { more: &more, call: &call, ..Guest::default() }.load();
    for _ in 0..2 {
        let error = host.call(ECHO, b"x").unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::NotFound, "no such thing"));
    }
    let call = "(call $result (i32.const 1024) (i32.const 8)) (i32.const 1)";
    let error = Guest { call, ..Guest::default() }.load().call(ECHO, b"x").unwrap_err();
    assert_eq!(error.code(), Code::Internal, "{error}");
    let call = "(call $result (i32.const 0) (i32.const 0)) (i32.const 1)";
    let error = Guest { call, ..Guest::default() }.load().call(ECHO, b"x").unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Internal, "the call failed without a reason"));
}

#[test]
fn a_value_that_means_nothing_ends_the_instance() {
    for value in [3, 255, u32::MAX] {
        let host = Guest { call: &format!("(i32.const {})", value as i32), ..Guest::default() }.load();
        broken(&host, &format!("plugin \"guest\" broke the embedded ABI: anyplug_call returned {value}"));
    }
}

#[test]
fn a_result_that_is_not_in_its_memory_ends_the_instance() {
    for (at, length) in [(-1, 1), (0, -1), (-1, -1), (262_144, 1), (262_000, 1000)] {
        for value in [0, 1] {
            let call = format!("(call $result (i32.const {at}) (i32.const {length})) (i32.const {value})");
            let host = Guest { call: &call, ..Guest::default() }.load();
            let (at, length) = (at as u32, length as u32);
            broken(
                &host,
                &format!(
                    "plugin \"guest\" broke the embedded ABI: the result: {length} bytes at {at} are not within its memory of 262144 bytes"
                ),
            );
        }
    }
}

#[test]
fn a_result_may_overlap_the_request_and_the_exchange_area_and_memory_that_is_new() {
    let area = "(call $result (i32.const 64) (i32.const 24)) (i32.const 0)";
    let answer = Guest { call: area, ..Guest::default() }.load().call(ECHO, b"x").unwrap();
    assert_eq!(answer[..4], [1, 0, 0, 0]);
    assert_eq!(answer[12..20], [64, 0, 0, 0, 24, 0, 0, 0]);
    let grown = "(drop (memory.grow (i32.const 1))) (i32.store8 (i32.const 262144) (i32.const 7))
                 (call $result (i32.const 262144) (i32.const 1)) (i32.const 0)";
    assert_eq!(Guest { call: grown, ..Guest::default() }.load().call(ECHO, b"x").unwrap(), [7]);
}

#[test]
fn a_pending_call_is_answered_by_frames() {
    // Within the call already, by default; and later.
    let host = Guest::default().load();
    assert_eq!(host.call(ECHO, b"frames").unwrap(), b"frames");
    let odd = "(memory.copy (i32.const 200000) (local.get $at) (local.get $length))
               (global.set $kept (local.get $length)) (call $wake (i32.const 5))";
    let due = "(call $wake (i32.const -1)) (call $send (i32.const 200000) (global.get $kept))";
    let host = Guest { odd, due, ..Guest::default() }.load();
    let call = host.start(ODD, b"later", CallOptions::default()).unwrap();
    assert_eq!(block_on(call).unwrap().message, &b"later"[..]);
    assert_eq!(host.connection.open_calls(), 0);
}

#[test]
fn what_is_sent_beside_an_answer_is_handled_before_it() {
    let record = frame(9, 0, 0, &LogRecord::new(LogLevel::Warn, "guest", "beside").encode());
    let more = format!("(data (i32.const 2048) \"{}\")", escaped(&record));
    let call = format!("(call $send (i32.const 2048) (i32.const {})) {DONE}", record.len());
    let host = Guest { more: &more, call: &call, ..Guest::default() }.load();
    assert_eq!(host.call(ECHO, b"x").unwrap(), b"x");
    let logs = host.logs.0.lock().unwrap();
    assert_eq!(logs.iter().map(|record| &*record.message).collect::<Vec<_>>(), ["beside"]);
}

#[test]
fn a_second_answer_by_a_frame_is_too_late() {
    let late = frame(3, 1, 1, b"late");
    let more = format!("(data (i32.const 2048) \"{}\")", escaped(&late));
    let call = format!("(call $send (i32.const 2048) (i32.const {})) {DONE}", late.len());
    let host = Guest { more: &more, call: &call, ..Guest::default() }.load();
    for request in [b"first", b"again"] {
        assert_eq!(host.call(ECHO, request).unwrap(), request);
    }
}

#[test]
fn a_request_that_the_guest_has_no_room_for_fails_alone() {
    let host = Guest { call: DONE, alloc: "(i32.const 0)", ..Guest::default() }.load();
    let error = host.call(ECHO, &[0; 10_000]).unwrap_err();
    let message = "plugin \"guest\" has no room for a request of 10000 bytes; raise wasm.max_memory_bytes";
    assert_eq!((error.code(), error.message()), (Code::ResourceExhausted, message));
    assert_eq!(host.call(ECHO, b"less").unwrap(), b"less");
}

#[test]
fn a_loop_in_a_call_is_stopped_at_the_deadline_of_that_call_alone() {
    // Another call waits without a deadline; the one that loops has one.
    let call = "(if (i32.eqz (i32.and (local.get $method) (i32.const 65535))) (then (return (i32.const 2))))
                (loop $ever (br $ever)) (i32.const 0)";
    let host = Guest { call, ..Guest::default() }.load();
    let waiting = host.start(ECHO, b"waits", CallOptions::default()).unwrap();
    let error = host.call_with(ODD, b"x", timeout(1_000)).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
    let other = block_on(waiting).unwrap_err();
    assert_eq!(other.code(), Code::Unavailable);
    assert!(other.message().starts_with("the connection ended: plugin \"guest\" was stopped after "), "{other}");
}

#[test]
fn a_trap_in_a_call_is_the_failure_of_that_call() {
    let host = Guest { call: "unreachable", ..Guest::default() }.load();
    let error = host.call(ECHO, b"x").unwrap_err();
    let message = "plugin \"guest\" trapped: wasm `unreachable` instruction executed";
    assert_eq!((error.code(), error.message()), (Code::Internal, message));
}

#[test]
fn limits_of_the_connection_hold_for_short_calls_too() {
    let mut hello = guest::hello("guest");
    hello.limits.as_mut().unwrap().max_message_bytes = 100;
    let host = Guest { call: DONE, hello, ..Guest::default() }.load();
    let error = host.call(ECHO, &[0; 101]).unwrap_err();
    let message = "a message of 101 bytes is over the limit of 100 bytes of \"guest\"; raise its max_message_bytes";
    assert_eq!((error.code(), error.message()), (Code::ResourceExhausted, message));
    let grown = "(drop (memory.grow (i32.const 64))) (call $result (i32.const 0) (i32.const 4194305)) (i32.const 0)";
    let large = Guest { call: grown, ..Guest::default() }.load();
    let error = large.call(ECHO, b"x").unwrap_err();
    let message = "the connection ended: a message of 4194305 bytes is over the limit of 4194304 bytes";
    assert_eq!((error.code(), error.message()), (Code::Unavailable, message));
    drop(host.connection.drain());
    assert_eq!(host.call(ECHO, b"x").unwrap_err().code(), Code::Unavailable);
}
