//! Plugins that are shared libraries in this process, and a plain call through a trait object.

use std::hint::black_box;

use anyplug::Plugin;
use anyplug_generated::anyplug::bench::v1::{BenchClient, EchoRequest};
use anyplug_generated::anyplug::test::v1::{EchoRequest as TestRequest, TestClient};

use crate::{Answer, Contender, Failure, clock};

/// Bytes of an echo, by what is asked for.
fn size_of(what: &str) -> Result<usize, Failure> {
    match what {
        "echo64" => Ok(64),
        "echo64k" => Ok(64 << 10),
        _ => Err(format!("a library cannot run {what:?}").into()),
    }
}

fn batch_of(size: usize) -> u32 {
    if size > 4096 { 1 } else { 50 }
}

fn checked(length: usize, size: usize) -> Result<(), Failure> {
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

/// What a caller knows of the callee: of a library it knows no more.
trait Echo {
    fn echo(&self, data: &[u8]) -> Vec<u8>;
}

struct Copying;

impl Echo for Copying {
    fn echo(&self, data: &[u8]) -> Vec<u8> {
        data.to_vec()
    }
}

/// A call through a trait object that copies the bytes, as often as those of a request and an answer are made.
pub(crate) struct PlainCopy;

impl Contender for PlainCopy {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        let size = size_of(what)?;
        let handler: &dyn Echo = black_box(&Copying);
        Ok(clock::operation(ms, || black_box(handler.echo(&vec![7; size]))))
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}
