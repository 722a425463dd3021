//! Takes the bytes of a message apart, one level deep.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::fault::{Fault, Result};
use crate::read::{is_open, key_of, oneof_of};
use crate::wire::{Scalar, wire_type_of};

/// The values of a field in their order. Of a singular message they are parts, whose concatenation is the message; else the last counts.
pub(super) struct Found<'a> {
    pub(super) field: FieldDescriptor,
    pub(super) values: Vec<Scalar<'a>>,
}

/// By the numbers of the fields.
pub(super) type Fields<'a> = BTreeMap<u32, Found<'a>>;

/// Why bytes cannot be read.
enum Broken {
    Wire(DecodeError),
    Told(&'static str),
}

impl From<DecodeError> for Broken {
    fn from(error: DecodeError) -> Self {
        Self::Wire(error)
    }
}

impl Broken {
    #[cold]
    fn fault(self, what: &str) -> Fault {
        match self {
            Self::Wire(error) => Fault::new(format!("the bytes are not those of {what}: {error}")),
            Self::Told(told) => Fault::new(format!("the bytes are not those of {what}: {told}")),
        }
    }
}

/// The fields that the bytes of a message hold; those that the message does not have are skipped.
pub(super) fn scan<'a>(message: &MessageDescriptor, bytes: &'a [u8]) -> Result<Fields<'a>> {
    let mut fields = Fields::new();
    scan_into(message, bytes, &mut fields).map_err(|broken| broken.fault(message.full_name()))?;
    Ok(fields)
}

fn scan_into<'a>(message: &MessageDescriptor, bytes: &'a [u8], fields: &mut Fields<'a>) -> Result<(), Broken> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (number, wire_type) = tag(&mut rest)?;
        let Some(field) = message.get_field(number) else {
            skip_field(wire_type, number, &mut rest, DecodeContext::default())?;
            continue;
        };
        let kind = field.kind();
        let is_packed = field.is_list() && wire_type == WireType::LengthDelimited && !is_delimited(&kind);
        if wire_type == WireType::StartGroup && field.is_group() {
            let group = rest;
            skip_field(wire_type, number, &mut rest, DecodeContext::default())?;
            let end = group.len() - rest.len() - prost::encoding::key_len(number);
            add(field, Scalar::Bytes(Cow::Borrowed(&group[..end])), fields);
        } else if is_packed {
            let mut packed = delimited(&mut rest)?;
            while !packed.is_empty() {
                let value = value(&kind, &mut packed)?;
                if is_known(&kind, &value) {
                    add(field.clone(), value, fields);
                }
            }
        } else if wire_type == wire_type_of(&kind) {
            let value = value(&kind, &mut rest)?;
            if is_known(&kind, &value) {
                add(field, value, fields);
            }
        } else {
            skip_field(wire_type, number, &mut rest, DecodeContext::default())?;
        }
    }
    Ok(())
}

fn add<'a>(field: FieldDescriptor, value: Scalar<'a>, fields: &mut Fields<'a>) {
    let is_single = !field.is_list() && !field.is_map() && !matches!(field.kind(), Kind::Message(_));
    if let Some(found) = fields.get_mut(&field.number()).filter(|_| !is_single) {
        found.values.push(value);
        return;
    }
    if let Some(oneof) = oneof_of(&field) {
        for other in oneof.fields().filter(|other| other.number() != field.number()) {
            fields.remove(&other.number());
        }
    }
    fields.insert(field.number(), Found { field, values: vec![value] });
}

/// The entries of a map in the order of their keys' first coming: of those with one key the last.
pub(super) fn scan_map<'a>(entry: &MessageDescriptor, entries: &'a [Scalar<'a>]) -> Result<Vec<(String, Scalar<'a>)>> {
    let mut map: Vec<(String, Scalar<'a>)> = Vec::with_capacity(entries.len());
    let mut places: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    for bytes in entries {
        let found = scan_entry(entry, bytes_of(bytes)).map_err(|broken| broken.fault("an entry"))?;
        let Some((key, value)) = found else { continue };
        match places.get(&key) {
            Some(place) => map[*place].1 = value,
            None => {
                places.insert(key.clone(), map.len());
                map.push((key, value));
            }
        }
    }
    Ok(map)
}

/// Key and value of an entry; none for a value that its closed enum does not have.
fn scan_entry<'a>(entry: &MessageDescriptor, bytes: &'a [u8]) -> Result<Option<(String, Scalar<'a>)>, Broken> {
    let (key_kind, value_kind) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    let is_message = matches!(value_kind, Kind::Message(_));
    let mut key = Scalar::default_of(&key_kind);
    let mut values = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        match tag(&mut rest)? {
            (1, wire_type) if wire_type == wire_type_of(&key_kind) => key = value(&key_kind, &mut rest)?,
            (2, wire_type) if wire_type == wire_type_of(&value_kind) => {
                if !is_message {
                    values.clear();
                }
                values.push(value(&value_kind, &mut rest)?);
            }
            (number, wire_type) => skip_field(wire_type, number, &mut rest, DecodeContext::default())?,
        }
    }
    let value = if is_message {
        Scalar::Bytes(joined(values))
    } else {
        values.pop().unwrap_or_else(|| Scalar::default_of(&value_kind))
    };
    Ok(is_known(&value_kind, &value).then(|| (key_of(&key), value)))
}

