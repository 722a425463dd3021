//! The life of a connection: hello, ping, logs, drain, and its end, however it comes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

mod greeter;
mod pair;

use std::sync::atomic::Ordering;

use anyplug_core::codegen::v1::Context;
use anyplug_core::transport::Link;
use anyplug_core::{Code, Error, Grants, LogLevel, LogRecord, RouterOptions};
use greeter::{Answer, Greeter, GreeterClient, GreeterHandler, Greets, Plain, Text, text};
use pair::{Pair, PairOptions};

fn both<H: GreeterHandler, P: GreeterHandler>(host: H, plugin: P) -> Pair {
    let options = |service, grants| RouterOptions { services: vec![service], grants, ..Default::default() };
    let host = options(Greeter::implement(host), Grants::default());
    let plugin = options(Greeter::implement(plugin), Grants::All);
    Pair::new(PairOptions { host, plugin, ..PairOptions::default() })
}

struct Waits;

impl GreeterHandler for Waits {
    async fn greet(&self, _: Text, context: Context) -> Answer<Text> {
        Err(context.cancelled().await)
    }
}

#[test]
fn each_side_knows_who_the_other_is() {
    let pair = both(Plain, Plain);
    let plugin = pair.host.peer().unwrap();
    assert_eq!((&*plugin.name, &*plugin.version, plugin.protocol), ("test-plugin", "1.2.3", 1));
    assert_eq!(plugin.runtime, format!("rust anyplug/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(plugin.services[0].name, "anyplug.reflection.v1.ReflectionService");
    assert_eq!(plugin.services[1].methods, ["Greet", "Count", "Join", "Chat", "Secret"]);
    assert_eq!(pair.plugin.peer_info().unwrap().name, "test-host");
}

#[test]
fn a_ping_is_answered() {
    let pair = both(Plain, Plain);
    pair.run(pair.host.ping()).unwrap();
    pair.run(pair.plugin.ping()).unwrap();
}

#[test]
fn a_plugin_logs_to_its_host_and_a_host_to_itself() {
    let logs = || {
        Greets(|_, context: Context| async move {
            context.log_record(LogRecord::new(LogLevel::Warn, "greeter", "look out").with_field("n", "1"));
            Ok(text(""))
        })
    };
    let pair = both(logs(), logs());
    pair.run(GreeterClient::new(&pair.host).greet(text(""))).unwrap();
    pair.run(GreeterClient::new(&pair.plugin).greet(text(""))).unwrap();
    pair.plugin.log(LogRecord::new(LogLevel::Info, "main", "x".repeat(100_000)));
    pair.settle();
    let logs = pair.host_shell.logs.lock().unwrap();
    assert_eq!(logs.len(), 3);
    assert_eq!((logs[0].level, &*logs[0].message, &*logs[0].fields["n"]), (LogLevel::Warn, "look out", "1"));
    assert!(logs[0].time_ms > 1_600_000_000_000);
    assert!(
        logs[2].message.len() < 10_000 && logs[2].message.contains("(cut: the record took 1000"),
        "{}",
        logs[2].message.len()
    );
    assert!(pair.plugin_shell.logs.lock().unwrap().is_empty());
}

#[test]
fn a_drain_lets_calls_in_flight_go_on_and_refuses_new_ones() {
    let pair = both(Plain, Waits);
    let mut call = GreeterClient::new(&pair.host).greet(text("x"));
    assert!(pair.run_until_idle(&mut call).is_none());
    let mut drained = Box::pin(pair.host.drain());
    assert!(pair.run_until_idle(&mut drained).is_none());
    assert!(pair.host.is_draining() && pair.plugin.is_draining());
    for side in [&pair.host, &pair.plugin] {
        let error = pair.run(GreeterClient::new(side).greet(text("y"))).unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.message().contains("drain"), "{error}");
    }
    drop(call);
    assert!(pair.run_until_idle(&mut drained).is_some());
    pair.settle();
    assert!(pair.host.is_drained() && pair.plugin.is_drained());
}

#[test]
fn a_drain_before_hello_is_told_once_the_peer_can_read_it() {
    let pair = Pair::silent(PairOptions::default());
    pair.run(pair.host.drain());
    pair.settle();
    assert!(pair.plugin.is_draining() && pair.host.close_reason().is_none());
}

#[test]
fn the_end_of_the_transport_ends_every_call_with_the_reason() {
    let pair = both(Waits, Waits);
    let mut outgoing = GreeterClient::new(&pair.host).greet(text("x"));
    let mut incoming = GreeterClient::new(&pair.plugin).greet(text("x"));
    assert!(pair.run_until_idle(&mut outgoing).is_none() && pair.run_until_idle(&mut incoming).is_none());
    let mut ended = Box::pin(pair.host.wait_closed());
    assert!(pair.run_until_idle(&mut ended).is_none());
    pair.cut();
    pair.host.closed(Error::unavailable("the process exited with status 3"));
    let error = pair.run(outgoing).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("exited with status 3"), "{error}");
    assert_eq!(pair.run(ended).message(), "the process exited with status 3");
    pair.settle();
    assert_eq!(pair.host.open_calls(), 0);
    let error = pair.run(GreeterClient::new(&pair.host).greet(text("x"))).unwrap_err();
    assert!(error.message().contains("exited with status 3"), "{error}");
    assert!(pair.run(pair.host.ready()).is_err() && pair.run(pair.host.ping()).is_err());
    pair.run(pair.host.drain());
}

