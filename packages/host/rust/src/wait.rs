//! Waits for a future in this thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

/// How often a thread that waits looks around.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Waits for `future` in this thread. `look` is called before each wait, at least every 50 ms; an error that it returns ends the wait.
///
/// # Errors
/// What `look` returned.
pub(crate) fn block_on<T, E>(future: impl Future<Output = T>, mut look: impl FnMut() -> Result<(), E>) -> Result<T, E> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Ok(value);
        }
        look()?;
        std::thread::park_timeout(LOOK_AGAIN);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
