//! How calls end early: deadlines, cancellation, and callers that go away.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

mod greeter;
mod pair;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyplug_core::channel::CalledNow;
use anyplug_core::codegen::v1::{Context, Sender, Streaming};
use anyplug_core::{Code, Error, Grants, RouterOptions};
use greeter::{Answer, Greeter, GreeterClient, GreeterHandler, Greets, Text, text};
use pair::{Feed, Pair, PairOptions};

type Reasons = Arc<Mutex<Vec<Error>>>;

/// Never answers, and notes why it was cancelled.
struct Waits(Reasons);

impl Waits {
    async fn wait(&self, context: Context) -> Error {
        let reason = context.cancelled().await;
        self.0.lock().unwrap().push(reason.clone());
        reason
    }
}

impl GreeterHandler for Waits {
    async fn greet(&self, _: Text, context: Context) -> Answer<Text> {
        Err(self.wait(context).await)
    }

    async fn count(&self, _: Text, responses: Sender<Text>, context: Context) -> Answer<()> {
        responses.send(text("first")).await?;
        Err(self.wait(context).await)
    }

    async fn secret(&self, _: Text, context: Context) -> Answer<Text> {
        Err(self.wait(context).await)
    }
}

fn waiting() -> (Pair, Reasons) {
    let reasons = Reasons::default();
    let services = vec![Greeter::implement(Waits(reasons.clone()))];
    let plugin = RouterOptions { services, grants: Grants::All, ..Default::default() };
    (Pair::new(PairOptions { plugin, ..PairOptions::default() }), reasons)
}

fn codes(reasons: &Reasons) -> Vec<Code> {
    reasons.lock().unwrap().iter().map(Error::code).collect()
}

fn is_quiet(pair: &Pair) -> bool {
    (pair.host.open_calls(), pair.plugin.open_calls(), pair.tasks_left()) == (0, 0, 0)
}

/// Of a plugin in the host's own process: a thread is within it when another closes it.
#[test]
fn a_call_that_is_made_at_once_ends_with_the_connection() {
    let (pair, _) = waiting();
    let client = GreeterClient::new(&pair.host);
    let host = pair.host.clone();
    *pair.host_shell.calls_now.lock().unwrap() = Some(Box::new(move |call| {
        call.claim().unwrap();
        host.closed(Error::unavailable("it was closed meanwhile"));
        call.adopt();
        CalledNow::Pending
    }));
    let error = pair.run(client.greet(text("x")).into_future()).unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Unavailable, "the connection ended: it was closed meanwhile"));
    assert_eq!(pair.host.open_calls(), 0);
    pair.host_shell.calls_now.lock().unwrap().take();
}

#[test]
fn a_deadline_ends_the_call_at_both_sides() {
    let (pair, reasons) = waiting();
    let mut call = GreeterClient::new(&pair.host).greet(text("x")).timeout(Duration::from_millis(250));
    assert!(pair.run_until_idle(&mut call).is_none());
    pair.pass(249);
    assert!(pair.run_until_idle(&mut call).is_none());
    pair.pass(1);
    let error = pair.run(call).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(error.message().contains("250 ms"), "{error}");
    pair.settle();
    assert_eq!(codes(&reasons), [Code::DeadlineExceeded]);
    assert!(is_quiet(&pair));
}

#[test]
fn each_side_has_a_timer_of_its_own() {
    let (pair, reasons) = waiting();
    let mut call = GreeterClient::new(&pair.host).greet(text("x")).timeout(Duration::from_millis(250));
    assert!(pair.run_until_idle(&mut call).is_none());
    pair.cut();
    pair.pass(250);
    assert_eq!(pair.run(call).unwrap_err().code(), Code::DeadlineExceeded);
    pair.settle();
    assert_eq!(codes(&reasons), [Code::DeadlineExceeded]);
    pair.mend();
    pair.settle();
    assert!(is_quiet(&pair) && pair.host.close_reason().is_none());
}

#[test]
fn a_method_has_a_default_timeout_and_the_caller_may_lift_it() {
    let (pair, _) = waiting();
    let greeter = GreeterClient::new(&pair.host);
    let mut default = greeter.secret(text("x"));
    let mut unlimited = greeter.secret(text("x")).timeout(Duration::MAX);
    assert!(pair.run_until_idle(&mut default).is_none() && pair.run_until_idle(&mut unlimited).is_none());
    pair.pass(5_000);
    assert_eq!(pair.run(default).unwrap_err().code(), Code::DeadlineExceeded);
    pair.pass(1_000_000_000);
    assert!(pair.run_until_idle(&mut unlimited).is_none());
}

