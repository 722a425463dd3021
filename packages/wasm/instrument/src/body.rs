//! The new body of a function: its bytes, with code put in between.
//!
//! The counter is a global. In loops that call nothing it is kept in a local, so that a round costs a subtraction and a
//! comparison in a register: which of the two holds the counter is followed along the control flow, and it is moved where
//! ways meet that differ, before calls and before returning. The call of the host lies outside of such a loop, in
//! another one around it that is entered again.

use crate::added::Added;
use crate::code::{self, op};
use crate::flow::{Event, Flow, Kind, Labels, branches};
use crate::plan::{Plan, Site};
use crate::refusal::Refusal;
use wasmparser::FunctionBody;

/// What engines accept.
const MOST_LOCALS: u32 = 50_000;
const MOST_BYTES: usize = 7_654_321;
/// The counter, and after it a length.
const ADDED_LOCALS: u32 = 2;

/// So many are moved for what any such instruction is charged.
const FREE_BYTES: i32 = 1_024;
const FREE_ELEMENTS: i32 = 16;

/// Where the parts of a body lie.
pub(crate) struct Shape {
    /// Parameters and locals.
    pub(crate) locals: u32,
    groups: u32,
    /// Where its groups of locals start, its operators, and where it ends.
    groups_at: usize,
    operators_at: usize,
    end: usize,
}

impl Shape {
    pub(crate) fn of(body: &FunctionBody<'_>, params: u32) -> Result<Self, Refusal> {
        let mut locals = params;
        let mut reader = body.get_locals_reader()?;
        let (groups, groups_at) = (reader.get_count(), reader.original_position());
        for _ in 0..groups {
            locals = locals.saturating_add(reader.read()?.0);
        }
        Ok(Self { locals, groups, groups_at, operators_at: reader.original_position(), end: body.range().end })
    }
}

/// Where the counter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// In the global alone.
    Global,
    /// In the local alone.
    Local,
    /// In both.
    Both,
}

impl Held {
    fn in_global(self) -> bool {
        self != Held::Local
    }

    fn in_local(self) -> bool {
        self != Held::Global
    }
}

/// Returns the new body; none if nothing is put in. `index` is the function's, for errors.
pub(crate) fn write(
    module: &[u8],
    shape: &Shape,
    flow: &Flow,
    plan: &Plan,
    added: &Added,
    index: u32,
) -> Result<Option<Vec<u8>>, Refusal> {
    let repeats = flow.loops.iter().any(|facts| facts.repeats);
    let moves =
        flow.events.iter().any(|event| matches!(event.kind, Kind::MovesBytes | Kind::MovesElements | Kind::Grows));
    if plan.entry.is_none() && plan.sites.is_empty() && !repeats && !moves {
        return Ok(None);
    }
    if shape.locals > MOST_LOCALS - ADDED_LOCALS {
        let most = MOST_LOCALS - ADDED_LOCALS;
        let message = format!("function {index} has {} locals, and {most} are the most", shape.locals);
        return Err(Refusal::unsupported(message));
    }
    let mut writer = Writer {
        module,
        flow,
        plan,
        added,
        counter: shape.locals,
        keeps: repeats,
        out: Vec::with_capacity((shape.end - shape.operators_at) * 5 / 4 + 32),
        copied: shape.operators_at,
        labels: Labels::of_function(),
        depths: vec![0],
        depth: 0,
        sites: plan.sites.iter().copied().peekable(),
    };
    code::unsigned(&mut writer.out, shape.groups + ADDED_LOCALS);
    writer.out.extend(module.get(shape.groups_at..shape.operators_at).unwrap_or_default());
    writer.out.extend([1, code::I64, 1, code::I32]);
    writer.function();
    writer.copy(shape.end);
    if writer.out.len() > MOST_BYTES {
        let message = format!("function {index} would have {} bytes, and {MOST_BYTES} are the most", writer.out.len());
        return Err(Refusal::too_large(message));
    }
    Ok(Some(writer.out))
}

