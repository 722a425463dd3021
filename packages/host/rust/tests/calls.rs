//! Calls to a plugin in a process of its own: every kind, both directions, from any executor.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod fixture;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyplug_core::{Code, Context, Error, LimitOptions, Result};
use anyplug_generated::anyplug::test::v1::{
    AskHostRequest, AskRequest, AskResponse, ConverseRequest, CountRequest, FailDetail, FailRequest, Host, HostHandler,
    RevealRequest, RevealResponse, Secret, SecretHandler, SumRequest, TestClient, WaitReportRequest, WaitRequest,
};
use anyplug_host::{Load, Plugin};
use fixture::{Folder, Logs, block_on, echo};
use futures_util::stream;

#[test]
fn plugin_process() {
    fixture::plugin_process();
}

/// Runs a test over each transport, on a runtime of threads, a runtime of this thread, and none.
fn everywhere<F: Future<Output = ()>>(change: impl Fn(Load) -> Load, test: impl Fn(Plugin, TestClient) -> F) {
    over(&["process", "stdio", "direct"], change, test);
}

fn over<F: Future<Output = ()>>(
    transports: &[&str],
    change: impl Fn(Load) -> Load,
    test: impl Fn(Plugin, TestClient) -> F,
) {
    let folder = Folder::test_plugin();
    let run = async |transport: &str| {
        let plugin =
            change(folder.load().linked(anyplug_test_plugin::plugin()).transport(transport)).await.expect("a plugin");
        assert_eq!(plugin.transport(), transport);
        let client = TestClient::new(&plugin);
        test(plugin.clone(), client).await;
        plugin.close().await.expect("an end");
    };
    for transport in transports {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("a runtime").block_on(run(transport));
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().expect("a runtime").block_on(run(transport));
        block_on(run(transport));
    }
}

fn as_it_is(load: Load) -> Load {
    load
}

#[test]
fn one_request_one_response() {
    everywhere(as_it_is, async |plugin, client| {
        let call = client.echo(echo("hello")).metadata("key", "value").timeout(Duration::from_secs(30));
        let response = call.await.expect("an answer");
        assert_eq!(response.text, "hello");
        assert_eq!(response.metadata, ["key: value"]);
        assert!(response.remaining_ms.is_some_and(|ms| ms <= 30_000));
        assert_eq!((plugin.name().as_str(), plugin.version().as_str()), ("test-plugin", "0.1.0"));
    });
}

#[test]
fn a_failure_comes_with_its_code_and_details() {
    everywhere(as_it_is, async |_, client| {
        let request = FailRequest {
            code: Code::AlreadyExists.number(),
            message: "there is one".to_owned(),
            detail: "more".to_owned(),
            crash: false,
        };
        let error = client.fail(request).await.expect_err("a failure");
        assert_eq!((error.code(), error.message()), (Code::AlreadyExists, "there is one"));
        assert_eq!(error.detail::<FailDetail>().expect("a detail").text, "more");
    });
}

#[test]
fn a_panic_ends_its_call_alone() {
    let logs = Logs::default();
    everywhere(
        |load| load.on_log(logs.taker()),
        async |_, client| {
            let request = FailRequest { message: "secret path".to_owned(), crash: true, ..FailRequest::default() };
            let error = client.fail(request).await.expect_err("a failure");
            assert_eq!(error.code(), Code::Internal);
            assert!(!error.message().contains("secret path"), "{error}");
            assert_eq!(client.echo(echo("still there")).await.expect("an answer").text, "still there");
        },
    );
    assert!(logs.all().iter().any(|line| line.contains("secret path")), "{:?}", logs.all());
}

#[test]
fn streams_in_each_direction() {
    everywhere(as_it_is, async |_, client| {
        let request = CountRequest { count: 300, size: 1000, ..CountRequest::default() };
        let mut counted = client.count(request).await.expect("a stream");
        for index in 0..300 {
            assert_eq!(counted.message().await.expect("a message").expect("one more").index, index);
        }
        assert!(counted.message().await.expect("an end").is_none());

        let numbers = stream::iter((1..=300).map(|number| SumRequest { number, data: vec![0; 1000] }));
        let sum = client.sum(numbers).await.expect("a sum");
        assert_eq!((sum.sum, sum.count), (45_150, 300));

        let texts = stream::iter((0..300).map(|text| ConverseRequest { text: text.to_string(), data: vec![0; 1000] }));
        let mut answers = client.converse(texts).await.expect("a stream");
        for text in 0..300 {
            assert_eq!(answers.message().await.expect("a message").expect("one more").text, text.to_string());
        }
        assert!(answers.message().await.expect("an end").is_none());
    });
}

