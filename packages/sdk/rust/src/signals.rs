//! Waits for the order to end.

use anyplug_core::{Error, Result};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Returns what waits for SIGTERM or SIGINT; from now on neither ends the process by itself.
pub(crate) fn wait_for_signal() -> Result<impl FnOnce()> {
    let refused =
        |error: std::io::Error| Error::unavailable(format!("signals cannot be waited for: {error}")).with_source(error);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(refused)?;
    let entered = runtime.enter();
    let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
    drop(entered);
    Ok(move || {
        let wait = move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            });
        };
        // In a thread of its own: a main function may be within a runtime.
        let _ = std::thread::spawn(wait).join();
    })
}
