//! The plugin that the benchmark calls.

use anyplug_generated::anyplug::bench::v1::{
    Bench, BenchHandler, CountRequest, CountResponse, EchoRequest, EchoResponse,
};
use anyplug_sdk::{Context, Plugin, Result, Sender};

struct BenchPlugin;

impl BenchHandler for BenchPlugin {
    async fn echo(&self, request: EchoRequest, _: Context) -> Result<EchoResponse> {
        Ok(EchoResponse { data: request.data })
    }

    async fn count(&self, request: CountRequest, responses: Sender<CountResponse>, _: Context) -> Result<()> {
        let data = vec![0; request.size as usize];
        for _ in 0..request.count {
            responses.send(CountResponse { data: data.clone() }).await?;
        }
        Ok(())
    }
}

/// The plugin.
#[anyplug_sdk::plugin(name = "bench-plugin")]
pub fn plugin() -> Plugin {
    Plugin::new("bench-plugin", env!("CARGO_PKG_VERSION")).service(Bench::implement(BenchPlugin))
}
