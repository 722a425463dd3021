//! What a guest does wrong is an error of that guest, and of nothing else.

#![allow(clippy::unwrap_used, reason = "a failing test says where by a panic")]

mod guest;

use std::sync::Arc;
use std::time::Duration;

use anyplug_core::{CallOptions, Code, LogLevel};
use anyplug_wasm::{Module, WasmLimits};
use guest::{ECHO, Guest, Host, ODD, block_on, limits, timeout};

/// What `ODD` does, how its call ends, and in which words.
#[track_caller]
fn ends(odd: &str, code: Code, message: &str) {
    ends_within(Guest { odd, ..Guest::default() }, &limits(), code, message);
}

#[track_caller]
fn ends_within(guest: Guest<'_>, limits: &WasmLimits, code: Code, message: &str) {
    let module = Module::new(&guest.bytes(), limits).unwrap();
    let (host, other) = (Host::new(&module), Host::new(&module));
    assert_eq!(host.call(ECHO, b"before").unwrap(), b"before");
    let error = host.odd();
    assert_eq!((error.code(), error.message()), (code, message));
    // The instance is gone, and the next call says why.
    assert!(host.instance.is_over());
    let error = host.call(ECHO, b"after").unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Unavailable, &*format!("the connection ended: {message}")));
    // Others have not noticed, and there can be more.
    assert_eq!(other.call(ECHO, b"other").unwrap(), b"other");
    assert_eq!(Host::new(&module).call(ECHO, b"new").unwrap(), b"new");
}

fn trapped(reason: &str) -> String {
    format!("plugin \"guest\" trapped: {reason}")
}

#[test]
fn a_trap_ends_the_call_with_its_reason() {
    ends("unreachable", Code::Internal, &trapped("wasm `unreachable` instruction executed"));
    ends("(drop (i32.div_u (i32.const 1) (i32.const 0)))", Code::Internal, &trapped("integer divide by zero"));
    ends("(call_indirect (i32.const 0))", Code::Internal, &trapped("uninitialized element"));
    let outside = trapped("out of bounds memory access");
    ends("(drop (i32.load (i32.const -1)))", Code::Internal, &outside);
}

#[test]
fn the_last_words_of_a_guest_are_in_the_log() {
    let odd = r#"(call $log (i32.const 5) (i32.const 2048) (i32.const 11)) unreachable"#;
    let more = r#"(data (i32.const 2048) "it is a bug")"#;
    let host = Guest { odd, more, ..Guest::default() }.load();
    assert_eq!(host.odd().message(), trapped("wasm `unreachable` instruction executed"));
    let logs = host.logs.0.lock().unwrap();
    let logged: Vec<_> = logs.iter().map(|record| (record.level, record.message.as_str())).collect();
    assert_eq!(logged, [(LogLevel::Error, "it is a bug")]);
}

#[test]
fn ranges_outside_of_its_memory_end_a_guest() {
    let outside = |what: &str, length: u32, at: u32| {
        trapped(&format!("{what}: {length} bytes at {at} are not within its memory of 262144 bytes"))
    };
    let most = u32::MAX;
    for (call, what) in [("call $send", "send"), ("call $random", "random"), ("call $log (i32.const 1)", "log")] {
        let odd = |at: &str, length: &str| format!("({call} (i32.const {at}) (i32.const {length}))");
        ends(&odd("-1", "1"), Code::Internal, &outside(what, 1, most));
        ends(&odd("1", "-1"), Code::Internal, &outside(what, most, 1));
        ends(&odd("-1", "-1"), Code::Internal, &outside(what, most, most));
        ends(&odd("262144", "1"), Code::Internal, &outside(what, 1, 262_144));
        ends(&odd("262100", "100"), Code::Internal, &outside(what, 100, 262_100));
    }
}

