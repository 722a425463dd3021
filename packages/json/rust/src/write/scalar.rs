//! Single values as JSON.

use prost_reflect::{EnumDescriptor, Kind};

use super::Writer;
use crate::text::base64::push_base64;
use crate::text::number::{double_text, float_text};
use crate::text::print::push_string;
use crate::wire::Scalar;

/// Appends the JSON of a value of this type.
pub(super) fn push_scalar(out: &mut String, kind: &Kind, value: &Scalar<'_>) {
    match value {
        Scalar::Integer(value) => {
            let is_long = matches!(kind, Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64);
            let quote = if is_long { "\"" } else { "" };
            out.push_str(&format!("{quote}{value}{quote}"));
        }
        Scalar::Number(value) => push_number(out, matches!(kind, Kind::Float), *value),
        Scalar::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Scalar::String(value) => push_string(out, value),
        Scalar::Bytes(value) => {
            out.push('"');
            push_base64(out, value);
            out.push('"');
        }
    }
}

fn push_number(out: &mut String, is_single: bool, value: f64) {
    if value.is_nan() {
        out.push_str("\"NaN\"");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else if is_single {
        #[expect(clippy::cast_possible_truncation, reason = "it is a float")]
        out.push_str(&float_text(value as f32));
    } else {
        out.push_str(&double_text(value));
    }
}

impl Writer<'_> {
    /// Appends the JSON of a number of an enum: its name, where it has one.
    pub(super) fn push_enum(&self, out: &mut String, of: &EnumDescriptor, value: &Scalar<'_>) {
        let Scalar::Integer(number) = value else { return };
        if of.full_name() == "google.protobuf.NullValue" {
            out.push_str("null");
            return;
        }
        // Of names with one number the first.
        let named = of.values().find(|named| i128::from(named.number()) == *number);
        match named.filter(|_| !self.options.enums_as_integers) {
            Some(named) => push_string(out, named.name()),
            None => out.push_str(&number.to_string()),
        }
    }
}
