//! Any runtime loads any plugin.
//!
//! A `.proto` file is the contract, and `buf generate` makes the stubs. A host loads a plugin, in whatever language it is written:
//!
//! ```no_run
//! use anyplug_generated::greeter::v1::{GreetRequest, GreeterClient};
//!
//! # async fn example() -> anyplug::Result<()> {
//! let plugin = anyplug::load_plugin("./plugins/greeter").await?;
//! let greeter = GreeterClient::new(&plugin);
//! println!("{}", greeter.greet(GreetRequest { name: "Ada".into() }).await?.text);
//! plugin.close().await
//! # }
//! ```
//!
//! A plugin is a value that implements a generated interface, and is served (feature `sdk`):
//!
//! ```no_run
//! use anyplug::sdk::{Context, Plugin, Result, Sender, serve};
//! use anyplug_generated::greeter::v1::{
//!     GreetAllRequest, GreetAllResponse, GreetRequest, GreetResponse, Greeter, GreeterHandler,
//! };
//!
//! struct Polite;
//!
//! impl GreeterHandler for Polite {
//!     async fn greet(&self, request: GreetRequest, _: Context) -> Result<GreetResponse> {
//!         Ok(GreetResponse { text: format!("Hello, {}!", request.name) })
//!     }
//!
//!     async fn greet_all(&self, request: GreetAllRequest, responses: Sender<GreetAllResponse>, _: Context) -> Result<()> {
//!         responses.send(GreetAllResponse { text: format!("Hello, {}!", request.name) }).await
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     serve(Plugin::new("greeter", "1.0.0").service(Greeter::implement(Polite)))
//! }
//! ```

pub use anyplug_core::codegen;
pub use anyplug_core::{
    Any, CallOptions, Caller, Code, Context, Error, Implementation, LimitOptions, LogLevel, LogRecord, Metadata,
    MethodKind, Response, Result, Sender, Service, ServiceDescriptor, Streaming,
};
#[cfg(feature = "host")]
pub use anyplug_host::{
    Discovery, DiscoveryOptions, EnvironmentOptions, FoundPlugin, InheritEnv, InterpreterOptions, Load, LoadOptions,
    Look, Manifest, OnLog, Plugin, PluginFailure, PluginSet, PluginSource, PythonPluginLoader, TypeScriptPluginLoader,
    discover_plugins, load_direct, load_plugin, load_plugins, parse_manifest, read_manifest, register_builtin,
    unregister_builtin,
};

/// What a plugin that is a WebAssembly module may take, and Extism plugins.
#[cfg(feature = "wasm")]
pub use anyplug_host::{
    CacheFolder, ExtismCall, ExtismLoad, ExtismOptions, ExtismPlugin, ExtismSource, HostFunction, WasiDirectory,
    WasmLimits, load_extism_plugin,
};

/// An agent and its plugins: the contract `anyplug.agent.v1`, and a library for both sides.
#[cfg(feature = "agent")]
pub use anyplug_contracts::agent;

/// ElizaOS's line protocols, both ways.
#[cfg(feature = "elizaos")]
pub use anyplug_elizaos as elizaos;

/// Messages as proto3 JSON.
#[cfg(feature = "json")]
pub use anyplug_json as json;

/// Makes a crate a plugin that is carried within its host's process, as [`sdk::plugin`] does.
///
/// ```
/// #[anyplug::plugin(name = "greeter")]
/// fn plugin() -> anyplug::sdk::Plugin {
///     anyplug::sdk::Plugin::new("greeter", env!("CARGO_PKG_VERSION"))
/// }
/// ```
#[cfg(feature = "sdk")]
pub use anyplug_macros::umbrella_plugin as plugin;
/// What a plugin's author imports.
#[cfg(feature = "sdk")]
pub use anyplug_sdk as sdk;
