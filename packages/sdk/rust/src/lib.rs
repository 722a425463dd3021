//! What an anyplug plugin author imports: define a plugin and serve it over every transport.
//!
//! ```no_run
//! use anyplug_sdk::{Plugin, serve};
//!
//! fn plugin() -> Plugin {
//!     Plugin::new("greeter", env!("CARGO_PKG_VERSION")) // .service(Greeter::implement(MyGreeter))
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     serve(plugin())
//! }
//! ```

mod listen;
mod log;
mod plugin;
mod runtime;
mod serve;
mod signals;

pub use anyplug_core::{
    Caller, Code, Context, Error, Implementation, LimitOptions, LogLevel, LogRecord, Metadata, Result, Sender,
    Streaming,
};
pub use anyplug_ipc::TlsOptions;
pub use listen::{PluginServer, ServeOptions, listen};
pub use log::{log, log_record};
pub use plugin::Plugin;
/// The configuration that a host gives, as JSON.
pub use serde_json::Value as Config;
pub use serve::{serve, serve_with};
