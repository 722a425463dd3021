//! Calls from the plugin to the host.

use std::time::Duration;

use anyplug_core::{Client, Code};
use anyplug_generated::anyplug::test::v1::harm_request::Kind;
use anyplug_generated::anyplug::test::v1::{AskHostRequest, EchoRequest, EchoResponse, HarmRequest, Test, TestClient};
use anyplug_generated::eliza_classic::v1::{ElizaClient, ReplyRequest};

use crate::cell::{Cell, begin, failure};
use crate::schemas::with_missing_method;

fn ask(question: &str, depth: u32) -> AskHostRequest {
    AskHostRequest { question: question.to_owned(), depth, reveal: false }
}

const REVEAL: AskHostRequest = AskHostRequest { question: String::new(), depth: 0, reveal: true };

pub(crate) async fn a_plugin_calls_its_host_within_a_call(cell: &Cell) {
    let client = cell.client().await;
    assert_eq!(client.ask_host(ask("why?", 0)).await.expect("an answer").answer, "why? answered");
    assert_eq!(client.ask_host(ask("origin", 0)).await.expect("an answer").answer, "matrix");
}

pub(crate) async fn callbacks_nest(cell: &Cell) {
    let client = cell.client().await;
    assert_eq!(client.ask_host(ask("deep", 5)).await.expect("an answer").answer, "deep answered");
    let origin = "matrix test-plugin ".repeat(5) + "matrix";
    assert_eq!(client.ask_host(ask("origin", 5)).await.expect("an answer").answer, origin);
}

pub(crate) async fn endless_callbacks_come_to_an_end(cell: &Cell) {
    failure(cell.client().await.ask_host(ask("deep", 1000)), Code::FailedPrecondition, &["16"]).await;
}

pub(crate) async fn a_callback_has_the_time_of_its_call(cell: &Cell) {
    let client = cell.client().await;
    let call = client.ask_host(ask("remaining", 0)).timeout(Duration::from_secs(60));
    let answer = call.await.expect("an answer").answer;
    assert!((1..=60_000).contains(&answer.parse().expect("a number")), "{answer}");
    assert_eq!(client.ask_host(ask("remaining", 0)).await.expect("an answer").answer, "no limit");
}

pub(crate) async fn a_deadline_crosses_every_hop(cell: &Cell) {
    let (asked, cancelled) = (&cell.host.asked, &cell.host.cancelled);
    let client = cell.client().await;
    let before = asked.count();
    // The time may be over before the question has come to the last host; then it is given more.
    let mut timeout = Duration::from_millis(100);
    while asked.count() == before {
        failure(client.ask_host(ask("wait", 2)).timeout(timeout), Code::DeadlineExceeded, &[]).await;
        timeout *= 2;
    }
    cancelled.reaches(asked.count()).await;
}

pub(crate) async fn a_callback_is_cancelled_with_its_call(cell: &Cell) {
    let (asked, cancelled) = (&cell.host.asked, &cell.host.cancelled);
    let client = cell.client().await;
    let next = asked.count() + 1;
    let asking = tokio::spawn(client.ask_host(ask("wait", 0)).into_future());
    asked.reaches(next).await;
    asking.abort();
    cancelled.reaches(next).await;
}

pub(crate) async fn a_plugin_gives_up_a_callback(cell: &Cell) {
    let (asked, cancelled) = (&cell.host.asked, &cell.host.cancelled);
    let client = cell.client().await;
    let next = asked.count() + 1;
    let asking = begin(client.ask_host(ask("wait", 0)));
    asked.reaches(next).await;
    client.harm(HarmRequest { kind: Kind::GiveUp.into(), ..HarmRequest::default() }).await.expect("an answer");
    failure(asking, Code::Cancelled, &[]).await;
    cancelled.reaches(next).await;
    assert_eq!(client.ask_host(ask("still there?", 0)).await.expect("an answer").answer, "still there? answered");
}

pub(crate) async fn a_capability_must_be_granted(cell: &Cell) {
    let texts = ["\"test.secret\"", "anyplug.test.v1.SecretService/Reveal"];
    failure(cell.client().await.ask_host(REVEAL), Code::PermissionDenied, &texts).await;
    let granted = cell.load_with_services().grant("test.secret").await.expect("a plugin");
    let answer = TestClient::new(&granted).ask_host(REVEAL).await.expect("an answer").answer;
    assert_eq!(answer, "the secret");
    granted.close().await.expect("an end");
}

pub(crate) async fn an_unknown_service_is_unimplemented(cell: &Cell) {
    let eliza = ElizaClient::new(cell.plugin().await);
    let texts = ["eliza_classic.v1.ElizaService", "anyplug.test.v1.TestService"];
    failure(eliza.reply(ReplyRequest::default()), Code::Unimplemented, &texts).await;
    // In the other direction too.
    let alone = cell.load().await.expect("a plugin");
    let asking = TestClient::new(&alone).ask_host(ask("", 0));
    failure(asking, Code::Unimplemented, &["anyplug.test.v1.HostService"]).await;
    alone.close().await.expect("an end");
}

pub(crate) async fn an_unknown_method_is_unimplemented(cell: &Cell) {
    let (service, missing) = with_missing_method::<Test>();
    let client = Client::new(cell.plugin().await.link().clone(), service);
    let call = client.unary::<EchoRequest, EchoResponse>(missing, EchoRequest::default());
    failure(call, Code::Unimplemented, &["anyplug.test.v1.TestService/Missing", "Echo"]).await;
}
