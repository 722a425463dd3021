//! Calls between two connections: the four kinds, their ends, metadata, and what goes wrong in them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

mod greeter;
mod pair;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyplug_core::codegen::v1::{Context, Sender, Streaming};
use anyplug_core::{Any, CallOptions, Code, Error, Grants, LogLevel, Metadata, RawRequest, RouterOptions};
use futures_util::{StreamExt, stream};
use greeter::{Answer, GREETER, Greeter, GreeterClient, GreeterHandler, Greets, Plain, Text, text};
use pair::{Feed, Pair, PairOptions};

fn plugin_with<H: GreeterHandler>(handler: H) -> Pair {
    let plugin =
        RouterOptions { services: vec![Greeter::implement(handler)], grants: Grants::All, ..Default::default() };
    Pair::new(PairOptions { plugin, ..PairOptions::default() })
}

// --- the four kinds ------------------------------------------------------------------------------

#[test]
fn a_unary_call_is_answered() {
    let pair = plugin_with(Plain);
    let greeter = GreeterClient::new(&pair.host);
    assert_eq!(pair.run(greeter.greet(text("Ada"))).unwrap(), text("Hello, Ada!"));
    assert_eq!(pair.run(greeter.greet(text(""))).unwrap(), text("Hello, !"));
    assert_eq!((pair.host.open_calls(), pair.plugin.open_calls(), pair.tasks_left()), (0, 0, 0));
}

#[test]
fn a_server_stream_gives_its_messages_and_ends() {
    let pair = plugin_with(Plain);
    let greeter = GreeterClient::new(&pair.host);
    let numbers = pair.run(async {
        let stream = greeter.count(text("3")).await.unwrap();
        stream.map(|message| message.unwrap().text).collect::<Vec<_>>().await
    });
    assert_eq!(numbers, ["0", "1", "2"]);
    assert!(pair.run(async { greeter.count(text("0")).await.unwrap().message().await }).unwrap().is_none());
    assert_eq!((pair.host.open_calls(), pair.plugin.open_calls()), (0, 0));
}

#[test]
fn a_client_stream_is_read_to_its_end() {
    let pair = plugin_with(Plain);
    let greeter = GreeterClient::new(&pair.host);
    let words = ["to", "be", "or", "not"].map(text);
    assert_eq!(pair.run(greeter.join(stream::iter(words))).unwrap(), text("to be or not"));
    assert_eq!(pair.run(greeter.join(stream::iter([]))).unwrap(), text(""));
}

#[test]
fn a_chat_goes_both_ways_at_once() {
    let pair = plugin_with(Plain);
    let (feed, requests) = Feed::new();
    let mut answers = pair.run(GreeterClient::new(&pair.host).chat(requests)).unwrap();
    for word in ["one", "two"] {
        feed.send(text(word));
        assert_eq!(pair.run(answers.message()).unwrap(), Some(text(word.to_uppercase())));
    }
    drop(feed);
    assert_eq!(pair.run(answers.message()).unwrap(), None);
    assert_eq!((pair.host.open_calls(), pair.plugin.open_calls(), pair.tasks_left()), (0, 0, 0));
}

#[test]
fn many_calls_at_once_are_answered_each_for_itself() {
    let pair = plugin_with(Plain);
    let greeter = GreeterClient::new(&pair.host);
    let calls = (0..1_000).map(|number| greeter.greet(text(number.to_string())));
    let answers = pair.run(futures_util::future::join_all(calls));
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap().text, format!("Hello, {number}!"));
    }
}

// --- failures ------------------------------------------------------------------------------------

#[test]
fn a_failure_arrives_with_code_details_and_metadata() {
    let pair = plugin_with(Greets(|_, context: Context| async move {
        context.set_header("h", "1")?;
        context.set_trailer("retry", "no")?;
        let detail = Any { type_url: "type.googleapis.com/a.B".into(), value: vec![8, 1] };
        Err(Error::not_found("no such name").with_detail(detail).with_metadata(Metadata::from([("k", "v")])))
    }));
    let error = pair.run(GreeterClient::new(&pair.host).greet(text("x"))).unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "no such name"));
    assert_eq!(error.details(), [Any { type_url: "type.googleapis.com/a.B".into(), value: vec![8, 1] }]);
    assert_eq!(error.metadata(), &Metadata::from([("k", "v"), ("h", "1"), ("retry", "no")]));
}

