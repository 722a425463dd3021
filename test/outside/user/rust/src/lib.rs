#![deny(warnings)]
//! The shop's schema.
mod generated;
pub use generated::*;