#[test]
fn a_range_that_just_fits_is_none_that_is_outside() {
    let odd = "(call $random (i32.const 262143) (i32.const 1)) (call $random (i32.const 262144) (i32.const 0))
               (call $log (i32.const 3) (i32.const 0) (i32.const 0)) (drop (call $clock (i32.const 1)))
               (call $checkpoint) (call $send (local.get $at) (local.get $length))";
    let host = Guest { odd, ..Guest::default() }.load();
    assert_eq!(host.call(ODD, b"fits").unwrap(), b"fits");
}

#[test]
fn memory_that_grows_during_a_call_is_seen() {
    let odd = "(drop (memory.grow (i32.const 4))) (memory.copy (i32.const 400000) (local.get $at) (local.get $length))
               (call $send (i32.const 400000) (local.get $length))";
    let host = Guest { odd, ..Guest::default() }.load();
    for _ in 0..3 {
        assert_eq!(host.call(ODD, b"grown").unwrap(), b"grown");
    }
}

#[test]
fn a_request_that_the_scratch_buffer_does_not_hold_goes_elsewhere() {
    let host = Guest::default().load();
    for bytes in [8179, 8180, 8181, 60_000] {
        let request: Vec<u8> = (0..bytes).map(|at| at as u8).collect();
        assert_eq!(host.call(ECHO, &request).unwrap(), request, "{bytes}");
    }
}

#[test]
fn room_that_is_not_in_its_memory_ends_a_guest() {
    let message = "plugin \"guest\" broke the embedded ABI: anyplug_alloc: 20000 bytes at 4294967288 are not within its memory of 262144 bytes";
    let host = Guest { alloc: "(i32.const -8)", ..Guest::default() }.load();
    let error = host.call(ECHO, &[0; 20_000]).unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Internal, message));
}

#[test]
fn a_loop_without_end_is_stopped_at_the_end_of_its_time() {
    let host = Guest { odd: "(loop $ever (br $ever))", ..Guest::default() }
        .load_within(&WasmLimits { call_timeout: Duration::from_secs(1), ..limits() });
    let error = host.odd();
    assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
    assert!(error.message().starts_with("plugin \"guest\" was stopped after "), "{error}");
}

#[test]
fn a_loop_without_end_is_stopped_at_the_deadline_of_its_call() {
    let module = Module::new(&Guest { odd: "(loop $ever (br $ever))", ..Guest::default() }.bytes(), &limits()).unwrap();
    let (host, other) = (Host::new(&module), Host::new(&module));
    let error = host.call_with(ODD, b"x", timeout(1_000)).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
    assert!(host.instance.is_over());
    assert_eq!(other.call(ECHO, b"x").unwrap(), b"x");
}

#[test]
fn recursion_and_doubling_without_end_are_stopped() {
    let more = "(func $nest (param i32) (result i32) (i32.add (call $nest (local.get 0)) (call $nest (local.get 0))))
                (func $double (param i32) (if (local.get 0) (then
                  (call $double (i32.sub (local.get 0) (i32.const 1)))
                  (call $double (i32.sub (local.get 0) (i32.const 1))))))";
    let odd = "(drop (call $nest (i32.const 1)))";
    let message = trapped("its calls nest too deeply: the stack is used up");
    ends_within(Guest { odd, more, ..Guest::default() }, &limits(), Code::Internal, &message);
    let host = Guest { odd: "(call $double (i32.const 200))", more, ..Guest::default() }.load();
    let error = host.call_with(ODD, b"x", timeout(1_000)).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
}

#[test]
fn a_start_function_and_abi_that_do_not_end_are_stopped() {
    let limits = WasmLimits { call_timeout: Duration::from_secs(1), ..limits() };
    for guest in [
        Guest { start: "(loop $ever (br $ever))", ..Guest::default() },
        Guest { abi: "(loop $ever (br $ever)) (i32.const 64)", ..Guest::default() },
    ] {
        let host = guest.load_within(&limits);
        let error = host.instance.failure().unwrap();
        assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
        assert_eq!(host.call(ECHO, b"x").unwrap_err().code(), Code::Unavailable);
    }
}

