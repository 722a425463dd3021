//! anyplug transport into a WebAssembly module: `docs/embedded-abi.md` is what module and host agree on.
//!
//! [`Module`] is a module that was checked and compiled; [`Instance`] is one of its instances, and moves the bytes of an ordinary [`Connection`](anyplug_core::Connection). The guest runs in the thread
//! of whoever calls it, one thread at a time; what it sends while it runs is handled when it has returned. A trap, a limit or a lie ends the instance, and nothing else.

mod cache;
mod data;
mod engine;
mod extism;
mod frames;
mod guest;
mod imports;
mod instance;
mod limits;
mod module;
mod section;
mod ticker;
mod wasi;

pub use extism::{Extism, ExtismOptions, HostFunction, OnLog};
pub use instance::Instance;
pub use limits::{CacheFolder, WasiDirectory, WasmLimits};
pub use module::Module;
pub use section::{ABI, SECTION, Section, read_section, read_section_of};
