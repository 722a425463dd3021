//! A plugin that is linked into its host.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod fixture;

use std::time::Duration;

use anyplug_core::{Code, Context, Result};
use anyplug_generated::anyplug::test::v1::{
    RevealRequest, RevealResponse, Secret, SecretHandler, TestClient, WaitRequest,
};
use anyplug_host::load_direct;
use anyplug_test_plugin::plugin;
use fixture::{Folder, block_on, echo};

#[test]
fn the_manifest_says_whether_a_linked_plugin_is_called_directly() {
    for (transports, chosen) in
        [(vec![], "direct"), (vec!["direct", "process"], "direct"), (vec!["process", "direct"], "process")]
    {
        let folder = Folder::test_plugin_with(serde_json::json!({ "transports": transports }));
        let loaded = block_on(folder.load().linked(plugin())).expect("a plugin");
        assert_eq!((loaded.transport(), loaded.instance().is_some()), (chosen, chosen == "process"));
        assert_eq!(loaded.manifest().expect("a manifest").name, "test-plugin");
    }
}

#[test]
fn plugin_process() {
    fixture::plugin_process();
}

#[test]
fn without_a_manifest_a_linked_plugin_has_what_the_options_say() {
    struct Reveals;
    impl SecretHandler for Reveals {
        async fn reveal(&self, _: RevealRequest, _: Context) -> Result<RevealResponse> {
            Ok(RevealResponse { value: "42".to_owned() })
        }
    }
    let load = load_direct(plugin()).service(Secret::implement(Reveals)).grant("test.secret");
    let loaded = block_on(load).expect("a plugin");
    assert_eq!((loaded.name().as_str(), loaded.version().as_str()), ("test-plugin", "0.1.0"));
    assert!(loaded.manifest().is_none());
    assert_eq!(block_on(TestClient::new(&loaded).echo(echo("hello"))).expect("an answer").text, "hello");
    let error = block_on(load_direct(plugin()).config("refuse", "line 7")).map(|_| ()).expect_err("a refusal");
    assert_eq!(
        (error.code(), error.message()),
        (Code::InvalidArgument, "plugin \"test-plugin\" refused to start: line 7")
    );
}

#[test]
fn the_transport_direct_needs_the_plugin_itself() {
    let folder = Folder::test_plugin();
    let error = block_on(folder.load().transport("direct")).map(|_| ()).expect_err("a refusal");
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.message().contains("linked into this program"), "{error}");
}

#[test]
fn a_linked_plugin_is_closed_as_any_other() {
    let loaded = block_on(load_direct(plugin()).drain_timeout(Duration::from_millis(50))).expect("a plugin");
    let client = TestClient::new(&loaded);
    let (waited, closed) = block_on(async {
        let waiting = client.wait(WaitRequest { ms: 60_000 }).into_future();
        futures_util::future::join(waiting, loaded.close()).await
    });
    assert_eq!(waited.expect_err("a failure").code(), Code::Unavailable);
    closed.expect("an end");
    block_on(loaded.close()).expect("the same end");
    let error = block_on(client.echo(echo("?"))).expect_err("a failure");
    assert_eq!(error.message(), "the connection ended: plugin \"test-plugin\" was closed");
    assert_eq!(block_on(loaded.closed()).message(), "plugin \"test-plugin\" was closed");
}

#[test]
fn a_linked_plugin_whose_last_handle_is_dropped_is_ended() {
    let loaded = block_on(load_direct(plugin())).expect("a plugin");
    let (client, closed) = (TestClient::new(&loaded), loaded.closed());
    drop(loaded);
    assert_eq!(block_on(closed).message(), "plugin \"test-plugin\" was dropped by its host");
    assert_eq!(block_on(client.echo(echo("?"))).expect_err("a failure").code(), Code::Unavailable);
}
