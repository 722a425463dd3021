//! What the host of the matrix offers to its plugins.

use std::sync::Arc;

use anyplug_core::{Context, Error, Result};
use anyplug_generated::anyplug::test::v1::{
    AskHostRequest, AskRequest, AskResponse, HostHandler, RevealRequest, RevealResponse, SecretHandler, TestClient,
};
use tokio::sync::watch;

/// Answers questions; with depth it asks the plugin in turn.
#[derive(Clone, Default)]
pub(crate) struct TestHost {
    /// How many questions "wait" were asked.
    pub(crate) asked: Counter,
    /// How many handlers of the question "wait" were cancelled.
    pub(crate) cancelled: Counter,
}

/// A number that grows, and can be waited for.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<watch::Sender<u32>>);

impl Counter {
    pub(crate) fn count(&self) -> u32 {
        *self.0.borrow()
    }

    pub(crate) async fn reaches(&self, count: u32) {
        self.0.subscribe().wait_for(|now| *now >= count).await.expect("a counter");
    }

    fn add(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

impl HostHandler for TestHost {
    async fn ask(&self, AskRequest { question, depth }: AskRequest, context: Context) -> Result<AskResponse> {
        if depth > 0 {
            let request = AskHostRequest { question, depth: depth - 1, reveal: false };
            let answer = TestClient::new(&context).ask_host(request).await?.answer;
            return Ok(AskResponse { answer });
        }
        let answer = match &*question {
            "origin" => context.origin().join(" "),
            "remaining" => context.remaining().map_or("no limit".to_owned(), |left| left.as_millis().to_string()),
            "wait" => return Err(self.wait(&context).await),
            _ => format!("{question} answered"),
        };
        Ok(AskResponse { answer })
    }
}

impl TestHost {
    async fn wait(&self, context: &Context) -> Error {
        // A handler may be dropped when its call is cancelled.
        struct Dropped(Counter);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.add();
            }
        }
        let _dropped = Dropped(self.cancelled.clone());
        self.asked.add();
        context.cancelled().await
    }
}

impl SecretHandler for TestHost {
    async fn reveal(&self, _: RevealRequest, _: Context) -> Result<RevealResponse> {
        Ok(RevealResponse { value: "the secret".to_owned() })
    }
}
