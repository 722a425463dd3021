//! How many candidates a search by the index must keep, by the rule of `HnswIndex` in the schema.

use std::iter::successors;

/// With fewer nodes an index is not used.
pub(crate) const FEWEST_NODES: usize = 1000;

const SAMPLES: usize = 32;
const NEAREST: usize = 10;
const MOST_CANDIDATES: usize = 1000;

/// What is tried.
pub(crate) trait Tried {
    /// The nodes that are nearest to one, itself left out, by looking at all.
    fn nearest(&self, node: usize, count: usize) -> Vec<usize>;
    /// Those that are found with this many candidates, as if the node were not there: its own neighbours would lead to them.
    fn found(&self, node: usize, count: usize, candidates: usize) -> Vec<usize>;
}

/// How many candidates are enough, `candidates` or more; none if no number is.
pub(crate) fn enough(tried: &impl Tried, nodes: &[usize], candidates: usize) -> Option<usize> {
    let samples = (0..SAMPLES).filter_map(|at| nodes.get(at * nodes.len() / SAMPLES).copied());
    let sought: Vec<_> = samples.map(|node| (node, tried.nearest(node, NEAREST))).collect();
    let hits = |(node, nearest): &(usize, Vec<usize>), kept| {
        tried.found(*node, NEAREST, kept).into_iter().filter(|one| nearest.contains(one)).count()
    };
    let most = candidates.max(MOST_CANDIDATES);
    let mut doubled = successors(Some(candidates), |kept| Some(2 * kept)).take_while(|kept| *kept <= most);
    doubled.find(|kept| sought.iter().map(|one| hits(one, *kept)).sum::<usize>() * 50 >= SAMPLES * NEAREST * 49)
}
