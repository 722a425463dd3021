//! The best of many.

use std::cmp::Ordering;
use std::sync::Arc;

/// More than what is asked for are kept before the others are dropped, so that this is done seldom.
const SLACK: usize = 1024;

/// The key of an entry, and how near its vector is.
pub(crate) struct Scored {
    pub(crate) score: f64,
    pub(crate) key: Arc<str>,
}

/// Keeps the best `count` of what it is offered, of those with a score that is not below the threshold.
pub(crate) struct Best {
    count: usize,
    lowest: f64,
    kept: Vec<Scored>,
}

impl Best {
    pub(crate) fn new(count: usize, threshold: Option<f64>) -> Self {
        Self { count, lowest: threshold.unwrap_or(f64::NEG_INFINITY), kept: Vec::new() }
    }

    /// Takes one into account.
    pub(crate) fn offer(&mut self, score: f64, key: &Arc<str>) {
        if score < self.lowest {
            return;
        }
        self.kept.push(Scored { score, key: Arc::clone(key) });
        if self.kept.len() >= self.count.saturating_mul(2).saturating_add(SLACK) {
            self.rank();
            self.lowest = self.kept.last().map_or(self.lowest, |last| last.score);
        }
    }

    /// The best, in their order: the highest score first, of equal ones the lower key.
    pub(crate) fn ranked(mut self) -> Vec<Scored> {
        self.rank();
        self.kept
    }

    fn rank(&mut self) {
        self.kept.sort_unstable_by(|a, b| {
            b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal).then_with(|| a.key.cmp(&b.key))
        });
        self.kept.truncate(self.count);
    }
}
