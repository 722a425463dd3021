//! The module as a whole: its sections, each with what is appended to it.

use crate::added::{self, Added};
use crate::code;
use crate::limits::Limits;
use crate::module::Module;
use crate::refusal::Refusal;
use wasmparser::BinaryReader;

/// The sections in the order that they come in, by id. The start section is left out: the host calls the function.
const ORDER: [u8; 11] = [TYPE, 2, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, 9, 12, CODE, 11];
const TYPE: u8 = 1;
const FUNCTION: u8 = 3;
const TABLE: u8 = 4;
const MEMORY: u8 = 5;
const GLOBAL: u8 = 6;
const EXPORT: u8 = 7;
const CODE: u8 = 10;

/// Returns the module with the new bodies and what is added.
pub(crate) fn write(
    module: &Module<'_>,
    limits: &Limits,
    added: &Added,
    bodies: &[Option<Vec<u8>>],
) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::with_capacity(module.bytes.len() * 5 / 4 + 512);
    out.extend(b"\0asm\x01\0\0\0");
    for id in ORDER {
        let contents = match id {
            TYPE => extended(module, id, added::TYPES.iter().map(|ty| ty.to_vec()))?,
            FUNCTION => extended(module, id, added.function_types().map(number))?,
            TABLE => tables(module, limits),
            MEMORY => memories(module, limits),
            GLOBAL => extended(module, id, std::iter::once(vec![code::I64, 1, code::op::I64_CONST, 0, code::op::END]))?,
            EXPORT => extended(module, id, added.exports(module.start).into_iter().map(export))?,
            CODE => functions(module, added, bodies),
            _ => match module.sections.get(&id) {
                Some(range) => module.bytes.get(range.clone()).unwrap_or_default().to_vec(),
                None => continue,
            },
        };
        if id == MEMORY && module.memories.is_empty() {
            continue;
        }
        out.push(id);
        code::unsigned(&mut out, contents.len() as u32);
        out.extend(contents);
    }
    for custom in &module.customs {
        out.push(0);
        code::unsigned(&mut out, custom.len() as u32);
        out.extend(module.bytes.get(custom.clone()).unwrap_or_default());
    }
    Ok(out)
}

/// The contents of a section with entries appended.
fn extended(module: &Module<'_>, id: u8, entries: impl Iterator<Item = Vec<u8>>) -> Result<Vec<u8>, Refusal> {
    let range = module.sections.get(&id).cloned().unwrap_or_default();
    let (mut count, mut bytes) = (0, [].as_slice());
    if !range.is_empty() {
        let contents = module.bytes.get(range.clone()).unwrap_or_default();
        let mut reader = BinaryReader::new(contents, range.start);
        count = reader.read_var_u32()?;
        bytes = contents.get(reader.current_position()..).unwrap_or_default();
    }
    let entries: Vec<Vec<u8>> = entries.collect();
    let mut out = Vec::with_capacity(range.len() + 128);
    code::unsigned(&mut out, count + entries.len() as u32);
    out.extend(bytes);
    out.extend(entries.into_iter().flatten());
    Ok(out)
}

fn number(value: u32) -> Vec<u8> {
    let mut out = Vec::new();
    code::unsigned(&mut out, value);
    out
}

fn export((name, kind, index): (&str, u8, u32)) -> Vec<u8> {
    let mut out = number(name.len() as u32);
    out.extend(name.as_bytes());
    code::index(&mut out, kind, index);
    out
}

/// Limits with a maximum, which is the cap where there is none that is lower.
fn limited(out: &mut Vec<u8>, initial: u64, maximum: Option<u64>, cap: u64) {
    out.push(1);
    code::unsigned(out, initial as u32);
    code::unsigned(out, maximum.map_or(cap, |maximum| maximum.min(cap)) as u32);
}

fn tables(module: &Module<'_>, limits: &Limits) -> Vec<u8> {
    let mut out = number(module.tables.len() as u32 + 1);
    for table in &module.tables {
        let is_function = table.element_type.is_func_ref();
        out.push(if is_function { code::FUNCREF } else { code::EXTERNREF });
        limited(&mut out, table.initial, table.maximum, u64::from(limits.max_table_elements));
    }
    out.push(code::FUNCREF);
    limited(&mut out, u64::from(added::ENTRIES), None, u64::from(added::ENTRIES));
    out
}

fn memories(module: &Module<'_>, limits: &Limits) -> Vec<u8> {
    let mut out = number(module.memories.len() as u32);
    for memory in &module.memories {
        limited(&mut out, memory.initial, memory.maximum, limits.pages());
    }
    out
}

fn functions(module: &Module<'_>, added: &Added, bodies: &[Option<Vec<u8>>]) -> Vec<u8> {
    let own = added.bodies();
    let mut out = Vec::with_capacity(module.bytes.len() * 5 / 4);
    code::unsigned(&mut out, (module.bodies.len() + own.len()) as u32);
    for (body, changed) in module.bodies.iter().zip(bodies) {
        let bytes = changed.as_deref().unwrap_or_else(|| body.as_bytes());
        code::unsigned(&mut out, bytes.len() as u32);
        out.extend(bytes);
    }
    for body in own {
        code::unsigned(&mut out, body.len() as u32);
        out.extend(body);
    }
    out
}
