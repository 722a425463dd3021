//! One thread that counts the time of the guests that run, while any does.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyplug_core::{Error, Result};

use crate::engine;

/// How far apart the looks at a guest's time are.
pub(crate) const TICK: Duration = Duration::from_millis(1);
/// The thread sleeps when nobody has run for so many ticks: waking it costs more than these.
const IDLE_TICKS: u32 = 50;

static TICKER: Ticker = Ticker {
    running: AtomicU32::new(0),
    is_asleep: AtomicBool::new(false),
    owner: Mutex::new(0),
    changed: Condvar::new(),
};

struct Ticker {
    /// Guests that run.
    running: AtomicU32,
    is_asleep: AtomicBool,
    /// The process that the thread belongs to: a fork has none. 0 before it was started.
    owner: Mutex<u32>,
    changed: Condvar,
}

/// Starts the thread, unless it runs.
///
/// # Errors
/// RESOURCE_EXHAUSTED, when the system has no thread to give.
pub(crate) fn start() -> Result<()> {
    let mut owner = TICKER.lock();
    let process = std::process::id();
    if *owner != process {
        std::thread::Builder::new().name("anyplug-wasm-ticker".to_owned()).spawn(|| TICKER.run()).map_err(|error| {
            Error::resource_exhausted("no thread could be started for the time limits of plugins").with_source(error)
        })?;
        *owner = process;
    }
    Ok(())
}

/// A guest that runs, until this is dropped.
pub(crate) struct Running(());

impl Running {
    pub(crate) fn new() -> Self {
        TICKER.running.fetch_add(1, Ordering::SeqCst);
        if TICKER.is_asleep.load(Ordering::SeqCst) {
            drop(TICKER.lock());
            TICKER.changed.notify_one();
        }
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        TICKER.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Ticker {
    fn run(&self) {
        let mut idle = 0;
        loop {
            std::thread::sleep(TICK);
            engine::tick();
            idle = if self.running.load(Ordering::Relaxed) == 0 { idle + 1 } else { 0 };
            if idle > IDLE_TICKS {
                self.sleep();
                idle = 0;
            }
        }
    }

    fn sleep(&self) {
        let mut owner = self.lock();
        self.is_asleep.store(true, Ordering::SeqCst);
        while self.running.load(Ordering::SeqCst) == 0 {
            owner = self.changed.wait(owner).unwrap_or_else(PoisonError::into_inner);
        }
        self.is_asleep.store(false, Ordering::SeqCst);
        drop(owner);
    }

    fn lock(&self) -> MutexGuard<'_, u32> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
