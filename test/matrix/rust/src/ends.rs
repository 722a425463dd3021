//! How calls end before their answer: deadlines, cancellation, closing.

use std::pin::pin;
use std::time::Duration;

use anyplug_core::Code;
use anyplug_generated::anyplug::test::v1::{CountRequest, EchoRequest, TestClient, WaitReportRequest, WaitRequest};
use futures_util::{FutureExt, stream};

use crate::cell::{Cell, begin, failure};

pub(crate) async fn a_deadline_cancels_the_handler(cell: &Cell) {
    let client = cell.client().await;
    until_cancelled(&client, async || {
        let call = client.wait(WaitRequest { ms: 60_000 }).timeout(Duration::from_millis(50));
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
    let plugin = cell.load().await.expect("a plugin");
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
