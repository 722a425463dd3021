//! A collection: entries by their keys, their vectors, and an index where it was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use anyplug_generated::inmemorydb::v1::Entry;
use anyplug_sdk::Result;

use crate::best::{Best, Scored};
use crate::checks;
use crate::direction::direction;
use crate::entry::Stored;
use crate::graph::{Graph, GraphOptions};
use crate::metadata::Filter;
use crate::rows::Rows;
use crate::score::{cosine, square};

/// What is searched for.
pub(crate) struct Query {
    pub(crate) vector: Vec<f32>,
    pub(crate) count: usize,
    pub(crate) threshold: Option<f64>,
    pub(crate) filter: Option<Filter>,
    pub(crate) exact: bool,
    /// 0: as the index says.
    pub(crate) ef_search: usize,
}

/// What a collection is made with.
#[derive(Clone, Copy, Default)]
pub(crate) struct CollectionOptions {
    /// 0: as many as the first vector has.
    pub(crate) dimensions: usize,
    /// None: no index.
    pub(crate) graph: Option<GraphOptions>,
}

/// The square of the length of a vector, and the key of its entry.
struct Owner {
    square: f64,
    key: Arc<str>,
}

/// Entries by their keys.
pub(crate) struct Collection {
    pub(crate) options: CollectionOptions,
    entries: BTreeMap<Arc<str>, Stored>,
    /// The vectors, without gaps; their dimensions are 0 before they are known.
    rows: Rows,
    owners: Vec<Owner>,
    graph: Option<Graph>,
    /// Those with vectors of zeros, which are in no graph.
    zeros: BTreeSet<Arc<str>>,
}

impl Collection {
    pub(crate) fn new(options: CollectionOptions) -> Self {
        Self {
            options,
            entries: BTreeMap::new(),
            rows: Rows::new(options.dimensions),
            owners: Vec::new(),
            graph: None,
            zeros: BTreeSet::new(),
        }
    }

    /// How many entries there are.
    pub(crate) fn size(&self) -> usize {
        self.entries.len()
    }

    /// How many dimensions its vectors have; 0: not known yet.
    pub(crate) fn dimensions(&self) -> usize {
        self.rows.dimensions
    }

    /// The entry with a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Stored> {
        self.entries.get(key)
    }

    /// The vector of an entry.
    pub(crate) fn vector_of(&self, stored: &Stored) -> Option<&[f32]> {
        stored.row.map(|row| self.rows.get(row))
    }

    /// Stores an entry that was checked; returns whether it took the place of another.
    pub(crate) fn set(&mut self, entry: Entry) -> bool {
        let replaced = self.delete(&entry.key);
        let Entry { key, value, vector, metadata } = entry;
        let key: Arc<str> = key.into();
        let (row, node) = if vector.is_empty() { (None, None) } else { self.add_vector(&key, &vector) };
        self.entries.insert(Arc::clone(&key), Stored { key, value, metadata, row, node });
        replaced
    }

    /// Removes an entry; returns whether it was there.
    pub(crate) fn delete(&mut self, key: &str) -> bool {
        let Some(stored) = self.entries.remove(key) else { return false };
        self.remove_vector(&stored);
        true
    }

    /// Removes all entries; returns how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        let removed = self.size();
        *self = Self::new(self.options);
        removed
    }

    /// The entries that a filter lets through, in order of their keys.
    pub(crate) fn matching<'a>(
        &'a self,
        filter: Option<&'a Filter>,
        after: &'a str,
    ) -> impl Iterator<Item = &'a Stored> {
        let keys = (Bound::Excluded(after), Bound::Unbounded);
        let entries = self.entries.range::<str, _>(keys).map(|(_, stored)| stored);
        entries.filter(move |stored| filter.is_none_or(|filter| filter.passes(&stored.metadata)))
    }

    /// The entries whose vectors are nearest to one that fits.
    pub(crate) fn search(&self, query: &Query) -> Vec<Scored> {
        let square = square(&query.vector);
        let mut best = Best::new(query.count, query.threshold);
        let mut offer = |row: usize, owner: &Owner| {
            best.offer(cosine(self.rows.get(row), owner.square, &query.vector, square), &owner.key);
        };
        if let Some(filter) = &query.filter {
            let rows = self.entries.values().filter(|stored| filter.passes(&stored.metadata)).filter_map(|one| one.row);
            rows.for_each(|row| offer(row, &self.owners[row]));
        } else if let Some(found) = self.found_by_graph(query, square) {
            let rows = found.into_iter().filter_map(|key| self.entries.get(key)?.row);
            rows.for_each(|row| offer(row, &self.owners[row]));
        } else {
            self.owners.iter().enumerate().for_each(|(row, owner)| offer(row, owner));
        }
        best.ranked()
    }

    /// The keys that the graph finds; none where it would not do.
    fn found_by_graph(&self, query: &Query, square: f64) -> Option<Vec<&Arc<str>>> {
        let graph = self.graph.as_ref().filter(|_| !query.exact && square != 0.0)?;
        let asked = (query.ef_search > 0).then(|| query.ef_search.max(query.count));
        let ef = asked.or_else(|| graph.candidates(query.count)).filter(|ef| *ef < self.owners.len())?;
        let mut found = graph.search(&direction(&query.vector, square.sqrt()), ef);
        found.extend(&self.zeros);
        (found.len() >= query.count).then_some(found)
    }

    fn add_vector(&mut self, key: &Arc<str>, vector: &[f32]) -> (Option<usize>, Option<usize>) {
        if self.rows.dimensions == 0 {
            self.rows = Rows::new(vector.len());
        }
        let square = square(vector);
        let row = self.owners.len();
        self.rows.set(row, vector);
        self.owners.push(Owner { square, key: Arc::clone(key) });
        let Some(options) = self.options.graph else { return (Some(row), None) };
        let graph = self.graph.get_or_insert_with(|| Graph::new(options, vector.len()));
        if square == 0.0 {
            self.zeros.insert(Arc::clone(key));
            return (Some(row), None);
        }
        (Some(row), Some(graph.add(Arc::clone(key), &direction(vector, square.sqrt()))))
    }

    /// The last row comes to where the gap would be.
    fn remove_vector(&mut self, stored: &Stored) {
        let Some(row) = stored.row else { return };
        self.rows.move_last(self.owners.len(), row);
        self.owners.swap_remove(row);
        if let Some(moved) = self.owners.get(row).and_then(|owner| self.entries.get_mut(&owner.key)) {
            moved.row = Some(row);
        }
        if let (Some(node), Some(graph)) = (stored.node, &mut self.graph) {
            graph.remove(&stored.key, node);
        }
        self.zeros.remove(&stored.key);
    }
}

/// Refuses entries whose vectors do not fit in a collection with these dimensions.
pub(crate) fn check(entries: &[(String, Entry)], mut dimensions: usize, collection: &str) -> Result<()> {
    for (place, entry) in entries.iter().filter(|(_, entry)| !entry.vector.is_empty()) {
        checks::dimensions(&format!("{place}.vector"), entry.vector.len(), dimensions, collection)?;
        dimensions = entry.vector.len();
    }
    Ok(())
}
