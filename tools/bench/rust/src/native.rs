//! Plugins that are shared libraries in this process.

use std::time::{Duration, Instant};

use anyplug::{Plugin, Streaming};
use anyplug_generated::anyplug::bench::v1::{BenchClient, EchoRequest};
use anyplug_generated::anyplug::test::v1::{ConverseRequest, ConverseResponse, EchoRequest as TestRequest, TestClient};
use futures_util::stream;
use tokio::sync::mpsc;

use crate::{Answer, Contender, Failure, clock};

/// Bytes of a message of a stream.
pub(crate) const SMALL: usize = 64;

/// Bytes of an echo, by what is asked for.
pub(crate) fn size_of(what: &str) -> Result<usize, Failure> {
    match what {
        "echo64" => Ok(SMALL),
        "echo64k" => Ok(64 << 10),
        _ => Err(format!("a library cannot run {what:?}").into()),
    }
}

fn batch_of(size: usize) -> u32 {
    if size > 4096 { 1 } else { 50 }
}

pub(crate) fn checked(length: usize, size: usize) -> Result<(), Failure> {
    if length == size { Ok(()) } else { Err(Failure::from("an echo of another size")) }
}

/// A loaded plugin: in Rust by the SDK, or in C by the header alone, which shows what the host costs.
pub(crate) struct Native {
    plugin: Plugin,
    is_c: bool,
}

impl Native {
    /// Loads the library of a plugin in "rust" or "c".
    pub(crate) async fn load(language: &str) -> Result<Self, Failure> {
        let is_c = language == "c";
        let folder = if is_c { "plugins/test-plugin/c" } else { "plugins/bench-plugin/rust" };
        Ok(Self { plugin: anyplug::load_plugin(folder).transport("ffi").await?, is_c })
    }
}

impl Contender for Native {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        let size = size_of(what)?;
        if self.is_c {
            let client = TestClient::new(&self.plugin);
            let echo = || async {
                let response = client.echo(TestRequest { data: vec![7; size], ..TestRequest::default() }).await?;
                checked(response.data.len(), size)
            };
            return clock::latency(ms, batch_of(size), echo).await;
        }
        let client = BenchClient::new(&self.plugin);
        let echo = || async {
            let response = client.echo(EchoRequest { data: vec![7; size] }).await?;
            checked(response.data.len(), size)
        };
        clock::latency(ms, batch_of(size), echo).await
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(self.plugin.close().await?)
    }
}

/// A stream of a plugin that is open: it answers each message, in Rust by a thread of its own, in C before it returns.
pub(crate) struct Conversation {
    say: mpsc::UnboundedSender<ConverseRequest>,
    answers: Streaming<ConverseResponse>,
    plugin: Plugin,
}

impl Conversation {
    /// Loads the library of the test plugin in "rust" or "c", and begins a stream.
    pub(crate) async fn begin(language: &str) -> Result<Self, Failure> {
        let plugin = anyplug::load_plugin(format!("plugins/test-plugin/{language}")).transport("ffi").await?;
        let (say, said) = mpsc::unbounded_channel();
        let requests = stream::unfold(said, |mut said| async { said.recv().await.map(|message| (message, said)) });
        let answers = TestClient::new(&plugin).converse(requests).await?;
        Ok(Self { say, answers, plugin })
    }
}

impl Contender for Conversation {
    async fn run(&mut self, _: &str, ms: u64) -> Result<Answer, Failure> {
        let mut samples = Vec::new();
        let end = Instant::now() + Duration::from_millis(ms);
        while samples.is_empty() || Instant::now() < end {
            let start = Instant::now();
            self.say.send(ConverseRequest { data: vec![7; SMALL], ..ConverseRequest::default() })?;
            let answer = self.answers.message().await?.ok_or("the stream has ended")?;
            samples.push(start.elapsed().as_secs_f64() * 1e6);
            checked(answer.data.len(), SMALL)?;
        }
        Ok(clock::percentiles(samples))
    }

    async fn close(self) -> Result<(), Failure> {
        drop((self.say, self.answers));
        Ok(self.plugin.close().await?)
    }
}