struct Writer<'a> {
    module: &'a [u8],
    flow: &'a Flow,
    plan: &'a Plan,
    added: &'a Added,
    /// The local that holds the counter.
    counter: u32,
    /// Whether a loop keeps the counter in it.
    keeps: bool,
    out: Vec<u8>,
    /// Up to here the body has been copied.
    copied: usize,
    labels: Labels<Held>,
    /// How deep each label is now.
    depths: Vec<u32>,
    depth: u32,
    sites: std::iter::Peekable<std::iter::Copied<std::slice::Iter<'a, (u32, Site)>>>,
}

/// Ways that meet hold the counter alike: whoever arrives has moved it.
fn join(one: Held, other: Held) -> Held {
    match (one, other) {
        (Held::Both, held) | (held, Held::Both) => held,
        (held, _) => held,
    }
}

impl Writer<'_> {
    fn function(&mut self) {
        let mut held = Held::Global;
        if let Some(charge) = self.plan.entry {
            held = self.check(charge);
        }
        let mut held = Some(held);
        for (place, event) in self.flow.events.iter().enumerate() {
            held = self.event(place as u32, *event, held);
        }
    }

    fn event(&mut self, place: u32, event: Event, held: Option<Held>) -> Option<Held> {
        match (event.kind, held) {
            (Kind::Block | Kind::Loop(_) | Kind::If { .. }, _) => self.open(event, held),
            (Kind::End, _) => self.end(event, held),
            (Kind::Else, Some(held)) => {
                self.copy(event.at as usize);
                let held = self.arrive(&[0], held);
                self.labels.shape(event.kind, Some(held), join)
            }
            (kind, Some(held)) if kind.calls() => {
                self.copy(event.at as usize);
                self.move_to_global(held);
                self.before_call(place, kind);
                if kind == Kind::Grows {
                    self.after_growth(event);
                }
                self.labels.shape(kind, Some(Held::Global), join)
            }
            (kind, held) => {
                let mut held = held;
                let targets: Vec<u32> = branches(&self.flow.targets, kind, self.labels.len()).collect();
                if let (false, Some(known)) = (targets.is_empty(), held) {
                    self.copy(event.at as usize);
                    held = Some(self.arrive(&targets, known));
                }
                self.branch(event);
                self.labels.shape(kind, held, join)
            }
        }
    }

    /// Writes the body up to a place in the module.
    fn copy(&mut self, to: usize) {
        if to > self.copied {
            self.out.extend(self.module.get(self.copied..to).unwrap_or_default());
            self.copied = to;
        }
    }

    fn open(&mut self, event: Event, held: Option<Held>) -> Option<Held> {
        let mut held = held;
        if let (Kind::Loop(place), true, Some(known)) = (event.kind, self.flow.repeats(event.kind), held) {
            self.copy(event.at as usize);
            held = Some(self.round(place, event, known));
        } else {
            self.depth += 1;
        }
        self.depths.push(self.depth);
        self.labels.shape(event.kind, held, join)
    }

    /// Writes the start of a loop that repeats.
    fn round(&mut self, place: u32, event: Event, held: Held) -> Held {
        let round = self.plan.loops.get(place as usize).copied().unwrap_or_default();
        let charge = i64::from(round.charge);
        self.depth += 1;
        self.move_to_local(held);
        if round.check {
            self.depth += 1;
            // Around the loop: where the host has its turn, before the loop is entered, again.
            self.out.extend(self.module.get(event.at as usize..event.end as usize).unwrap_or_default());
            self.overdrawn();
            self.out.extend([op::IF, code::EMPTY]);
            code::index(&mut self.out, op::LOCAL_GET, self.counter);
            code::index(&mut self.out, op::CALL, self.added.refill());
            code::index(&mut self.out, op::LOCAL_SET, self.counter);
            self.out.push(op::END);
        }
        self.copy(event.end as usize);
        if round.check {
            self.overdrawn();
            code::index(&mut self.out, op::BR_IF, 1);
        }
        code::index(&mut self.out, op::LOCAL_GET, self.counter);
        code::i64_const(&mut self.out, charge);
        self.out.push(op::I64_SUB);
        code::index(&mut self.out, op::LOCAL_SET, self.counter);
        Held::Local
    }

    fn end(&mut self, event: Event, held: Option<Held>) -> Option<Held> {
        let ended = self.labels.kind(0);
        let is_function = self.labels.len() == 1;
        let mut held = held;
        if let (Some(known), false) = (held, matches!(ended, Some(Kind::Loop(_)))) {
            self.copy(event.at as usize);
            held = Some(if is_function { self.move_to_global(known) } else { self.arrive(&[0], known) });
        }
        let held = self.labels.shape(event.kind, held, join);
        let opened = self.depths.pop().unwrap_or_default();
        let around = self.depths.last().copied().unwrap_or_default();
        if opened > around + 1 {
            self.copy(event.end as usize);
            self.out.push(op::END);
        }
        self.depth = around;
        held
    }

    /// Moves the counter to where it is held at the labels, or else notes where it is. Returns where it is then.
    fn arrive(&mut self, targets: &[u32], held: Held) -> Held {
        let outermost = self.labels.len() as u32 - 1;
        let (mut global, mut local) = (false, false);
        for &depth in targets {
            let wanted = if depth == outermost { Some(Held::Global) } else { self.held_at(depth) };
            global |= wanted == Some(Held::Global);
            local |= wanted == Some(Held::Local);
        }
        let mut held = held;
        if global {
            held = self.move_to_global(held);
        }
        if local {
            held = self.move_to_local(held);
        }
        for &depth in targets {
            self.labels.arrive(depth, held, join);
        }
        held
    }

    /// Where the counter must be at a label.
    fn held_at(&self, depth: u32) -> Option<Held> {
        match self.labels.kind(depth) {
            Some(kind @ Kind::Loop(_)) if self.flow.repeats(kind) => Some(Held::Local),
            _ => self.labels.end(depth),
        }
    }

    fn move_to_global(&mut self, held: Held) -> Held {
        if held.in_global() {
            return held;
        }
        code::index(&mut self.out, op::LOCAL_GET, self.counter);
        code::index(&mut self.out, op::GLOBAL_SET, self.added.counter);
        Held::Both
    }

    fn move_to_local(&mut self, held: Held) -> Held {
        if held.in_local() {
            return held;
        }
        code::index(&mut self.out, op::GLOBAL_GET, self.added.counter);
        code::index(&mut self.out, op::LOCAL_SET, self.counter);
        Held::Both
    }

    /// Whether the counter in the local is below zero.
    fn overdrawn(&mut self) {
        code::index(&mut self.out, op::LOCAL_GET, self.counter);
        code::below_zero(&mut self.out);
    }

    /// Charges the counter in the global, and checks it. Returns where it is then.
    fn check(&mut self, charge: u32) -> Held {
        code::index(&mut self.out, op::GLOBAL_GET, self.added.counter);
        code::i64_const(&mut self.out, i64::from(charge));
        self.out.push(op::I64_SUB);
        code::index(&mut self.out, op::LOCAL_TEE, self.counter);
        code::index(&mut self.out, op::GLOBAL_SET, self.added.counter);
        self.overdrawn();
        self.out.extend([op::IF, code::EMPTY]);
        code::index(&mut self.out, op::CALL, self.added.checkpoint());
        if self.keeps {
            code::index(&mut self.out, op::GLOBAL_GET, self.added.counter);
            code::index(&mut self.out, op::LOCAL_SET, self.counter);
        }
        self.out.push(op::END);
        if self.keeps { Held::Both } else { Held::Global }
    }

    fn before_call(&mut self, place: u32, kind: Kind) {
        let site = self.sites.next_if(|(at, _)| *at == place).map(|(_, site)| site);
        match site {
            Some(Site::Check(charge)) => {
                self.check(charge);
            }
            Some(Site::Host) => code::index(&mut self.out, op::CALL, self.added.import()),
            None => {}
        }
        match kind {
            Kind::MovesBytes => self.charge_length(FREE_BYTES, self.added.bytes()),
            Kind::MovesElements => self.charge_length(FREE_ELEMENTS, self.added.elements()),
            Kind::Grows => {
                code::index(&mut self.out, op::LOCAL_TEE, self.counter + 1);
                code::index(&mut self.out, op::CALL, self.added.grow());
            }
            _ => {}
        }
    }

    /// Copies what grows a memory or a table by the length that was kept, and tells the host when it did not.
    fn after_growth(&mut self, event: Event) {
        self.copy(event.end as usize);
        code::index(&mut self.out, op::LOCAL_GET, self.counter + 1);
        let bytes = self.module.get(event.at as usize..event.end as usize).unwrap_or_default();
        let mut reader = wasmparser::BinaryReader::new(bytes, 0);
        let is_memory = reader.read_u8().is_ok_and(|opcode| opcode == op::MEMORY_GROW);
        if is_memory {
            self.out.push(op::MEMORY_SIZE);
        } else {
            // The rest of the opcode.
            let _ = reader.read_var_u32();
            self.out.extend([op::MISC, op::TABLE_SIZE]);
        }
        // Of which memory, of which table.
        code::unsigned(&mut self.out, reader.read_var_u32().unwrap_or_default());
        let grew = if is_memory { self.added.grew_memory() } else { self.added.grew_table() };
        code::index(&mut self.out, op::CALL, grew);
    }

    /// Charges for the length on the stack, if it is more than what any move is charged for.
    fn charge_length(&mut self, free: i32, charge: u32) {
        let length = self.counter + 1;
        code::index(&mut self.out, op::LOCAL_TEE, length);
        code::index(&mut self.out, op::LOCAL_GET, length);
        code::i32_const(&mut self.out, free);
        self.out.extend([op::I32_GT_U, op::IF, code::EMPTY]);
        code::index(&mut self.out, op::LOCAL_GET, length);
        code::index(&mut self.out, op::CALL, charge);
        self.out.push(op::END);
    }

    /// Writes a branch with the labels as they lie now, if that is not as it was.
    fn branch(&mut self, event: Event) {
        let now = |depth: u32| {
            let place = self.depths.len().checked_sub(depth as usize + 1);
            let target = place.and_then(|place| self.depths.get(place)).copied().unwrap_or_default();
            self.depth - target
        };
        match event.kind {
            Kind::Branch(depth) | Kind::BranchIf(depth) if now(depth) != depth => {
                let depth = now(depth);
                self.copy(event.at as usize);
                let opcode = if matches!(event.kind, Kind::Branch(_)) { op::BR } else { op::BR_IF };
                code::index(&mut self.out, opcode, depth);
                self.copied = event.end as usize;
            }
            Kind::BranchTable(from, to) if self.flow.targets(from, to).iter().any(|depth| now(*depth) != *depth) => {
                let bytes = self.module.get(event.at as usize + 1..event.end as usize).unwrap_or_default();
                let mut table = vec![op::BR_TABLE];
                let mut reader = wasmparser::BinaryReader::new(bytes, 0);
                let count = reader.read_var_u32().unwrap_or_default();
                code::unsigned(&mut table, count);
                while let Ok(depth) = reader.read_var_u32() {
                    code::unsigned(&mut table, now(depth));
                }
                self.copy(event.at as usize);
                self.out.append(&mut table);
                self.copied = event.end as usize;
            }
            _ => {}
        }
    }
}
