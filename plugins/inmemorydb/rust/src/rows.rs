//! Vectors of one length, one after the other in memory.

/// Rows of floats, by their numbers.
pub(crate) struct Rows {
    pub(crate) dimensions: usize,
    floats: Vec<f32>,
}

impl Rows {
    pub(crate) fn new(dimensions: usize) -> Self {
        Self { dimensions, floats: Vec::new() }
    }

    /// A row; empty if it was never set.
    pub(crate) fn get(&self, row: usize) -> &[f32] {
        self.floats.get(row * self.dimensions..(row + 1) * self.dimensions).unwrap_or_default()
    }

    /// Sets a row; makes room for it where it is the next one.
    pub(crate) fn set(&mut self, row: usize, floats: &[f32]) {
        let start = row * self.dimensions;
        if start == self.floats.len() {
            self.floats.extend_from_slice(floats);
        } else if let Some(place) = self.floats.get_mut(start..start + self.dimensions) {
            place.copy_from_slice(floats);
        }
    }

    /// Moves the last of `count` rows to where another was.
    pub(crate) fn move_last(&mut self, count: usize, row: usize) {
        let last = (count - 1) * self.dimensions;
        self.floats.copy_within(last..last + self.dimensions, row * self.dimensions);
        self.floats.truncate(last);
    }
}
