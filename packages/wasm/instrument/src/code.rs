//! Writing instructions.

pub(crate) const I32: u8 = 0x7f;
pub(crate) const I64: u8 = 0x7e;
pub(crate) const F64: u8 = 0x7c;
pub(crate) const FUNCREF: u8 = 0x70;
pub(crate) const EXTERNREF: u8 = 0x6f;
/// The type of a block that takes and gives nothing.
pub(crate) const EMPTY: u8 = 0x40;

/// Opcodes.
pub(crate) mod op {
    pub(crate) const IF: u8 = 0x04;
    pub(crate) const END: u8 = 0x0b;
    pub(crate) const BR: u8 = 0x0c;
    pub(crate) const BR_IF: u8 = 0x0d;
    pub(crate) const BR_TABLE: u8 = 0x0e;
    pub(crate) const CALL: u8 = 0x10;
    pub(crate) const CALL_INDIRECT: u8 = 0x11;
    pub(crate) const RETURN_CALL: u8 = 0x12;
    pub(crate) const RETURN_CALL_INDIRECT: u8 = 0x13;
    pub(crate) const DROP: u8 = 0x1a;
    pub(crate) const LOCAL_GET: u8 = 0x20;
    pub(crate) const LOCAL_SET: u8 = 0x21;
    pub(crate) const LOCAL_TEE: u8 = 0x22;
    pub(crate) const GLOBAL_GET: u8 = 0x23;
    pub(crate) const GLOBAL_SET: u8 = 0x24;
    pub(crate) const TABLE_GET: u8 = 0x25;
    pub(crate) const MEMORY_SIZE: u8 = 0x3f;
    pub(crate) const MEMORY_GROW: u8 = 0x40;
    pub(crate) const I32_CONST: u8 = 0x41;
    pub(crate) const I64_CONST: u8 = 0x42;
    pub(crate) const I32_EQZ: u8 = 0x45;
    pub(crate) const I32_EQ: u8 = 0x46;
    pub(crate) const I32_GT_U: u8 = 0x4b;
    pub(crate) const I64_LT_S: u8 = 0x53;
    pub(crate) const I64_ADD: u8 = 0x7c;
    pub(crate) const I64_SUB: u8 = 0x7d;
    pub(crate) const I64_SHL: u8 = 0x86;
    pub(crate) const I64_SHR_U: u8 = 0x88;
    pub(crate) const F64_NEG: u8 = 0x9a;
    pub(crate) const I64_EXTEND_I32_U: u8 = 0xad;
    pub(crate) const F64_CONVERT_I64_S: u8 = 0xb9;
    pub(crate) const REF_IS_NULL: u8 = 0xd1;
    pub(crate) const REF_FUNC: u8 = 0xd2;
    pub(crate) const MISC: u8 = 0xfc;
    pub(crate) const I64_TRUNC_SAT_F64_S: u8 = 0x06;
    pub(crate) const TABLE_SIZE: u8 = 0x10;
}

/// LEB128 of an unsigned number.
pub(crate) fn unsigned(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// LEB128 of a signed number.
pub(crate) fn signed(out: &mut Vec<u8>, mut value: i64) {
    while !(-64..64).contains(&value) {
        out.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    out.push(value as u8 & 0x7f);
}

/// An instruction with one index.
pub(crate) fn index(out: &mut Vec<u8>, opcode: u8, index: u32) {
    out.push(opcode);
    unsigned(out, index);
}

pub(crate) fn i32_const(out: &mut Vec<u8>, value: i32) {
    out.push(op::I32_CONST);
    signed(out, i64::from(value));
}

pub(crate) fn i64_const(out: &mut Vec<u8>, value: i64) {
    out.push(op::I64_CONST);
    signed(out, value);
}

/// Turns the i64 on the stack into whether it is below zero.
pub(crate) fn below_zero(out: &mut Vec<u8>) {
    i64_const(out, 0);
    out.push(op::I64_LT_S);
}