#[test]
fn a_slow_reader_does_not_make_the_plugin_send_on() {
    everywhere(as_it_is, async |_, client| {
        let request = CountRequest { count: 100_000, size: 10_000, ..CountRequest::default() };
        let mut counted = client.count(request).await.expect("a stream");
        for _ in 0..3 {
            counted.message().await.expect("a message").expect("one more");
        }
        // A gigabyte would not fit into what may be buffered: the stream would have failed.
        client.echo(echo("beside")).await.expect("an answer");
        counted.message().await.expect("a message").expect("one more");
    });
}

#[test]
fn a_deadline_is_kept_on_both_sides() {
    everywhere(as_it_is, async |_, client| {
        let report = async || client.wait_report(WaitReportRequest::default()).await.expect("a report");
        let mut timeout = Duration::from_millis(50);
        // On a busy machine the time may be over before the handler begins: then there is more of it.
        while report().await.started == 0 {
            let error = client.wait(WaitRequest { ms: 60_000 }).timeout(timeout).await;
            assert_eq!(error.expect_err("a failure").code(), Code::DeadlineExceeded);
            timeout *= 2;
        }
        // Answered only when no wait is open any more.
        let report = report().await;
        assert_eq!((report.completed, report.cancelled), (0, report.started));
    });
}

#[test]
fn a_call_that_is_dropped_is_cancelled_in_the_plugin() {
    everywhere(as_it_is, async |_, client| {
        let waiting = client.wait(WaitRequest { ms: 60_000 }).into_future();
        let begun = client.echo(echo("after it")).into_future();
        let first = futures_util::future::select(waiting, begun).await;
        assert!(matches!(first, futures_util::future::Either::Right(_)));
        drop(first);
        let report = client.wait_report(WaitReportRequest { at_least: 1 }).await.expect("a report");
        assert_eq!((report.started, report.cancelled), (1, 1));
    });
}

/// Answers questions; with depth it asks the plugin in turn.
struct TestHost;

impl HostHandler for TestHost {
    async fn ask(&self, request: AskRequest, context: Context) -> Result<AskResponse> {
        if request.depth == 0 {
            let answer = format!("{} from {}", request.question, context.origin().join(">"));
            return Ok(AskResponse { answer });
        }
        let request = AskHostRequest { question: request.question, depth: request.depth - 1, reveal: false };
        let answer = TestClient::new(&context).ask_host(request).await?.answer;
        Ok(AskResponse { answer })
    }
}

#[test]
fn a_plugin_calls_its_host_within_a_call() {
    everywhere(
        |load| load.service(Host::implement(TestHost)).host_name("host"),
        async |_, client| {
            for depth in [0, 1, 5] {
                let request = AskHostRequest { question: "why?".to_owned(), depth, reveal: false };
                let answer = client.ask_host(request).await.expect("an answer").answer;
                let origin = ["host", "test-plugin"].repeat(depth as usize + 1);
                assert_eq!(answer, format!("why? from {}", origin[..origin.len() - 1].join(">")));
            }
            let endless = AskHostRequest { question: String::new(), depth: 1000, reveal: false };
            let error = client.ask_host(endless).await.expect_err("a failure");
            assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
        },
    );
}

/// Answers by asking the two plugins in turn, each within the call of the other.
#[derive(Clone, Default)]
struct Circle(Arc<OnceLock<[Plugin; 2]>>);

impl HostHandler for Circle {
    async fn ask(&self, request: AskRequest, context: Context) -> Result<AskResponse> {
        if request.depth == 0 {
            return Ok(AskResponse { answer: context.origin().join(" ") });
        }
        let plugins = self.0.get().ok_or_else(|| Error::internal("the plugins are not loaded yet"))?;
        let other = context.through(&plugins[request.depth as usize % 2]);
        let request = AskHostRequest { depth: request.depth - 1, ..AskHostRequest::default() };
        Ok(AskResponse { answer: TestClient::new(&other).ask_host(request).await?.answer })
    }
}

