//! Requests in flight over a line protocol: each waits for the answer of its id, in whatever order answers come.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyplug_contracts::agent::JsonObject;
use anyplug_core::{Error, Result};
use tokio::sync::oneshot;

type Answer = Result<JsonObject>;

/// Requests in flight.
pub(crate) struct Requests {
    max_pending: usize,
    state: Mutex<State>,
}

struct State {
    pending: HashMap<u64, oneshot::Sender<Answer>>,
    next: u64,
    ended: Option<Error>,
}

/// A request that waits. Dropped, it is given up: the protocol cannot cancel.
struct Waits<'a> {
    requests: &'a Requests,
    id: u64,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.requests.lock().pending.remove(&self.id);
    }
}

impl Requests {
    pub(crate) fn new(max_pending: usize) -> Self {
        Self { max_pending, state: Mutex::new(State { pending: HashMap::new(), next: 1, ended: None }) }
    }

    /// Writes by `write` a message for a new id, and returns the answer.
    pub(crate) async fn send(&self, write: impl FnOnce(u64) -> Result<()>) -> Answer {
        let (waits, answer) = {
            let mut state = self.lock();
            if let Some(ended) = &state.ended {
                return Err(ended.clone());
            }
            if state.pending.len() >= self.max_pending {
                let message = format!("{} requests are pending; wait for some", self.max_pending);
                return Err(Error::resource_exhausted(message));
            }
            let id = state.next;
            state.next += 1;
            let (sender, answer) = oneshot::channel();
            state.pending.insert(id, sender);
            (Waits { requests: self, id }, answer)
        };
        write(waits.id)?;
        answer.await.unwrap_or_else(|_| Err(Error::internal("a request was dropped without an answer")))
    }

    /// The answer to request `id` came, or it failed. False when nothing waits for it.
    pub(crate) fn settle(&self, id: u64, answer: Answer) -> bool {
        let pending = self.lock().pending.remove(&id);
        pending.is_some_and(|pending| pending.send(answer).is_ok())
    }

    /// The only request that waits, if there is just one: what an answer without an id must be about.
    pub(crate) fn only(&self) -> Option<u64> {
        let state = self.lock();
        let mut ids = state.pending.keys();
        ids.next().copied().filter(|_| ids.next().is_none())
    }

    /// The peer has ended.
    pub(crate) fn end(&self, reason: Error) {
        let (pending, reason) = {
            let mut state = self.lock();
            let reason = state.ended.get_or_insert(reason).clone();
            (std::mem::take(&mut state.pending), reason)
        };
        for sender in pending.into_values() {
            // Whoever gave it up does not care.
            let _ = sender.send(Err(reason.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
