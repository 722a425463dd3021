//! Eight small programs, each an export that takes how often and returns a sum of what it did: from the smallest
//! recursive function to parsers, so that what checkpoints cost is seen where it is most and where it is usual.

mod arithmetic;
mod libraries;
mod memory;

pub use arithmetic::{fib, sha256, xorshift};
pub use libraries::{json, protobuf, regex};
pub use memory::{copy, sort};
