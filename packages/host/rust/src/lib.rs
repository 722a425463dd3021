//! Loads anyplug plugins: manifest, discovery, loadPlugin.
//!
//! [`load_plugin`] gives a [`Plugin`], on which generated clients make their calls. Below it stand the steps that it takes, none of which needs a runtime: [`plan`], [`Instance::start`] and
//! [`Instance::open`].

mod builtin;
mod command;
mod dependencies;
mod derive;
mod direct;
mod discovery;
#[cfg(feature = "wasm")]
mod extism;
mod ffi;
mod instance;
mod interpreter;
mod isolation;
mod json_rpc;
mod load;
mod loaders;
mod locate;
mod manifest;
mod npm;
mod offload;
mod options;
mod package;
mod paths;
mod plan;
mod plugin;
mod python;
mod reconnect;
mod run_library;
mod runtime;
mod set;
mod shape;
mod socket;
mod wait;
#[cfg_attr(not(feature = "wasm"), path = "no_wasm.rs")]
mod wasm;

pub use anyplug_direct::Definition;
pub use anyplug_ipc::{EnvironmentOptions, InheritEnv, Runtime, TlsOptions};
#[cfg(feature = "wasm")]
pub use anyplug_wasm::{CacheFolder, ExtismOptions, HostFunction, WasiDirectory, WasmLimits};
pub use builtin::{register_builtin, unregister_builtin};
pub use command::split_command;
pub use discovery::{Discovery, DiscoveryOptions, FoundPlugin, Look, PluginFailure, PluginSource, discover_plugins};
#[cfg(feature = "wasm")]
pub use extism::{ExtismCall, ExtismLoad, ExtismPlugin, ExtismSource, load_extism_plugin};
pub use instance::{Instance, explain_start, late_start};
pub use interpreter::{InterpreterOptions, interpreter};
pub use isolation::{FfiOptions, Isolation};
pub use json_rpc::{WhyEnded, connect_json_rpc, dial_json_rpc, json_rpc_manifest, start_json_rpc};
pub use load::{Load, load_blocking, load_direct, load_plugin};
pub use loaders::{PythonPluginLoader, TypeScriptPluginLoader};
pub use locate::locate_plugin;
pub use manifest::{
    Action, Evaluator, Interop, LocatedManifest, MANIFEST_FILE, Manifest, ManifestLimits, Provider, Route, Service,
    parse_manifest, read_manifest,
};
pub use options::{LoadOptions, OnLog};
pub use paths::path_inside;
pub use plan::{Plan, TRANSPORTS, locate_library, plan};
pub use plugin::Plugin;
pub use reconnect::{Pace, ReconnectOptions};
pub use run_library::run_library;
pub use set::{PluginSet, load_plugins};
pub use socket::{dial, manifest_of};
