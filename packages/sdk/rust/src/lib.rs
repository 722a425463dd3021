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

#[cfg(target_family = "wasm")]
pub mod embedded;
#[cfg(not(target_family = "wasm"))]
mod listen;
mod log;
#[cfg(not(target_family = "wasm"))]
pub mod native;
mod plugin;
mod preface;
#[cfg(all(feature = "python", not(target_family = "wasm")))]
pub mod python;
#[cfg(not(target_family = "wasm"))]
mod runtime;
mod section;
#[cfg(not(target_family = "wasm"))]
mod serve;
mod side;
#[cfg(not(target_family = "wasm"))]
mod signals;
pub mod time;
#[cfg(target_family = "wasm")]
mod unserved;

pub use anyplug_core::{
    Caller, Code, Context, Error, Implementation, LimitOptions, LogLevel, LogRecord, Metadata, Result, Sender,
    Streaming,
};
#[cfg(not(target_family = "wasm"))]
pub use anyplug_ipc::TlsOptions;
/// Makes a crate a plugin that can be carried within its host's process. It goes on the function without parameters that returns the [`Plugin`]; such a crate has `crate-type = ["cdylib", "rlib"]`, and
/// what `cargo build` makes of it is a shared library, and what `cargo build --target wasm32-unknown-unknown` makes of it a module; every host loads both.
///
/// `name` is for a package that is not named as its plugin is. `python` is the name of the module of Python that the library is as well, when the feature `python` is on: see `python`.
///
/// ```
/// use anyplug_sdk::Plugin;
///
/// #[anyplug_sdk::plugin(name = "greeter", python = "anyplug_greeter")]
/// fn plugin() -> Plugin {
///     Plugin::new("greeter", env!("CARGO_PKG_VERSION"))
/// }
/// ```
pub use anyplug_macros::sdk_plugin as plugin;
#[cfg(not(target_family = "wasm"))]
pub use listen::{PluginServer, ServeOptions, listen};
pub use log::{log, log_record};
pub use plugin::Plugin;
/// The configuration that a host gives, as JSON.
pub use serde_json::Value as Config;
#[cfg(not(target_family = "wasm"))]
pub use serve::{serve, serve_with};
#[cfg(target_family = "wasm")]
pub use unserved::serve;

#[cfg(not(all(feature = "python", not(target_family = "wasm"))))]
#[doc(hidden)]
#[macro_export]
macro_rules! export_python {
    ($($module:item)*) => {};
}