#[test]
fn a_start_function_may_trap_and_reach_out_of_its_memory() {
    let host = Guest { start: "unreachable", ..Guest::default() }.load();
    assert_eq!(host.instance.failure().unwrap().message(), trapped("wasm `unreachable` instruction executed"));
    let host = Guest { start: "(call $send (i32.const -1) (i32.const 5))", ..Guest::default() }.load();
    let message = trapped("send: 5 bytes at 4294967295 are not within its memory of 262144 bytes");
    assert_eq!(host.instance.failure().unwrap().message(), message);
}

#[test]
fn memory_over_its_limit_is_not_given_and_named_when_the_guest_gives_up() {
    // Four pages are its own; 16 MiB are 256.
    let limits = WasmLimits { max_memory_bytes: 16 << 20, ..limits() };
    let odd = "(if (i32.eq (memory.grow (i32.const 253)) (i32.const -1)) (then unreachable))";
    let message =
        "plugin \"guest\" ended: it wants 16842752 bytes of memory, and may have 16777216; raise wasm.max_memory_bytes";
    ends_within(Guest { odd, ..Guest::default() }, &limits, Code::ResourceExhausted, message);
    // One that can do with less goes on.
    let odd = "(drop (memory.grow (i32.const 65000))) (call $send (local.get $at) (local.get $length))";
    let host = Guest { odd, ..Guest::default() }.load_within(&limits);
    assert_eq!(host.call(ODD, b"less").unwrap(), b"less");
    // What was wanted before is no reason later.
    let odd = "(if (i32.eq (i32.load8_u offset=12 (local.get $at)) (i32.const 120)) (then unreachable))
               (drop (memory.grow (i32.const 65000))) (call $send (local.get $at) (local.get $length))";
    let host = Guest { odd, ..Guest::default() }.load_within(&limits);
    assert_eq!(host.call(ODD, b"less").unwrap(), b"less");
    assert_eq!(host.odd().message(), trapped("wasm `unreachable` instruction executed"));
}

#[test]
fn tables_over_their_limit_are_not_given() {
    let odd = "(if (i32.eq (table.grow $table (ref.null func) (i32.const 1000000)) (i32.const -1)) (then unreachable))";
    let message = "plugin \"guest\" ended: it wants a table of 1000001 elements, and may have 100000; raise wasm.max_table_elements";
    ends(odd, Code::ResourceExhausted, message);
}

#[test]
fn what_a_guest_sends_before_it_returns_is_limited() {
    let odd = "(loop $ever (call $send (i32.const 0) (i32.const 262144)) (br $ever))";
    let limits = WasmLimits { max_memory_bytes: 4 << 20, ..limits() };
    let message = "plugin \"guest\" ended: it sends more than 4194304 bytes at once; raise wasm.max_memory_bytes";
    ends_within(Guest { odd, ..Guest::default() }, &limits, Code::ResourceExhausted, message);
    let odd = "(loop $ever (call $log (i32.const 3) (i32.const 0) (i32.const 0)) (br $ever))";
    ends_within(Guest { odd, ..Guest::default() }, &limits, Code::ResourceExhausted, message);
}

#[test]
fn fuel_is_for_each_call_into_the_guest() {
    let odd = "(loop $ever (br $ever))";
    let limits = WasmLimits { fuel: Some(100_000), ..limits() };
    let message = "plugin \"guest\" used up its 100000 units of fuel for one call; raise wasm.fuel";
    ends_within(Guest { odd, ..Guest::default() }, &limits, Code::ResourceExhausted, message);
    let host = Guest::default().load_within(&limits);
    for _ in 0..10_000 {
        assert_eq!(host.call(ECHO, b"x").unwrap(), b"x");
    }
    assert!(limits.enforced().contains(&"fuel: by the engine".to_owned()));
}

