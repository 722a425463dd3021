//! Guests that do whatever comes at the boundary: the host goes on or ends them, and nothing else happens. What is generated is the same in each run.

#![allow(clippy::unwrap_used, reason = "a failing test says where by a panic")]

mod guest;

use std::time::Duration;

use anyplug_core::{CallOptions, Error};
use anyplug_wasm::{Extism, ExtismOptions, Module, WasmLimits};
use guest::{ECHO, Guest, Host, ODD, block_on, limits};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

fn config(cases: u32) -> Config {
    // Findings become tests, not files beside the tests.
    Config { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::with_cases(cases) }
}

fn small() -> WasmLimits {
    WasmLimits { max_memory_bytes: 4_000_000, call_timeout: Duration::from_secs(1), ..limits() }
}

/// Does what the bytes say: steps of three words, the same as in the TypeScript host's test.
const OBEY: &str = r#"
  (func $obey (param $at i32) (param $end i32) (result i32) (local $a i32) (local $b i32) (local $what i32)
    (loop $next
      (if (i32.gt_u (i32.add (local.get $at) (i32.const 12)) (local.get $end)) (then (return (i32.const 0))))
      (local.set $what (i32.and (i32.load (local.get $at)) (i32.const 7)))
      (local.set $a (i32.load offset=4 (local.get $at)))
      (local.set $b (i32.load offset=8 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 12)))
      (if (i32.eq (local.get $what) (i32.const 0)) (then (i32.store (local.get $a) (local.get $b))))
      (if (i32.eq (local.get $what) (i32.const 1)) (then (call $send (local.get $a) (local.get $b))))
      (if (i32.eq (local.get $what) (i32.const 2)) (then (call $random (local.get $a) (local.get $b))))
      (if (i32.eq (local.get $what) (i32.const 3)) (then (call $log (i32.const 3) (local.get $a) (local.get $b))))
      (if (i32.eq (local.get $what) (i32.const 4)) (then (drop (memory.grow (i32.and (local.get $a) (i32.const 15))))))
      (if (i32.eq (local.get $what) (i32.const 5)) (then (return (local.get $a))))
      (if (i32.eq (local.get $what) (i32.const 6)) (then
        (i32.store (i32.const 76) (local.get $a)) (i32.store (i32.const 80) (local.get $b))))
      (br $next))
    unreachable)"#;

/// Places that matter, and any others.
fn place() -> impl Strategy<Value = u32> {
    prop_oneof![
        prop::sample::select(vec![0, 1, 2, 3, 64, 68, 72, 76, 80, 84, 1024, 8192, 65_536, 131_072, 262_143, 262_144]),
        prop::sample::select(vec![0x7fff_ffff, 0x8000_0000, u32::MAX, 12, 24, 100, 65_536]),
        any::<u32>(),
        0..5 * 65_536u32,
        // A header of a frame in one word: kind and flags.
        (0..12u32, 0..4u32).prop_map(|(kind, flags)| kind | flags << 8),
    ]
}

fn script() -> impl Strategy<Value = Vec<u8>> {
    let step = (0..8u32, place(), place());
    vec(step, 1..9)
        .prop_map(|steps| steps.into_iter().flat_map(|(what, a, b)| [what, a, b]).flat_map(u32::to_le_bytes).collect())
}

/// Makes a call that may never be answered, and ends the guest.
fn call(module: &Module, payload: &[u8]) {
    let host = Host::new(module);
    if let Ok(call) = host.start(ODD, payload, CallOptions::default())
        && call.is_done()
    {
        let _ = block_on(call);
    }
    // Whatever it has done to itself, it can be asked again.
    if let Ok(call) = host.start(ECHO, b"again", CallOptions::default())
        && call.is_done()
    {
        let _ = block_on(call);
    }
    host.instance.end(Error::unavailable("the test is over"));
}

#[test]
fn whatever_a_guest_does_in_a_call_others_go_on() {
    let short = "(call $obey (local.get $at) (i32.add (local.get $at) (local.get $length)))";
    let framed =
        "(drop (call $obey (i32.add (local.get $at) (i32.const 12)) (i32.add (local.get $at) (local.get $length))))";
    let guests =
        [Guest { more: OBEY, call: short, ..Guest::default() }, Guest { more: OBEY, odd: framed, ..Guest::default() }];
    let modules = guests.map(|guest| Module::new(&guest.bytes(), &small()).unwrap());
    let bystander = Guest::default().load();
    proptest!(config(400), |(script in script(), framed in any::<bool>())| {
        call(&modules[usize::from(framed)], &script);
        prop_assert_eq!(bystander.call(ECHO, b"here").unwrap(), b"here");
    });
}

#[test]
fn whatever_is_in_the_exchange_area_it_is_refused_or_used() {
    proptest!(config(60), |(area in prop_oneof![place(), Just(64)], words in vec(place(), 6), version in any::<bool>())| {
        let mut words = words;
        if version {
            words[0] = 1;
        }
        let bytes: String = words.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("\\{byte:02x}")).collect();
        let more = format!("(data (i32.const 64) \"{bytes}\")");
        let guest = Guest { more: &more, abi: &format!("(i32.const {})", area.cast_signed()), ..Guest::default() };
        call(&Module::new(&guest.bytes(), &small()).unwrap(), b"x");
    });
}

