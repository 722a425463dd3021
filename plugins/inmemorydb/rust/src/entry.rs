//! Entries, as they are sent and as they are kept.

use std::sync::Arc;

use anyplug_generated::inmemorydb::v1::Entry;
use anyplug_sdk::{Error, Result};

use crate::checks;
use crate::metadata::{self, Metadata};

/// An entry that is kept.
pub(crate) struct Stored {
    pub(crate) key: Arc<str>,
    pub(crate) value: Vec<u8>,
    pub(crate) metadata: Metadata,
    /// The row of its vector.
    pub(crate) row: Option<usize>,
    /// The node of its direction in the index.
    pub(crate) node: Option<usize>,
}

/// An entry that can be stored; refuses what is wrong in it by its place.
pub(crate) fn accept(place: &str, entry: Option<Entry>) -> Result<Entry> {
    let entry = entry.ok_or_else(|| Error::invalid_argument(format!("{place}: expected an entry, got nothing")))?;
    checks::name(&format!("{place}.key"), &entry.key)?;
    checks::floats(&format!("{place}.vector"), &entry.vector)?;
    metadata::check(&format!("{place}.metadata"), &entry.metadata)?;
    Ok(entry)
}

/// An entry as a message has it, with a vector where one is given.
pub(crate) fn written(stored: &Stored, vector: Option<&[f32]>) -> Entry {
    Entry {
        key: stored.key.as_ref().to_owned(),
        value: stored.value.clone(),
        vector: vector.unwrap_or_default().to_vec(),
        metadata: stored.metadata.clone(),
    }
}
