//! anyplug's own host.

use std::time::Instant;

use anyplug::Plugin;
use anyplug_generated::anyplug::bench::v1::{BenchClient, CountRequest, EchoRequest};

use crate::{Answer, Contender, Failure, clock};

/// What a small call carries, in bytes; calls in flight; a large message; how many are in flight; messages of a stream.
pub(crate) const SMALL: usize = 64;
pub(crate) const IN_FLIGHT: usize = 64;
pub(crate) const LARGE: usize = 1 << 20;
pub(crate) const LARGE_IN_FLIGHT: usize = 4;
pub(crate) const STREAM: u32 = 2_000;
/// Streams at the same time, and the messages of each.
const STREAMS: usize = 1_000;
const SHORT_STREAM: u32 = 10;

/// A loaded plugin.
pub(crate) struct Host {
    plugin: Plugin,
    language: Option<String>,
    /// Calls to a sample: a direct call takes not much longer than reading the clock.
    batch: u32,
}

impl Host {
    /// Loads the bench plugin of a language as a child process. The working folder is the root of the repository.
    pub(crate) async fn process(language: &str) -> Result<Self, Failure> {
        Ok(Self { plugin: load(language).await?, language: Some(language.to_owned()), batch: 1 })
    }

    /// Loads the bench plugin that is linked into this program.
    pub(crate) async fn direct() -> Result<Self, Failure> {
        let plugin = anyplug::load_direct(anyplug_bench_plugin::plugin()).await?;
        Ok(Self { plugin, language: None, batch: 50 })
    }
}

impl Host {
    /// Loads the bench plugin that is served at an address.
    pub(crate) async fn served(address: &str) -> Result<Self, Failure> {
        Ok(Self { plugin: anyplug::load_plugin(address).await?, language: None, batch: 1 })
    }
}

/// Asks for a stream of small messages, and reads it.
async fn stream(client: &BenchClient, messages: u32) -> Result<(), Failure> {
    let mut responses = client.count(CountRequest { count: messages, size: SMALL as u32 }).await?;
    let mut count = 0;
    while responses.message().await?.is_some() {
        count += 1;
    }
    if count == messages { Ok(()) } else { Err(Failure::from("a stream of another length")) }
}

async fn load(language: &str) -> Result<Plugin, Failure> {
    Ok(anyplug::load_plugin(format!("plugins/bench-plugin/{language}")).transport("process").await?)
}

impl Contender for Host {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        let client = BenchClient::new(&self.plugin);
        let echo = |size: usize| {
            let client = &client;
            let data = vec![7; size];
            async move {
                let response = client.echo(EchoRequest { data }).await?;
                if response.data.len() == size { Ok(()) } else { Err(Failure::from("an echo of another size")) }
            }
        };
        match what {
            "latency" => clock::latency(ms, self.batch, || echo(SMALL)).await,
            "throughput" => Ok(Answer::of(clock::throughput(ms, IN_FLIGHT, || echo(SMALL)).await?)),
            "bulk" => {
                let calls = clock::throughput(ms, LARGE_IN_FLIGHT, || echo(LARGE)).await?;
                Ok(Answer::of(calls * 2.0 * LARGE as f64 / 1e6))
            }
            "stream" => {
                let streams = clock::throughput(ms, 1, || stream(&client, STREAM)).await?;
                Ok(Answer::of(streams * f64::from(STREAM)))
            }
            "streams" => {
                let streams = clock::throughput(ms, STREAMS, || stream(&client, SHORT_STREAM)).await?;
                Ok(Answer::of(streams * f64::from(SHORT_STREAM)))
            }
            "load" => {
                let language = self.language.as_deref().ok_or("a linked plugin is not loaded from anywhere")?;
                let start = Instant::now();
                let plugin = load(language).await?;
                BenchClient::new(&plugin).echo(EchoRequest { data: vec![7; SMALL] }).await?;
                let answer = Answer::of(start.elapsed().as_secs_f64() * 1e3);
                plugin.close().await?;
                Ok(answer)
            }
            _ => Err(format!("a host cannot run {what:?}").into()),
        }
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(self.plugin.close().await?)
    }
}
