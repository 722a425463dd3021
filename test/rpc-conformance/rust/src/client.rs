//! The client under test. It makes the calls that the runner asks for, all at once, and reports how each ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyplug::sdk::TlsOptions;
use anyplug::{Error, LimitOptions, Plugin, Result, load_direct, load_plugin};
use tokio::sync::{Mutex, OnceCell};
use tokio::task::{JoinSet, spawn_blocking};

use crate::call::make_call;
use crate::delimited::{read_message, write_message};
use crate::packages::connectrpc::conformance::v1::client_compat_response::Result as Outcome;
use crate::packages::connectrpc::conformance::v1::{ClientCompatRequest, ClientCompatResponse, ClientErrorResult};
use crate::plugin;
use crate::server::certificates;

/// Runs until the runner asks for nothing more.
pub(crate) async fn run(transport: String) -> Result<()> {
    let client = Arc::new(Client { transport, plugins: Mutex::default() });
    let mut calls = JoinSet::new();
    while let Some(request) =
        spawn_blocking(read_message).await.map_err(|error| Error::internal(error.to_string()))??
    {
        let client = client.clone();
        calls.spawn(async move { client.answer(request).await });
    }
    calls.join_all().await.into_iter().collect::<Result<Vec<()>>>()?;
    for plugin in client.plugins.lock().await.values() {
        if let Some(plugin) = plugin.get() {
            plugin.close().await?;
        }
    }
    Ok(())
}

struct Client {
    transport: String,
    /// One plugin for each server.
    plugins: Mutex<HashMap<String, Arc<OnceCell<Plugin>>>>,
}

impl Client {
    async fn answer(&self, request: ClientCompatRequest) -> Result<()> {
        let test_name = request.test_name.clone();
        let result = match self.load(&request).await {
            Ok(plugin) => Outcome::Response(make_call(&plugin, request).await),
            Err(error) => Outcome::Error(ClientErrorResult { message: error.to_string() }),
        };
        write_message(&ClientCompatResponse { test_name, result: Some(result) })
    }

    async fn load(&self, request: &ClientCompatRequest) -> Result<Plugin> {
        let key = format!("{} {}", request.host, request.client_tls_creds.is_none());
        let cell = self.plugins.lock().await.entry(key).or_default().clone();
        cell.get_or_try_init(|| self.load_new(request)).await.cloned()
    }

    async fn load_new(&self, request: &ClientCompatRequest) -> Result<Plugin> {
        let load = match &self.transport[..] {
            "direct" => load_direct(plugin()),
            _ if request.host.contains(':') => load_plugin(&request.host),
            transport => load_plugin(&request.host).transport(transport),
        };
        let load = if request.server_tls_cert.is_empty() { load } else { load.tls(tls_options(request)) };
        let max_message_bytes = Some(request.message_receive_limit);
        let limits = LimitOptions { max_message_bytes, ..LimitOptions::default() };
        load.limits(limits).start_timeout(Duration::from_secs(30)).await
    }
}

fn tls_options(request: &ClientCompatRequest) -> TlsOptions {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (certificate, key) = match &request.client_tls_creds {
        Some(creds) => (text(&creds.cert), text(&creds.key)),
        None => {
            let path = |name: &str| certificates().join(name).display().to_string();
            (path("host.pem"), path("host.key"))
        }
    };
    TlsOptions { certificate, key, ca: text(&request.server_tls_cert), server_name: None }
}
