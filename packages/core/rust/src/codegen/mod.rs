//! What generated code sees of this crate.

pub mod v1;
