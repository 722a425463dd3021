//! What goes wrong when a plugin is loaded, and what the host is told: one clear error, at once.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod fixture;

use std::time::Duration;

use anyplug_core::{Code, Error};
use anyplug_generated::anyplug::test::v1::harm_request::Kind;
use anyplug_generated::anyplug::test::v1::{Test, TestClient, WaitRequest};
use anyplug_generated::eliza_classic::v1::Eliza;
use anyplug_host::Load;
use fixture::{Folder, Logs, block_on, echo, harm};
use serde_json::json;

#[test]
fn plugin_process() {
    fixture::plugin_process();
}

fn failure(load: Load) -> Error {
    // What was found out by waiting would be DEADLINE_EXCEEDED.
    block_on(load).map(|plugin| plugin.name()).expect_err("a failure")
}

fn fails(load: Load, code: Code, message: &str) {
    let error = failure(load);
    assert_eq!((error.code(), error.message()), (code, message));
}

#[test]
fn a_folder_without_a_plugin() {
    let folder = Folder::new(json!({}));
    let missing = folder.path.join("none");
    fails(anyplug_host::load_plugin(&missing), Code::NotFound, &format!("there is no plugin at {}", missing.display()));
}

#[test]
fn a_manifest_without_a_command() {
    let folder = Folder::new(json!({}));
    let file = folder.path.join("plugin.json");
    let message = format!(
        "{}: interop.ipcCommand is missing, and transport \"process\" needs a command to start",
        file.display()
    );
    fails(folder.load(), Code::FailedPrecondition, &message);
}

#[test]
fn a_transport_that_this_host_does_not_have() {
    let folder = Folder::new(json!({ "transports": ["wasm"] }));
    let file = folder.path.join("plugin.json");
    let message = format!("{}: transports names wasm, and this host has process, stdio for it", file.display());
    fails(folder.load(), Code::FailedPrecondition, &message);
    let message = "transport: expected one of direct, process, stdio, wasm, ffi, got \"pigeon\"";
    fails(folder.load().transport("pigeon"), Code::InvalidArgument, message);
}

#[test]
fn a_program_that_is_missing() {
    let folder = Folder::new(json!({ "interop": { "ipcCommand": "bin/plugin --flag" } }));
    let program = folder.path.join("bin/plugin");
    let message = format!(
        "cannot start plugin \"test-plugin\": program {} does not exist; build it, or name another command",
        program.display()
    );
    fails(folder.load(), Code::NotFound, &message);
}

#[test]
fn a_python_that_is_missing() {
    let folder = Folder::new(json!({ "language": "python", "interop": { "ipcCommand": "python3 -m plugin" } }));
    let message =
        "cannot start plugin \"test-plugin\": program /no/python does not exist; build it, or name another command";
    fails(folder.load().python("/no/python"), Code::NotFound, message);
}

#[test]
fn a_configuration_that_is_too_large_for_a_process() {
    let folder = Folder::test_plugin();
    let message = "the configuration of plugin \"test-plugin\" takes 200013 bytes, and a process takes 131056; give the path of a file instead";
    fails(folder.load().config("script", "x".repeat(200_000)), Code::InvalidArgument, message);
    block_on(folder.load().config("script", "x".repeat(131_043))).expect("a plugin");
}

#[test]
fn a_service_that_is_implemented_twice() {
    let folder = Folder::script("echo started");
    let logs = Logs::default();
    let service = || Test::implement(anyplug_test_plugin::TestPlugin::default());
    let error = failure(folder.load().service(service()).service(service()).on_log(logs.taker()));
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(logs.all().is_empty());
}

#[test]
fn an_exit_before_the_hello() {
    let folder = Folder::script("echo cannot find the library >&2; exit 3");
    let message = "plugin \"test-plugin\" exited with status 3 before its hello; its last lines on stderr:\n  cannot find the library";
    fails(folder.load(), Code::Unavailable, message);
    fails(folder.load().transport("stdio"), Code::Unavailable, message);
}

#[test]
fn a_death_before_the_hello() {
    let folder = Folder::script("kill -SEGV $$");
    fails(folder.load(), Code::Unavailable, "plugin \"test-plugin\" was killed by SIGSEGV before its hello");
}

