//! A short busy wait: waking a halted core costs more than a small call, so a reader polls for a moment before it blocks.

use std::time::{Duration, Instant};

/// How long a wait polls before it may block.
const SPIN: Duration = Duration::from_micros(20);

const FIRST_SKIP: u32 = 8;
const LAST_SKIP: u32 = 1024;

/// Decides for each wait whether it spins.
///
/// A wait in which nothing came is a miss. One is forgiven: something else had the core for a moment. After the second in a row the next 8 waits do not spin, then 16, up to 1,024, so that a
/// peer that is slow, or that needs this very core, costs next to nothing. A hit sets that back. Without waits no time is used.
#[derive(Debug, Default)]
pub struct Spin {
    skip: u32,
    /// How many waits the next miss costs; none when it is forgiven.
    next_skip: u32,
}

impl Spin {
    /// Whether the wait that begins now may spin. Each call counts as one wait.
    pub fn allowed(&mut self) -> bool {
        if self.skip == 0 {
            return true;
        }
        self.skip -= 1;
        false
    }

    /// Calls `poll` until it returns something, for up to 20 us of `now`'s clock, and remembers whether it did. Never yields: on a busy machine that costs milliseconds.
    pub fn wait<T>(&mut self, mut now: impl FnMut() -> Instant, mut poll: impl FnMut() -> Option<T>) -> Option<T> {
        let start = now();
        loop {
            if let Some(found) = poll() {
                self.next_skip = 0;
                return Some(found);
            }
            if now().saturating_duration_since(start) >= SPIN {
                self.skip = self.next_skip;
                self.next_skip = (self.next_skip * 2).clamp(FIRST_SKIP, LAST_SKIP);
                return None;
            }
            std::hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that goes on by 7 us at each look.
    fn clock() -> impl FnMut() -> Instant {
        let mut now = Instant::now();
        move || {
            now += Duration::from_micros(7);
            now
        }
    }

    fn miss(spin: &mut Spin) {
        assert!(spin.allowed());
        assert_eq!(spin.wait(clock(), || None::<()>), None);
    }

    fn skipped(spin: &mut Spin) -> u32 {
        (0..).take_while(|_| !spin.allowed()).count().try_into().expect("a small number")
    }

    #[test]
    fn a_wait_ends_after_20_us() {
        let mut polls = 0;
        let found = Spin::default().wait(clock(), || {
            polls += 1;
            None::<()>
        });
        assert_eq!((found, polls), (None, 3));
    }

    #[test]
    fn misses_are_followed_by_ever_more_waits_without_a_spin() {
        let mut spin = Spin::default();
        for expected in [0, 8, 16, 32, 64, 128, 256, 512, 1024, 1024] {
            miss(&mut spin);
            assert_eq!(skipped(&mut spin), expected);
        }
    }

    #[test]
    fn a_hit_sets_the_number_of_skipped_waits_back() {
        let mut spin = Spin::default();
        for _ in 0..4 {
            miss(&mut spin);
            skipped(&mut spin);
        }
        assert_eq!(spin.wait(clock(), || Some(1)), Some(1));
        miss(&mut spin);
        miss(&mut spin);
        assert_eq!(skipped(&mut spin), 8);
    }
}
