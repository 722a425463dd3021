//! What goes to the host, by one thread at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyplug_core::Connection;
use anyplug_ffi::abi::Host;

/// How long a thread is waited for at the end that is still about to send.
const LAST_SEND: Duration = Duration::from_secs(1);

/// The way to the host. Whoever has something to send does it, unless another thread is about it, which then does that as well: sending may wait for the host, and nobody waits for the sender.
pub(super) struct Output {
    host: *const Host,
    /// How often there was something to send since nobody was about it; 0: nobody is.
    marks: AtomicUsize,
    buffer: Mutex<Vec<u8>>,
    /// Nothing is sent any more.
    is_over: AtomicBool,
    /// How many threads are within the host.
    sending: AtomicUsize,
}

// SAFETY: what the host gives may be used from any thread.
unsafe impl Send for Output {}
// SAFETY: as above.
unsafe impl Sync for Output {}

impl Output {
    /// # Safety
    /// `host` stays as it is until [`end`](Self::end) has returned.
    pub(super) unsafe fn new(host: *const Host) -> Self {
        Self {
            host,
            marks: AtomicUsize::new(0),
            buffer: Mutex::default(),
            is_over: AtomicBool::new(false),
            sending: AtomicUsize::new(0),
        }
    }

    /// Sees to it that all is sent that there is.
    pub(super) fn flush(&self, connection: &Connection) {
        if self.marks.fetch_add(1, Ordering::SeqCst) == 0 {
            self.lead(connection);
        }
    }

    fn lead(&self, connection: &Connection) {
        loop {
            let marks = self.marks.load(Ordering::SeqCst);
            while self.send_next(connection) {}
            if self.marks.compare_exchange(marks, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                return;
            }
        }
    }

    /// Sends what there is, as the sender; false when there is nothing.
    fn send_next(&self, connection: &Connection) -> bool {
        let mut bytes = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.clear();
        if !connection.take_output(&mut bytes) {
            return false;
        }
        self.within(|host| {
            // SAFETY: the host is there until `end` has returned. A host may change what its functions do, so each use reads which they are.
            let (send, context) = unsafe { ((&raw const (*host).send).read_volatile(), (*host).context) };
            if let Some(send) = send {
                // SAFETY: the host copies them before it returns.
                unsafe { send(context, bytes.as_ptr(), bytes.len()) };
            }
        });
        true
    }

    /// Calls a function of the host's, unless all is over.
    pub(super) fn within(&self, call: impl FnOnce(*const Host)) {
        self.sending.fetch_add(1, Ordering::SeqCst);
        if !self.is_over.load(Ordering::SeqCst) {
            call(self.host);
        }
        self.sending.fetch_sub(1, Ordering::SeqCst);
    }

    /// Nothing is sent any more. Returns whether no thread is within the host.
    pub(super) fn end(&self) -> bool {
        self.is_over.store(true, Ordering::SeqCst);
        let until = Instant::now() + LAST_SEND;
        while self.sending.load(Ordering::SeqCst) > 0 {
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }
}
