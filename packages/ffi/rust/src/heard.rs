//! What a plugin has sent and nobody has handled yet.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Of the marks: a thread of the host is within the plugin, and handles what comes when it has returned.
pub(crate) const HELD: usize = 1 << (usize::BITS - 1);

/// Of the marks: something has come for that thread.
const HEARD: usize = HELD >> 1;

/// A buffer that is larger than this is not kept, in bytes.
const KEPT_BYTES: usize = 1 << 20;

thread_local!(static SENDING: Cell<u32> = const { Cell::new(0) });

/// Whether this thread is within a `send` of some plugin's, from which no plugin may be entered.
pub(crate) fn is_sending() -> bool {
    SENDING.get() > 0
}

/// Leaves what has come to the thread that is within the plugin; false when there is none.
fn is_left(marks: &AtomicUsize) -> bool {
    let leave = |marks: usize| (marks & HELD != 0).then_some(marks | HEARD);
    marks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, leave).is_ok()
}

/// Bytes in order of their coming, and one thread at a time that handles them. Who is within the plugin says so in the marks, where it costs nothing beside entering it.
#[derive(Default)]
pub(crate) struct Heard {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    spare: Vec<u8>,
    /// Somebody handles them.
    handling: bool,
}

impl Heard {
    /// Takes what the plugin sends, and handles it in this thread unless another does or will. Returns whether it was handled here.
    pub(crate) fn add(&self, marks: &AtomicUsize, bytes: &[u8], handle: impl FnMut(&[u8])) -> bool {
        let mut state = self.lock();
        state.bytes.extend_from_slice(bytes);
        if state.handling || is_left(marks) {
            return false;
        }
        state.handling = true;
        drop(state);
        SENDING.set(SENDING.get() + 1);
        self.handle_all(marks, handle);
        SENDING.set(SENDING.get() - 1);
        true
    }

    /// Handles what has come while the plugin was held, unless another thread does. Returns whether there was anything.
    pub(crate) fn let_go(&self, marks: &AtomicUsize, handle: impl FnMut(&[u8])) -> bool {
        if marks.fetch_and(!(HELD | HEARD), Ordering::SeqCst) & HEARD == 0 {
            return false;
        }
        let mut state = self.lock();
        if state.bytes.is_empty() {
            return false;
        }
        if state.handling {
            return true;
        }
        state.handling = true;
        drop(state);
        self.handle_all(marks, handle);
        true
    }

    fn handle_all(&self, marks: &AtomicUsize, mut handle: impl FnMut(&[u8])) {
        let mut state = self.lock();
        while !state.bytes.is_empty() && !is_left(marks) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_while_the_plugin_is_entered_waits_for_who_has_entered_it() {
        let (heard, marks, mut handled) = (Heard::default(), AtomicUsize::new(1 | HELD), Vec::new());
        assert!(!heard.add(&marks, b"before ", |bytes| handled.extend_from_slice(bytes)));
        assert!(!heard.add(&marks, b"after", |bytes| handled.extend_from_slice(bytes)));
        assert!(handled.is_empty());
        assert!(heard.let_go(&marks, |bytes| handled.extend_from_slice(bytes)));
        assert_eq!((handled.as_slice(), marks.load(Ordering::SeqCst)), (b"before after".as_slice(), 1));
        assert!(!heard.let_go(&marks, |bytes| handled.extend_from_slice(bytes)));
        assert!(heard.add(&marks, b"!", |bytes| handled.extend_from_slice(bytes)));
        assert_eq!(handled, b"before after!");
    }

    #[test]
    fn what_comes_is_handled_once_and_in_order_whoever_enters_meanwhile() {
        const COUNT: u32 = 20_000;
        let (heard, marks, handled) = (Heard::default(), AtomicUsize::new(1), Mutex::new(Vec::new()));
        let handle = |bytes: &[u8]| handled.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| {
                for number in 0..COUNT {
                    heard.add(&marks, &number.to_le_bytes(), handle);
                }
            });
            while !sender.is_finished() {
                marks.fetch_or(HELD, Ordering::SeqCst);
                heard.let_go(&marks, handle);
            }
        });
        assert_eq!(marks.load(Ordering::SeqCst), 1);
        let all: Vec<u8> = (0..COUNT).flat_map(u32::to_le_bytes).collect();
        assert!(*handled.lock().unwrap_or_else(PoisonError::into_inner) == all);
    }
}
