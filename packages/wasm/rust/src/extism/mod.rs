//! Extism plugins: modules that were built with one of Extism's development kits. <https://extism.org>

mod blocks;
mod functions;
mod guest;
mod hosts;
mod http;
mod kernel;
mod module;
mod options;
mod plugin;

pub(crate) use kernel::Kernel;
pub use options::{ExtismOptions, HostFunction, OnLog};
pub use plugin::Extism;