#[test]
fn a_peer_is_told_why_a_side_fails() {
    let pair = both(Waits, Waits);
    let mut call = GreeterClient::new(&pair.plugin).greet(text("x"));
    assert!(pair.run_until_idle(&mut call).is_none());
    pair.host.fail(Error::failed_precondition("the schemas differ"));
    let error = pair.run(call).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("the schemas differ"), "{error}");
    assert_eq!(pair.run(pair.plugin.wait_closed()).code(), Code::FailedPrecondition);
}

#[test]
fn garbage_ends_the_connection_and_is_named() {
    let pair = Pair::silent(PairOptions::default());
    pair.host.receive(b"Traceback (most recent call last):\n");
    let error = pair.run(pair.host.ready()).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.message().contains("Tracebac"), "{error}");
}

#[test]
fn a_stream_that_ends_before_hello_shows_what_came() {
    let pair = Pair::silent(PairOptions::default());
    pair.host.receive(b"oops");
    pair.host.closed(Error::unavailable("the process exited with status 1"));
    let error = pair.run(pair.host.ready()).unwrap_err();
    assert!(error.message().contains("status 1") && error.message().contains("oops"), "{error}");
}

#[test]
fn the_shell_is_woken_once_for_what_it_does_not_know_of() {
    let pair = both(Plain, Plain);
    let wakes = || pair.host_shell.wakes.load(Ordering::SeqCst);
    let before = wakes();
    let greeter = GreeterClient::new(&pair.host);
    let mut calls: Vec<_> = (0..5).map(|_| greeter.greet(text("x"))).collect();
    pair.cut();
    calls.iter_mut().for_each(|call| assert!(pair.run_until_idle(call).is_none()));
    assert_eq!(wakes(), before + 1, "five calls, and the output was not taken in between");
    pair.mend();
    let plugin_wakes = pair.plugin_shell.wakes.load(Ordering::SeqCst);
    pair.settle();
    assert_eq!(
        pair.plugin_shell.wakes.load(Ordering::SeqCst),
        plugin_wakes,
        "the pump takes what its own handlers wrote"
    );
}

#[test]
fn a_handler_runs_where_its_shell_says() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize};
    static INSIDE: AtomicBool = AtomicBool::new(false);
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    struct Entered;
    impl anyplug_core::Shell for Entered {
        fn wake(&self) {}
        fn spawn(&self, _: anyplug_core::BoxFuture<()>) {}
        fn run(&self, poll: &mut dyn FnMut()) {
            INSIDE.store(true, Ordering::SeqCst);
            poll();
            INSIDE.store(false, Ordering::SeqCst);
        }
    }
    let handler = Greets(|_, _| async move {
        SEEN.fetch_add(usize::from(INSIDE.load(Ordering::SeqCst)), Ordering::SeqCst);
        Ok(text(""))
    });
    let router = |services| anyplug_core::Router::new(RouterOptions { services, ..Default::default() }).unwrap();
    let connect = |role, router| {
        let options = anyplug_core::ConnectionOptions::new(role, "x", "1", router, Arc::new(Entered));
        anyplug_core::Connection::new(options).unwrap()
    };
    let host = connect(anyplug_core::Role::Host, router(vec![]));
    let plugin = connect(anyplug_core::Role::Plugin, router(vec![Greeter::implement(handler)]));
    let exchange = || {
        let (mut there, mut back) = (Vec::new(), Vec::new());
        host.take_output(&mut there);
        plugin.receive(&there);
        plugin.take_output(&mut back);
        host.receive(&back);
    };
    exchange();
    let method = host.method_index("greeter.v1.GreeterService", "Greet").unwrap();
    let call = host.unary(anyplug_core::RawRequest { method, ..Default::default() }).unwrap();
    assert!(!call.is_done() && call.try_take().is_none());
    exchange();
    assert!(call.is_done() && call.try_take().unwrap().is_ok());
    assert_eq!(SEEN.load(Ordering::SeqCst), 1);
}
