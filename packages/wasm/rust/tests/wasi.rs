//! Guests that were built for WASI: what they get, and what they do not.

#![allow(clippy::unwrap_used, reason = "a failing test says where by a panic")]

mod guest;

use std::time::{SystemTime, UNIX_EPOCH};

use anyplug_core::{Code, LogLevel, Result};
use guest::{ECHO, Guest, Host, ODD};

/// An import of WASI.
fn wasi(name: &str, of: &str) -> String {
    format!("(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} {of}))")
}

/// The 16 bytes at 2048 after `odd`, which a guest with these imports and that data does.
fn told(imports: &str, more: &str, odd: &str) -> Result<([u32; 4], Host)> {
    let odd = format!(
        "{odd} (memory.copy (i32.add (local.get $at) (i32.const 12)) (i32.const 2048) (i32.const 16))
         (i32.store (local.get $at) (i32.const 16)) (call $send (local.get $at) (i32.const 28))"
    );
    let host = Guest { imports, more, odd: &odd, ..Guest::default() }.load();
    let bytes = host.call(ODD, b"x")?;
    let word = |at: usize| u32::from_le_bytes(bytes[at * 4..][..4].try_into().unwrap());
    Ok(([word(0), word(1), word(2), word(3)], host))
}

fn long(words: &[u32]) -> u64 {
    u64::from(words[0]) | u64::from(words[1]) << 32
}

#[test]
fn clocks_and_random_bytes_are_there() {
    let clock = wasi("clock_time_get", "(param i32 i64 i32) (result i32)");
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let get = |id: u32| format!("(drop (call $clock_time_get (i32.const {id}) (i64.const 0) (i32.const 2048)))");
    let (words, _) = told(&clock, "", &get(0)).unwrap();
    assert!(long(&words) >= before, "{words:?}");
    let twice = format!("{} (i64.store (i32.const 2056) (i64.load (i32.const 2048))) {}", get(1), get(1));
    let (words, _) = told(&clock, "", &twice).unwrap();
    assert!(long(&words) >= long(&words[2..]), "{words:?}");
    let odd = "(i32.store (i32.const 2048) (call $clock_time_get (i32.const 9) (i64.const 0) (i32.const 3000)))";
    assert_eq!(told(&clock, "", odd).unwrap().0[0], 28);
    let resolution = wasi("clock_res_get", "(param i32 i32) (result i32)");
    let odd = "(drop (call $clock_res_get (i32.const 1) (i32.const 2048)))";
    assert_eq!(long(&told(&resolution, "", odd).unwrap().0), 1_000_000);
    let random = wasi("random_get", "(param i32 i32) (result i32)");
    let odd = "(drop (call $random_get (i32.const 2048) (i32.const 16)))";
    assert_ne!(told(&random, "", odd).unwrap().0, told(&random, "", odd).unwrap().0);
}

const WRITE: &str = "(param i32 i32 i32 i32) (result i32)";

