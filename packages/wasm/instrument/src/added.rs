//! What is appended to a module: a counter, a table, and functions. All of it comes after what is there, so that no
//! index shifts, and none of it can be reached by the module's own code, which was validated without it.

use crate::code::{self, op};
use crate::module::Module;
use crate::refusal::Refusal;

/// The export of the table at whose index 0 the host puts what is called at a checkpoint: a function `(f64) -> f64`
/// that takes the counter, which is negative, and returns the new one. At index 1 it may put another `(f64) -> f64`: it
/// is told when memory could not grow, with the pages that were wanted in all, or a table, with the elements below 0.
pub const CHECKPOINT: &str = "anyplug:checkpoint";
/// The export `() -> f64` that returns the counter.
pub const LEFT: &str = "anyplug:left";
/// The export `(f64)` that sets the counter.
pub const SET: &str = "anyplug:set";
/// The export `()` that was the start function, if there was one: the host calls it once the table is filled.
pub const START: &str = "anyplug:start";

/// Work that an engine's own function does for one of these, in units.
const IMPORT: i64 = 32;
const GROW: i64 = 10_000;

/// The indices of what is appended.
pub(crate) struct Added {
    types: u32,
    pub(crate) counter: u32,
    table: u32,
    functions: u32,
}

/// The types, by their place after the module's own.
const NOTHING: u32 = 0;
const NUMBER_TO_NUMBER: u32 = 1;
const TO_NUMBER: u32 = 2;
const FROM_NUMBER: u32 = 3;
const FROM_LENGTH: u32 = 4;
const COUNTER_TO_COUNTER: u32 = 5;
const GROWTH: u32 = 6;
pub(crate) const TYPES: &[&[u8]] = &[
    &[0x60, 0, 0],
    &[0x60, 1, code::F64, 1, code::F64],
    &[0x60, 0, 1, code::F64],
    &[0x60, 1, code::F64, 0],
    &[0x60, 1, code::I32, 0],
    &[0x60, 1, code::I64, 1, code::I64],
    &[0x60, 3, code::I32, code::I32, code::I32, 1, code::I32],
];

/// The functions, by their place after the module's own, with the place of their type.
const FUNCTIONS: [u32; 10] =
    [COUNTER_TO_COUNTER, NOTHING, TO_NUMBER, FROM_NUMBER, NOTHING, NOTHING, FROM_LENGTH, FROM_LENGTH, GROWTH, GROWTH];
/// The entries of the table.
pub(crate) const ENTRIES: u32 = 2;
const CHECKPOINTS: i32 = 0;
const REFUSALS: i32 = 1;

/// What engines agree to accept of each.
const MOST: u32 = 1_000_000;

impl Added {
    pub(crate) fn to(module: &Module<'_>) -> Result<Self, Refusal> {
        for name in [CHECKPOINT, LEFT, SET, START] {
            if module.exports.contains(name) {
                return Err(Refusal::unsupported(format!("it exports \"{name}\", a name that the host needs")));
            }
        }
        let exports = module.exports.len() as u32;
        for (what, has, more) in [
            ("types", module.types.len() as u32, TYPES.len() as u32),
            ("functions", module.functions.len() as u32, FUNCTIONS.len() as u32),
            ("globals", module.globals, 1),
            ("exports", exports, 4),
        ] {
            if has > MOST - more {
                return Err(Refusal::too_large(format!("it has {has} {what}, and {} are the most", MOST - more)));
            }
        }
        Ok(Self {
            types: module.types.len() as u32,
            counter: module.globals,
            table: module.imported_tables + module.tables.len() as u32,
            functions: module.functions.len() as u32,
        })
    }

    /// `(i64) -> i64`: the host's turn; takes and returns the counter.
    pub(crate) fn refill(&self) -> u32 {
        self.functions
    }

    /// `()`: the host's turn, with the counter in its global.
    pub(crate) fn checkpoint(&self) -> u32 {
        self.functions + 1
    }

    /// `()`: charges for a call of an imported function, and checks.
    pub(crate) fn import(&self) -> u32 {
        self.functions + 4
    }

    /// `()`: charges for growing memory or a table, and checks.
    pub(crate) fn grow(&self) -> u32 {
        self.functions + 5
    }

    /// `(length)`: charges for moving bytes, and checks.
    pub(crate) fn bytes(&self) -> u32 {
        self.functions + 6
    }

    /// `(length)`: charges for moving elements of tables, and checks.
    pub(crate) fn elements(&self) -> u32 {
        self.functions + 7
    }

