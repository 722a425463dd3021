//! What a plugin has sent and nobody has handled yet.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A buffer that is larger than this is not kept, in bytes.
const KEPT_BYTES: usize = 1 << 20;

thread_local!(static SENDING: Cell<u32> = const { Cell::new(0) });

/// Whether this thread is within a `send` of some plugin's, from which no plugin may be entered.
pub(crate) fn is_sending() -> bool {
    SENDING.get() > 0
}

/// Bytes in order of their coming, and one thread at a time that handles them.
#[derive(Default)]
pub(crate) struct Heard {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    spare: Vec<u8>,
    /// A thread of the host is within the plugin: it handles them when it has returned.
    held: bool,
    /// Somebody handles them.
    handling: bool,
}

impl Heard {
    /// Takes what the plugin sends, and handles it in this thread unless another does or will. Returns whether it was handled here.
    pub(crate) fn add(&self, bytes: &[u8], handle: impl FnMut(&[u8])) -> bool {
        let mut state = self.lock();
        state.bytes.extend_from_slice(bytes);
        if state.held || state.handling {
            return false;
        }
        state.handling = true;
        drop(state);
        SENDING.set(SENDING.get() + 1);
        self.handle_all(handle);
        SENDING.set(SENDING.get() - 1);
        true
    }

    /// Has all wait that comes from now on: a thread of the host enters the plugin.
    pub(crate) fn hold(&self) {
        self.lock().held = true;
    }

    /// Handles what has come meanwhile, unless another thread does. Returns whether there was anything.
    pub(crate) fn let_go(&self, handle: impl FnMut(&[u8])) -> bool {
        let mut state = self.lock();
        state.held = false;
        if state.bytes.is_empty() {
            return false;
        }
        if state.handling {
            return true;
        }
        state.handling = true;
        drop(state);
        self.handle_all(handle);
        true
    }

    fn handle_all(&self, mut handle: impl FnMut(&[u8])) {
        let mut state = self.lock();
        while !state.held && !state.bytes.is_empty() {
            let next = std::mem::take(&mut state.spare);
            let mut bytes = std::mem::replace(&mut state.bytes, next);
            drop(state);
            handle(&bytes);
            bytes.clear();
            state = self.lock();
            if bytes.capacity() <= KEPT_BYTES {
                state.spare = bytes;
            }
        }
        state.handling = false;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
