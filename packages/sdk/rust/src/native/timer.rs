//! Comes back when calls are over their time.

use std::sync::{Mutex, PoisonError};

use anyplug_core::Instant;

use crate::runtime::PluginRuntime;

/// The earliest time at which it comes, if it does.
#[derive(Default)]
pub(super) struct Timer {
    armed: Mutex<Option<Instant>>,
}

impl Timer {
    /// Has `due` called at that time, unless it comes before then anyway: whoever is called arms it again.
    pub(super) fn arm(&self, runtime: &PluginRuntime, at: Instant, due: impl FnOnce() + Send + 'static) {
        let now = Instant::now();
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        // A time that has passed is one at which it has come, or is about to.
        if armed.is_some_and(|armed| armed <= at && armed > now) {
            return;
        }
        *armed = Some(at);
        drop(armed);
        let left = at.saturating_since(now);
        runtime.spawn_task(async move {
            tokio::time::sleep(left).await;
            due();
        });
    }
}
