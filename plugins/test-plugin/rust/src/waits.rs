//! How the waits of this plugin ended.

use tokio::sync::watch;

/// Counts, and tells who waits for them that they changed.
#[derive(Debug)]
pub(crate) struct Waits {
    counts: watch::Sender<Counts>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) started: u32,
    pub(crate) completed: u32,
    pub(crate) cancelled: u32,
}

impl Default for Waits {
    fn default() -> Self {
        Self { counts: watch::Sender::new(Counts::default()) }
    }
}

impl Waits {
    /// A wait that has begun. Unless it is completed, it counts as cancelled when it is dropped.
    pub(crate) fn start(&self) -> Wait<'_> {
        self.counts.send_modify(|counts| counts.started += 1);
        Wait { waits: self, completed: false }
    }

    /// Waits until that many have begun, and all that have begun have ended.
    pub(crate) async fn settled(&self, at_least: u32) -> Counts {
        let mut counts = self.counts.subscribe();
        let settled =
            |counts: &Counts| counts.started >= at_least && counts.started == counts.completed + counts.cancelled;
        match counts.wait_for(settled).await {
            Ok(counts) => *counts,
            // The sender lives as long as this does.
            Err(_) => Counts::default(),
        }
    }
}

pub(crate) struct Wait<'a> {
    waits: &'a Waits,
    completed: bool,
}

impl Wait<'_> {
    pub(crate) fn complete(mut self) {
        self.completed = true;
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.waits.counts.send_modify(|counts| match self.completed {
            true => counts.completed += 1,
            false => counts.cancelled += 1,
        });
    }
}
