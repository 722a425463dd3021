//! Puts checkpoints into a WebAssembly module, so that a host whose engine has neither fuel nor epochs can stop it on
//! its own thread, and caps its memory and its tables. `docs/wasm-limits.md` tells the design and what it costs.
//!
//! ```
//! use anyplug_instrument::{instrument, Limits};
//!
//! // (module (func (export "f") (loop br 0)))
//! let endless = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x05\x01\x01f\0\0\x0a\x09\x01\x07\0\x03\x40\x0c\0\x0b\x0b";
//! let stoppable = instrument(endless, &Limits::default()).expect("a valid module");
//! assert!(stoppable.len() > endless.len());
//! ```

mod added;
mod analysis;
mod body;
mod calls;
mod code;
mod flow;
mod limits;
mod module;
mod plan;
mod refusal;
mod sections;
#[cfg(target_arch = "wasm32")]
mod wasm;

pub use added::{CHECKPOINT, LEFT, SET, START};
pub use limits::Limits;
pub use refusal::{Kind, Refusal};

/// Returns the module with checkpoints in it, and with memory and tables capped. No index of it shifts; what is added
/// and exported is named by [`CHECKPOINT`], [`LEFT`], [`SET`] and [`START`].
///
/// # Errors
///
/// A [`Refusal`]: it is no valid module, it uses a feature that cannot be held to limits, or it wants more than they
/// allow from the start.
pub fn instrument(module: &[u8], limits: &Limits) -> Result<Vec<u8>, Refusal> {
    let module = module::read(module)?;
    limits::check(&module, limits)?;
    let added = added::Added::to(&module)?;
    let order = calls::order(&module);
    let bodies = analysis::bodies(&module, &order, &added)?;
    sections::write(&module, limits, &added, &bodies)
}
