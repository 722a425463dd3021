//! The index: hierarchical navigable small worlds, by the rules of `HnswIndex` in the schema.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::level::Levels;
use crate::rows::Rows;
use crate::score::dot;
use crate::trial::{FEWEST_NODES, Tried, enough};

/// The parameters of an index.
#[derive(Clone, Copy)]
pub(crate) struct GraphOptions {
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    pub(crate) ef_search: usize,
}

#[derive(Default)]
struct Node {
    /// The entries with this direction, by their keys.
    members: BTreeSet<Arc<str>>,
    /// Its neighbours, by level.
    links: Vec<Vec<usize>>,
    /// The nodes that have it as a neighbour, by level.
    referrers: Vec<BTreeSet<usize>>,
}

#[derive(Clone, Copy)]
struct Near {
    nearness: f64,
    node: usize,
}

impl Near {
    /// The nearest first; of equally near nodes the lower number.
    fn order(&self, other: &Self) -> Ordering {
        other.nearness.partial_cmp(&self.nearness).unwrap_or(Ordering::Equal).then(self.node.cmp(&other.node))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Seen {
    Not,
    Met,
    Expanded,
}

/// Nodes in levels; each node has the directions that it is near to as its neighbours.
pub(crate) struct Graph {
    pub(crate) options: GraphOptions,
    directions: Rows,
    levels: Levels,
    nodes: Vec<Node>,
    free: Vec<usize>,
    /// A node of the highest level.
    entry: Option<usize>,
    /// How many candidates are enough; none if no number is.
    enough: Option<usize>,
    next_trial: usize,
}

impl Graph {
    pub(crate) fn new(options: GraphOptions, dimensions: usize) -> Self {
        Self {
            options,
            directions: Rows::new(dimensions),
            levels: Levels::new(options.m),
            nodes: Vec::new(),
            free: Vec::new(),
            entry: None,
            enough: Some(options.ef_search),
            next_trial: FEWEST_NODES,
        }
    }

    /// How many candidates a search for `count` entries is to keep; none if the index is not to be used.
    pub(crate) fn candidates(&self, count: usize) -> Option<usize> {
        let enough = self.enough.filter(|_| self.size() >= FEWEST_NODES)?;
        Some(enough.max(count.saturating_mul(2)))
    }

    /// Adds an entry with a direction; returns its node.
    pub(crate) fn add(&mut self, key: Arc<str>, direction: &[f32]) -> usize {
        let level = self.levels.next();
        let Some(mut nearest) = self.entry else {
            let node = self.create(key, direction, level);
            self.entry = Some(node);
            return node;
        };
        let top = self.top_of(nearest);
        let mut neighbours = vec![Vec::new(); level.min(top) + 1];
        for at in (0..=top).rev() {
            let ef = if at > level { 1 } else { self.options.ef_construction };
            let found = self.search_level(direction, nearest, ef, at, None);
            nearest = found.first().map_or(nearest, |near| near.node);
            if self.directions.get(nearest) == direction {
                self.nodes[nearest].members.insert(key);
                return nearest;
            }
            if at <= level {
                neighbours[at] = self.choose(&found, self.options.m);
            }
        }
        let node = self.create(key, direction, level);
        for (at, neighbours) in neighbours.into_iter().enumerate().rev() {
            self.connect(node, at, neighbours);
        }
        if level > top {
            self.entry = Some(node);
        }
        if let Some(candidates) = self.enough.filter(|_| self.size() >= self.next_trial) {
            self.next_trial = self.size() + self.size() / 4;
            self.enough =
                enough(self, &self.live().filter(|&one| Some(one) != self.entry).collect::<Vec<_>>(), candidates);
        }
        node
    }

    /// Removes an entry from its node, and the node where that was its last.
    pub(crate) fn remove(&mut self, key: &str, gone: usize) {
        self.nodes[gone].members.remove(key);
        if !self.nodes[gone].members.is_empty() {
            return;
        }
        let Node { links, referrers, .. } = std::mem::take(&mut self.nodes[gone]);
        for (at, (neighbours, referrers)) in links.iter().zip(referrers).enumerate() {
            for &neighbour in neighbours {
                self.nodes[neighbour].referrers[at].remove(&gone);
            }
            for referrer in referrers {
                let candidates: BTreeSet<_> =
                    self.nodes[referrer].links[at].iter().chain(neighbours).copied().collect();
                let candidates = candidates.into_iter().filter(|&node| node != gone && node != referrer).collect();
                self.choose_anew(referrer, at, candidates);
            }
        }
        self.free.push(gone);
        if self.entry == Some(gone) {
            self.entry = self.highest();
        }
    }

    /// The keys of the nodes that are nearest to a direction: of `ef` nodes, or fewer.
    pub(crate) fn search(&self, direction: &[f32], ef: usize) -> Vec<&Arc<str>> {
        self.search_nodes(direction, ef, None).into_iter().flat_map(|near| &self.nodes[near.node].members).collect()
    }

    /// The nearest nodes but one, in order.
    fn search_nodes(&self, direction: &[f32], ef: usize, without: Option<usize>) -> Vec<Near> {
        let Some(mut nearest) = self.entry else { return Vec::new() };
        for at in (1..=self.top_of(nearest)).rev() {
            nearest = self.search_level(direction, nearest, 1, at, without).first().map_or(nearest, |near| near.node);
        }
        self.search_level(direction, nearest, ef, 0, without)
    }

    /// The nearest nodes of a level that are found from one of them: `ef` or fewer, in order.
    fn search_level(
        &self,
        direction: &[f32],
        from: usize,
        ef: usize,
        level: usize,
        without: Option<usize>,
    ) -> Vec<Near> {
        let mut seen = vec![Seen::Not; self.nodes.len()];
        if let Some(without) = without {
            seen[without] = Seen::Expanded;
        }
        let mut found = Vec::with_capacity(ef + 1);
        found.push(Near { nearness: self.nearness(direction, from), node: from });
        seen[from] = Seen::Met;
        let mut at = 0;
        while let Some(&Near { node, .. }) = found.get(at) {
            if seen[node] == Seen::Expanded {
                at += 1;
                continue;
            }
            seen[node] = Seen::Expanded;
            for &neighbour in &self.nodes[node].links[level] {
                if seen[neighbour] != Seen::Not {
                    continue;
                }
                seen[neighbour] = Seen::Met;
                let near = Near { nearness: self.nearness(direction, neighbour), node: neighbour };
                if found.len() >= ef && found.last().is_some_and(|last| near.order(last).is_gt()) {
                    continue;
                }
                let place = found.partition_point(|other| other.order(&near).is_lt());
                found.insert(place, near);
                found.truncate(ef);
                at = at.min(place);
            }
        }
        found
    }

    /// Those of the candidates, which are in order, that are not nearer to one that is returned already; at most `most`.
    fn choose(&self, candidates: &[Near], most: usize) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::with_capacity(most);
        for near in candidates {
            if chosen.len() == most {
                break;
            }
            let direction = self.directions.get(near.node);
            if chosen.iter().all(|&one| self.nearness(direction, one) <= near.nearness) {
                chosen.push(near.node);
            }
        }
        chosen
    }

    fn choose_anew(&mut self, node: usize, level: usize, candidates: Vec<usize>) {
        let direction = self.directions.get(node);
        let near = |candidate| Near { nearness: self.nearness(direction, candidate), node: candidate };
        let mut candidates: Vec<_> = candidates.into_iter().map(near).collect();
        candidates.sort_unstable_by(Near::order);
        let chosen = self.choose(&candidates, self.most(level));
        for old in std::mem::take(&mut self.nodes[node].links[level]) {
            // The node that goes has no referrers any more.
            if let Some(referrers) = self.nodes[old].referrers.get_mut(level) {
                referrers.remove(&node);
            }
        }
        for &fresh in &chosen {
            self.nodes[fresh].referrers[level].insert(node);
        }
        self.nodes[node].links[level] = chosen;
    }

    /// Makes nodes the neighbours of a new one, and the new one theirs.
    fn connect(&mut self, node: usize, level: usize, neighbours: Vec<usize>) {
        for &neighbour in &neighbours {
            self.nodes[neighbour].referrers[level].insert(node);
        }
        self.nodes[node].links[level].clone_from(&neighbours);
        for neighbour in neighbours {
            self.nodes[neighbour].links[level].push(node);
            self.nodes[node].referrers[level].insert(neighbour);
            if self.nodes[neighbour].links[level].len() > self.most(level) {
                self.choose_anew(neighbour, level, self.nodes[neighbour].links[level].clone());
            }
        }
    }

    fn create(&mut self, key: Arc<str>, direction: &[f32], level: usize) -> usize {
        let node = self.free.pop().unwrap_or(self.nodes.len());
        self.directions.set(node, direction);
        let created = Node {
            members: BTreeSet::from([key]),
            links: vec![Vec::new(); level + 1],
            referrers: vec![BTreeSet::new(); level + 1],
        };
        match self.nodes.get_mut(node) {
            Some(place) => *place = created,
            None => self.nodes.push(created),
        }
        node
    }

    /// The lowest of the nodes on the highest level.
    fn highest(&self) -> Option<usize> {
        let mut highest = None;
        let mut levels = 0;
        for (node, Node { links, .. }) in self.nodes.iter().enumerate() {
            if links.len() > levels {
                (highest, levels) = (Some(node), links.len());
            }
        }
        highest
    }

    fn size(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    fn live(&self) -> impl Iterator<Item = usize> {
        self.nodes.iter().enumerate().filter(|(_, node)| !node.members.is_empty()).map(|(node, _)| node)
    }

    fn most(&self, level: usize) -> usize {
        if level == 0 { 2 * self.options.m } else { self.options.m }
    }

    fn nearness(&self, direction: &[f32], node: usize) -> f64 {
        dot(self.directions.get(node), direction)
    }

    fn top_of(&self, node: usize) -> usize {
        self.nodes[node].links.len().saturating_sub(1)
    }
}

impl Tried for Graph {
    fn nearest(&self, node: usize, count: usize) -> Vec<usize> {
        let direction = self.directions.get(node);
        let near = |other| Near { nearness: self.nearness(direction, other), node: other };
        let mut near: Vec<_> = self.live().filter(|&other| other != node).map(near).collect();
        near.sort_unstable_by(Near::order);
        near.into_iter().take(count).map(|near| near.node).collect()
    }

    fn found(&self, node: usize, count: usize, candidates: usize) -> Vec<usize> {
        let found = self.search_nodes(self.directions.get(node), candidates, Some(node));
        found.into_iter().take(count).map(|near| near.node).collect()
    }
}
