//! One cell of the matrix: a plugin in some language over some transport, as this host sees it.

use std::fmt::Debug;
use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use anyplug_core::{Code, Error, LogRecord};
use anyplug_generated::anyplug::test::v1::{Host, Secret, TestClient};
use anyplug_host::{Load, LoadOptions, Plugin, load_plugin};
use tokio::sync::{Notify, OnceCell};

use crate::host::TestHost;
use crate::served::{Served, certificates_of};

/// A machine may be slow; no behaviour is about how long a start takes.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// The languages of plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    TypeScript,
    Python,
    Rust,
    C,
    Go,
}

impl Language {
    /// As in the files of test/matrix.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TypeScript => "typescript",
            Self::Python => "python",
            Self::Rust => "rust",
            Self::C => "c",
            Self::Go => "go",
        }
    }
}

/// A plugin that most behaviours share. It is loaded with the host's services, and without any grant.
pub(crate) struct Cell {
    pub(crate) language: Language,
    pub(crate) transport: &'static str,
    pub(crate) host: TestHost,
    pub(crate) logs: Logs,
    shared: OnceCell<Plugin>,
    served: OnceLock<Served>,
}

impl Cell {
    pub(crate) fn new(language: Language, transport: &'static str) -> Self {
        Self {
            language,
            transport,
            host: TestHost::default(),
            logs: Logs::default(),
            shared: OnceCell::new(),
            served: OnceLock::new(),
        }
    }

    /// A plugin of the caller's own.
    pub(crate) fn load(&self) -> Load {
        self.load_with(LoadOptions::default())
    }

    /// A plugin of the caller's own, with options that [`Load`] has no method for.
    pub(crate) fn load_with(&self, options: LoadOptions) -> Load {
        let folder = match self.language {
            Language::TypeScript => "ts",
            other => other.name(),
        };
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../plugins/test-plugin").join(folder);
        let place = match self.transport {
            "unix" | "tcp" | "tls" => {
                self.served.get_or_init(|| Served::start(&path, self.transport)).address.clone().into()
            }
            _ => path,
        };
        let load = load_plugin(place).options(options);
        let load = load.transport(self.transport).host_name("matrix").start_timeout(START_TIMEOUT);
        match self.transport {
            "direct" => load.linked(anyplug_test_plugin::plugin()),
            "tls" => load.tls(certificates_of("host")),
            _ => load,
        }
    }

    /// A plugin of the caller's own, to which the host offers its services.
    pub(crate) fn load_with_services(&self) -> Load {
        let host = &self.host;
        self.load().service(Host::implement(host.clone())).service(Secret::implement(host.clone()))
    }

    /// The plugin that behaviours share which leave it as it was.
    pub(crate) async fn plugin(&self) -> &Plugin {
        let load = || async { self.load_with_services().on_log(self.logs.taker()).await.expect("a plugin") };
        self.shared.get_or_init(load).await
    }

    pub(crate) async fn client(&self) -> TestClient {
        TestClient::new(self.plugin().await)
    }

    pub(crate) async fn close(self) {
        if let Some(plugin) = self.shared.into_inner() {
            plugin.close().await.expect("an end");
        }
        if let Some(served) = self.served.into_inner() {
            served.stop();
        }
    }
}

/// What a plugin logged and printed.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<(Mutex<Vec<LogRecord>>, Notify)>);

impl Logs {
    pub(crate) fn taker(&self) -> impl Fn(&LogRecord) + Send + Sync + 'static {
        let logs = self.clone();
        move |record| {
            logs.0.0.lock().expect("logs").push(record.clone());
            logs.0.1.notify_waiters();
        }
    }

    /// Waits for a record with this message.
    pub(crate) async fn find(&self, message: &str) -> LogRecord {
        loop {
            let more = self.0.1.notified();
            let found = self.0.0.lock().expect("logs").iter().find(|record| record.message == message).cloned();
            if let Some(record) = found {
                return record;
            }
            more.await;
        }
    }
}

/// Expects that a call fails with this code, and a message in which each of the texts occurs; gives the error.
pub(crate) async fn failure<T: Debug>(
    call: impl IntoFuture<Output = Result<T, Error>>,
    code: Code,
    texts: &[&str],
) -> Error {
    failed(call.await, code, texts)
}

/// Expects a failure, as [`failure`].
pub(crate) fn failed<T: Debug>(result: Result<T, Error>, code: Code, texts: &[&str]) -> Error {
    let error = result.expect_err("a failure");
    assert_eq!(error.code(), code, "{error}");
    for text in texts {
        assert!(error.message().contains(text), "{text:?} is not in {:?}", error.message());
    }
    error
}

/// Begins a call: what is returned waits for its answer.
pub(crate) fn begin<T: Send + 'static>(
    call: impl IntoFuture<Output = T, IntoFuture: Send + 'static>,
) -> impl Future<Output = T> {
    let call = tokio::spawn(call.into_future());
    async { call.await.expect("an answer") }
}
