//! The engines that all modules of this program share.

use std::sync::OnceLock;

use anyplug_core::{Error, Result};
use wasmtime::{Config, Engine, WasmFeatures};

static TIMED: OnceLock<Engine> = OnceLock::new();
static FUELED: OnceLock<Engine> = OnceLock::new();

/// The stack that a guest may use of the thread that runs it, in bytes.
const STACK_BYTES: usize = 512 << 10;

/// The engine for modules with or without fuel. Counting work costs time, so that it has an engine of its own.
///
/// # Errors
/// INTERNAL, when the engine does not run on this machine.
pub(crate) fn engine(with_fuel: bool) -> Result<&'static Engine> {
    let place = if with_fuel { &FUELED } else { &TIMED };
    if let Some(engine) = place.get() {
        return Ok(engine);
    }
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(with_fuel)
        .max_wasm_stack(STACK_BYTES)
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_features(WasmFeatures::CUSTOM_PAGE_SIZES | WasmFeatures::WIDE_ARITHMETIC, false);
    let engine = Engine::new(&config)
        .map_err(|error| Error::internal(format!("WebAssembly cannot be run on this machine: {error:#}")))?;
    Ok(place.get_or_init(|| engine))
}

/// A millisecond of running guests is over.
pub(crate) fn tick() {
    for engine in [&TIMED, &FUELED].into_iter().filter_map(OnceLock::get) {
        engine.increment_epoch();
    }
}
