//! The cosine, counted as the schema says, so that every language gets the same bits.

const LANES: usize = 8;

/// The sum of the products, in doubles, in the order of the schema. Both are of one length.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (rest_a, rest_b) = (a.remainder(), b.remainder());
    for (a, b) in a.zip(b) {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += f64::from(a) * f64::from(b);
        }
    }
    for ((lane, &a), &b) in lanes.iter_mut().zip(rest_a).zip(rest_b) {
        *lane += f64::from(a) * f64::from(b);
    }
    let [l0, l1, l2, l3, l4, l5, l6, l7] = lanes;
    ((l0 + l1) + (l2 + l3)) + ((l4 + l5) + (l6 + l7))
}

/// The square of the length of a vector.
pub(crate) fn square(vector: &[f32]) -> f64 {
    dot(vector, vector)
}

/// The cosine of two vectors with these squares, -1 to 1; 0 if one of them has no direction.
pub(crate) fn cosine(a: &[f32], square_a: f64, b: &[f32], square_b: f64) -> f64 {
    if square_a == 0.0 || square_b == 0.0 {
        return 0.0;
    }
    (dot(a, b) / (square_a * square_b).sqrt()).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_added_in_the_order_of_the_schema() {
        // 2^53 + 1 is no double: which sums swallow the ones shows the order.
        let ones = [1.0_f32; 18];
        let mut a = [0.0_f32; 18];
        (a[0], a[1], a[8], a[17]) = (9_007_199_254_740_992.0, 1.0, 1.0, 1.0);
        assert_eq!(dot(&a, &ones), 9_007_199_254_740_994.0);
        assert_eq!(dot(&ones, &a), 9_007_199_254_740_994.0);
    }

    #[test]
    fn a_vector_of_zeros_scores_zero() {
        assert_eq!(cosine(&[0.0], 0.0, &[1.0], 1.0), 0.0);
        assert_eq!(cosine(&[1.0], 1.0, &[-0.0], 0.0), 0.0);
    }

    #[test]
    fn equal_vectors_score_one() {
        for vector in [[0.1_f32, 0.7, 0.3], [1.0, 1.0, 0.0], [f32::MAX; 3], [f32::from_bits(1); 3]] {
            assert_eq!(cosine(&vector, square(&vector), &vector, square(&vector)), 1.0);
        }
    }
}