#[test]
fn what_is_printed_is_a_line_of_the_log() {
    let more = r#"(data (i32.const 3000) "one\ntwo") (data (i32.const 3020) " and a half\n")
        (data (i32.const 3040) "\b8\0b\00\00\07\00\00\00\cc\0b\00\00\0c\00\00\00")"#;
    let odd = "(i32.store (i32.const 2048) (call $fd_write (i32.const 1) (i32.const 3040) (i32.const 2) (i32.const 2052)))
               (drop (call $fd_write (i32.const 2) (i32.const 3040) (i32.const 1) (i32.const 2056)))
               (i32.store (i32.const 2060) (call $fd_write (i32.const 3) (i32.const 3040) (i32.const 1) (i32.const 2056)))";
    let (words, host) = told(&wasi("fd_write", WRITE), more, odd).unwrap();
    assert_eq!(words, [0, 19, 7, 8]);
    let logs = host.logs.0.lock().unwrap();
    let lines: Vec<_> = logs.iter().map(|line| (line.level, &*line.logger, &*line.message)).collect();
    let expected = [
        (LogLevel::Info, "stdout", "one"),
        (LogLevel::Info, "stdout", "two and a half"),
        (LogLevel::Warn, "stderr", "one"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn lines_are_cut_where_they_are_too_long() {
    // 20,000 times "x", without an end.
    let more = r#"(data (i32.const 3040) "\00\10\00\00\20\4e\00\00")"#;
    let odd = "(memory.fill (i32.const 4096) (i32.const 120) (i32.const 20000))
               (drop (call $fd_write (i32.const 1) (i32.const 3040) (i32.const 1) (i32.const 2048)))
               (drop (call $fd_write (i32.const 1) (i32.const 3040) (i32.const 1) (i32.const 2048)))";
    let (words, host) = told(&wasi("fd_write", WRITE), more, odd).unwrap();
    assert_eq!(words[0], 20_000);
    let logs = host.logs.0.lock().unwrap();
    assert_eq!(logs.iter().map(|line| line.message.len()).collect::<Vec<_>>(), [16_384]);
}

#[test]
fn there_are_no_arguments_no_environment_no_files() {
    let fill = "(i64.store (i32.const 2048) (i64.const -1))";
    for name in ["args_sizes_get", "environ_sizes_get"] {
        let sizes = wasi(name, "(param i32 i32) (result i32)");
        let odd = format!("{fill} (drop (call ${name} (i32.const 2048) (i32.const 2052)))");
        assert_eq!(long(&told(&sizes, "", &odd).unwrap().0), 0);
    }
    let imports = [
        wasi("fd_prestat_get", "(param i32 i32) (result i32)"),
        wasi("fd_close", "(param i32) (result i32)"),
        wasi("fd_seek", "(param i32 i64 i32 i32) (result i32)"),
        wasi("fd_read", WRITE),
    ];
    let odd = "(i32.store (i32.const 2048) (call $fd_prestat_get (i32.const 3) (i32.const 3000)))
        (i32.store (i32.const 2052) (call $fd_close (i32.const 3)))
        (i32.store (i32.const 2056) (call $fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 3000)))
        (i32.store (i32.const 2060) (call $fd_read (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3000)))";
    assert_eq!(told(&imports.concat(), "", odd).unwrap().0, [8, 8, 70, 0]);
}

#[test]
fn one_that_exits_has_ended() {
    let error = told(&wasi("proc_exit", "(param i32)"), "", "(call $proc_exit (i32.const 3))").map(|_| ()).unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Internal, "plugin \"guest\" exited with status 3"));
}

#[test]
fn what_it_wants_to_be_called_first_is_called_first() {
    let initialize = r#"(func (export "_initialize") (i32.store (i32.const 2048) (i32.const 42)))"#;
    let (words, _) = told(&wasi("sched_yield", "(result i32)"), initialize, "").unwrap();
    assert_eq!(words[0], 42);
    // Without anything of WASI it is a function as others are.
    let (words, _) = told("", initialize, "").unwrap();
    assert_eq!(words[0], 0);
    let trap = r#"(func (export "_initialize") unreachable)"#;
    let yields = wasi("sched_yield", "(result i32)");
    let host = Guest { imports: &yields, more: trap, ..Guest::default() }.load();
    let error = host.instance.failure().unwrap();
    assert_eq!(error.message(), "plugin \"guest\" trapped: wasm `unreachable` instruction executed");
    assert_eq!(host.call(ECHO, b"x").unwrap_err().code(), Code::Unavailable);
}

#[test]
fn ranges_out_of_its_memory_end_it() {
    let imports = wasi("fd_write", WRITE) + &wasi("random_get", "(param i32 i32) (result i32)");
    for odd in [
        "(drop (call $fd_write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 3000)))",
        "(i64.store (i32.const 3000) (i64.const -1)) (drop (call $fd_write (i32.const 1) (i32.const 3000) (i32.const 1) (i32.const 3000)))",
        "(drop (call $fd_write (i32.const 1) (i32.const 3000) (i32.const 0) (i32.const -2)))",
        "(drop (call $random_get (i32.const 3000) (i32.const -1)))",
    ] {
        let error = told(&imports, "", odd).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert!(error.message().starts_with("plugin \"guest\" trapped: "), "{error}");
        assert!(error.message().ends_with("are not within its memory of 262144 bytes"), "{error}");
    }
}

#[test]
fn what_it_prints_at_once_is_limited() {
    let more = r#"(data (i32.const 3040) "\00\00\00\00\00\00\04\00")"#;
    let odd =
        "(loop $ever (drop (call $fd_write (i32.const 1) (i32.const 3040) (i32.const 1) (i32.const 3000))) (br $ever))";
    let error = told(&wasi("fd_write", WRITE), more, odd).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
}
