//! The instrumenter as a module of its own, for hosts that have no native code: plain exports.
//!
//! A host writes a module where [`input`] says, calls [`run`], and reads the module, or why it was refused, where
//! [`output`] says.

use crate::{Kind, Limits, instrument};
use std::cell::RefCell;

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for a module of so many bytes; returns where it is.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn input(length: usize) -> *const u8 {
    INPUT.with_borrow_mut(|input| {
        *input = vec![0; length];
        input.as_ptr()
    })
}

/// Instruments the module. 0: it is in the output; 1: it is invalid, 2: it is not supported, 3: it is too large, and
/// why is in the output as UTF-8.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn run(max_memory_bytes: f64, max_tables: u32, max_table_elements: u32) -> u32 {
    let limits = Limits { max_memory_bytes: max_memory_bytes as u64, max_tables, max_table_elements };
    let (status, bytes) = match INPUT.with_borrow(|input| instrument(input, &limits)) {
        Ok(module) => (0, module),
        Err(refusal) => {
            let status = match refusal.kind() {
                Kind::Invalid => 1,
                Kind::Unsupported => 2,
                Kind::TooLarge => 3,
            };
            (status, refusal.to_string().into_bytes())
        }
    };
    OUTPUT.with_borrow_mut(|output| *output = bytes);
    status
}

/// Returns where the output is.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn output() -> *const u8 {
    OUTPUT.with_borrow(|output| output.as_ptr())
}

/// Returns how many bytes the output has.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn output_length() -> usize {
    OUTPUT.with_borrow(Vec::len)
}
