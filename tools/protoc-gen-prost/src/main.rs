//! Runs prost-build as a buf plugin.

fn main() {}
