//! Loads anyplug plugins: manifest, discovery, loadPlugin.
//!
//! [`load_plugin`] gives a [`Plugin`], on which generated clients make their calls. Below it stand the steps that it takes, none of which needs a runtime: [`plan`], [`Instance::start`] and
//! [`Instance::open`].

mod command;
mod direct;
mod instance;
mod interpreter;
mod load;
mod manifest;
mod offload;
mod options;
mod paths;
mod plan;
mod plugin;
mod reconnect;
mod runtime;
mod shape;
mod socket;
mod wait;

pub use anyplug_direct::Definition;
pub use anyplug_ipc::{EnvironmentOptions, InheritEnv, Runtime, TlsOptions};
pub use command::split_command;
pub use instance::Instance;
pub use interpreter::{InterpreterOptions, interpreter};
pub use load::{Load, load_blocking, load_direct, load_plugin};
pub use manifest::{
    Action, Evaluator, Interop, LocatedManifest, MANIFEST_FILE, Manifest, ManifestLimits, Provider, Route, Service,
    parse_manifest, read_manifest,
};
pub use options::{LoadOptions, OnLog};
pub use paths::path_inside;
pub use plan::{Plan, TRANSPORTS, plan};
pub use plugin::Plugin;
pub use reconnect::{Pace, ReconnectOptions};
pub use socket::{dial, manifest_of};
