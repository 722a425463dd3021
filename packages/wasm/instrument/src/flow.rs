//! The control flow of one function: its operators that matter, and a walk over its labels.

use crate::module::{Module, Signature};
use crate::refusal::Refusal;
use wasmparser::{FunctionBody, Operator, OperatorsReader};

/// An operator that matters to control flow or to the counter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Where it starts in the module.
    pub(crate) at: u32,
    /// Where the next operator starts.
    pub(crate) end: u32,
    /// How many operators there were since the last event, this one with them if it does anything.
    pub(crate) work: u32,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Block,
    /// With its place in [`Flow::loops`].
    Loop(u32),
    If {
        has_else: bool,
    },
    Else,
    End,
    Branch(u32),
    BranchIf(u32),
    /// With the range of its labels in [`Flow::targets`], each once.
    BranchTable(u32, u32),
    Return,
    Unreachable,
    /// Of a function.
    Call(u32),
    TailCall(u32),
    /// By a table.
    Indirect(Signature),
    TailIndirect(Signature),
    /// The length on the stack counts bytes.
    MovesBytes,
    /// The length on the stack counts elements of a table.
    MovesElements,
    /// Of a memory or a table.
    Grows,
}

impl Kind {
    /// Whether other code may run here, which needs the counter in its global.
    pub(crate) fn calls(self) -> bool {
        use Kind::{Call, Grows, Indirect, MovesBytes, MovesElements, TailCall, TailIndirect};
        matches!(self, Call(_) | TailCall(_) | Indirect(_) | TailIndirect(_) | MovesBytes | MovesElements | Grows)
    }
}

/// What is known of a loop at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loop {
    /// Whether anything branches back to it. Otherwise it is a block.
    pub(crate) repeats: bool,
    /// Whether it calls anything, or a loop within it does.
    pub(crate) calls: bool,
    /// Whether a loop that repeats lies within it.
    pub(crate) nests: bool,
}

/// The control flow of one function.
#[derive(Default)]
pub(crate) struct Flow {
    pub(crate) events: Vec<Event>,
    pub(crate) targets: Vec<u32>,
    pub(crate) loops: Vec<Loop>,
}

impl Flow {
    pub(crate) fn targets(&self, from: u32, to: u32) -> &[u32] {
        self.targets.get(from as usize..to as usize).unwrap_or_default()
    }

    /// Whether this is a loop that repeats.
    pub(crate) fn repeats(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Loop(place) if self.loops.get(place as usize).is_some_and(|facts| facts.repeats))
    }

    /// Reads a function into this, which is emptied first.
    pub(crate) fn read(&mut self, module: &Module<'_>, body: &FunctionBody<'_>) -> Result<(), Refusal> {
        self.events.clear();
        self.targets.clear();
        self.loops.clear();
        let mut reader = OperatorsReader::new(body.get_binary_reader_for_operators()?);
        let mut recorder =
            Recorder { flow: self, labels: Labels::of_function(), live: Some(()), open: Vec::new(), ifs: Vec::new() };
        let mut work = 0u32;
        while !reader.eof() {
            let at = reader.original_position() as u32;
            let operator = reader.read()?;
            let (kind, own) = match classify(module, recorder.flow, operator)? {
                Some(found) => found,
                None => {
                    work = work.saturating_add(1);
                    continue;
                }
            };
            let event = Event { at, end: reader.original_position() as u32, work: work.saturating_add(own), kind };
            work = 0;
            recorder.record(event);
        }
        Ok(())
    }
}

/// The labels that an operator may branch to, of so many: to return is to branch to the outermost. `targets` are those of
/// the function's [`Flow`].
pub(crate) fn branches(targets: &[u32], kind: Kind, labels: usize) -> impl Iterator<Item = u32> + '_ {
    let (one, many) = match kind {
        Kind::Branch(depth) | Kind::BranchIf(depth) => (Some(depth), None),
        Kind::BranchTable(from, to) => (None, targets.get(from as usize..to as usize)),
        Kind::Return | Kind::TailCall(_) | Kind::TailIndirect(_) => ((labels as u32).checked_sub(1), None),
        _ => (None, None),
    };
    one.into_iter().chain(many.unwrap_or_default().iter().copied())
}

