//! Flow control: how many bytes one direction of a call may carry.

/// The most credit that a direction may have, in bytes.
const MAX_CREDIT: i64 = (1 << 31) - 1;

/// What this side may still send in one direction of a call.
#[derive(Clone, Copy, Debug)]
pub struct SendCredit(i64);

impl SendCredit {
    /// Starts at the receiver's initial credit, in bytes.
    pub fn new(initial: u32) -> Self {
        Self(i64::from(initial).min(MAX_CREDIT))
    }

    /// Bytes that may be sent now; 0 when the sender has to wait.
    pub fn available(self) -> u32 {
        self.0.clamp(0, MAX_CREDIT) as u32
    }

    /// Spends a message's size. It may take the credit below 0: a message that is larger than the window still passes.
    pub fn spend(&mut self, bytes: usize) {
        self.0 -= bytes as i64;
    }

    /// Adds what the receiver granted; true when the sender had to wait and no longer has to, none when it is more than a direction
    /// can have.
    pub fn grant(&mut self, bytes: u32) -> Option<bool> {
        let before = self.0;
        let after = before + i64::from(bytes);
        if after > MAX_CREDIT {
            return None;
        }
        self.0 = after;
        Some(before <= 0 && after > 0)
    }
}

/// What the application has consumed of one direction of a call and not yet granted.
#[derive(Clone, Copy, Debug)]
pub struct ReceiveCredit {
    threshold: u32,
    consumed: u32,
}

impl ReceiveCredit {
    /// For a direction that started with `initial` bytes.
    pub fn new(initial: u32) -> Self {
        Self { threshold: initial.div_ceil(2), consumed: 0 }
    }

    /// Counts consumed bytes; the grant to send when they have come to half of the initial credit.
    pub fn consume(&mut self, bytes: usize) -> Option<u32> {
        self.consumed = self.consumed.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if self.consumed == 0 || self.consumed < self.threshold {
            return None;
        }
        let grant = self.consumed.min(MAX_CREDIT as u32);
        self.consumed -= grant;
        Some(grant)
    }
}
