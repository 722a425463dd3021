//! Waiting, wherever a plugin runs: in a process it is tokio that waits, in a WebAssembly module the host.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use anyplug_core::{Error, Result};

#[cfg(target_family = "wasm")]
use crate::embedded::sleep as platform_sleep;
#[cfg(not(target_family = "wasm"))]
use tokio::time::sleep as platform_sleep;

/// Waits for so long.
///
/// # Panics
/// In a process, outside of tokio's runtime: handlers are within it.
pub async fn sleep(duration: Duration) {
    platform_sleep(duration).await;
}

/// Waits for a future, for so long at most.
///
/// ```
/// # use std::time::Duration;
/// # use anyplug_sdk::{Code, time::{sleep, timeout}};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// assert_eq!(timeout(Duration::from_secs(60), async { 7 }).await.unwrap(), 7);
/// let error = timeout(Duration::ZERO, sleep(Duration::from_secs(60))).await.unwrap_err();
/// assert_eq!(error.code(), Code::DeadlineExceeded);
/// # });
/// ```
///
/// # Errors
/// DEADLINE_EXCEEDED, when it took longer. The future is dropped then.
pub async fn timeout<T>(duration: Duration, future: impl Future<Output = T>) -> Result<T> {
    let (mut future, mut late) = (pin!(future), pin!(sleep(duration)));
    std::future::poll_fn(|task| {
        if let Poll::Ready(result) = future.as_mut().poll(task) {
            return Poll::Ready(Ok(result));
        }
        let late = late.as_mut().poll(task);
        late.map(|()| Err(Error::deadline_exceeded(format!("it took longer than {} ms", duration.as_millis()))))
    })
    .await
}