/// What an operator is, and the work it does itself; nothing if it only works.
fn classify(module: &Module<'_>, flow: &mut Flow, operator: Operator<'_>) -> Result<Option<(Kind, u32)>, Refusal> {
    Ok(Some(match operator {
        Operator::Block { .. } => (Kind::Block, 0),
        Operator::Loop { .. } => {
            flow.loops.push(Loop::default());
            (Kind::Loop(flow.loops.len() as u32 - 1), 0)
        }
        Operator::If { .. } => (Kind::If { has_else: false }, 1),
        Operator::Else => (Kind::Else, 0),
        Operator::End => (Kind::End, 0),
        Operator::Br { relative_depth } => (Kind::Branch(relative_depth), 1),
        Operator::BrIf { relative_depth } => (Kind::BranchIf(relative_depth), 1),
        Operator::BrTable { targets } => {
            let from = flow.targets.len();
            flow.targets.push(targets.default());
            for target in targets.targets() {
                flow.targets.push(target?);
            }
            flow.targets[from..].sort_unstable();
            let mut last = None;
            let mut kept = from;
            for place in from..flow.targets.len() {
                let target = flow.targets[place];
                if last != Some(target) {
                    flow.targets[kept] = target;
                    kept += 1;
                    last = Some(target);
                }
            }
            flow.targets.truncate(kept);
            (Kind::BranchTable(from as u32, kept as u32), 2)
        }
        Operator::Return => (Kind::Return, 1),
        Operator::Unreachable => (Kind::Unreachable, 0),
        Operator::Call { function_index } => (Kind::Call(function_index), 4),
        Operator::ReturnCall { function_index } => (Kind::TailCall(function_index), 4),
        Operator::CallIndirect { type_index, .. } => (Kind::Indirect(module.signature(type_index)), 8),
        Operator::ReturnCallIndirect { type_index, .. } => (Kind::TailIndirect(module.signature(type_index)), 8),
        Operator::MemoryCopy { .. } | Operator::MemoryFill { .. } | Operator::MemoryInit { .. } => {
            (Kind::MovesBytes, 64)
        }
        Operator::TableCopy { .. } | Operator::TableFill { .. } | Operator::TableInit { .. } => {
            (Kind::MovesElements, 128)
        }
        Operator::MemoryGrow { .. } | Operator::TableGrow { .. } => (Kind::Grows, 1),
        _ => return Ok(None),
    }))
}

/// Notes the events of a function, and what loops do.
struct Recorder<'f> {
    flow: &'f mut Flow,
    labels: Labels<()>,
    live: Option<()>,
    /// The loops around.
    open: Vec<u32>,
    /// The events of the `if`s around.
    ifs: Vec<u32>,
}

