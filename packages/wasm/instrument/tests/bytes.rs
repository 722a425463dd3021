//! Whatever bytes come: no panic, and what is made is valid.

#![allow(clippy::expect_used, reason = "a failing test says where by a panic")]

use anyplug_instrument::{Kind, Limits, instrument};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};

/// `(module (memory 1) (func $g (export "f") (param i32) (result i32) (loop (br_if 0 (local.get 0))) (call $g (i32.const 1))))`
const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x06\x01\x60\x01\x7f\x01\x7f\x03\x02\x01\0\x05\x03\x01\0\x01\
    \x07\x05\x01\x01f\0\0\x0a\x0f\x01\x0d\0\x03\x40\x20\0\x0d\0\x0b\x41\x01\x10\0\x0b";

fn is_valid(module: &[u8]) -> bool {
    wasmparser::Validator::new().validate_all(module).is_ok()
}

#[test]
fn a_module_is_given_checkpoints() {
    assert!(is_valid(MODULE));
    let made = instrument(MODULE, &Limits::default()).expect("a valid module");
    assert!(is_valid(&made));
    assert!(made.len() > MODULE.len());
}

#[test]
fn a_refusal_says_of_what_kind_it_is() {
    let limits = Limits { max_memory_bytes: 65_535, ..Limits::default() };
    let refusal = instrument(MODULE, &limits).expect_err("no page is allowed");
    assert_eq!(refusal.kind(), Kind::TooLarge);
    assert!(refusal.to_string().contains("maxMemoryBytes is 65535"), "{refusal}");
    let half = instrument(&MODULE[..20], &Limits::default()).expect_err("half a module");
    assert_eq!(half.kind(), Kind::Invalid);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn changed_bytes_are_refused_or_make_a_valid_module(changes in vec((any::<usize>(), any::<u8>()), 1..4)) {
        let mut module = MODULE.to_vec();
        for (at, byte) in changes {
            let at = at % module.len();
            module[at] = byte;
        }
        match instrument(&module, &Limits::default()) {
            Ok(made) => assert!(is_valid(&module) && is_valid(&made)),
            Err(refusal) => assert!(refusal.kind() != Kind::Invalid || !is_valid(&module), "{refusal}"),
        }
    }

    #[test]
    fn any_bytes_after_the_header_are_no_panic(rest in vec(any::<u8>(), 0..64)) {
        let module = [b"\0asm\x01\0\0\0".as_slice(), &rest].concat();
        let _ = instrument(&module, &Limits::default());
    }
}
