//! How a plugin lives in its process, and how it ends.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod fixture;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyplug_core::{Code, LogLevel};
use anyplug_generated::anyplug::test::v1::harm_request::Kind;
use anyplug_generated::anyplug::test::v1::{TestClient, WaitRequest};
use anyplug_host::{InheritEnv, Plugin};
use fixture::{Folder, Logs, block_on, echo, harm};

#[test]
fn plugin_process() {
    fixture::plugin_process();
}

/// Sends a hello that offers nothing and the answer to the host's ping, and goes on with the script.
fn script_after_hello(script: &str) -> Folder {
    let hello = r"anyplug\n\004\000\000\000\001\000\000\000\000\000\000\000\010\001\020\001";
    let pong = r"\010\000\000\000\010\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000";
    Folder::script(&format!("printf '{hello}{pong}' >&4; {script}"))
}

fn pid(plugin: &Plugin) -> i32 {
    plugin.instance().expect("a process").process().pid().as_raw_nonzero().get()
}

#[test]
fn what_a_plugin_prints_is_logged_and_harms_nothing() {
    for transport in ["process", "stdio"] {
        let folder = Folder::test_plugin();
        let logs = Logs::default();
        let plugin = block_on(folder.load().transport(transport).on_log(logs.taker())).expect("a plugin");
        let client = TestClient::new(&plugin);
        let long = "x".repeat(100_000);
        for text in ["anyplug\n", "{\"json\": 1}\n", "\0\u{1}\n", &long, "\n"] {
            block_on(client.harm(harm(Kind::Stdout, text, 0))).expect("an answer");
            block_on(client.harm(harm(Kind::Stderr, text, 0))).expect("an answer");
        }
        assert_eq!(block_on(client.echo(echo("still there"))).expect("an answer").text, "still there");
        // With the channel on stdin and stdout, what is printed goes to stderr.
        let stdout = if transport == "stdio" { "stderr" } else { "stdout" };
        logs.wait_for(&format!("{stdout}: {{\"json\": 1}}"));
        logs.wait_for("stderr: anyplug");
        block_on(client.harm(harm(Kind::Log, "a record", 0))).expect("an answer");
        logs.wait_for("anyplug.test.v1.TestService: a record");
        block_on(plugin.close()).expect("an end");
    }
}

#[test]
fn lines_and_records_have_level_and_time() {
    let folder = Folder::test_plugin();
    let (sender, records) = std::sync::mpsc::channel();
    let load = folder.load().on_log(move |record| drop(sender.send(record.clone())));
    let plugin = block_on(load).expect("a plugin");
    let client = TestClient::new(&plugin);
    for (kind, logger, level) in [
        (Kind::Stdout, "stdout", LogLevel::Info),
        (Kind::Stderr, "stderr", LogLevel::Warn),
        (Kind::Log, "anyplug.test.v1.TestService", LogLevel::Info),
    ] {
        // The harness of the tests has begun a line.
        block_on(client.harm(harm(kind, "\ntext\n", 0))).expect("an answer");
        let record = records.iter().find(|record| record.message.trim() == "text").expect("a record");
        assert_eq!((record.logger.as_str(), record.level), (logger, level));
        assert!(record.time_ms > 1_600_000_000_000);
    }
}

#[test]
fn stdin_of_a_plugin_is_empty() {
    for transport in ["process", "stdio"] {
        let folder = Folder::test_plugin();
        let plugin = block_on(folder.load().transport(transport)).expect("a plugin");
        let client = TestClient::new(&plugin);
        assert_eq!(block_on(client.harm(harm(Kind::Stdin, "", 0))).expect("an answer").text, "");
        assert_eq!(block_on(client.echo(echo("still there"))).expect("an answer").text, "still there");
    }
}

/// This program again, as a plugin that starts a program of its own before it serves.
#[test]
fn plugin_that_starts_a_program() {
    if std::env::var_os("ANYPLUG_CHANNEL").is_some() {
        let plugin = anyplug_sdk::Plugin::new("test-plugin", "0.1.0").configured(|_| {
            let script = "for f in /proc/self/fd/*; do echo \"descriptor ${f##*/}\" >&2; done";
            let status = Command::new("/bin/sh").args(["-c", script]).status();
            status.map(|_| Vec::new()).map_err(|error| anyplug_core::Error::unknown(error.to_string()))
        });
        let _ = anyplug_sdk::serve(plugin);
        std::process::exit(0);
    }
}