impl Recorder<'_> {
    fn record(&mut self, event: Event) {
        if self.live.is_some()
            && event.kind.calls()
            && let Some(facts) = self.innermost()
        {
            facts.calls = true;
        }
        match event.kind {
            Kind::If { .. } => self.ifs.push(self.flow.events.len() as u32),
            Kind::Else => {
                let opened = self.ifs.last().and_then(|place| self.flow.events.get_mut(*place as usize));
                if let Some(opened) = opened {
                    opened.kind = Kind::If { has_else: true };
                }
            }
            _ => {}
        }
        if let Kind::Loop(place) = event.kind {
            self.open.push(place);
        }
        let ended = (event.kind == Kind::End).then(|| self.labels.kind(0)).flatten();
        if self.live.is_some() {
            for depth in branches(&self.flow.targets, event.kind, self.labels.len()) {
                if let Some(Kind::Loop(place)) = self.labels.kind(depth)
                    && let Some(facts) = self.flow.loops.get_mut(place as usize)
                {
                    facts.repeats = true;
                }
                self.labels.arrive(depth, (), |(), ()| ());
            }
        }
        self.live = self.labels.shape(event.kind, self.live, |(), ()| ());
        match ended {
            Some(Kind::Loop(place)) => self.close(place),
            Some(Kind::If { .. }) => {
                self.ifs.pop();
            }
            _ => {}
        }
        self.flow.events.push(event);
    }

    fn innermost(&mut self) -> Option<&mut Loop> {
        self.open.last().and_then(|place| self.flow.loops.get_mut(*place as usize))
    }

    /// What is true of a loop is true of the one around it.
    fn close(&mut self, place: u32) {
        self.open.pop();
        let Some(inner) = self.flow.loops.get(place as usize).copied() else { return };
        if let Some(outer) = self.innermost() {
            outer.calls |= inner.calls;
            outer.nests |= inner.nests || inner.repeats;
        }
    }
}

/// The labels around a place, each with what is known of the ways that lead to its end. A `State` is what is known of
/// one way; `None` is a place that no way leads to.
pub(crate) struct Labels<S> {
    labels: Vec<Label<S>>,
}

struct Label<S> {
    kind: Kind,
    /// What is known at its end.
    end: Option<S>,
    /// What is known where an `else` begins.
    alternative: Option<S>,
}

impl<S: Clone> Labels<S> {
    /// The labels at the start of a function.
    pub(crate) fn of_function() -> Self {
        Self { labels: vec![Label { kind: Kind::Block, end: None, alternative: None }] }
    }

    /// What a label is.
    pub(crate) fn kind(&self, depth: u32) -> Option<Kind> {
        let place = self.labels.len().checked_sub(depth as usize + 1)?;
        self.labels.get(place).map(|label| label.kind)
    }

    /// What is known at the end of a label so far.
    pub(crate) fn end(&self, depth: u32) -> Option<S> {
        let place = self.labels.len().checked_sub(depth as usize + 1)?;
        self.labels.get(place).and_then(|label| label.end.clone())
    }

    /// How many labels there are.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// A way leads to the end of the label, unless it is a loop's.
    pub(crate) fn arrive(&mut self, depth: u32, state: S, join: impl Fn(S, S) -> S) {
        let Some(place) = self.labels.len().checked_sub(depth as usize + 1) else { return };
        let Some(label) = self.labels.get_mut(place) else { return };
        if matches!(label.kind, Kind::Loop(_)) {
            return;
        }
        label.end = Some(match label.end.take() {
            Some(other) => join(other, state),
            None => state,
        });
    }

    /// Returns what is known after an operator, from what is known before it. Where it branches to is told by
    /// [`Labels::arrive`] before.
    pub(crate) fn shape(&mut self, kind: Kind, state: Option<S>, join: impl Fn(S, S) -> S) -> Option<S> {
        match kind {
            Kind::Block | Kind::Loop(_) => {
                self.labels.push(Label { kind, end: None, alternative: None });
                state
            }
            Kind::If { has_else } => {
                let end = if has_else { None } else { state.clone() };
                self.labels.push(Label { kind, end, alternative: state.clone() });
                state
            }
            Kind::Else => {
                if let Some(state) = state {
                    self.arrive(0, state, join);
                }
                self.labels.last_mut().and_then(|label| label.alternative.take())
            }
            Kind::End => {
                let label = self.labels.pop()?;
                match (label.end, state) {
                    (Some(end), Some(state)) => Some(join(end, state)),
                    (end, state) => end.or(state),
                }
            }
            Kind::Branch(_)
            | Kind::BranchTable(..)
            | Kind::Return
            | Kind::Unreachable
            | Kind::TailCall(_)
            | Kind::TailIndirect(_) => None,
            _ => state,
        }
    }
}
