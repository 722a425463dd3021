//! Loops over memory.

use std::hint::black_box;

/// Copies 64 KiB byte by byte, so many times.
#[unsafe(no_mangle)]
pub extern "C" fn copy(n: u32) -> u32 {
    let from: Vec<u8> = (0..65_536_u32).map(|byte| byte as u8).collect();
    let mut to = vec![0_u8; from.len()];
    for _ in 0..n {
        for at in 0..from.len() {
            // Else it would be one instruction for all of them.
            to[at] = black_box(from[at]);
        }
    }
    u32::from(to[4_711])
}

/// Sorts 4,096 numbers, so many times.
#[unsafe(no_mangle)]
pub extern "C" fn sort(n: u32) -> u32 {
    let mut sum = 0_u32;
    for round in 0..n {
        let mut numbers: Vec<u32> = (0..4_096_u32).map(|number| (number ^ round).wrapping_mul(0x9e37_79b1)).collect();
        numbers.sort_unstable();
        sum ^= numbers[numbers.len() / 2];
    }
    sum
}
