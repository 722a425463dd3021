//! What the host gives, as `docs/embedded-abi.md` says.

use std::time::Duration;

use anyplug_core::{Instant, LogLevel};

#[link(wasm_import_module = "anyplug")]
unsafe extern "C" {
    #[link_name = "send"]
    safe fn import_send(pointer: *const u8, length: usize);
    #[link_name = "clock"]
    safe fn import_clock(clock: i32) -> f64;
    #[link_name = "log"]
    safe fn import_log(level: i32, pointer: *const u8, length: usize);
}

const MONOTONIC: i32 = 0;

/// Sends bytes to the host.
pub(super) fn send(bytes: &[u8]) {
    import_send(bytes.as_ptr(), bytes.len());
}

/// Now, by a clock that only goes forward.
pub(super) fn now() -> Instant {
    Instant::from_start(Duration::from_nanos((import_clock(MONOTONIC) * 1e6) as u64))
}

/// Writes a line to the host's log, where no connection can carry it.
pub(crate) fn log(level: LogLevel, line: &str) {
    import_log(level as i32 + 1, line.as_ptr(), line.len());
}