#[test]
fn a_panic_ends_its_call_and_nothing_else() {
    struct Panics;
    impl GreeterHandler for Panics {
        async fn greet(&self, request: Text, _: Context) -> Answer<Text> {
            if request.text == "panic" {
                panic!("the handler's own words");
            }
            Ok(request)
        }

        async fn chat(&self, mut requests: Streaming<Text>, _: Sender<Text>, _: Context) -> Answer<()> {
            requests.message().await?;
            panic!("after a wait");
        }
    }
    let pair = plugin_with(Panics);
    let greeter = GreeterClient::new(&pair.host);
    let error = pair.run(greeter.greet(text("panic"))).unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(error.message().contains("greeter.v1.GreeterService/Greet panicked"), "{error}");
    assert!(!error.message().contains("own words"), "{error}");

    let (feed, requests) = Feed::new();
    let mut answers = pair.run(greeter.chat(requests)).unwrap();
    feed.send(text("x"));
    assert_eq!(pair.run(answers.message()).unwrap_err().code(), Code::Internal);

    let logs = pair.plugin_shell.logs.lock().unwrap();
    assert!(logs[0].message.contains("the handler's own words") && logs[0].level == LogLevel::Error);
    assert!(logs[1].message.contains("after a wait"));
    drop(logs);
    assert_eq!(pair.run(greeter.greet(text("still there"))).unwrap(), text("still there"));
}

#[test]
fn a_handler_that_is_dropped_ends_its_call() {
    struct Drops;
    impl anyplug_core::ServeRaw for Drops {
        fn serve(&self, _: usize, call: anyplug_core::ServerCall) -> Option<anyplug_core::BoxFuture<()>> {
            drop(call);
            None
        }
    }
    let service = anyplug_core::Implementation::raw(anyplug_core::ServiceEntry::from(&GREETER), Arc::new(Drops));
    let plugin = RouterOptions { services: vec![service], grants: Grants::All, ..Default::default() };
    let pair = Pair::new(PairOptions { plugin, ..PairOptions::default() });
    let error = pair.run(GreeterClient::new(&pair.host).greet(text("x"))).unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(error.message().contains("ended without an answer"), "{error}");
}

#[test]
fn one_response_is_promised_and_one_is_held_to() {
    struct Raw(usize);
    impl anyplug_core::ServeRaw for Raw {
        fn serve(&self, _: usize, mut call: anyplug_core::ServerCall) -> Option<anyplug_core::BoxFuture<()>> {
            for _ in 0..self.0 {
                call.send(anyplug_core::Payload::Bytes(Default::default()), false).unwrap();
            }
            call.finish(Ok(()));
            None
        }
    }
    for (count, words) in [(0, "without the one message"), (2, "second message")] {
        let service =
            anyplug_core::Implementation::raw(anyplug_core::ServiceEntry::from(&GREETER), Arc::new(Raw(count)));
        let plugin = RouterOptions { services: vec![service], grants: Grants::All, ..Default::default() };
        let pair = Pair::new(PairOptions { plugin, ..PairOptions::default() });
        let greeter = GreeterClient::new(&pair.host);
        for error in
            [pair.run(greeter.greet(text("x"))).unwrap_err(), pair.run(greeter.join(stream::iter([]))).unwrap_err()]
        {
            assert_eq!(error.code(), Code::Internal);
            assert!(error.message().contains(words), "{count}: {error}");
        }
        assert_eq!(pair.host.open_calls(), 0);
    }
}

#[test]
fn a_message_of_another_type_is_an_error_of_its_call() {
    let pair = plugin_with(Plain);
    let method = pair.host.method_index(GREETER.name, "Greet").unwrap();
    let request = anyplug_core::RawRequest { method, payload: &[0xff, 0xff], end: true, ..Default::default() };
    let error = pair.run(pair.host.unary(request).unwrap()).unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(error.message().contains("cannot be parsed"), "{error}");
    assert!(pair.host.close_reason().is_none());
}

#[test]
fn what_the_peer_does_not_have_is_unimplemented_and_says_what_it_has() {
    let pair = Pair::new(PairOptions::default());
    let error = pair.run(GreeterClient::new(&pair.host).greet(text("x"))).unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert!(error.message().contains("does not serve greeter.v1.GreeterService; it serves nothing"), "{error}");
}

#[test]
fn a_call_before_hello_is_refused() {
    let pair = Pair::silent(PairOptions::default());
    pair.cut();
    let error = pair.run(GreeterClient::new(&pair.host).greet(text("x"))).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
}

// --- metadata ------------------------------------------------------------------------------------

