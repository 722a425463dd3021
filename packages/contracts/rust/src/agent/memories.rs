//! Where an agent keeps what it remembers.

use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyplug_core::{BoxFuture, Error, Result};

use super::agent::{Memories, MemoryQuery, MemorySearch};
use super::values::Memory;

const DEFAULT_TABLE: &str = "messages";

/// Memories in this process: they are gone with it. A search looks at each.
#[derive(Debug, Default)]
pub struct InMemoryMemories {
    /// In the order in which they were kept.
    kept: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    id: String,
    table: String,
    memory: Memory,
}

impl InMemoryMemories {
    /// No memories.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, table: &str, room_id: &str) -> Vec<Memory> {
        let of_table = |one: &&Kept| one.table == or_default(table);
        let of_room = |memory: &&Memory| room_id.is_empty() || memory.room_id.as_deref() == Some(room_id);
        self.lock().iter().filter(of_table).map(|one| &one.memory).filter(of_room).cloned().collect()
    }
}

impl Memories for InMemoryMemories {
    fn create(&self, mut memory: Memory, table: &str) -> BoxFuture<Result<String>> {
        let id = memory.id.get_or_insert_with(|| uuid::Uuid::new_v4().to_string()).clone();
        memory.created_at.get_or_insert_with(now);
        let mut kept = self.lock();
        if kept.iter().any(|one| one.id == id) {
            let error = Error::already_exists(format!("there is a memory of id {id}; update it"));
            return Box::pin(ready(Err(error)));
        }
        kept.push(Kept { id: id.clone(), table: or_default(table).to_owned(), memory });
        Box::pin(ready(Ok(id)))
    }

    fn get(&self, id: &str) -> BoxFuture<Result<Memory>> {
        let found = self.lock().iter().find(|one| one.id == id).map(|one| one.memory.clone());
        Box::pin(ready(found.ok_or_else(|| missing(id))))
    }

    fn list(&self, query: MemoryQuery) -> BoxFuture<Result<Vec<Memory>>> {
        let MemoryQuery { table, room_id, entity_id, count, start, end } = query;
        let mut found = self.of(&table, &room_id);
        found.retain(|memory| {
            let at = memory.created_at.unwrap_or(0);
            (entity_id.is_empty() || memory.entity_id.as_deref() == Some(&entity_id))
                && start.is_none_or(|start| at >= start)
                && end.is_none_or(|end| at <= end)
        });
        // Of those of the same time the one that was kept last is the newest.
        found.reverse();
        found.sort_by_key(|memory| std::cmp::Reverse(memory.created_at.unwrap_or(0)));
        found.truncate(if count == 0 { 100 } else { count as usize });
        Box::pin(ready(Ok(found)))
    }

    fn search(&self, search: MemorySearch) -> BoxFuture<Result<Vec<Memory>>> {
        let MemorySearch { embedding, table, room_id, count, threshold } = search;
        let mut found: Vec<(f64, Memory)> = self
            .of(&table, &room_id)
            .into_iter()
            .filter(|memory| !memory.embedding.is_empty() && memory.embedding.len() == embedding.len())
            .map(|memory| (cosine(&embedding, &memory.embedding), memory))
            .filter(|(similarity, _)| *similarity >= threshold.unwrap_or(-1.0))
            .collect();
        found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        found.truncate(if count == 0 { 10 } else { count as usize });
        let near = found.into_iter().map(|(similarity, memory)| Memory { similarity: Some(similarity), ..memory });
        Box::pin(ready(Ok(near.collect())))
    }

    fn update(&self, memory: Memory) -> BoxFuture<Result<()>> {
        let id = memory.id.clone().unwrap_or_default();
        let updated = match self.lock().iter_mut().find(|one| one.id == id) {
            Some(one) => {
                one.memory = memory;
                Ok(())
            }
            None => Err(missing(&id)),
        };
        Box::pin(ready(updated))
    }

    fn delete(&self, id: &str) -> BoxFuture<Result<()>> {
        self.lock().retain(|one| one.id != id);
        Box::pin(ready(Ok(())))
    }
}

fn or_default(table: &str) -> &str {
    if table.is_empty() { DEFAULT_TABLE } else { table }
}

fn missing(id: &str) -> Error {
    Error::not_found(format!("there is no memory of id {id:?}"))
}

/// Milliseconds since 1970-01-01 UTC.
fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// From -1 to 1; 0 when one of the two has no length.
fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let (mut dot, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    let lengths = aa.sqrt() * bb.sqrt();
    if lengths == 0.0 { 0.0 } else { dot / lengths }
}