#[test]
fn a_call_without_time_is_not_made() {
    let (pair, _) = waiting();
    let moved = pair.moved();
    let call = GreeterClient::new(&pair.host).greet(text("x")).timeout(Duration::ZERO);
    assert_eq!(pair.run(call).unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(pair.moved(), moved);
}

#[test]
fn a_deadline_ends_a_stream_after_what_has_come() {
    let (pair, reasons) = waiting();
    let call = GreeterClient::new(&pair.host).count(text("")).timeout(Duration::from_millis(10));
    let mut stream = pair.run(call).unwrap();
    pair.settle();
    pair.pass(10);
    assert_eq!(pair.run(stream.message()).unwrap(), Some(text("first")));
    assert_eq!(pair.run(stream.message()).unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(pair.run(stream.message()).unwrap(), None);
    pair.settle();
    assert_eq!(codes(&reasons), [Code::DeadlineExceeded]);
}

#[test]
fn dropping_a_call_cancels_it_and_the_handler_sees_it() {
    let (pair, reasons) = waiting();
    let greeter = GreeterClient::new(&pair.host);
    let mut call = greeter.greet(text("x"));
    assert!(pair.run_until_idle(&mut call).is_none());
    drop(call);
    pair.settle();
    let mut stream = pair.run(greeter.count(text(""))).unwrap();
    assert_eq!(pair.run(stream.message()).unwrap(), Some(text("first")));
    drop(stream);
    pair.settle();
    assert_eq!(codes(&reasons), [Code::Cancelled, Code::Cancelled]);
    assert!(is_quiet(&pair));
}

#[test]
fn a_call_that_was_never_polled_was_never_made() {
    let (pair, _) = waiting();
    let moved = pair.moved();
    drop(GreeterClient::new(&pair.host).greet(text("x")));
    pair.settle();
    assert_eq!(pair.moved(), moved);
}

#[test]
fn a_handler_that_ends_early_ends_the_stream_of_requests() {
    struct Enough;
    impl GreeterHandler for Enough {
        async fn join(&self, mut requests: Streaming<Text>, _: Context) -> Answer<Text> {
            requests.message().await?;
            Ok(text("enough"))
        }

        async fn chat(&self, _: Streaming<Text>, _: Sender<Text>, _: Context) -> Answer<()> {
            Err(Error::aborted("no"))
        }
    }
    let plugin = RouterOptions { services: vec![Greeter::implement(Enough)], ..Default::default() };
    let pair = Pair::new(PairOptions { plugin, ..PairOptions::default() });
    let greeter = GreeterClient::new(&pair.host);
    let (feed, requests) = Feed::new();
    feed.send(text("one"));
    assert_eq!(pair.run(greeter.join(requests)).unwrap(), text("enough"));
    pair.settle();
    assert!(is_quiet(&pair), "the stream of requests is still being sent");
    feed.send(text("nobody reads this"));

    let (_feed, requests) = Feed::new();
    let mut answers = pair.run(greeter.chat(requests)).unwrap();
    assert_eq!(pair.run(answers.message()).unwrap_err().code(), Code::Aborted);
    pair.settle();
    assert!(is_quiet(&pair));
}

#[test]
fn a_stream_of_requests_that_panics_ends_its_call() {
    let (pair, _) = waiting();
    let requests =
        futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<Text>> { panic!("in the caller's stream") });
    let call = GreeterClient::new(&pair.host).join(requests);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pair.run(call)));
    assert!(outcome.is_err(), "a panic of the caller is the caller's");
    pair.settle();
    assert!(is_quiet(&pair));
}

#[test]
fn a_computation_can_ask_whether_it_is_still_wanted() {
    let contexts: Arc<Mutex<Vec<Context>>> = Arc::default();
    let kept = contexts.clone();
    let plugin = Greets(move |_, context: Context| {
        kept.lock().unwrap().push(context);
        std::future::pending()
    });
    let plugin = RouterOptions { services: vec![Greeter::implement(plugin)], ..Default::default() };
    let pair = Pair::new(PairOptions { plugin, ..PairOptions::default() });
    let mut call = GreeterClient::new(&pair.host).greet(text("x"));
    assert!(pair.run_until_idle(&mut call).is_none());
    let context = contexts.lock().unwrap().pop().unwrap();
    assert!(context.check().is_ok() && context.cancellation().is_none());
    drop(call);
    pair.settle();
    assert_eq!(context.check().unwrap_err().code(), Code::Cancelled);
}
