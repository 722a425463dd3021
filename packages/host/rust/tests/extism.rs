//! Extism plugins.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod fixture;

use std::future::IntoFuture;
use std::path::PathBuf;
use std::time::Duration;

use anyplug_core::{Code, Error};
use anyplug_host::{CacheFolder, ExtismLoad, WasmLimits, load_extism_plugin};
use fixture::{Logs, block_on};

fn load(name: &str) -> ExtismLoad {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../../test/extism/{name}.wat"));
    let limits = WasmLimits { cache: CacheFolder::Off, ..WasmLimits::default() };
    load_extism_plugin(wat::parse_file(file).expect("a module")).name(name).wasm(limits)
}

#[test]
fn a_plugin_is_awaited_or_waited_for() {
    let plugin = block_on(load("count_vowels")).expect("a plugin");
    assert_eq!((plugin.name(), plugin.functions()), ("count_vowels", &["count_vowels".to_owned()][..]));
    assert!(plugin.enforced().contains(&"call_timeout: epochs".to_owned()));
    let call = || plugin.call("count_vowels", "Hello, World!");
    assert_eq!(block_on(call().into_future()).expect("an answer"), b"{\"count\":3}");
    assert_eq!(call().timeout(Duration::from_secs(30)).blocking().expect("an answer"), b"{\"count\":3}");
    plugin.close();
    assert_eq!(call().blocking().expect_err("an end").code(), Code::Unavailable);
}

#[test]
fn options_are_the_plugins() {
    let plugin = load("config").config("thing", "hello").blocking().expect("a plugin");
    assert_eq!(plugin.call("get", "thing").blocking().expect("an answer"), b"hello");
    let logs = Logs::default();
    let plugin = load("log").on_log(logs.taker()).blocking().expect("a plugin");
    plugin.call("log", "a line").blocking().expect("an answer");
    let plugin = load("vars").max_var_bytes(20).blocking().expect("a plugin");
    let error = plugin.call("set", "0123456789abcdef").blocking().expect_err("a limit");
    assert_eq!(error.code(), Code::ResourceExhausted);
    let plugin = load("http").allow_host("example.org").blocking().expect("a plugin");
    let error = plugin.call("request", "{\"url\":\"http://evil.test/\"}").blocking().expect_err("a refusal");
    assert_eq!(error.code(), Code::PermissionDenied);
    let plugin = load("user")
        .function("shout", |input| Ok(input.to_ascii_uppercase()))
        .function("note", |input| if input == b"bad" { Err(Error::aborted("not this")) } else { Ok(Vec::new()) })
        .blocking()
        .expect("a plugin");
    assert_eq!(plugin.call("run", "hello").blocking().expect("an answer"), b"HELLO");
    assert_eq!(plugin.call("run", "bad").blocking().expect_err("an error").code(), Code::Aborted);
}

#[test]
fn a_call_that_does_not_end_is_stopped_and_others_go_on() {
    let plugin = load("loop").blocking().expect("a plugin");
    let other = load("echo").blocking().expect("a plugin");
    let forever = plugin.call("forever", "").timeout(Duration::from_millis(500)).into_future();
    block_on(async {
        let (stopped, answer) = futures_util::future::join(forever, other.call("echo", "x").into_future()).await;
        assert_eq!(stopped.expect_err("an end").code(), Code::DeadlineExceeded);
        assert_eq!(answer.expect("an answer"), b"x");
    });
    block_on(plugin.call("nothing", "").into_future()).expect("an answer");
}

#[test]
fn calls_at_once_take_turns() {
    let plugin = load("count_vowels").blocking().expect("a plugin");
    let calls = (0..20).map(|count| plugin.call("count_vowels", "a".repeat(count)).into_future());
    let answers = block_on(futures_util::future::join_all(calls));
    for (count, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.expect("an answer"), format!("{{\"count\":{count}}}").into_bytes());
    }
}

#[test]
fn what_cannot_be_loaded_says_why() {
    let error = load_extism_plugin("/nowhere/x.wasm").blocking().expect_err("a failure");
    assert_eq!(error.code(), Code::NotFound);
    let error = block_on(load("wanting").into_future()).expect_err("a failure");
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.message().starts_with("plugin \"wanting\" cannot be loaded: "), "{error}");
}
