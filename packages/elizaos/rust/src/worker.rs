//! The thread in which a library is called: one call after the other, since nobody says that a library takes more, and none where others would wait for it.

use std::ffi::CString;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyplug_core::{Error, Result};
use anyplug_ffi::{ElizaosAnswer, ElizaosLibrary};
use tokio::sync::{oneshot, watch};

struct Call {
    function: &'static str,
    arguments: Vec<CString>,
    answer: oneshot::Sender<Result<ElizaosAnswer>>,
}

/// A library and its thread. When it is dropped, or closed, calls that were made end, and then the library is unloaded.
pub(crate) struct Worker {
    library: Mutex<Option<Loaded>>,
    /// Tells that the library is unloaded.
    over: watch::Sender<bool>,
}

struct Loaded {
    library: Arc<ElizaosLibrary>,
    calls: Sender<Call>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread of a library. RESOURCE_EXHAUSTED when there is none to be had.
    pub(crate) fn start(library: ElizaosLibrary) -> Result<Self> {
        let (calls, made) = channel::<Call>();
        let library = Arc::new(library);
        let called = library.clone();
        let run = move || {
            for Call { function, arguments, answer } in made {
                // Nobody waits for a call that was given up before it began.
                if !answer.is_closed() {
                    let _ = answer.send(called.call(function, &arguments));
                }
            }
        };
        let thread = std::thread::Builder::new().name("anyplug-library".to_owned()).spawn(run);
        let thread = thread.map_err(|error| {
            Error::resource_exhausted("no thread could be started for a library").with_source(error)
        })?;
        let library = Mutex::new(Some(Loaded { library, calls, thread }));
        Ok(Self { library, over: watch::Sender::new(false) })
    }

    /// Whether the library has such a function; none when it was closed.
    pub(crate) fn exports(&self, function: &str) -> Option<bool> {
        self.loaded().as_ref().map(|loaded| loaded.library.exports(function))
    }

    /// Calls a function, after all calls that were made before. None when the library was closed.
    pub(crate) async fn call(&self, function: &'static str, arguments: Vec<CString>) -> Option<Result<ElizaosAnswer>> {
        let (answer, answered) = oneshot::channel();
        self.loaded().as_ref()?.calls.send(Call { function, arguments, answer }).ok()?;
        answered.await.ok()
    }

    /// Takes no more calls, and waits until those that were made have ended and the library is unloaded, but not longer than that: what does not return cannot be ended.
    pub(crate) async fn close(&self, timeout: Duration) {
        self.end();
        let mut over = self.over.subscribe();
        // It is over, or it takes too long.
        let _ = tokio::time::timeout(timeout, over.wait_for(|over| *over)).await;
    }

    fn end(&self) {
        let Some(Loaded { library, calls, thread }) = self.loaded().take() else { return };
        drop(calls);
        let over = self.over.clone();
        let unload = move || {
            // The system keeps a library to which a living thread refers.
            let _ = thread.join();
            drop(library);
            over.send_replace(true);
        };
        // Without a thread to wait in, the last thread that refers to the library lets it go.
        drop(std::thread::Builder::new().name("anyplug-unload".to_owned()).spawn(unload));
    }

    fn loaded(&self) -> MutexGuard<'_, Option<Loaded>> {
        self.library.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}
