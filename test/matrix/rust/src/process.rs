//! The plugin's process: what it prints, what it logs, how it ends.

use anyplug_core::{Code, LogLevel};
use anyplug_generated::anyplug::test::v1::harm_request::Kind;
use anyplug_generated::anyplug::test::v1::{CountRequest, EchoRequest, HarmRequest, TestClient, WaitRequest};

use crate::cell::{Cell, Logs, begin, failed, failure};
use crate::streams::collect;

fn harm(kind: Kind, text: &str, number: i32) -> HarmRequest {
    HarmRequest { kind: kind.into(), text: text.to_owned(), number }
}

pub(crate) async fn what_a_plugin_prints_is_log(cell: &Cell) {
    let client = cell.client().await;
    client.harm(harm(Kind::Stdout, "printed ü\n", 0)).await.expect("an answer");
    client.harm(harm(Kind::Stderr, "complained\n", 0)).await.expect("an answer");
    // Over stdio, stdout is the channel's, and the plugin's prints go to stderr.
    let (logger, level) =
        if cell.transport == "stdio" { ("stderr", LogLevel::Warn) } else { ("stdout", LogLevel::Info) };
    let printed = cell.logs.find("printed ü").await;
    assert_eq!((&*printed.logger, printed.level), (logger, level));
    let complained = cell.logs.find("complained").await;
    assert_eq!((&*complained.logger, complained.level), ("stderr", LogLevel::Warn));
    client.echo(EchoRequest::default()).await.expect("it is still there");
}

pub(crate) async fn a_plugin_reads_nothing_from_stdin(cell: &Cell) {
    let client = cell.client().await;
    assert_eq!(client.harm(harm(Kind::Stdin, "", 0)).await.expect("an answer").text, "");
    client.echo(EchoRequest::default()).await.expect("it is still there");
}

pub(crate) async fn a_log_record_keeps_its_level(cell: &Cell) {
    let client = cell.client().await;
    client.harm(harm(Kind::Log, "noted ü", 0)).await.expect("an answer");
    let noted = cell.logs.find("noted ü").await;
    assert_eq!((&*noted.logger, noted.level), ("anyplug.test.v1.TestService", LogLevel::Info));
}

pub(crate) async fn an_exit_ends_calls_with_status_and_last_lines(cell: &Cell) {
    let logs = Logs::default();
    let plugin = cell.load().on_log(logs.taker()).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    client.harm(harm(Kind::Stderr, "about to die\n", 0)).await.expect("an answer");
    logs.find("about to die").await;
    let waiting = begin(client.wait(WaitRequest { ms: 60_000 }));
    failure(client.harm(harm(Kind::Exit, "", 7)), Code::Unavailable, &["status 7", "about to die"]).await;
    failure(waiting, Code::Unavailable, &["status 7", "about to die"]).await;
    failure(client.echo(EchoRequest::default()), Code::Unavailable, &["status 7"]).await;
    assert!(plugin.closed().await.message().contains("status 7"));
}

pub(crate) async fn a_kill_ends_calls_with_the_signal(cell: &Cell) {
    let plugin = cell.load().await.expect("a plugin");
    let client = TestClient::new(&plugin);
    let request = CountRequest { count: 1_000_000, delay_ms: 1, ..CountRequest::default() };
    let counted = client.count(request).await.expect("a stream");
    failure(client.harm(harm(Kind::Kill, "", 0)), Code::Unavailable, &["SIGKILL"]).await;
    failed(collect(counted).await.1, Code::Unavailable, &["SIGKILL"]);
}
