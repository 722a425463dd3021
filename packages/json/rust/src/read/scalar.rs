//! Single values of JSON.

use std::borrow::Cow;

use prost_reflect::{EnumDescriptor, Kind, Syntax};

use super::Reader;
use crate::fault::{Fault, Result};
use crate::text::base64::from_base64;
use crate::text::json::Json;
use crate::text::number::{is_number, to_integer};
use crate::wire::Scalar;

struct IntegerType {
    name: &'static str,
    min: i128,
    max: i128,
}

const INT32: IntegerType = IntegerType { name: "an int32", min: i32::MIN as i128, max: i32::MAX as i128 };
const UINT32: IntegerType = IntegerType { name: "a uint32", min: 0, max: u32::MAX as i128 };
const INT64: IntegerType = IntegerType { name: "an int64", min: i64::MIN as i128, max: i64::MAX as i128 };
const UINT64: IntegerType = IntegerType { name: "a uint64", min: 0, max: u64::MAX as i128 };

/// The value of this type that JSON means.
pub(super) fn scalar<'a>(kind: &Kind, json: &'a Json<'_>) -> Result<Scalar<'a>> {
    match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => integer(&INT32, json),
        Kind::Uint32 | Kind::Fixed32 => integer(&UINT32, json),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => integer(&INT64, json),
        Kind::Uint64 | Kind::Fixed64 => integer(&UINT64, json),
        Kind::Bool => match json {
            Json::Bool(value) => Ok(Scalar::Bool(*value)),
            other => Err(Fault::expected("true or false", other)),
        },
        Kind::String => string(json).map(|text| Scalar::String(Cow::Borrowed(text))),
        Kind::Bytes => match json {
            Json::String(text) => from_base64(text),
            _ => None,
        }
        .map(|bytes| Scalar::Bytes(Cow::Owned(bytes)))
        .ok_or_else(|| Fault::expected("bytes in base64", json)),
        _ => float(matches!(kind, Kind::Float), json),
    }
}

/// The value of this type that the name of a member means, as a key of a map.
pub(super) fn key(kind: &Kind, name: &str) -> Result<Scalar<'static>> {
    let json = Json::String(Cow::Owned(name.to_owned()));
    match (kind, name) {
        (Kind::String, _) => Ok(Scalar::String(Cow::Owned(name.to_owned()))),
        (Kind::Bool, "true") => Ok(Scalar::Bool(true)),
        (Kind::Bool, "false") => Ok(Scalar::Bool(false)),
        (Kind::Bool, _) => Err(Fault::expected("\"true\" or \"false\"", &json)),
        _ => match scalar(kind, &json)? {
            Scalar::Integer(value) => Ok(Scalar::Integer(value)),
            _ => Err(Fault::expected("a key", &json)),
        },
    }
}

/// A string.
pub(super) fn string<'a>(json: &'a Json<'_>) -> Result<&'a str> {
    match json {
        Json::String(text) => Ok(text),
        other => Err(Fault::expected("a string", other)),
    }
}

/// A finite double.
pub(super) fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

impl Reader<'_> {
    /// The number of the value that JSON means; none for a name that the enum does not have, where that is ignored.
    pub(super) fn enum_number(&self, of: &EnumDescriptor, json: &Json<'_>) -> Result<Option<i128>> {
        match json {
            Json::Null if of.full_name() == "google.protobuf.NullValue" => return Ok(Some(0)),
            Json::String(name) => match of.get_value_by_name(name) {
                Some(value) => return Ok(Some(i128::from(value.number()))),
                None if self.options.ignore_unknown_members => return Ok(None),
                None => {}
            },
            Json::Number(text) => {
                let number = to_integer(text).and_then(|number| i32::try_from(number).ok());
                if let Some(number) = number {
                    if is_open(of) || of.get_value(number).is_some() {
                        return Ok(Some(i128::from(number)));
                    }
                    if self.options.ignore_unknown_members {
                        return Ok(None);
                    }
                }
            }
            _ => {}
        }
        Err(Fault::expected(&format!("a name or number of {}", of.full_name()), json))
    }
}

/// Whether the enum takes numbers that have no name, as all of proto3 do.
pub(crate) fn is_open(of: &EnumDescriptor) -> bool {
    of.parent_file().syntax() != Syntax::Proto2
}

fn integer<'a>(IntegerType { name, min, max }: &IntegerType, json: &Json<'_>) -> Result<Scalar<'a>> {
    let text = match json {
        Json::Number(text) => text,
        Json::String(text) => text.as_ref(),
        _ => "",
    };
    match to_integer(text) {
        Some(value) if (*min..=*max).contains(&value) => Ok(Scalar::Integer(value)),
        _ => Err(Fault::expected(name, json)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float is the nearest to what was written")]
fn float<'a>(is_single: bool, json: &Json<'_>) -> Result<Scalar<'a>> {
    let text = match json {
        Json::Number(text) => text,
        Json::String(text) => match text.as_ref() {
            "NaN" => return Ok(Scalar::Number(f64::NAN)),
            "Infinity" => return Ok(Scalar::Number(f64::INFINITY)),
            "-Infinity" => return Ok(Scalar::Number(f64::NEG_INFINITY)),
            text if is_number(text) => text,
            _ => "",
        },
        _ => "",
    };
    let value = finite(text).map(|value| if is_single { f64::from(value as f32) } else { value });
    match value.filter(|value| value.is_finite()) {
        Some(value) => Ok(Scalar::Number(value)),
        None => Err(Fault::expected(if is_single { "a float" } else { "a double" }, json)),
    }
}
