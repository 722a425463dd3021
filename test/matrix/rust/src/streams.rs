//! Streams, in each direction and in both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyplug_core::{Code, LimitOptions, Result, Streaming};
use anyplug_generated::anyplug::test::v1::{
    ConverseRequest, CountRequest, CountResponse, EchoRequest, FailRequest, SumRequest, TestClient,
};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use crate::cell::{Cell, failed};

/// All that a stream gives before it ends, and how it ends.
pub(crate) async fn collect(mut stream: Streaming<CountResponse>) -> (Vec<CountResponse>, Result<()>) {
    let mut all = Vec::new();
    loop {
        match stream.message().await {
            Ok(Some(one)) => all.push(one),
            Ok(None) => return (all, Ok(())),
            Err(error) => return (all, Err(error)),
        }
    }
}

pub(crate) async fn a_server_stream_comes_in_order(cell: &Cell) {
    let client = cell.client().await;
    let request = CountRequest { count: 300, size: 1000, ..CountRequest::default() };
    let (counted, end) = collect(client.count(request).await.expect("a stream")).await;
    end.expect("an end");
    assert!(counted.iter().map(|one| one.index).eq(0..300));
    assert!(counted.iter().all(|one| one.data.len() == 1000));
    let (none, end) = collect(client.count(CountRequest::default()).await.expect("a stream")).await;
    end.expect("an end");
    assert!(none.is_empty());
}

pub(crate) async fn a_client_stream_is_read_to_its_end(cell: &Cell) {
    let client = cell.client().await;
    let numbers = stream::iter((0..300).map(|number| SumRequest { number, data: vec![0; 1000] }));
    let sum = client.sum(numbers).await.expect("a sum");
    assert_eq!((sum.sum, sum.count), (44_850, 300));
    let sum = client.sum(stream::empty()).await.expect("a sum");
    assert_eq!((sum.sum, sum.count), (0, 0));
}

pub(crate) async fn a_bidi_stream_is_interleaved(cell: &Cell) {
    let client = cell.client().await;
    let (speak, spoken) = mpsc::unbounded_channel();
    let requests = stream::unfold(spoken, |mut spoken| async { spoken.recv().await.map(|text| (text, spoken)) });
    let mut answers =
        client.converse(requests.map(|text| ConverseRequest { text, data: Vec::new() })).await.expect("a stream");
    for line in 0..20 {
        let text = format!("line {line}");
        speak.send(text.clone()).expect("a listener");
        // Deadlocks if an answer waits for the next request.
        assert_eq!(answers.message().await.expect("an answer").expect("one more").text, text);
    }
    drop(speak);
    assert!(answers.message().await.expect("an end").is_none());
}

pub(crate) async fn a_stream_that_fails_half_way_gives_what_came_before(cell: &Cell) {
    let fail = FailRequest { code: Code::Aborted.number(), message: "half-way".to_owned(), ..FailRequest::default() };
    let request = CountRequest { count: 3, fail: Some(fail), ..CountRequest::default() };
    let (counted, end) = collect(cell.client().await.count(request).await.expect("a stream")).await;
    failed(end, Code::Aborted, &["half-way"]);
    assert!(counted.iter().map(|one| one.index).eq(0..3));
}

pub(crate) async fn leaving_a_stream_ends_it_in_the_plugin(cell: &Cell) {
    // With two calls at once, the third would fail if one that was left were still open.
    let limits = LimitOptions { max_pending_requests: Some(2), ..LimitOptions::default() };
    let plugin = cell.load().limits(limits).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    for _ in 0..5 {
        let request = CountRequest { count: 1_000_000, size: 100, ..CountRequest::default() };
        let mut counted = client.count(request).await.expect("a stream");
        for index in 0..3 {
            assert_eq!(counted.message().await.expect("a message").expect("one more").index, index);
        }
        drop(counted);
        client.echo(EchoRequest::default()).await.expect("an answer");
    }
    plugin.close().await.expect("an end");
}

pub(crate) async fn a_slow_reader_holds_the_sender_back(cell: &Cell) {
    // Without credit, five megabytes would come while the reader does something else, and end the call.
    let limits = LimitOptions { max_buffer_bytes: Some(300_000), ..LimitOptions::default() };
    let plugin = cell.load().limits(limits).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    let request = CountRequest { count: 500, size: 10_000, ..CountRequest::default() };
    let mut counted = client.count(request).await.expect("a stream");
    for index in 0..500 {
        assert_eq!(counted.message().await.expect("a message").expect("one more").index, index);
        if index % 100 == 0 {
            for _ in 0..20 {
                client.echo(EchoRequest::default()).await.expect("an answer");
            }
        }
    }
    assert!(counted.message().await.expect("an end").is_none());
    plugin.close().await.expect("an end");
}

pub(crate) async fn a_slow_plugin_holds_the_host_back(cell: &Cell) {
    let client = cell.client().await;
    let given = Arc::new(AtomicU32::new(0));
    let requests = stream::iter(0..300).map({
        let given = given.clone();
        move |line| {
            given.fetch_add(1, Ordering::Relaxed);
            ConverseRequest { text: format!("line {line}"), data: vec![0; 10_000] }
        }
    });
    let mut answers = client.converse(requests).await.expect("a stream");
    assert_eq!(answers.message().await.expect("an answer").expect("one more").text, "line 0");
    // The plugin answers what it reads, and can send no more than a window of what is not read here.
    for _ in 0..100 {
        client.echo(EchoRequest::default()).await.expect("an answer");
    }
    assert!(given.load(Ordering::Relaxed) < 100, "{given:?}");
    for line in 1..300 {
        assert_eq!(answers.message().await.expect("an answer").expect("one more").text, format!("line {line}"));
    }
    assert!(answers.message().await.expect("an end").is_none());
}
