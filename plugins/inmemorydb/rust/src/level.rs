//! The levels of new nodes.

/// Draws levels: each next one with a chance of 1 in `m`.
pub(crate) struct Levels {
    state: u32,
    bound: u32,
}

impl Levels {
    /// Begins with the first level of a graph. `m` is at least 2.
    pub(crate) fn new(m: usize) -> Self {
        let bound = u64::try_from(m).ok().and_then(|m| u32::try_from((1_u64 << 32) / m).ok());
        Self { state: 0, bound: bound.unwrap_or_default() }
    }

    /// The level of the next node.
    pub(crate) fn next(&mut self) -> usize {
        let mut level = 0;
        while self.random() < self.bound {
            level += 1;
        }
        level
    }

    /// splitmix32.
    fn random(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9);
        let z = (self.state ^ self.state >> 16).wrapping_mul(0x85eb_ca6b);
        let z = (z ^ z >> 13).wrapping_mul(0xc2b2_ae35);
        z ^ z >> 16
    }
}
