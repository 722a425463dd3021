//! Properties of the parsers and of two sessions that talk to each other, whatever the bytes, the chunks and the order of things.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

mod frames;
mod messages;
mod sessions;
mod world;

use proptest::prelude::ProptestConfig;

pub(crate) fn config(cases: u32) -> ProptestConfig {
    // Findings become tests or vectors, not files beside the tests.
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}