#[test]
fn frames_that_are_none_end_the_connection() {
    // A kind of frame that there is, with a length that no limit allows.
    let odd = "(i32.store (local.get $at) (i32.const -1)) (call $send (local.get $at) (local.get $length))";
    let host = Guest { odd, ..Guest::default() }.load();
    let error = host.odd();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert!(host.instance.is_over());
    assert_eq!(host.call(ECHO, b"x").unwrap_err().code(), Code::Unavailable);
    // No magic, and no hello.
    let host = Guest { more: "(data (i32.const 1024) \"nonsense\")", ..Guest::default() }.load();
    let error = host.call(ECHO, b"x").unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
}

#[test]
fn other_calls_of_an_instance_that_fails_are_told_why() {
    // The first request is kept waiting, the second traps.
    let odd = "(if (global.get $kept) (then unreachable)) (global.set $kept (i32.const 1))";
    let host = Guest { odd, ..Guest::default() }.load();
    let waiting = host.start(ODD, b"waits", CallOptions::default()).unwrap();
    assert!(!waiting.is_done());
    assert_eq!(host.odd().code(), Code::Internal);
    let error = block_on(waiting).unwrap_err();
    let message = trapped("wasm `unreachable` instruction executed");
    assert_eq!((error.code(), error.message()), (Code::Unavailable, &*format!("the connection ended: {message}")));
}

#[test]
fn a_guest_that_never_rests_does_not_keep_its_caller() {
    // It wants to be entered again at once, for ever.
    let odd = "(call $wake (i32.const 0)) (call $send (local.get $at) (local.get $length))";
    let host = Guest { odd, ..Guest::default() }.load();
    assert_eq!(host.call(ODD, b"busy").unwrap(), b"busy");
    for _ in 0..100 {
        assert_eq!(host.call(ECHO, b"x").unwrap(), b"x");
    }
    host.instance.end(anyplug_core::Error::unavailable("enough"));
    assert_eq!(host.call(ECHO, b"x").unwrap_err().message(), "the connection ended: enough");
}

#[test]
fn a_guest_is_entered_when_it_wants_to_be() {
    // It answers later, from memory.
    let odd = "(memory.copy (i32.const 200000) (local.get $at) (local.get $length))
               (global.set $kept (local.get $length)) (call $wake (i32.const 5))";
    let due = "(call $wake (i32.const -1)) (call $send (i32.const 200000) (global.get $kept))";
    let host = Guest { odd, due, ..Guest::default() }.load();
    for _ in 0..3 {
        assert_eq!(host.call(ODD, b"later").unwrap(), b"later");
    }
}

#[test]
fn a_call_that_is_never_answered_ends_at_its_deadline() {
    let host = Guest { odd: "", ..Guest::default() }.load();
    let error = host.call_with(ODD, b"x", timeout(20)).unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::DeadlineExceeded, "the call took longer than its 20 ms"));
    // The guest is none the worse for it.
    assert_eq!(host.call(ECHO, b"x").unwrap(), b"x");
}

#[test]
fn many_threads_share_an_instance() {
    let host = Arc::new(Guest::default().load());
    let threads: Vec<_> = (0..8u8)
        .map(|thread| {
            let host = host.clone();
            std::thread::spawn(move || {
                for round in 0..500u32 {
                    let request = [&[thread][..], &round.to_le_bytes()].concat();
                    assert_eq!(host.call(ECHO, &request).unwrap(), request);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn instances_do_not_share_memory() {
    let odd = "(global.set $kept (i32.add (global.get $kept) (i32.const 1)))
               (i32.store8 offset=12 (local.get $at) (global.get $kept)) (call $send (local.get $at) (local.get $length))";
    let module = Module::new(&Guest { odd, ..Guest::default() }.bytes(), &limits()).unwrap();
    let (one, two) = (Host::new(&module), Host::new(&module));
    assert_eq!(one.call(ODD, b"x").unwrap(), [1]);
    assert_eq!(one.call(ODD, b"x").unwrap(), [2]);
    assert_eq!(two.call(ODD, b"x").unwrap(), [1]);
}
