//! anyplug's own host, and plugins that are WebAssembly modules.

use std::path::PathBuf;

use anyplug::{CacheFolder, Plugin, WasmLimits};
use anyplug_generated::anyplug::bench::v1::{BenchClient, EchoRequest};
use anyplug_generated::eliza_classic::v1::{ElizaClient, ReplyRequest};

use crate::starts::{self, FreshFile, MODULES};
use crate::{Answer, Contender, Failure, clock};

/// Loaded plugins: the one that echoes, and ELIZA in the same language.
pub(crate) struct Modules {
    file: PathBuf,
    bytes: Vec<u8>,
    plugin: Plugin,
    eliza: Option<Plugin>,
}

impl Modules {
    /// Loads the module of a guest: "rust" or "ts" with their SDKs, or "bare".
    pub(crate) async fn load(guest: &str) -> Result<Self, Failure> {
        let (file, eliza) = match guest {
            "bare" => (PathBuf::from(MODULES).join("bare.wasm"), None),
            _ => {
                let eliza = format!("plugins/eliza-classic/{guest}/bin/eliza-classic.wasm");
                let file = format!("plugins/bench-plugin/{guest}/bin/bench-plugin.wasm");
                (PathBuf::from(file), Some(anyplug::load_plugin(eliza).await?))
            }
        };
        Ok(Self { bytes: std::fs::read(&file)?, plugin: anyplug::load_plugin(&file).await?, file, eliza })
    }

    async fn start_cold(&self) -> Result<Plugin, Failure> {
        let file = FreshFile::new(&self.bytes)?;
        let nowhere = WasmLimits { cache: CacheFolder::Off, ..WasmLimits::default() };
        answered(anyplug::load_plugin(file.path()).wasm(nowhere).await?).await
    }

    async fn start_warm(&self) -> Result<Plugin, Failure> {
        answered(anyplug::load_plugin(&self.file).await?).await
    }
}

async fn answered(plugin: Plugin) -> Result<Plugin, Failure> {
    echo(&BenchClient::new(&plugin), 16).await?;
    Ok(plugin)
}

async fn echo(client: &BenchClient, size: usize) -> Result<(), Failure> {
    let response = client.echo(EchoRequest { data: vec![7; size] }).await?;
    if response.data.len() == size { Ok(()) } else { Err(Failure::from("an echo of another size")) }
}

/// Replies of ELIZA, one after the other.
async fn replies(plugin: &Plugin, ms: u64) -> Result<Answer, Failure> {
    let client = ElizaClient::new(plugin);
    let reply = || async {
        let request = ReplyRequest { text: "Men are all alike.".into(), session_id: "bench".into() };
        Ok::<_, Failure>(client.reply(request).await?)
    };
    clock::latency(ms, 10, reply).await
}

impl Contender for Modules {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        if let Some(size) = starts::echo_size(what) {
            let client = BenchClient::new(&self.plugin);
            return clock::latency(ms, starts::batch_of(size), || echo(&client, size)).await;
        }
        let close = async |plugin: Plugin| Ok(plugin.close().await?);
        match what {
            "eliza" => replies(self.eliza.as_ref().ok_or("it has no ELIZA")?, ms).await,
            "cold" => starts::times(ms, async || self.start_cold().await, close).await,
            "warm" => starts::times(ms, async || self.start_warm().await, close).await,
            "instances" | "instance-memory" => starts::many(what, async || self.start_warm().await, close).await,
            _ => Err(format!("a module cannot run {what:?}").into()),
        }
    }

    async fn close(self) -> Result<(), Failure> {
        self.plugin.close().await?;
        if let Some(eliza) = self.eliza {
            eliza.close().await?;
        }
        Ok(())
    }
}

/// ELIZA without a module, linked into this program.
pub(crate) struct DirectEliza(Plugin);

impl DirectEliza {
    pub(crate) async fn load() -> Result<Self, Failure> {
        Ok(Self(anyplug::load_direct(eliza_classic::plugin()).await?))
    }
}

impl Contender for DirectEliza {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        if what == "eliza" { replies(&self.0, ms).await } else { Err(format!("it cannot run {what:?}").into()) }
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(self.0.close().await?)
    }
}
