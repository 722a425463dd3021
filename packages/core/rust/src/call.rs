//! What a session knows of one call, and the table of calls.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::credit::{ReceiveCredit, SendCredit};

/// The state of one call. It is forgotten when the call has ended, except where the application has not read everything yet.
#[derive(Debug)]
pub(crate) struct Call {
    /// The peer made this call.
    pub(crate) is_callee: bool,
    /// The call has not ended. A call that has ended stays in the table until what it holds is read.
    pub(crate) is_open: bool,
    /// This side may still send.
    pub(crate) sends: bool,
    /// The peer may still send.
    pub(crate) receives: bool,
    /// A message of the peer has come, beside that of the request.
    pub(crate) received: bool,
    /// This side has sent a message, beside that of the request.
    pub(crate) sent: bool,
    /// The sender waits until the written bytes are taken.
    pub(crate) waits_for_output: bool,
    pub(crate) send_credit: SendCredit,
    pub(crate) receive_credit: ReceiveCredit,
    /// Bytes and messages that the application has not consumed.
    pub(crate) unread_bytes: usize,
    pub(crate) unread_messages: usize,
}

/// Call ids are dense small numbers, mostly: multiplying spreads them well enough, and costs a nanosecond.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, id: u32) {
        let mixed = (self.0 ^ u64::from(id)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// A map by call id.
pub(crate) type ById<T> = HashMap<u32, T, BuildHasherDefault<IdHasher>>;