#[test]
fn the_plugins_own_children_do_not_hold_its_channel() {
    let program = std::env::current_exe().expect("this program");
    let command = format!("'{}' --exact plugin_that_starts_a_program --nocapture", program.display());
    let folder = Folder::new(serde_json::json!({ "interop": { "ipcCommand": command } }));
    for transport in ["process", "stdio"] {
        let logs = Logs::default();
        let plugin = block_on(folder.load().transport(transport).on_log(logs.taker())).expect("a plugin");
        block_on(plugin.close()).expect("an end");
        let seen = logs.all().iter().filter(|line| line.contains("descriptor ")).count();
        // Its own three, and the folder that it lists.
        assert!((3..=4).contains(&seen), "{:?}", logs.all());
    }
}

#[test]
fn environment_and_configuration_are_what_the_options_say() {
    let members = serde_json::json!({
        "interop": { "ipcCommand": "/bin/sh plugin.sh", "cwd": "." },
        "config": { "one": 1, "two": 2 },
    });
    let folder = Folder::new(members);
    std::fs::write(folder.path.join("plugin.sh"), "env; exit 1").expect("a script");
    let variables = |load: anyplug_host::Load| {
        let logs = Logs::default();
        block_on(load.on_log(logs.taker())).expect_err("no plugin");
        logs.all()
    };
    let load = folder.load().env("GIVEN", "1").config("two", "zwei");
    let seen = variables(load);
    assert!(seen.contains(&"stdout: GIVEN=1".to_owned()), "{seen:?}");
    assert!(seen.contains(&"stdout: ANYPLUG_CONFIG={\"one\":1,\"two\":\"zwei\"}".to_owned()), "{seen:?}");
    assert!(!seen.iter().any(|line| line.contains("CARGO")), "{seen:?}");
    let seen = variables(folder.load().inherit_env(InheritEnv::All).deny_env("CARGO_PKG_NAME"));
    assert!(seen.iter().any(|line| line.contains("CARGO_MANIFEST_DIR=")), "{seen:?}");
    assert!(!seen.iter().any(|line| line.contains("CARGO_PKG_NAME=")), "{seen:?}");
}

#[test]
fn close_lets_calls_in_flight_end_and_refuses_new_ones() {
    let folder = Folder::test_plugin();
    let plugin = block_on(folder.load()).expect("a plugin");
    let client = TestClient::new(&plugin);
    let pid = pid(&plugin);
    block_on(async {
        let mut waiting = client.wait(WaitRequest { ms: 300 }).into_future();
        // Polled once, it is sent.
        let nothing = std::future::poll_fn(|task| {
            let polled = std::pin::Pin::new(&mut waiting).poll(task);
            assert!(polled.is_pending());
            std::task::Poll::Ready(())
        });
        nothing.await;
        let (waited, closed) = futures_util::future::join(waiting, plugin.close()).await;
        waited.expect("an answer");
        closed.expect("an end");
    });
    fixture::wait_until_gone(pid);
    let error = block_on(client.echo(echo("?"))).expect_err("a failure");
    assert_eq!(
        (error.code(), error.message()),
        (Code::Unavailable, "the connection ended: plugin \"test-plugin\" was closed")
    );
    assert_eq!(block_on(plugin.closed()).message(), "plugin \"test-plugin\" was closed");
}

#[test]
fn close_ends_calls_that_take_longer_than_the_drain_may() {
    let folder = Folder::test_plugin();
    let plugin = block_on(folder.load().drain_timeout(Duration::from_millis(100))).expect("a plugin");
    let client = TestClient::new(&plugin);
    let (waited, closed) = block_on(async {
        let waiting = client.wait(WaitRequest { ms: 60_000 }).into_future();
        futures_util::future::join(waiting, plugin.close()).await
    });
    assert_eq!(waited.expect_err("a failure").code(), Code::Unavailable);
    closed.expect("an end");
}

#[test]
fn close_may_be_called_again_and_at_the_same_time() {
    let folder = Folder::test_plugin();
    let plugin = block_on(folder.load()).expect("a plugin");
    let closing = (0..10).map(|_| plugin.close());
    for closed in block_on(futures_util::future::join_all(closing)) {
        closed.expect("an end");
    }
    block_on(plugin.close()).expect("an end");
}

#[test]
fn a_plugin_that_ignores_the_end_of_its_channel_and_term_is_killed() {
    let folder = script_after_hello("trap '' TERM; while :; do sleep 1000; done");
    let plugin = block_on(folder.load()).expect("a plugin");
    let pid = pid(&plugin);
    block_on(plugin.close()).expect("an end");
    fixture::wait_until_gone(pid);
}