/// The bytes of a message that came in parts.
pub(super) fn joined(mut parts: Vec<Scalar<'_>>) -> Cow<'_, [u8]> {
    if parts.len() == 1
        && let Some(Scalar::Bytes(only)) = parts.pop()
    {
        return only;
    }
    Cow::Owned(parts.iter().flat_map(|part| bytes_of(part).iter().copied()).collect())
}

/// The bytes that a message or an entry is.
pub(super) fn bytes_of<'a>(value: &'a Scalar<'_>) -> &'a [u8] {
    match value {
        Scalar::Bytes(bytes) => bytes,
        _ => &[],
    }
}

fn is_delimited(kind: &Kind) -> bool {
    wire_type_of(kind) == WireType::LengthDelimited
}

/// A closed enum has no other numbers than those with names.
fn is_known(kind: &Kind, value: &Scalar<'_>) -> bool {
    match (kind, value) {
        (Kind::Enum(of), Scalar::Integer(number)) => {
            is_open(of) || i32::try_from(*number).is_ok_and(|number| of.get_value(number).is_some())
        }
        _ => true,
    }
}

fn tag(rest: &mut &[u8]) -> Result<(u32, WireType), Broken> {
    Ok(decode_key(rest)?)
}

/// A value of this type; of a message its bytes.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "integers are cut as protobuf says")]
fn value<'a>(kind: &Kind, rest: &mut &'a [u8]) -> Result<Scalar<'a>, Broken> {
    Ok(match kind {
        Kind::Double => Scalar::Number(f64::from_le_bytes(fixed(rest)?)),
        Kind::Float => Scalar::Number(f64::from(f32::from_le_bytes(fixed(rest)?))),
        Kind::Fixed32 => Scalar::Integer(u32::from_le_bytes(fixed(rest)?).into()),
        Kind::Sfixed32 => Scalar::Integer(i32::from_le_bytes(fixed(rest)?).into()),
        Kind::Fixed64 => Scalar::Integer(u64::from_le_bytes(fixed(rest)?).into()),
        Kind::Sfixed64 => Scalar::Integer(i64::from_le_bytes(fixed(rest)?).into()),
        Kind::Int32 | Kind::Enum(_) => Scalar::Integer((decode_varint(rest)? as i32).into()),
        Kind::Int64 => Scalar::Integer((decode_varint(rest)? as i64).into()),
        Kind::Uint32 => Scalar::Integer((decode_varint(rest)? as u32).into()),
        Kind::Uint64 => Scalar::Integer(decode_varint(rest)?.into()),
        Kind::Sint32 => {
            let value = decode_varint(rest)? as u32;
            Scalar::Integer(((value >> 1) as i32 ^ -((value & 1) as i32)).into())
        }
        Kind::Sint64 => {
            let value = decode_varint(rest)?;
            Scalar::Integer(((value >> 1) as i64 ^ -((value & 1) as i64)).into())
        }
        Kind::Bool => Scalar::Bool(decode_varint(rest)? != 0),
        Kind::String => {
            let text = str::from_utf8(delimited(rest)?).map_err(|_| Broken::Told("a string is not UTF-8"))?;
            Scalar::String(Cow::Borrowed(text))
        }
        Kind::Bytes | Kind::Message(_) => Scalar::Bytes(Cow::Borrowed(delimited(rest)?)),
    })
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Broken> {
    let (value, after) = rest.split_first_chunk().ok_or(Broken::Told("they end within a field"))?;
    *rest = after;
    Ok(*value)
}

fn delimited<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Broken> {
    let length = decode_varint(rest)?;
    let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let (value, after) = split.ok_or(Broken::Told("they end within a field"))?;
    *rest = after;
    Ok(value)
}