#[test]
fn a_hello_that_never_comes() {
    let folder = Folder::script("echo $$; echo waiting for a lock >&2; exec sleep 100000");
    // On a busy machine the time may be over before the shell has begun; then it is given more.
    for doubled in 0.. {
        let ms = 500 << doubled;
        let logs = Logs::default();
        let error = failure(folder.load().start_timeout(Duration::from_millis(ms)).on_log(logs.taker()));
        assert_eq!(error.code(), Code::DeadlineExceeded);
        let told = format!("plugin \"test-plugin\" sent no hello within {ms} ms");
        assert!(error.message().starts_with(&told), "{error}");
        if let Some(pid) = logs.all().iter().find_map(|line| line.strip_prefix("stdout: ")?.parse().ok()) {
            fixture::wait_until_gone(pid);
        }
        if error.message() == told + "; its last lines on stderr:\n  waiting for a lock" {
            break;
        }
    }
}

#[test]
fn a_channel_that_is_closed_without_a_hello() {
    let folder = Folder::script("exec 3<&- 4>&-; exec sleep 100000");
    let message = "plugin \"test-plugin\" closed its channel before its hello and still runs";
    fails(folder.load(), Code::Unavailable, message);
}

#[test]
fn bytes_that_are_not_the_magic() {
    let folder = Folder::script("echo oops >&2; printf 'HTTP/1.1 400 Bad Request' >&4; exec sleep 100000");
    let error = failure(folder.load());
    assert_eq!(error.code(), Code::FailedPrecondition);
    for part in ["plugin \"test-plugin\": ", "HTTP/1.1", "its last lines on stderr:\n  oops"] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn a_newer_protocol() {
    // The magic, and HELLO with protocol 9 and min_protocol 9.
    let folder = Folder::script(
        r"printf 'anyplug\n\004\000\000\000\001\000\000\000\000\000\000\000\010\011\020\011' >&4; exec sleep 100000",
    );
    let error = failure(folder.load());
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.message().starts_with("plugin \"test-plugin\": "), "{error}");
    assert!(error.message().contains('9') && error.message().contains('1'), "{error}");
}

#[test]
fn a_plugin_that_refuses_its_configuration() {
    let folder = Folder::test_plugin();
    let message = "plugin \"test-plugin\" refused to start: line 7: a rule without an end";
    for transport in ["process", "stdio"] {
        let load = folder.load().transport(transport).config("refuse", "line 7: a rule without an end");
        fails(load, Code::InvalidArgument, message);
    }
}

#[test]
fn a_service_that_is_expected_and_not_there() {
    let folder = Folder::test_plugin();
    let error = failure(folder.load().expect::<Test>().expect::<Eliza>());
    assert_eq!(error.code(), Code::Unimplemented);
    assert!(error.message().contains("eliza_classic.v1.ElizaService"), "{error}");
}

#[test]
fn a_crash_in_the_middle_of_calls() {
    for (kind, number, end) in [(Kind::Exit, 7, "exited with status 7"), (Kind::Kill, 0, "was killed by SIGKILL")] {
        let folder = Folder::test_plugin();
        let logs = Logs::default();
        let plugin = block_on(folder.load().on_log(logs.taker())).expect("a plugin");
        let client = TestClient::new(&plugin);
        block_on(client.harm(harm(Kind::Stderr, "about to die\n", 0))).expect("a line");
        logs.wait_for("stderr: about to die");
        let (waiting, dying) = block_on(async {
            let waiting = client.wait(WaitRequest { ms: 60_000 }).into_future();
            let dying = client.harm(harm(kind, "", number)).into_future();
            futures_util::future::join(waiting, dying).await
        });
        let message =
            format!("the connection ended: plugin \"test-plugin\" {end}; its last lines on stderr:\n  about to die");
        for error in [waiting.expect_err("a failure"), dying.expect_err("a failure")] {
            assert_eq!((error.code(), error.message()), (Code::Unavailable, message.as_str()));
        }
        let later = block_on(client.echo(echo("?"))).expect_err("a failure");
        assert_eq!(later.code(), Code::Unavailable);
        assert!(block_on(plugin.closed()).message().contains(end));
        block_on(plugin.close()).expect("an end");
    }
}

#[test]
fn a_load_that_is_given_up_kills_the_process() {
    let folder = Folder::script("echo $$; exec sleep 100000");
    let logs = Logs::default();
    let mut load = folder.load().on_log(logs.taker()).into_future();
    let mut polled = |task: &mut std::task::Context<'_>| load.as_mut().poll(task);
    assert!(polled(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending());
    let pid = loop {
        match logs.all().first().and_then(|line| line.strip_prefix("stdout: ")?.parse().ok()) {
            Some(pid) => break pid,
            None => std::thread::yield_now(),
        }
    };
    drop(load);
    fixture::wait_until_gone(pid);
}
