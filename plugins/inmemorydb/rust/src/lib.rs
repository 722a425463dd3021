//! Entries found by key, metadata and vector, in memory: the plugin behind `inmemorydb.v1.InMemoryDbService`.
//!
//! What it answers is written in the schema; the plugins in TypeScript and Python answer the same to the last bit.

mod best;
mod checks;
mod collection;
mod database;
mod direction;
mod entry;
mod graph;
mod level;
mod metadata;
mod plugin;
mod rows;
mod score;
mod trial;

pub use database::Database;
pub use plugin::plugin;