#[test]
fn a_handler_that_hangs_does_not_keep_the_plugin_alive() {
    let folder = Folder::test_plugin();
    let plugin = block_on(folder.load().drain_timeout(Duration::from_millis(50))).expect("a plugin");
    let client = TestClient::new(&plugin);
    let pid = pid(&plugin);
    let hanging = client.harm(harm(Kind::Hang, "", 0)).timeout(Duration::from_millis(100));
    assert_eq!(block_on(hanging).expect_err("a failure").code(), Code::DeadlineExceeded);
    block_on(plugin.close()).expect("an end");
    fixture::wait_until_gone(pid);
}

#[test]
fn a_plugin_whose_last_handle_is_dropped_is_killed() {
    let folder = script_after_hello("trap '' TERM; while :; do sleep 1000; done");
    let plugin = block_on(folder.load()).expect("a plugin");
    let (pid, closed) = (pid(&plugin), plugin.closed());
    let other = plugin.clone();
    drop(plugin);
    assert_eq!(other.transport(), "process");
    drop(other);
    fixture::wait_until_gone(pid);
    assert_eq!(block_on(closed).message(), "plugin \"test-plugin\" was dropped by its host");
}

#[test]
fn a_plugin_that_ends_by_itself_is_told() {
    let folder = script_after_hello("until [ -e go ]; do sleep 0.01; done; exit 5");
    let plugin = block_on(folder.load()).expect("a plugin");
    std::fs::write(folder.path.join("go"), "").expect("a file");
    assert_eq!(block_on(plugin.closed()).message(), "plugin \"test-plugin\" exited with status 5");
}

#[test]
fn a_grandchild_that_holds_the_channel_does_not_hide_the_end_of_the_plugin() {
    // In a session of its own it escapes the kill of the group, and keeps what it inherited.
    let folder = script_after_hello("setsid sleep 100000 & echo $!; until [ -e go ]; do sleep 0.01; done; exit 5");
    let plugin = block_on(folder.load()).expect("a plugin");
    std::fs::write(folder.path.join("go"), "").expect("a file");
    // The grandchild lives for longer than a test may take.
    let message = block_on(plugin.closed()).message().to_owned();
    let grandchild = message.strip_prefix("plugin \"test-plugin\" exited with status 5; its last lines on stdout:\n  ");
    let grandchild = grandchild.unwrap_or_else(|| panic!("{message}")).parse().expect("its id");
    let grandchild = rustix::process::Pid::from_raw(grandchild).expect("an id");
    rustix::process::kill_process(grandchild, rustix::process::Signal::KILL).expect("a kill");
}

#[test]
fn two_hundred_plugins_leave_no_descriptor_behind() {
    let folder = Folder::test_plugin();
    let round = || {
        let plugin = block_on(folder.load()).expect("a plugin");
        assert_eq!(block_on(TestClient::new(&plugin).echo(echo("x"))).expect("an answer").text, "x");
        block_on(plugin.close()).expect("an end");
    };
    round();
    let before = fixture::open_descriptors();
    for _ in 0..200 {
        round();
    }
    // The other tests of this program have some open at the same time; 200 rounds that lost one each would show.
    assert!(fixture::open_descriptors() < before + 150);
}

/// This program again, as a host that loads the test plugin, lets it hang if it is told to, and never ends.
#[test]
fn host_of_the_other_tests() {
    let Ok(state) = std::env::var("ANYPLUG_TEST_HOST") else { return };
    let folder = Folder::test_plugin();
    let plugin = block_on(folder.load()).expect("a plugin");
    println!("PID {}", pid(&plugin));
    let client = TestClient::new(&plugin);
    match state.as_str() {
        "idle" => loop {
            std::thread::park();
        },
        "hanging" => drop(block_on(client.harm(harm(Kind::Hang, "", 0)))),
        _ => loop {
            block_on(client.echo(echo("busy"))).expect("an answer");
        },
    }
}

#[test]
fn a_plugin_dies_with_a_host_that_was_killed() {
    for state in ["idle", "hanging", "busy"] {
        let mut host = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "--nocapture", "host_of_the_other_tests"])
            .env("ANYPLUG_TEST_HOST", state)
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .expect("a host");
        let output = BufReader::new(host.stdout.take().expect("its output"));
        let line = output.lines().map_while(Result::ok).find(|line| line.contains("PID ")).expect("a line");
        let pid = line.split("PID ").nth(1).and_then(|pid| pid.trim().parse().ok()).expect("an id");
        host.kill().expect("a kill");
        host.wait().expect("its end");
        fixture::wait_until_gone(pid);
    }
}
