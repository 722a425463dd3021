//! Waiting for the host's clock.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyplug_core::Instant;

use super::executor::{TimerKey, forget_timer, set_timer};
use super::imports::now;

/// Ends when so much time has passed.
pub(crate) fn sleep(duration: Duration) -> Sleep {
    Sleep { at: now().saturating_add(duration), key: None }
}

pub(crate) struct Sleep {
    at: Instant,
    key: Option<TimerKey>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        if now() >= self.at {
            return Poll::Ready(());
        }
        self.key = Some(set_timer(self.key, self.at, task.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            forget_timer(key);
        }
    }
}