#[test]
fn metadata_goes_both_ways() {
    let pair = plugin_with(Greets(|request: Text, context: Context| async move {
        context.set_header("seen", context.metadata().get_all("user").collect::<Vec<_>>().join("+"))?;
        context.set_trailer("cost", "3")?;
        Ok(request)
    }));
    let call = GreeterClient::new(&pair.host).greet(text("x")).metadata("user", "ada").metadata("user", "größer 漢");
    let response = pair.run(call.response()).unwrap();
    assert_eq!(response.header, Metadata::from([("seen", "ada+größer 漢")]));
    assert_eq!(response.trailer, Metadata::from([("cost", "3")]));
}

#[test]
fn a_stream_has_header_and_trailer_too() {
    struct Marked;
    impl GreeterHandler for Marked {
        async fn count(&self, _: Text, responses: Sender<Text>, context: Context) -> Answer<()> {
            context.set_header("begin", "1")?;
            responses.send(text("a")).await?;
            assert_eq!(context.set_header("late", "1").unwrap_err().code(), Code::FailedPrecondition);
            context.set_trailer("end", "1")
        }
    }
    let pair = plugin_with(Marked);
    let mut stream = pair.run(GreeterClient::new(&pair.host).count(text(""))).unwrap();
    assert_eq!(stream.header(), None);
    assert_eq!(pair.run(stream.message()).unwrap(), Some(text("a")));
    assert_eq!(stream.header(), Some(Metadata::from([("begin", "1")])));
    assert_eq!(pair.run(stream.message()).unwrap(), None);
    assert_eq!(stream.trailer(), Some(Metadata::from([("end", "1")])));
}

#[test]
fn the_header_of_a_stream_without_messages_comes_with_its_end() {
    struct Empty;
    impl GreeterHandler for Empty {
        async fn count(&self, request: Text, _: Sender<Text>, context: Context) -> Answer<()> {
            context.set_header("begin", "1")?;
            context.set_trailer("end", "1")?;
            if request.text == "fail" { Err(Error::aborted("no")) } else { Ok(()) }
        }
    }
    let pair = plugin_with(Empty);
    let all = Metadata::from([("begin", "1"), ("end", "1")]);
    let mut stream = pair.run(GreeterClient::new(&pair.host).count(text(""))).unwrap();
    assert_eq!(pair.run(stream.message()).unwrap(), None);
    assert_eq!((stream.header(), stream.trailer()), (Some(Metadata::new()), Some(all.clone())));
    let mut stream = pair.run(GreeterClient::new(&pair.host).count(text("fail"))).unwrap();
    assert_eq!(pair.run(stream.message()).unwrap_err().metadata(), &all);
    assert_eq!((stream.header(), stream.trailer()), (Some(Metadata::new()), Some(all)));
}

#[test]
fn a_bad_metadata_key_is_refused_before_the_call() {
    let pair = plugin_with(Plain);
    let moved = pair.moved();
    let call = GreeterClient::new(&pair.host).greet(text("x")).metadata("Not-Lower", "v");
    assert_eq!(pair.run(call).unwrap_err().code(), Code::InvalidArgument);
    let call = GreeterClient::new(&pair.host).greet(text("x")).metadata("large", "v".repeat(70_000));
    assert_eq!(pair.run(call).unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(pair.moved(), moved);
}

#[test]
fn the_trace_context_arrives() {
    let pair = plugin_with(Greets(|_, context: Context| async move {
        Ok(text(format!("{} {}", context.traceparent(), context.tracestate())))
    }));
    let options = CallOptions { traceparent: "00-ab-cd-01".into(), tracestate: "a=1".into(), ..CallOptions::default() };
    let answer = pair.run(GreeterClient::new(&pair.host).greet(text("x")).options(options)).unwrap();
    assert_eq!(answer.text, "00-ab-cd-01 a=1");
}

// --- who may call --------------------------------------------------------------------------------

#[test]
fn a_capability_that_was_not_granted_is_named() {
    let host = |grants| RouterOptions { services: vec![Greeter::implement(Plain)], grants, ..Default::default() };
    let pair = Pair::new(PairOptions { host: host(Grants::default()), ..PairOptions::default() });
    let error = pair.run(GreeterClient::new(&pair.plugin).secret(text("x"))).unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(error.message().contains("\"greeter.secret\"") && error.message().contains("grants"), "{error}");
    assert_eq!(pair.run(GreeterClient::new(&pair.plugin).greet(text("x"))).unwrap(), text("Hello, x!"));

    let granted = Grants::Only(vec!["greeter.secret".into()]);
    let pair = Pair::new(PairOptions { host: host(granted), ..PairOptions::default() });
    assert_eq!(pair.run(GreeterClient::new(&pair.plugin).secret(text("x"))).unwrap(), text("x"));
}

// --- calls within calls --------------------------------------------------------------------------

/// Answers by asking the other side in turn, `request.text` times.
fn asks_back() -> impl GreeterHandler {
    Greets(|request: Text, context: Context| async move {
        let depth: u32 = request.text.parse().unwrap();
        if depth == 0 {
            return Ok(text(context.origin().join(",")));
        }
        GreeterClient::new(&context).greet(text((depth - 1).to_string())).await
    })
}

#[test]
fn calls_nest_in_both_directions_and_carry_their_origin() {
    let both = || RouterOptions { services: vec![Greeter::implement(asks_back())], ..Default::default() };
    let pair = Pair::new(PairOptions { host: both(), plugin: both(), ..PairOptions::default() });
    let greeter = GreeterClient::new(&pair.host);
    assert_eq!(pair.run(greeter.greet(text("0"))).unwrap().text, "");
    assert_eq!(pair.run(greeter.greet(text("2"))).unwrap().text, "test-host,test-plugin");
    let error = pair.run(greeter.greet(text("100"))).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.message().contains("17") && error.message().contains("16"), "{error}");
    assert_eq!((pair.host.open_calls(), pair.plugin.open_calls(), pair.tasks_left()), (0, 0, 0));
}