    /// `(result, more, size) -> result`: tells the host when memory could not grow.
    pub(crate) fn grew_memory(&self) -> u32 {
        self.functions + 8
    }

    /// The same for a table.
    pub(crate) fn grew_table(&self) -> u32 {
        self.functions + 9
    }

    /// The types of the functions.
    pub(crate) fn function_types(&self) -> impl Iterator<Item = u32> + '_ {
        FUNCTIONS.iter().map(|place| self.types + place)
    }

    /// The bodies of the functions, each with its length.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        vec![
            self.body(|out| {
                code::index(out, op::LOCAL_GET, 0);
                out.push(op::F64_CONVERT_I64_S);
                self.call_host(out, CHECKPOINTS);
                // Saturating: whatever number the host returns, it is no trap.
                out.extend([op::MISC, op::I64_TRUNC_SAT_F64_S]);
            }),
            self.body(|out| {
                code::index(out, op::GLOBAL_GET, self.counter);
                code::index(out, op::CALL, self.refill());
                code::index(out, op::GLOBAL_SET, self.counter);
            }),
            self.body(|out| {
                code::index(out, op::GLOBAL_GET, self.counter);
                out.push(op::F64_CONVERT_I64_S);
            }),
            self.body(|out| {
                code::index(out, op::LOCAL_GET, 0);
                out.extend([op::MISC, op::I64_TRUNC_SAT_F64_S]);
                code::index(out, op::GLOBAL_SET, self.counter);
            }),
            self.body(|out| self.charge(out, |out| code::i64_const(out, IMPORT))),
            self.body(|out| self.charge(out, |out| code::i64_const(out, GROW))),
            self.body(|out| self.charge_length(out, op::I64_SHR_U)),
            self.body(|out| self.charge_length(out, op::I64_SHL)),
            self.body(|out| self.refusal(out, &[])),
            self.body(|out| self.refusal(out, &[op::F64_NEG])),
        ]
    }

    /// Calls the host's function at that place of the table, from a number to a number.
    fn call_host(&self, out: &mut Vec<u8>, place: i32) {
        code::i32_const(out, place);
        code::index(out, op::CALL_INDIRECT, self.types + NUMBER_TO_NUMBER);
        code::unsigned(out, self.table);
    }

    /// Tells the host what was wanted in all if the result is -1, and if it wants to know. Returns the result.
    fn refusal(&self, out: &mut Vec<u8>, sign: &[u8]) {
        code::index(out, op::LOCAL_GET, 0);
        code::i32_const(out, -1);
        out.extend([op::I32_EQ, op::IF, code::EMPTY]);
        code::i32_const(out, REFUSALS);
        code::index(out, op::TABLE_GET, self.table);
        out.extend([op::REF_IS_NULL, op::I32_EQZ, op::IF, code::EMPTY]);
        for local in [1, 2] {
            code::index(out, op::LOCAL_GET, local);
            out.push(op::I64_EXTEND_I32_U);
        }
        out.extend([op::I64_ADD, op::F64_CONVERT_I64_S]);
        out.extend(sign);
        self.call_host(out, REFUSALS);
        out.extend([op::DROP, op::END, op::END]);
        code::index(out, op::LOCAL_GET, 0);
    }

    /// A unit for eight bytes, eight for an element.
    fn charge_length(&self, out: &mut Vec<u8>, shift: u8) {
        self.charge(out, |out| {
            code::index(out, op::LOCAL_GET, 0);
            out.push(op::I64_EXTEND_I32_U);
            code::i64_const(out, 3);
            out.push(shift);
        });
    }

    fn charge(&self, out: &mut Vec<u8>, work: impl FnOnce(&mut Vec<u8>)) {
        code::index(out, op::GLOBAL_GET, self.counter);
        work(out);
        out.push(op::I64_SUB);
        code::index(out, op::GLOBAL_SET, self.counter);
        code::index(out, op::GLOBAL_GET, self.counter);
        code::below_zero(out);
        out.extend([op::IF, code::EMPTY]);
        code::index(out, op::CALL, self.checkpoint());
        out.push(op::END);
    }

    fn body(&self, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = vec![0];
        write(&mut out);
        out.push(op::END);
        out
    }

    /// The exports, with the kind and the index.
    pub(crate) fn exports(&self, start: Option<u32>) -> Vec<(&'static str, u8, u32)> {
        let mut exports =
            vec![(CHECKPOINT, 1, self.table), (LEFT, 0, self.functions + 2), (SET, 0, self.functions + 3)];
        exports.extend(start.map(|function| (START, 0, function)));
        exports
    }
}
