//! What a side accepts.

use anyplug_core::{Code, LimitOptions};
use anyplug_generated::anyplug::test::v1::{CountRequest, EchoRequest, SumRequest, TestClient, WaitRequest};
use futures_util::{FutureExt, stream};

use crate::cell::{Cell, failed, failure};
use crate::streams::collect;

pub(crate) async fn a_message_over_the_limit_is_refused(cell: &Cell) {
    let limits = LimitOptions { max_message_bytes: Some(100_000), ..LimitOptions::default() };
    let plugin = cell.load().limits(limits).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    let echo = |bytes| client.echo(EchoRequest { data: vec![0; bytes], ..EchoRequest::default() });
    failure(echo(100_001), Code::ResourceExhausted, &["100000"]).await;
    // The plugin takes over the limits of its host.
    let request = CountRequest { count: 1, size: 100_001, ..CountRequest::default() };
    let (_, end) = collect(client.count(request).await.expect("a stream")).await;
    failed(end, Code::ResourceExhausted, &["100000"]);
    let number = SumRequest { number: 1, data: vec![0; 100_001] };
    failure(client.sum(stream::iter([number])), Code::ResourceExhausted, &["100000"]).await;
    assert_eq!(echo(90_000).await.expect("an answer").data.len(), 90_000);
    plugin.close().await.expect("an end");
}

pub(crate) async fn sixteen_mebibytes_pass_under_a_raised_limit(cell: &Cell) {
    const SIZE: u32 = 16 << 20;
    let limits = LimitOptions { max_message_bytes: Some(SIZE + 64), ..LimitOptions::default() };
    let plugin = cell.load().limits(limits).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    let data: Vec<u8> = (0..SIZE).map(|index| (index * 7) as u8).collect();
    let request = EchoRequest { data: data.clone(), ..EchoRequest::default() };
    assert!(client.echo(request).await.expect("an answer").data == data);
    let request = CountRequest { count: 2, size: SIZE, ..CountRequest::default() };
    let (counted, end) = collect(client.count(request).await.expect("a stream")).await;
    end.expect("an end");
    let lengths: Vec<_> = counted.iter().map(|one| (one.index, one.data.len())).collect();
    assert_eq!(lengths, [(0, SIZE as usize), (1, SIZE as usize)]);
    plugin.close().await.expect("an end");
}

pub(crate) async fn pending_calls_are_limited(cell: &Cell) {
    let limits = LimitOptions { max_pending_requests: Some(10), ..LimitOptions::default() };
    let plugin = cell.load().limits(limits).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    client.echo(EchoRequest::default()).await.expect("an answer");
    let mut waits: Vec<_> = (0..10).map(|_| Box::pin(client.wait(WaitRequest { ms: 60_000 }).into_future())).collect();
    for wait in &mut waits {
        // The first poll makes the call.
        assert!(wait.now_or_never().is_none());
    }
    failure(client.echo(EchoRequest::default()), Code::ResourceExhausted, &["10"]).await;
    waits.pop();
    client.echo(EchoRequest::default()).await.expect("room again");
    drop(waits);
    plugin.close().await.expect("an end");
}
