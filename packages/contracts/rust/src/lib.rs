//! Contracts of anyplug, each with a library for both sides.

pub mod agent;
