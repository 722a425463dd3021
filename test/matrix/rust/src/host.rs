//! What the host of the matrix offers to its plugins.

use std::sync::Arc;

use anyplug_core::{Context, Error, Result};
use anyplug_generated::anyplug::test::v1::{
    AskHostRequest, AskRequest, AskResponse, HostHandler, RevealRequest, RevealResponse, SecretHandler, TestClient,
};
use tokio::sync::Notify;

/// Answers questions; with depth it asks the plugin in turn.
#[derive(Clone, Default)]
pub(crate) struct TestHost {
    /// The question "wait" was asked.
    pub(crate) asked: Arc<Notify>,
    /// The handler of the question "wait" was cancelled.
    pub(crate) cancelled: Arc<Notify>,
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
        struct Dropped(Arc<Notify>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.notify_one();
            }
        }
        let _dropped = Dropped(self.cancelled.clone());
        self.asked.notify_one();
        context.cancelled().await
    }
}

impl SecretHandler for TestHost {
    async fn reveal(&self, _: RevealRequest, _: Context) -> Result<RevealResponse> {
        Ok(RevealResponse { value: "the secret".to_owned() })
    }
}
