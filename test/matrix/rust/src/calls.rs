//! One request, one response.

use std::time::Duration;

use anyplug_core::{Code, LimitOptions, Metadata};
use anyplug_generated::anyplug::test::v1::{EchoRequest, Everything, FailDetail, FailRequest, TestClient, everything};
use futures_util::future::{Either, join_all, ready};
use prost::Message;

use crate::cell::{Cell, begin, failure};

fn echo(text: &str) -> EchoRequest {
    EchoRequest { text: text.to_owned(), ..EchoRequest::default() }
}

pub(crate) async fn a_plugin_says_who_it_is(cell: &Cell) {
    let plugin = cell.plugin().await;
    assert_eq!((&*plugin.name(), &*plugin.version(), plugin.transport()), ("test-plugin", "0.1.0", cell.transport));
    if let Some(manifest) = plugin.manifest() {
        assert_eq!(manifest.offers.as_deref(), Some(&["anyplug.test.v1.TestService".to_owned()][..]));
    }
}

pub(crate) async fn every_kind_of_field_comes_back_equal(cell: &Cell) {
    let everything = Everything::decode(&include_bytes!("../../everything.binpb")[..]).expect("a message");
    let request = EchoRequest { everything: Some(everything.clone()), ..EchoRequest::default() };
    let answer = cell.client().await.echo(request).await.expect("an answer");
    assert_eq!(answer.everything.as_ref(), Some(&everything));
    // What is compared is not all defaults.
    assert_eq!(everything.uint64_value, u64::MAX);
    assert!(everything.by_id[&i64::MAX].bool_value);
    assert!(matches!(everything.choice, Some(everything::Choice::ChoiceChild(_))));
}

pub(crate) async fn a_large_message_passes(cell: &Cell) {
    let data: Vec<_> = (0..3_000_000_u32).map(|index| (index * 7) as u8).collect();
    let request = EchoRequest { data: data.clone(), ..EchoRequest::default() };
    let answer = cell.client().await.echo(request).await.expect("an answer");
    assert!(answer.data == data);
}

pub(crate) async fn metadata_goes_both_ways(cell: &Cell) {
    let pairs = [
        ("key", "one"),
        ("key", "zwei ü 三"),
        ("header-a", "first"),
        ("trailer-b", "last"),
        ("trailer-b", "very last"),
    ];
    let call =
        pairs.into_iter().fold(cell.client().await.echo(echo("")), |call, (key, value)| call.metadata(key, value));
    let response = call.response().await.expect("an answer");
    assert_eq!(response.message.metadata[..2], ["key: one", "key: zwei ü 三"]);
    assert_eq!(response.header, Metadata::from([("header-a", "first")]));
    assert_eq!(response.trailer, Metadata::from([("trailer-b", "last"), ("trailer-b", "very last")]));
}

pub(crate) async fn the_plugin_sees_the_remaining_time(cell: &Cell) {
    let client = cell.client().await;
    let answer = client.echo(echo("")).timeout(Duration::from_secs(60)).await.expect("an answer");
    assert!(answer.remaining_ms.is_some_and(|ms| ms > 0 && ms <= 60_000), "{answer:?}");
    assert_eq!(client.echo(echo("")).await.expect("an answer").remaining_ms, None);
}

pub(crate) async fn an_error_keeps_code_message_and_details(cell: &Cell) {
    let client = cell.client().await;
    for number in 1..=16 {
        let code = Code::from_number(number).expect("a code");
        let message = format!("code {number}: ü");
        let request =
            FailRequest { code: number, message: message.clone(), detail: "more of it".to_owned(), crash: false };
        let error = failure(client.fail(request), code, &[]).await;
        assert_eq!(error.message(), message);
        assert_eq!(error.details().len(), 1);
        assert_eq!(error.details()[0].type_url, "type.googleapis.com/anyplug.test.v1.FailDetail");
        assert_eq!(error.detail::<FailDetail>().expect("a detail").text, "more of it");
    }
}

pub(crate) async fn a_crash_in_a_handler_ends_its_call_alone(cell: &Cell) {
    let client = cell.client().await;
    let beside = begin(client.echo(echo("beside")));
    // A module cannot unwind: a panic ends the instance, with whatever else it is at.
    let beside = if cell.transport == "wasm" { Either::Left(ready(beside.await)) } else { Either::Right(beside) };
    let request = FailRequest { crash: true, message: "boom".to_owned(), ..FailRequest::default() };
    let error = client.fail(request).await.expect_err("a failure");
    assert!(matches!(error.code(), Code::Unknown | Code::Internal), "{error}");
    for shown in ["Traceback", "\n", ".ts", ".js", ".py", ".rs"] {
        assert!(!error.message().contains(shown), "{error}");
    }
    assert_eq!(beside.await.expect("an answer").text, "beside");
    assert_eq!(client.echo(echo("still there")).await.expect("an answer").text, "still there");
}

pub(crate) async fn a_thousand_calls_at_once_are_all_right(cell: &Cell) {
    let client = cell.client().await;
    let texts: Vec<_> = (0..1000).map(|index| format!("call {index}")).collect();
    let answers = join_all(texts.iter().map(|text| client.echo(echo(text)).into_future())).await;
    let answered: Vec<_> = answers.into_iter().map(|answer| answer.expect("an answer").text).collect();
    assert_eq!(answered, texts);
}

pub(crate) async fn ten_thousand_calls_at_once_are_all_right(cell: &Cell) {
    let limits = LimitOptions { max_pending_requests: Some(10_000), ..LimitOptions::default() };
    let plugin = cell.load().limits(limits).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    let texts: Vec<_> = (0..10_000).map(|index| format!("call {index}")).collect();
    let answers = join_all(texts.iter().map(|text| client.echo(echo(text)).into_future())).await;
    let answered: Vec<_> = answers.into_iter().map(|answer| answer.expect("an answer").text).collect();
    assert_eq!(answered, texts);
    plugin.close().await.expect("an end");
}
