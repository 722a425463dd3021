//! What each side accepts.

use crate::wire;

/// The default of [`Limits::max_message_bytes`]: 4 MiB.
pub const DEFAULT_MAX_MESSAGE_BYTES: u32 = 4 << 20;
/// The default of [`Limits::max_pending_requests`].
pub const DEFAULT_MAX_PENDING_REQUESTS: u32 = 1_000;
/// The default of [`Limits::initial_credit_bytes`]: 64 KiB.
pub const DEFAULT_INITIAL_CREDIT_BYTES: u32 = 64 << 10;
/// The default of [`LimitOptions::max_buffer_bytes`]: 8 MiB.
pub const DEFAULT_MAX_BUFFER_BYTES: usize = 8 << 20;
/// How much longer than a message a frame may be: room for its call header, in bytes.
pub const FRAME_ALLOWANCE_BYTES: u32 = 65_536;

/// The limits of one side of a connection, as its HELLO announces them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message in bytes, before framing.
    pub max_message_bytes: u32,
    /// Requests of the peer that may be open at once.
    pub max_pending_requests: u32,
    /// Credit in bytes that each direction of a new call starts with.
    pub initial_credit_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: DEFAULT_MAX_MESSAGE_BYTES,
            max_pending_requests: DEFAULT_MAX_PENDING_REQUESTS,
            initial_credit_bytes: DEFAULT_INITIAL_CREDIT_BYTES,
        }
    }
}

/// The limits that an owner sets. What is none (or 0) is the default; at a plugin, it is what the host announces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitOptions {
    /// The largest message in bytes, before framing. Default 4 MiB.
    pub max_message_bytes: Option<u32>,
    /// Requests of the peer that may be open at once. Default 1,000.
    pub max_pending_requests: Option<u32>,
    /// Credit in bytes that each direction of a new call starts with. Default 64 KiB.
    pub initial_credit_bytes: Option<u32>,
    /// Bytes that may wait to be read by the application, over all calls, and bytes that may wait to be written. Default 8 MiB.
    /// It is not announced.
    pub max_buffer_bytes: Option<usize>,
}

impl LimitOptions {
    /// These limits, and those of `base` where none is set.
    pub fn over(&self, base: Limits) -> Limits {
        let pick = |own: Option<u32>, base: u32| own.filter(|value| *value != 0).unwrap_or(base);
        Limits {
            max_message_bytes: pick(self.max_message_bytes, base.max_message_bytes),
            max_pending_requests: pick(self.max_pending_requests, base.max_pending_requests),
            initial_credit_bytes: pick(self.initial_credit_bytes, base.initial_credit_bytes),
        }
    }

    /// The bound of what waits to be read, and of what waits to be written, in bytes.
    pub fn buffer_bytes(&self) -> usize {
        self.max_buffer_bytes.filter(|value| *value != 0).unwrap_or(DEFAULT_MAX_BUFFER_BYTES)
    }
}

impl From<wire::Limits> for Limits {
    /// What a HELLO announces; 0 stands for the default.
    fn from(limits: wire::Limits) -> Self {
        let options = LimitOptions {
            max_message_bytes: Some(limits.max_message_bytes),
            max_pending_requests: Some(limits.max_pending_requests),
            initial_credit_bytes: Some(limits.initial_credit_bytes),
            max_buffer_bytes: None,
        };
        options.over(Self::default())
    }
}

impl From<Limits> for wire::Limits {
    fn from(limits: Limits) -> Self {
        Self {
            max_message_bytes: limits.max_message_bytes,
            max_pending_requests: limits.max_pending_requests,
            initial_credit_bytes: limits.initial_credit_bytes,
        }
    }
}
