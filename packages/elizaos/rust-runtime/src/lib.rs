//! Registers plugins of anyplug with ElizaOS's own Rust runtime, the crate `elizaos`: the plugin asks the runtime, and the runtime asks the plugin.
//!
//! ```no_run
//! # async fn example(runtime: std::sync::Arc<elizaos::AgentRuntime>) -> anyplug_core::Result<()> {
//! let bridge = anyplug_elizaos_runtime::ElizaosBridge::new(&runtime);
//! let mut load = anyplug_host::load_plugin("./plugins/weather").grant("agent.settings");
//! for service in bridge.services() {
//!     load = load.service(service);
//! }
//! let plugin = load.await?;
//! bridge.register_plugin(plugin.link(), Default::default()).await
//! # }
//! ```
//!
//! The crate `elizaos` runs `protoc` when it is built.

mod behind;
mod bridge;
mod handlers;
mod values;

pub use bridge::{ElizaosBridge, OnContent};