#[test]
fn the_origin_goes_along_from_a_call_within_this_process_to_one_by_bytes_and_back() {
    let folder = Folder::test_plugin();
    block_on(async {
        let circle = Circle::default();
        let load = async |transport: &str| {
            let load = folder.load().linked(anyplug_test_plugin::plugin()).transport(transport);
            load.service(Host::implement(circle.clone())).host_name("host").await.expect("a plugin")
        };
        let plugins = [load("direct").await, load("process").await];
        circle.0.set(plugins.clone()).expect("they are set once");
        for plugin in &plugins {
            let client = TestClient::new(plugin);
            for depth in [1, 2, 3] {
                let request = AskHostRequest { depth, ..AskHostRequest::default() };
                let origin = client.ask_host(request).await.expect("an answer").answer;
                assert_eq!(origin, format!("host{}", " test-plugin host".repeat(depth as usize)));
            }
            let endless = AskHostRequest { depth: 1000, ..AskHostRequest::default() };
            let error = client.ask_host(endless).await.expect_err("a failure");
            assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
        }
        for plugin in &plugins {
            plugin.close().await.expect("it closes");
        }
    });
}

#[test]
fn a_service_that_the_host_does_not_offer_is_missing() {
    everywhere(as_it_is, async |_, client| {
        let error = client.ask_host(AskHostRequest::default()).await.expect_err("a failure");
        assert_eq!(error.code(), Code::Unimplemented, "{error}");
    });
}

#[test]
fn a_message_over_the_limit_is_refused_and_one_under_a_raised_limit_passes() {
    let large = || anyplug_generated::anyplug::test::v1::EchoRequest { data: vec![9; 16 << 20], ..echo("") };
    over(&["process", "stdio"], as_it_is, async |_, client| {
        let error = client.echo(large()).await.expect_err("a failure");
        assert_eq!(error.code(), Code::ResourceExhausted);
        client.echo(echo("still there")).await.expect("an answer");
    });
    let limits =
        LimitOptions { max_message_bytes: Some(20 << 20), max_buffer_bytes: Some(64 << 20), ..LimitOptions::default() };
    over(
        &["process", "stdio"],
        |load| load.limits(limits),
        async |_, client| assert_eq!(client.echo(large()).await.expect("an answer").data, vec![9; 16 << 20]),
    );
}

#[test]
fn a_thousand_calls_at_once_from_many_threads() {
    let folder = Folder::test_plugin();
    let plugin = block_on(folder.load()).expect("a plugin");
    let answered = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..20 {
            let (client, answered) = (TestClient::new(&plugin), &answered);
            scope.spawn(move || {
                let calls = (0..50).map(|call| {
                    let text = format!("{thread}/{call}");
                    let client = client.clone();
                    async move {
                        client.wait(WaitRequest { ms: 20 }).await.expect("an answer");
                        assert_eq!(client.echo(echo(&text)).await.expect("an answer").text, text);
                    }
                });
                block_on(futures_util::future::join_all(calls));
                answered.fetch_add(50, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(answered.into_inner(), 1000);
    block_on(plugin.close()).expect("an end");
}

#[test]
fn threads_that_call_one_after_the_other_do_not_starve_each_other() {
    let folder = Folder::test_plugin();
    let plugin = block_on(folder.load()).expect("a plugin");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let client = TestClient::new(&plugin);
            scope.spawn(move || {
                for call in 0..3000 {
                    let text = call.to_string();
                    assert_eq!(block_on(client.echo(echo(&text))).expect("an answer").text, text);
                }
            });
        }
    });
}

struct Revealer;

impl SecretHandler for Revealer {
    async fn reveal(&self, _: RevealRequest, _: Context) -> Result<RevealResponse> {
        Err(Error::internal("no plugin asks"))
    }
}

#[test]
fn a_grant_that_the_manifest_does_not_name_is_logged_and_not_given() {
    let folder = Folder::test_plugin_with(serde_json::json!({ "capabilities": [] }));
    let logs = Logs::default();
    let load = folder.load().service(Secret::implement(Revealer)).grant("test.secret").on_log(logs.taker());
    block_on(load).expect("a plugin");
    let file = folder.path.join("plugin.json");
    let line = format!(
        "anyplug: capability \"test.secret\" is not granted: capabilities in {} does not name it",
        file.display()
    );
    assert!(logs.all().contains(&line), "{:?}", logs.all());
}
