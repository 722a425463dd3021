//! Runs work that blocks in a thread of its own, for callers on any runtime or none.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use anyplug_core::{Error, Result};
#[cfg(feature = "wasm")]
use anyplug_threads::workers;

/// Tells work that nobody waits for it any more.
#[derive(Clone, Default)]
pub(crate) struct Abandoned(Arc<AtomicBool>);

impl Abandoned {
    /// # Errors
    /// CANCELLED, when nobody waits any more.
    pub(crate) fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(Error::cancelled("the load was given up")) } else { Ok(()) }
    }
}

/// Runs `work` in a new thread; the future waits for what it returns.
///
/// # Errors
/// What `work` returned; UNAVAILABLE when the system gives no thread.
pub(crate) fn offload<T: Send + 'static>(work: impl FnOnce(&Abandoned) -> Result<T> + Send + 'static) -> Offloaded<T> {
    let offloaded = Offloaded { state: Arc::default(), abandoned: Abandoned::default() };
    let (state, abandoned) = (offloaded.state.clone(), offloaded.abandoned.clone());
    let thread = std::thread::Builder::new().name("anyplug-load".to_owned()).spawn(move || {
        finish(&state, work(&abandoned));
    });
    if let Err(error) = thread {
        finish(&offloaded.state, Err(Error::unavailable(format!("no thread: {error}")).with_source(error)));
    }
    offloaded
}

/// Runs `work` in a thread that is kept for the next; the future waits for what it returns.
///
/// # Errors
/// What `work` returned.
#[cfg(feature = "wasm")]
pub(crate) fn offload_call<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Offloaded<T> {
    let offloaded = Offloaded { state: Arc::default(), abandoned: Abandoned::default() };
    let state = offloaded.state.clone();
    workers::run(move || finish(&state, work()));
    offloaded
}

/// What these return.
pub(crate) struct Offloaded<T> {
    state: Arc<Mutex<State<T>>>,
    abandoned: Abandoned,
}

struct State<T> {
    result: Option<Result<T>>,
    waker: Option<Waker>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { result: None, waker: None }
    }
}

fn finish<T>(state: &Mutex<State<T>>, result: Result<T>) {
    let mut state = lock(state);
    state.result = Some(result);
    if let Some(waker) = state.waker.take() {
        drop(state);
        waker.wake();
    }
}

impl<T> Future for Offloaded<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.state);
        match state.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                state.waker = Some(task.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Offloaded<T> {
    fn drop(&mut self) {
        self.abandoned.0.store(true, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
