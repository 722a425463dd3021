//! What one function is charged, and where: its work as a number of operators, at most, on the costliest way.
//!
//! A loop is charged for one round when a round begins, a function when it is entered or, if it is short, by who calls
//! it. So all work is charged before it is done, and what is left is where to *check* the counter: on every circle of
//! the control flow and of the calls, once.

use crate::flow::{Event, Flow, Kind, Labels, branches};

/// What callers must know of a function.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Price {
    /// What they are charged for a call.
    pub(crate) cost: u32,
    /// Whether a call that returns has passed a check.
    pub(crate) checks: bool,
}

/// What is put at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// A charge, and a check.
    Check(u32),
    /// Those of a call of the host.
    Host,
}

/// What is put into a function.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The charge at the entry, if it is checked there.
    pub(crate) entry: Option<u32>,
    /// For each loop.
    pub(crate) loops: Vec<Round>,
    /// The calls at which something is put, by the place of their event.
    pub(crate) sites: Vec<(u32, Site)>,
}

/// What is put where a round of a loop begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Round {
    pub(crate) charge: u32,
    pub(crate) check: bool,
}

/// What a call in a function costs.
pub(crate) trait Prices {
    /// Of a call of a function; `None` if it is the host's.
    fn call(&self, function: u32) -> Option<Price>;
    /// Of an indirect call; with what is put there.
    fn indirect(&self, signature: u32) -> (Price, Option<Site>);
}

/// So much may be done without a look at the counter, in a row of calls.
const ROW: u32 = 20_000;

/// Returns what is put into a function, with its whole cost and whether whoever returns from it has passed a check.
pub(crate) fn plan(flow: &Flow, prices: &impl Prices) -> (Plan, Price) {
    let mut walk = Walk {
        flow,
        prices,
        labels: Labels::of_function(),
        label_regions: vec![0],
        function: Region::default(),
        regions: Vec::new(),
        plan: Plan { loops: vec![Round::default(); flow.loops.len()], ..Plan::default() },
    };
    let mut state = Some(Path::default());
    for (place, event) in flow.events.iter().enumerate() {
        state = walk.event(place as u32, *event, state);
    }
    if let Some(path) = state {
        walk.function.leave(path);
    }
    (walk.plan, Price { cost: walk.function.cost, checks: !walk.function.unchecked })
}

/// What is known of the ways to a place, within the innermost region around it.
#[derive(Clone, Copy, Debug, Default)]
struct Path {
    /// Of the costliest.
    cost: u32,
    /// Whether all of them have passed a check.
    checked: bool,
}

fn join(one: Path, other: Path) -> Path {
    Path { cost: one.cost.max(other.cost), checked: one.checked && other.checked }
}

/// A loop that repeats, or the function.
#[derive(Clone, Copy, Debug, Default)]
struct Region {
    /// The way to it, in the region around it.
    entry: Path,
    /// The innermost region, counted from 1 at the outermost loop, of which it is certain that who entered it has
    /// passed a check since a region further out began: before it or at its header. It is this one or one around it.
    certain: usize,
    /// Of the costliest way that leaves it or begins another round.
    cost: u32,
    /// Whether a way back to its header, or out of the function, passes no check.
    unchecked: bool,
}

impl Region {
    fn leave(&mut self, path: Path) {
        self.cost = self.cost.max(path.cost);
        self.unchecked |= !path.checked;
    }
}

struct Walk<'a, P> {
    flow: &'a Flow,
    prices: &'a P,
    labels: Labels<Path>,
    /// For each label the region that it lies in, and for that of a loop that repeats the loop: 0 is the function.
    label_regions: Vec<usize>,
    function: Region,
    /// The loops around that repeat.
    regions: Vec<Region>,
    plan: Plan,
}

