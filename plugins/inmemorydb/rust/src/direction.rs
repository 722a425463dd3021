//! Directions: what the index is made of. See `HnswIndex` in the schema for why their products are exact.

/// One over the size of a step, 2^24.
const STEPS: f64 = 16_777_216.0;

/// The direction of a vector of this length, which is not 0.
pub(crate) fn direction(vector: &[f32], length: f64) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "a multiple of 2^-24 within -1 and 1 is a float")]
    let step = |&component: &f32| ((f64::from(component) / length * STEPS).round_ties_even() / STEPS) as f32;
    vector.iter().map(step).collect()
}
