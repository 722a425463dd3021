//! Single values on the wire.

use std::borrow::Cow;

use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::Kind;

/// A value of a scalar type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// Of any integer type, and of an enum.
    Integer(i128),
    /// Of a double or a float.
    Number(f64),
    /// Of a bool.
    Bool(bool),
    /// Of a string.
    String(Cow<'a, str>),
    /// Of bytes, and the bytes of a message.
    Bytes(Cow<'a, [u8]>),
}

impl Scalar<'_> {
    /// What a field of this type holds when the wire says nothing.
    pub(crate) fn default_of(kind: &Kind) -> Self {
        match kind {
            Kind::Double | Kind::Float => Self::Number(0.0),
            Kind::Bool => Self::Bool(false),
            Kind::String => Self::String(Cow::Borrowed("")),
            Kind::Bytes | Kind::Message(_) => Self::Bytes(Cow::Borrowed(&[])),
            _ => Self::Integer(0),
        }
    }

    /// Whether the value is what a field without presence leaves out. -0 is not.
    pub(crate) fn is_default(&self) -> bool {
        match self {
            Self::Integer(value) => *value == 0,
            Self::Number(value) => value.to_bits() == 0,
            Self::Bool(value) => !value,
            Self::String(value) => value.is_empty(),
            Self::Bytes(value) => value.is_empty(),
        }
    }
}

/// How a value of this type lies on the wire.
pub(crate) fn wire_type_of(kind: &Kind) -> WireType {
    match kind {
        Kind::String | Kind::Bytes | Kind::Message(_) => WireType::LengthDelimited,
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => WireType::SixtyFourBit,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => WireType::ThirtyTwoBit,
        _ => WireType::Varint,
    }
}

/// Appends a value with its tag.
pub(crate) fn push_tagged(out: &mut Vec<u8>, number: u32, kind: &Kind, value: &Scalar<'_>) {
    encode_key(number, wire_type_of(kind), out);
    push_value(out, kind, value);
}

/// Appends a value without its tag.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is in the range of its type")]
pub(crate) fn push_value(out: &mut Vec<u8>, kind: &Kind, value: &Scalar<'_>) {
    match value {
        Scalar::Bool(value) => out.push(u8::from(*value)),
        Scalar::String(value) => push_bytes(out, value.as_bytes()),
        Scalar::Bytes(value) => push_bytes(out, value),
        Scalar::Number(value) if matches!(kind, Kind::Float) => out.extend((*value as f32).to_le_bytes()),
        Scalar::Number(value) => out.extend(value.to_le_bytes()),
        Scalar::Integer(value) => match kind {
            Kind::Fixed32 | Kind::Sfixed32 => out.extend((*value as u32).to_le_bytes()),
            Kind::Fixed64 | Kind::Sfixed64 => out.extend((*value as u64).to_le_bytes()),
            Kind::Sint32 | Kind::Sint64 => encode_varint(((value << 1) ^ (value >> 127)) as u64, out),
            _ => encode_varint(*value as u64, out),
        },
    }
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Appends what `write` appends, with tag and length before it.
pub(crate) fn push_delimited<E>(
    out: &mut Vec<u8>,
    number: u32,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    encode_key(number, WireType::LengthDelimited, out);
    let start = out.len();
    write(out)?;
    let mut length = Vec::with_capacity(5);
    encode_varint((out.len() - start) as u64, &mut length);
    out.splice(start..start, length);
    Ok(())
}
