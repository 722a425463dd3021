//! Calls and loops that only compute.

/// The Fibonacci number, by the function that calls itself twice.
#[unsafe(no_mangle)]
pub extern "C" fn fib(n: u32) -> u32 {
    if n < 2 { n } else { fib(n - 1).wrapping_add(fib(n - 2)) }
}

/// So many steps of a generator of random numbers.
#[unsafe(no_mangle)]
pub extern "C" fn xorshift(n: u32) -> u32 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..n {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    state as u32
}

/// SHA-256 of so many blocks (FIPS 180-4).
#[unsafe(no_mangle)]
pub extern "C" fn sha256(n: u32) -> u32 {
    let constants = first_bits(64, f64::cbrt);
    let mut hash = [0; 8];
    hash.copy_from_slice(&first_bits(8, f64::sqrt));
    let mut block = [0_u8; 64];
    for round in 0..n {
        block[..4].copy_from_slice(&round.to_be_bytes());
        compress(&mut hash, &block, &constants);
    }
    hash.iter().fold(0, |sum, word| sum ^ word)
}

/// The first 32 bits of the fractions of the roots of the first primes.
fn first_bits(count: usize, root: fn(f64) -> f64) -> Vec<u32> {
    let is_prime = |number: &u32| (2..*number).take_while(|d| d * d <= *number).all(|d| !number.is_multiple_of(d));
    let primes = (2..).filter(is_prime).take(count);
    primes.map(|prime| (root(f64::from(prime)).fract() * 4_294_967_296.0) as u32).collect()
}

fn compress(hash: &mut [u32; 8], block: &[u8; 64], constants: &[u32]) {
    let mut words = [0_u32; 64];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for at in 16..64 {
        let (early, late) = (words[at - 15], words[at - 2]);
        let early = early.rotate_right(7) ^ early.rotate_right(18) ^ early >> 3;
        let late = late.rotate_right(17) ^ late.rotate_right(19) ^ late >> 10;
        words[at] = words[at - 16].wrapping_add(early).wrapping_add(words[at - 7]).wrapping_add(late);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *hash;
    for (word, constant) in words.iter().zip(constants) {
        let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = e & f ^ !e & g;
        let first = h.wrapping_add(sum).wrapping_add(choice).wrapping_add(*constant).wrapping_add(*word);
        let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let second = sum.wrapping_add(a & b ^ a & c ^ b & c);
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(first), c, b, a, first.wrapping_add(second));
    }
    for (old, new) in hash.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *old = old.wrapping_add(new);
    }
}
