//! Very many calls of Extism plugins. Alone in its program: what is measured is all of the program's memory.

#![allow(clippy::unwrap_used, reason = "a failing test says where by a panic")]

use anyplug_wasm::{CacheFolder, Extism, ExtismOptions, WasmLimits};

fn plugin(name: &str) -> Extism {
    let file = format!("{}/../../../test/extism/{name}.wat", env!("CARGO_MANIFEST_DIR"));
    let wasm = WasmLimits { cache: CacheFolder::Off, max_memory_bytes: 1 << 20, ..WasmLimits::default() };
    let options = ExtismOptions { wasm, max_var_bytes: 100, ..ExtismOptions::default() };
    Extism::new(&wat::parse_file(file).unwrap(), options).unwrap()
}

/// The memory that this process has, in bytes; 0 where the system does not tell.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4096
}

#[test]
fn a_million_calls_leave_nothing_behind() {
    // Blocks that nobody gives back, and variables that are set again and again, within limits that a few calls would reach.
    let (leaking, counting) = (plugin("memory"), plugin("vars"));
    let before = resident();
    for index in 1..=500_000u64 {
        leaking.call("leak", &[1; 10_000], None).unwrap();
        assert_eq!(counting.call("count", b"", None).unwrap(), index.to_le_bytes());
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more than before");
}
