//! The caps on memory and tables.

use crate::module::Module;
use crate::refusal::Refusal;

const PAGE: u64 = 65_536;

/// What a module may have. Its own maxima hold where they are lower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory; what is not a whole page (64 KiB) is left out.
    pub max_memory_bytes: u64,
    /// How many tables it may define.
    pub max_tables: u32,
    /// How many elements each of them may have.
    pub max_table_elements: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_memory_bytes: 256 << 20, max_tables: 16, max_table_elements: 100_000 }
    }
}

impl Limits {
    pub(crate) fn pages(&self) -> u64 {
        (self.max_memory_bytes / PAGE).min(65_536)
    }
}

/// Refuses what is over the caps before it has grown.
pub(crate) fn check(module: &Module<'_>, limits: &Limits) -> Result<(), Refusal> {
    for memory in &module.memories {
        if memory.initial > limits.pages() {
            return Err(Refusal::too_large(format!(
                "its memory starts with {} bytes, and maxMemoryBytes is {}",
                memory.initial.saturating_mul(PAGE),
                limits.max_memory_bytes
            )));
        }
    }
    if module.tables.len() as u64 > u64::from(limits.max_tables) {
        return Err(Refusal::too_large(format!(
            "it has {} tables, and maxTables is {}",
            module.tables.len(),
            limits.max_tables
        )));
    }
    for table in &module.tables {
        if table.initial > u64::from(limits.max_table_elements) {
            return Err(Refusal::too_large(format!(
                "a table of it starts with {} elements, and maxTableElements is {}",
                table.initial, limits.max_table_elements
            )));
        }
    }
    Ok(())
}
