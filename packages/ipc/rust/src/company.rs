//! Whether calls come alone, one after the other, or many at the same time, so that their requests can be written together.

use std::sync::atomic::{AtomicU32, Ordering};

/// A call in company is a sign for so many after it.
const LIKELY_FOR: u32 = 64;

/// A call that is answered before the next is made looks alone, whether or not others were waiting to be made. So one in so many is taken to be in company, to find out.
const TRY_EVERY: u32 = 64;

/// What was seen of calls so far.
#[derive(Debug, Default)]
pub(crate) struct Company {
    likely_for: AtomicU32,
    calls: AtomicU32,
    calls_at_last_look: AtomicU32,
}

impl Company {
    /// Whether others are likely to follow the call that is made now.
    pub(crate) fn is_likely(&self) -> bool {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        self.likely_for.load(Ordering::Relaxed) > 0 || calls.is_multiple_of(TRY_EVERY)
    }

    /// Notes whether a call had company after all.
    pub(crate) fn note(&self, in_company: bool) {
        let likely_for = self.likely_for.load(Ordering::Relaxed);
        let next = if in_company { LIKELY_FOR } else { likely_for.saturating_sub(1) };
        if next != likely_for {
            self.likely_for.store(next, Ordering::Relaxed);
        }
    }

    /// Whether there was company since the last look, or some is likely to come.
    pub(crate) fn goes_on(&self) -> bool {
        let calls = self.calls.load(Ordering::Relaxed);
        if self.calls_at_last_look.swap(calls, Ordering::Relaxed) == calls {
            self.likely_for.store(0, Ordering::Relaxed);
        }
        self.likely_for.load(Ordering::Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_come_alone_are_tried_now_and_then() {
        let company = Company::default();
        let likely = (0..256).filter(|_| {
            company.note(false);
            company.is_likely()
        });
        assert_eq!(likely.count(), 4);
    }

    #[test]
    fn a_call_in_company_is_a_sign_for_those_after_it() {
        let company = Company::default();
        company.is_likely();
        company.note(true);
        for _ in 0..LIKELY_FOR {
            assert!(company.is_likely());
            company.note(false);
        }
        assert!(!company.is_likely());
    }

    #[test]
    fn without_calls_there_is_no_company() {
        let company = Company::default();
        company.is_likely();
        company.note(true);
        assert!(company.goes_on());
        assert!(!company.goes_on());
    }
}