#[test]
fn a_call_within_a_call_has_its_remaining_time_and_its_cancellation() {
    let seen = Arc::new(AtomicUsize::new(0));
    let noted = seen.clone();
    let host = Greets(move |_, context: Context| {
        let noted = noted.clone();
        async move {
            noted.store(context.remaining().unwrap().as_millis() as usize, Ordering::SeqCst);
            Err(context.cancelled().await)
        }
    });
    let host = RouterOptions { services: vec![Greeter::implement(host)], ..Default::default() };
    let plugin = RouterOptions { services: vec![Greeter::implement(asks_back())], ..Default::default() };
    let pair = Pair::new(PairOptions { host, plugin, ..PairOptions::default() });
    let mut call = GreeterClient::new(&pair.host).greet(text("1")).timeout(std::time::Duration::from_millis(700));
    assert!(pair.run_until_idle(&mut call).is_none());
    assert_eq!(seen.load(Ordering::SeqCst), 700);
    assert_eq!((pair.host.open_calls(), pair.plugin.open_calls()), (2, 2));
    drop(call);
    pair.settle();
    assert_eq!((pair.host.open_calls(), pair.plugin.open_calls(), pair.tasks_left()), (0, 0, 0));
}

#[test]
fn a_call_to_another_plugin_can_belong_to_the_call_that_is_handled() {
    let (other, context_of) = (
        plugin_with(Greets(|_, context: Context| async move { Ok(text(context.origin().join(","))) })),
        Arc::new(std::sync::Mutex::new(None)),
    );
    let kept = context_of.clone();
    let pair = plugin_with(Greets(move |_, context: Context| {
        *kept.lock().unwrap() = Some(context);
        async { Ok(text("")) }
    }));
    pair.run(GreeterClient::new(&pair.host).greet(text(""))).unwrap();
    let context = context_of.lock().unwrap().take().unwrap();
    let through = context.through(&other.host);
    assert_eq!(other.run(GreeterClient::new(&through).greet(text(""))).unwrap().text, "test-host");
}

// --- requests that wait for each other -----------------------------------------------------------

#[test]
fn a_request_that_waits_for_others_holds_back_its_own_thread_only() {
    let pair = plugin_with(Plain);
    let method = pair.host.method_index(GREETER.name, "Greet").unwrap();
    let start = || pair.host.unary(RawRequest { method, ..RawRequest::default() }).unwrap();
    let wakes = || pair.host_shell.wakes.load(Ordering::SeqCst);
    pair.host_shell.holds_back.store(true, Ordering::SeqCst);

    let before = wakes();
    let calls = [start(), start()];
    drop(pair.host.ping());
    assert_eq!(wakes(), before);
    std::thread::scope(|scope| scope.spawn(|| drop(pair.host.ping())).join()).unwrap();
    assert_eq!(wakes(), before + 1);

    for call in calls {
        assert!(pair.run(call).is_ok());
    }
    assert_eq!(pair.host.open_calls(), 0);
}