#[test]
fn whatever_becomes_of_the_bytes_of_a_module_it_is_refused_or_held_to_its_limits() {
    let whole = Guest { more: OBEY, ..Guest::default() }.bytes();
    let limits = WasmLimits { call_timeout: Duration::from_millis(50), ..small() };
    proptest!(config(120), |(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in prop::bool::weighted(0.2))| {
        let at = at.index(whole.len());
        let mut bytes = whole.clone();
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        if let Ok(module) = Module::new(&bytes, &limits) {
            call(&module, b"x");
        }
    });
}

/// An Extism plugin that does what its input says: steps of a byte and two numbers, to which the last block's address is added where the byte says so.
const EXTISM: &str = r#"(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (import "extism:host/env" "http_request" (func $http_request (param i64 i64) (result i64)))
  (import "extism:host/env" "log_info" (func $log_info (param i64)))
  (memory (export "memory") 1)
  (func $do (param $what i32) (param $a i64) (param $b i64) (param $last i64) (result i64)
    (if (i32.eq (local.get $what) (i32.const 0)) (then (return (call $alloc (local.get $a)))))
    (if (i32.eq (local.get $what) (i32.const 1)) (then (call $free (local.get $a))))
    (if (i32.eq (local.get $what) (i32.const 2)) (then (drop (call $length (local.get $a)))))
    (if (i32.eq (local.get $what) (i32.const 3)) (then (drop (call $load_u8 (local.get $a)))))
    (if (i32.eq (local.get $what) (i32.const 4)) (then (drop (call $load_u64 (local.get $a)))))
    (if (i32.eq (local.get $what) (i32.const 5)) (then (call $store_u8 (local.get $a) (i32.wrap_i64 (local.get $b)))))
    (if (i32.eq (local.get $what) (i32.const 6)) (then (call $store_u64 (local.get $a) (local.get $b))))
    (if (i32.eq (local.get $what) (i32.const 7)) (then (call $output_set (local.get $a) (local.get $b))))
    (if (i32.eq (local.get $what) (i32.const 8)) (then (call $error_set (local.get $a))))
    (if (i32.eq (local.get $what) (i32.const 9)) (then (return (call $config_get (local.get $a)))))
    (if (i32.eq (local.get $what) (i32.const 10)) (then (return (call $var_get (local.get $a)))))
    (if (i32.eq (local.get $what) (i32.const 11)) (then (call $var_set (local.get $a) (local.get $b))))
    (if (i32.eq (local.get $what) (i32.const 12)) (then (return (call $http_request (local.get $a) (local.get $b)))))
    (if (i32.eq (local.get $what) (i32.const 13)) (then (call $log_info (local.get $a))))
    (if (i32.eq (local.get $what) (i32.const 14)) (then (drop (call $input_load_u64 (local.get $a)))))
    (if (i32.eq (local.get $what) (i32.const 15)) (then (return (call $input_offset))))
    (local.get $last))
  (func (export "run") (result i32)
    (local $at i64) (local $what i32) (local $a i64) (local $last i64)
    (loop $next
      (if (i64.gt_u (i64.add (local.get $at) (i64.const 17)) (call $input_length)) (then (return (i32.const 0))))
      (local.set $what (call $input_load_u8 (local.get $at)))
      (local.set $a (call $input_load_u64 (i64.add (local.get $at) (i64.const 1))))
      (if (i32.and (local.get $what) (i32.const 16)) (then (local.set $a (i64.add (local.get $a) (local.get $last)))))
      (local.set $last (call $do
        (i32.and (local.get $what) (i32.const 15))
        (local.get $a)
        (call $input_load_u64 (i64.add (local.get $at) (i64.const 9)))
        (local.get $last)))
      (local.set $at (i64.add (local.get $at) (i64.const 17)))
      (br $next))
    unreachable))"#;

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..20u64, 1 => any::<u64>(), 1 => (0..3u64).prop_map(|place| place << 32), 1 => 0..5_000_000u64]
}

#[test]
fn whatever_an_extism_plugin_does_the_next_call_works() {
    let options = ExtismOptions { wasm: small(), max_var_bytes: 1000, ..ExtismOptions::default() };
    let plugin = Extism::new(&wat::parse_str(EXTISM).unwrap(), options).unwrap();
    let step = (0..32u8, number(), number());
    proptest!(config(1000), |(steps in vec(step, 0..12))| {
        let bytes = |(what, a, b): (u8, u64, u64)| [&[what][..], &a.to_le_bytes(), &b.to_le_bytes()].concat();
        let script: Vec<u8> = steps.into_iter().flat_map(bytes).collect();
        let _ = plugin.call("run", &script, None);
        prop_assert_eq!(plugin.call("run", b"", None).unwrap(), b"");
    });
}