impl<P: Prices> Walk<'_, P> {
    fn event(&mut self, place: u32, event: Event, state: Option<Path>) -> Option<Path> {
        let state = state.map(|path| Path { cost: path.cost.saturating_add(event.work), ..path });
        let state = state.map(|path| self.call(place, event.kind, path));
        if let Some(path) = state {
            for depth in branches(&self.flow.targets, event.kind, self.labels.len()) {
                self.branch(depth, path);
            }
        }
        let ends = (event.kind == Kind::End).then(|| self.labels.kind(0)).flatten();
        let state = self.labels.shape(event.kind, state, join);
        match (event.kind, ends) {
            (Kind::Block | Kind::Loop(_) | Kind::If { .. }, _) => self.open(event.kind, state),
            (Kind::End, Some(ended)) => self.close(ended, state),
            _ => state,
        }
    }

    fn open(&mut self, kind: Kind, state: Option<Path>) -> Option<Path> {
        let (Kind::Loop(place), true, Some(entry)) = (kind, self.flow.repeats(kind), state) else {
            self.label_regions.push(self.regions.len());
            return state;
        };
        let facts = self.flow.loops.get(place as usize).copied().unwrap_or_default();
        let around = self.region();
        around.cost = around.cost.max(entry.cost);
        let certain = around.certain;
        self.regions.push(Region { entry, ..Region::default() });
        let depth = self.regions.len();
        // What has nothing within that could check for it checks at its header.
        let certain = if entry.checked || !(facts.calls || facts.nests) { depth } else { certain };
        self.region().certain = certain;
        self.label_regions.push(depth);
        Some(Path::default())
    }

    fn close(&mut self, ended: Kind, state: Option<Path>) -> Option<Path> {
        self.label_regions.pop();
        if !self.flow.repeats(ended) {
            return state;
        }
        let left = state.map(|path| self.outside(self.regions.len().saturating_sub(1), path));
        let region = self.regions.pop().unwrap_or_default();
        if let Kind::Loop(place) = ended
            && let Some(round) = self.plan.loops.get_mut(place as usize)
        {
            *round = Round { charge: region.cost, check: region.unchecked };
        }
        left
    }

    fn region(&mut self) -> &mut Region {
        self.regions.last_mut().unwrap_or(&mut self.function)
    }

    /// A way leads to a label.
    fn branch(&mut self, depth: u32, path: Path) {
        let Some(label) = self.label_regions.len().checked_sub(depth as usize + 1) else { return };
        let Some(target) = self.label_regions.get(label).copied() else { return };
        let path = self.outside(target, path);
        if self.labels.kind(depth).is_some_and(|kind| self.flow.repeats(kind)) {
            if let Some(region) = target.checked_sub(1).and_then(|place| self.regions.get_mut(place)) {
                region.leave(path);
            }
        } else {
            self.labels.arrive(depth, path, join);
        }
    }

    /// Returns what a way is to a region further out, which it leads to; and notes that it leaves this one.
    fn outside(&mut self, target: usize, path: Path) -> Path {
        let Some(inner) = self.regions.get(target).copied() else { return path };
        let region = self.region();
        region.cost = region.cost.max(path.cost);
        Path { cost: inner.entry.cost, checked: path.checked || region.certain > target }
    }

    /// Returns the way after what is called.
    fn call(&mut self, place: u32, kind: Kind, path: Path) -> Path {
        let (price, site) = match kind {
            Kind::Call(function) | Kind::TailCall(function) => match self.prices.call(function) {
                Some(price) => (price, None),
                None => (Price::default(), Some(Site::Host)),
            },
            Kind::Indirect(signature) | Kind::TailIndirect(signature) => self.prices.indirect(signature),
            Kind::Grows => return Path { checked: true, ..path },
            _ => return path,
        };
        let cost = path.cost.saturating_add(price.cost);
        if let Some(site) = site {
            self.plan.sites.push((place, site));
            return Path { cost, checked: true };
        }
        if cost > ROW {
            self.plan.sites.push((place, Site::Check(path.cost)));
            return Path { cost: price.cost, checked: true };
        }
        Path { cost, checked: path.checked || price.checks }
    }
}
