//! What is to be written to a peer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::reader::{Framing, framed};

/// Whoever streams waits while more than this waits to be written, in bytes.
const ENOUGH_BYTES: usize = 1 << 20;

/// Messages on their way to the peer: the thread that writes takes them.
#[derive(Default)]
pub(crate) struct Output {
    state: Mutex<State>,
    changed: Condvar,
    room: Notify,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Vec<u8>>,
    bytes: usize,
    has_headers: bool,
    is_closed: bool,
}

impl Output {
    /// Writes a message. After the end it is dropped.
    pub(crate) fn write(&self, text: &str) {
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        let bytes = framed(text, if state.has_headers { Framing::Headers } else { Framing::Lines });
        state.bytes += bytes.len();
        state.queue.push_back(bytes);
        drop(state);
        self.changed.notify_one();
    }

    /// Messages are framed like that from now on.
    pub(crate) fn set_framing(&self, framing: Framing) {
        self.lock().has_headers = framing == Framing::Headers;
    }

    /// Waits until the peer reads: not at all, as long as it does.
    pub(crate) async fn room(&self) {
        loop {
            let told = self.room.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            {
                let state = self.lock();
                if state.bytes < ENOUGH_BYTES || state.is_closed {
                    return;
                }
            }
            told.await;
        }
    }

    /// What is there is written, and nothing more.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
        self.room.notify_waiters();
    }

    /// The peer takes nothing more.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.queue.clear();
        state.bytes = 0;
        drop(state);
        self.close();
    }

    /// Waits for the next message to be written; none after the last.
    pub(crate) fn next(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        loop {
            if let Some(bytes) = state.queue.pop_front() {
                state.bytes -= bytes.len();
                if state.bytes < ENOUGH_BYTES {
                    self.room.notify_waiters();
                }
                return Some(bytes);
            }
            if state.is_closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
