//! How calls end before their answer: deadlines, cancellation, closing.

use std::pin::pin;
use std::time::Duration;

use anyplug_core::Code;
use anyplug_generated::anyplug::test::v1::{
    AskHostRequest, ConverseRequest, CountRequest, EchoRequest, SumRequest, TestClient, WaitReportRequest, WaitRequest,
};
use futures_util::{FutureExt, StreamExt, stream};

use crate::cell::{Cell, begin, failed, failure};
use crate::streams::collect;

pub(crate) async fn a_deadline_cancels_the_handler(cell: &Cell) {
    let client = cell.client().await;
    // The time may be over before the handler begins; then it is given more.
    let timeout = std::cell::Cell::new(Duration::from_millis(50));
    until_cancelled(&client, async || {
        let call = client.wait(WaitRequest { ms: 600_000 }).timeout(timeout.replace(timeout.get() * 2));
        failure(call, Code::DeadlineExceeded, &[]).await;
    })
    .await;
}

pub(crate) async fn a_cancelled_call_cancels_the_handler(cell: &Cell) {
    let client = cell.client().await;
    until_cancelled(&client, async || {
        let mut waiting = pin!(client.wait(WaitRequest { ms: 60_000 }).into_future());
        // The first poll makes the call, the end of the block drops it. A task could be aborted before it was polled.
        assert!(waiting.as_mut().now_or_never().is_none());
        client.echo(EchoRequest::default()).await.expect("an answer");
    })
    .await;
}

/// A call may be over before its handler begins; then there is nothing to cancel, and it is made again.
async fn until_cancelled(client: &TestClient, give_up: impl AsyncFn()) {
    let report = async || client.wait_report(WaitReportRequest::default()).await.expect("a report");
    let before = report().await;
    for _ in 0..100 {
        give_up().await;
        // Answered only when no wait is open any more.
        let now = report().await;
        assert_eq!(now.completed, before.completed);
        if now.cancelled > before.cancelled {
            return;
        }
    }
    panic!("no handler was cancelled");
}

pub(crate) async fn close_waits_for_calls_in_flight(cell: &Cell) {
    let plugin = cell.load().drain_timeout(Duration::from_secs(120)).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    let mut waiting = pin!(client.wait(WaitRequest { ms: 200 }).into_future());
    // The first poll makes the call.
    assert!(waiting.as_mut().now_or_never().is_none());
    let closing = begin(async move { plugin.close().await });
    while client.echo(EchoRequest::default()).await.is_ok() {}
    failure(client.echo(EchoRequest::default()), Code::Unavailable, &[]).await;
    waiting.await.expect("an answer");
    closing.await.expect("an end");
}

pub(crate) async fn closing_in_the_middle_of_everything_ends_it_all(cell: &Cell) {
    let (asked, cancelled) = (&cell.host.asked, &cell.host.cancelled);
    let next = asked.count() + 1;
    let plugin = cell.load_with_services().drain_timeout(Duration::ZERO).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    let waiting = begin(client.wait(WaitRequest { ms: 60_000 }));
    let asking = begin(client.ask_host(AskHostRequest { question: "wait".to_owned(), depth: 2, reveal: false }));
    let first = SumRequest { number: 1, data: Vec::new() };
    let summing = begin(client.sum(stream::iter([first]).chain(stream::pending())));
    let first = ConverseRequest { text: "first".to_owned(), data: Vec::new() };
    let conversing = client.converse(stream::iter([first]).chain(stream::pending()));
    let mut answers = conversing.await.expect("a stream");
    assert_eq!(answers.message().await.expect("an answer").expect("one more").text, "first");
    let request = CountRequest { count: 1_000_000, delay_ms: 1, ..CountRequest::default() };
    let mut counted = client.count(request).await.expect("a stream");
    assert_eq!(counted.message().await.expect("a message").expect("one more").index, 0);
    asked.reaches(next).await;
    plugin.close().await.expect("an end");
    failure(waiting, Code::Unavailable, &[]).await;
    failure(asking, Code::Unavailable, &[]).await;
    failure(summing, Code::Unavailable, &[]).await;
    failure(answers.message(), Code::Unavailable, &[]).await;
    failed(collect(counted).await.1, Code::Unavailable, &[]);
    cancelled.reaches(next).await;
    let again = cell.load().await.expect("a plugin");
    TestClient::new(&again).echo(EchoRequest::default()).await.expect("an answer");
    again.close().await.expect("an end");
}

pub(crate) async fn calls_after_close_are_unavailable(cell: &Cell) {
    let plugin = cell.load().await.expect("a plugin");
    let client = TestClient::new(&plugin);
    client.echo(EchoRequest::default()).await.expect("an answer");
    plugin.close().await.expect("an end");
    let reason = &["the connection ended: plugin \"test-plugin\" was closed"];
    failure(client.echo(EchoRequest::default()), Code::Unavailable, reason).await;
    failure(client.sum(stream::empty()), Code::Unavailable, reason).await;
    let ended = async {
        let mut counted = client.count(CountRequest { count: 1, ..CountRequest::default() }).await?;
        counted.message().await
    };
    failure(ended, Code::Unavailable, reason).await;
    plugin.close().await.expect("the same end");
}
