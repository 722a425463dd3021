//! Credit and limits: a slow reader holds its sender up, and memory stays bounded.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

mod greeter;
mod pair;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyplug_core::codegen::v1::{Context, Sender, Streaming};
use anyplug_core::{Code, LimitOptions, RouterOptions};
use futures_util::stream;
use greeter::{Answer, Greeter, GreeterClient, GreeterHandler, Greets, Plain, Text, text};
use pair::{Feed, Pair, PairOptions};

const MIB: usize = 1 << 20;

fn blob(bytes: usize) -> Text {
    Text { text: String::new(), data: vec![7; bytes] }
}

/// Sends 1,000 messages of 10,000 bytes as fast as it may, and counts them.
struct Floods(Arc<AtomicUsize>);

impl GreeterHandler for Floods {
    async fn count(&self, _: Text, responses: Sender<Text>, _: Context) -> Answer<()> {
        for _ in 0..1_000 {
            responses.send(blob(10_000)).await?;
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

fn with_plugin<H: GreeterHandler>(handler: H, limits: LimitOptions) -> Pair {
    let plugin = RouterOptions { services: vec![Greeter::implement(handler)], ..Default::default() };
    Pair::new(PairOptions { plugin, host_limits: limits, ..PairOptions::default() })
}

#[test]
fn a_slow_reader_holds_its_sender_up() {
    let sent = Arc::new(AtomicUsize::new(0));
    let pair = with_plugin(Floods(sent.clone()), LimitOptions::default());
    let mut stream = pair.run(GreeterClient::new(&pair.host).count(text(""))).unwrap();
    pair.settle();
    let window = sent.load(Ordering::SeqCst);
    assert!((6..=7).contains(&window), "{window} messages were sent into a window of 64 KiB");
    for read in 1..=1_000 {
        assert!(pair.run(stream.message()).unwrap().is_some());
        pair.settle();
        let ahead = sent.load(Ordering::SeqCst) - read;
        assert!(ahead <= 7, "{ahead} messages are ahead of the reader");
    }
    assert!(pair.run(stream.message()).unwrap().is_none());
}

#[test]
fn a_slow_handler_holds_its_caller_up() {
    struct Slow;
    impl GreeterHandler for Slow {
        async fn join(&self, mut requests: Streaming<Text>, context: Context) -> Answer<Text> {
            let first = requests.message().await?;
            context.cancelled().await;
            Ok(first.unwrap_or_default())
        }
    }
    let pair = with_plugin(Slow, LimitOptions::default());
    let polled = Arc::new(AtomicUsize::new(0));
    let count = polled.clone();
    let requests = stream::iter(std::iter::repeat_with(move || {
        count.fetch_add(1, Ordering::SeqCst);
        blob(10_000)
    }));
    let mut call = GreeterClient::new(&pair.host).join(requests);
    assert!(pair.run_until_idle(&mut call).is_none());
    let taken = polled.load(Ordering::SeqCst);
    assert!((7..=9).contains(&taken), "{taken} requests were taken from the caller's stream");
    drop(call);
    pair.settle();
    assert_eq!(pair.tasks_left(), 0);
}

#[test]
fn a_message_larger_than_the_window_passes() {
    let pair = with_plugin(Plain, LimitOptions { initial_credit_bytes: Some(100), ..Default::default() });
    let (feed, requests) = Feed::new();
    let mut answers = pair.run(GreeterClient::new(&pair.host).chat(requests)).unwrap();
    for _ in 0..3 {
        feed.send(text("x".repeat(MIB)));
        assert_eq!(pair.run(answers.message()).unwrap().unwrap().text.len(), MIB);
    }
}

#[test]
fn streams_do_not_hold_each_other_up() {
    let sent = Arc::new(AtomicUsize::new(0));
    let pair = with_plugin(Floods(sent.clone()), LimitOptions::default());
    let greeter = GreeterClient::new(&pair.host);
    let _unread = pair.run(greeter.count(text(""))).unwrap();
    let mut read = pair.run(greeter.count(text(""))).unwrap();
    for _ in 0..1_000 {
        assert!(pair.run(read.message()).unwrap().is_some());
    }
    assert_eq!(pair.run(greeter.greet(text("x"))).unwrap(), text("Hello, x!"));
}

#[test]
fn unread_messages_over_all_calls_are_bounded() {
    let limits = LimitOptions { max_buffer_bytes: Some(200_000), ..Default::default() };
    let pair = with_plugin(Floods(Arc::default()), limits);
    let greeter = GreeterClient::new(&pair.host);
    let mut streams: Vec<_> = (0..10).map(|_| pair.run(greeter.count(text(""))).unwrap()).collect();
    pair.settle();
    let mut refused = 0;
    for stream in &mut streams {
        let error = loop {
            match pair.run_until_idle(&mut Box::pin(stream.message())) {
                Some(Ok(Some(_))) => {}
                Some(Err(error)) => break Some(error),
                Some(Ok(None)) | None => break None,
            }
        };
        if let Some(error) = error {
            assert_eq!(error.code(), Code::ResourceExhausted);
            assert!(error.message().contains("200000"), "{error}");
            refused += 1;
        }
    }
    assert!(refused > 0 && pair.host.close_reason().is_none());
}

#[test]
fn empty_messages_are_bounded_too() {
    struct Empties;
    impl GreeterHandler for Empties {
        async fn count(&self, _: Text, responses: Sender<Text>, context: Context) -> Answer<()> {
            while context.check().is_ok() {
                responses.send(Text::default()).await?;
            }
            Ok(())
        }
    }
    let pair = with_plugin(Empties, LimitOptions { max_buffer_bytes: Some(128 << 10), ..Default::default() });
    let mut call = GreeterClient::new(&pair.host).count(text(""));
    // A sender that never waits for credit stops when its output is full, and the reader when it has enough of them.
    let mut stream = pair.run_until_idle(&mut call).unwrap().unwrap();
    let error = loop {
        match pair.run(stream.message()) {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream has no end of its own"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::ResourceExhausted);
}

#[test]
fn a_message_over_the_limit_fails_its_call_and_nothing_else() {
    let limits = LimitOptions { max_message_bytes: Some(1_000), ..Default::default() };
    let pair = with_plugin(Greets(|request: Text, _| async move { Ok(blob(request.text.parse().unwrap())) }), limits);
    let greeter = GreeterClient::new(&pair.host);
    assert_eq!(pair.run(greeter.greet(text("900"))).unwrap().data.len(), 900);
    let error = pair.run(greeter.greet(text("1000"))).unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.message().contains("1003") && error.message().contains("1000"), "{error}");
    assert_eq!(pair.run(greeter.greet(text("9".repeat(1_001)))).unwrap_err().code(), Code::ResourceExhausted);
    let error = pair.run(greeter.join(stream::iter([text("a"), blob(2_000)]))).unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(pair.run(greeter.greet(text("5"))).unwrap().data.len(), 5);
    assert_eq!((pair.host.open_calls(), pair.plugin.open_calls()), (0, 0));
}

#[test]
fn a_raised_limit_lets_large_messages_pass() {
    let limits =
        LimitOptions { max_message_bytes: Some(20 << 20), max_buffer_bytes: Some(64 << 20), ..Default::default() };
    let pair = with_plugin(Greets(|request: Text, _| async move { Ok(request) }), limits);
    let answer = pair.run(GreeterClient::new(&pair.host).greet(blob(16 * MIB))).unwrap();
    assert_eq!(answer.data.len(), 16 * MIB);
}

#[test]
fn more_requests_than_the_peer_takes_are_refused_at_the_caller() {
    let waits = Greets(|_, context: Context| async move { Err(context.cancelled().await) });
    let plugin = RouterOptions { services: vec![Greeter::implement(waits)], ..Default::default() };
    let plugin_limits = LimitOptions { max_pending_requests: Some(2), ..Default::default() };
    let pair = Pair::new(PairOptions { plugin, plugin_limits, ..PairOptions::default() });
    let greeter = GreeterClient::new(&pair.host);
    let mut held: Vec<_> = (0..2).map(|_| greeter.greet(text("x"))).collect();
    held.iter_mut().for_each(|call| assert!(pair.run_until_idle(call).is_none()));
    let moved = pair.moved();
    assert_eq!(pair.run(greeter.greet(text("x"))).unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(pair.moved(), moved);
    held.clear();
    pair.settle();
    assert!(pair.run_until_idle(&mut greeter.greet(text("x"))).is_none());
}

#[test]
fn unary_calls_into_a_full_output_fail_and_streams_wait() {
    let limits = LimitOptions { max_buffer_bytes: Some(100_000), ..Default::default() };
    let pair = with_plugin(Plain, limits);
    pair.cut();
    let greeter = GreeterClient::new(&pair.host);
    let mut calls: Vec<_> = (0..5).map(|_| greeter.greet(blob(40_000))).collect();
    let outcomes: Vec<_> = calls.iter_mut().map(|call| pair.run_until_idle(call)).collect();
    let refused = outcomes.iter().flatten().filter(|outcome| outcome.is_err()).count();
    assert_eq!(refused, 3, "two requests of 40,000 bytes fit in 100,000");
    let mut join = greeter.join(stream::iter((0..10).map(|_| blob(40_000))));
    assert!(pair.run_until_idle(&mut join).is_none());
    assert!(pair.host.output_bytes() < 200_000);
    pair.mend();
    assert_eq!(pair.run(join).unwrap().text.split(' ').count(), 10);
}

#[test]
fn answers_into_a_full_output_wait_with_their_metadata() {
    let greets = Greets(|_, context: Context| async move {
        context.set_header("before", "1")?;
        context.set_trailer("after", "2")?;
        Ok(blob(40_000))
    });
    let plugin = RouterOptions { services: vec![Greeter::implement(greets)], ..Default::default() };
    let plugin_limits = LimitOptions { max_buffer_bytes: Some(100_000), ..Default::default() };
    let pair = Pair::new(PairOptions { plugin, plugin_limits, ..PairOptions::default() });
    let greeter = GreeterClient::new(&pair.host);
    pair.cut();
    let mut calls: Vec<_> = (0..10).map(|_| Box::pin(greeter.greet(text("x")).response())).collect();
    calls.iter_mut().for_each(|call| assert!(pair.run_until_idle(call).is_none()));
    pair.mend();
    for call in calls {
        let answer = pair.run(call).unwrap();
        assert_eq!(answer.message.data.len(), 40_000);
        assert_eq!((answer.header.get("before"), answer.trailer.get("after")), (Some("1"), Some("2")));
    }
    assert_eq!((pair.host.open_calls(), pair.plugin.open_calls()), (0, 0));
}

#[test]
fn an_answer_that_waits_goes_with_its_call() {
    let plugin = RouterOptions {
        services: vec![Greeter::implement(Greets(|_, _| async { Ok(blob(40_000)) }))],
        ..Default::default()
    };
    let plugin_limits = LimitOptions { max_buffer_bytes: Some(30_000), ..Default::default() };
    let pair = Pair::new(PairOptions { plugin, plugin_limits, ..PairOptions::default() });
    let greeter = GreeterClient::new(&pair.host);
    pair.cut();
    let mut calls: Vec<_> = (0..3).map(|_| greeter.greet(text("x"))).collect();
    calls.iter_mut().for_each(|call| assert!(pair.run_until_idle(call).is_none()));
    let mut bytes = Vec::new();
    assert!(pair.host.take_output(&mut bytes));
    pair.plugin.receive(&bytes);
    assert_eq!(pair.plugin.open_calls(), 2);
    // Two are given up while their answers wait: nothing more comes of them.
    calls.truncate(1);
    let waiting = pair.plugin.output_bytes();
    bytes.clear();
    assert!(pair.host.take_output(&mut bytes));
    pair.plugin.receive(&bytes);
    assert_eq!((pair.plugin.open_calls(), pair.plugin.output_bytes()), (0, waiting));
    pair.mend();
    assert_eq!(pair.run(calls.remove(0)).unwrap().data.len(), 40_000);
}
