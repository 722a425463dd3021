//! The messages of google.protobuf that have a JSON of their own.

use std::borrow::Cow;
use std::collections::HashSet;

use prost_reflect::{Kind, MessageDescriptor};

use super::Reader;
use super::scalar::{finite, scalar, string};
use crate::fault::{Fault, Result, Step, check_depth};
use crate::text::field_mask::from_mask_text;
use crate::text::json::{Json, Member};
use crate::text::time::{Seconds, from_duration_text, from_timestamp_text};
use crate::well_known::WellKnown;
use crate::wire::{Scalar, push_delimited, push_tagged};

impl Reader<'_> {
    /// Appends the message that JSON means and tells so, if it is one with a JSON of its own.
    pub(super) fn well_known(
        &self,
        message: &MessageDescriptor,
        json: &Json<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let Some(well_known) = WellKnown::of(message.full_name()) else { return Ok(false) };
        match well_known {
            WellKnown::Any => self.any(json, depth, out)?,
            WellKnown::Timestamp => {
                seconds(from_timestamp_text, "a time such as \"2024-02-29T12:00:00Z\"", json, out)?;
            }
            WellKnown::Duration => seconds(from_duration_text, "a duration such as \"1.5s\"", json, out)?,
            WellKnown::FieldMask => field_mask(json, out)?,
            WellKnown::Struct => structure(json, depth, out)?,
            WellKnown::Value => value(json, depth, out)?,
            WellKnown::ListValue => list_value(json, depth, out)?,
            WellKnown::Wrapper => wrapper(message, json, out)?,
        }
        Ok(true)
    }

    fn any(&self, json: &Json<'_>, depth: usize, out: &mut Vec<u8>) -> Result<()> {
        let Json::Object(members) = json else { return Err(Fault::expected("an object", json)) };
        if members.is_empty() {
            return Ok(());
        }
        let mut urls = members.iter().filter(|(name, _)| name == "@type");
        let Some((_, url)) = urls.next() else {
            return Err(Fault::new("expected a member \"@type\" with the URL of a type"));
        };
        let mut resolve = || {
            let url = string(url)?;
            let Some((_, name)) = url.rsplit_once('/') else {
                let what = "the URL of a type, such as \"type.googleapis.com/package.Message\"";
                return Err(Fault::expected(what, &Json::String(Cow::Borrowed(url))));
            };
            if urls.next().is_some() {
                return Err(Fault::new("the field was set before, by \"@type\""));
            }
            match self.pool.get_message_by_name(name) {
                Some(message) => Ok((url, message)),
                None => Err(Fault::new(format!("there is no {name} among the types"))),
            }
        };
        let (url, message) = resolve().map_err(|fault| fault.at_member("@type"))?;
        let mut rest = members.iter().filter(|(name, _)| name != "@type");
        push_tagged(out, 1, &Kind::String, &Scalar::String(Cow::Borrowed(url)));
        push_delimited(out, 2, |out| {
            check_depth(depth + 1)?;
            // Some write an Empty like the types with a JSON of their own.
            let is_old_empty =
                message.full_name() == "google.protobuf.Empty" && rest.clone().any(|(name, _)| name == "value");
            if is_old_empty || WellKnown::of(message.full_name()).is_some() {
                self.any_value(&message, &mut rest, depth, out)
            } else {
                self.members(&message, rest, depth + 1, out)
            }
        })
    }

    /// What has a JSON of its own is in the member "value".
    fn any_value<'m>(
        &self,
        message: &MessageDescriptor,
        rest: &mut (impl Iterator<Item = &'m Member<'m>> + Clone),
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let name = message.full_name();
        let other = rest.clone().find(|(name, _)| name != "value");
        if let Some((other, _)) = other.filter(|_| !self.options.ignore_unknown_members) {
            return Err(Fault::new(format!("{name} in an Any has the member \"value\" alone")).at_member(other));
        }
        let mut values = rest.filter(|(name, _)| name == "value");
        let Some((_, json)) = values.next() else {
            return Err(Fault::new(format!("expected a member \"value\" with the {name}")));
        };
        let read = match values.next() {
            Some(_) => Err(Fault::new("the field was set before, by \"value\"")),
            None => self.message(message, json, depth + 1, out),
        };
        read.map_err(|fault| fault.at_member("value"))
    }
}

fn seconds(parse: fn(&str) -> Option<Seconds>, what: &str, json: &Json<'_>, out: &mut Vec<u8>) -> Result<()> {
    let time = match json {
        Json::String(text) => parse(text),
        _ => None,
    };
    let Seconds { seconds, nanos } = time.ok_or_else(|| Fault::expected(what, json))?;
    if seconds != 0 {
        push_tagged(out, 1, &Kind::Int64, &Scalar::Integer(i128::from(seconds)));
    }
    if nanos != 0 {
        push_tagged(out, 2, &Kind::Int32, &Scalar::Integer(i128::from(nanos)));
    }
    Ok(())
}

fn field_mask(json: &Json<'_>, out: &mut Vec<u8>) -> Result<()> {
    let text = string(json)?;
    for part in text.split(',').filter(|_| !text.is_empty()) {
        let path =
            from_mask_text(part).ok_or_else(|| Fault::expected("paths such as \"user.displayName,photo\"", json))?;
        push_tagged(out, 1, &Kind::String, &Scalar::String(Cow::Owned(path)));
    }
    Ok(())
}

fn structure(json: &Json<'_>, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    let Json::Object(members) = json else { return Err(Fault::expected("an object", json)) };
    let mut seen = HashSet::new();
    for (name, json) in members {
        let mut read = || {
            if !seen.insert(name) {
                return Err(Fault::new("the key was there before"));
            }
            push_delimited(out, 1, |out| {
                push_tagged(out, 1, &Kind::String, &Scalar::String(Cow::Borrowed(name)));
                push_delimited(out, 2, |out| value(json, depth + 2, out))
            })
        };
        read().map_err(|fault| fault.at_key(name))?;
    }
    Ok(())
}

fn list_value(json: &Json<'_>, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    let Json::Array(elements) = json else { return Err(Fault::expected("an array", json)) };
    for (index, element) in elements.iter().enumerate() {
        push_delimited(out, 1, |out| value(element, depth + 1, out)).map_err(|fault| fault.at(Step::Index(index)))?;
    }
    Ok(())
}

fn value(json: &Json<'_>, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    check_depth(depth)?;
    match json {
        Json::Null => push_tagged(out, 1, &Kind::Int32, &Scalar::Integer(0)),
        Json::Number(text) => {
            let number = finite(text).ok_or_else(|| Fault::expected("a double", json))?;
            push_tagged(out, 2, &Kind::Double, &Scalar::Number(number));
        }
        Json::String(text) => push_tagged(out, 3, &Kind::String, &Scalar::String(Cow::Borrowed(text))),
        Json::Bool(value) => push_tagged(out, 4, &Kind::Bool, &Scalar::Bool(*value)),
        Json::Object(_) => {
            check_depth(depth + 1)?;
            push_delimited(out, 5, |out| structure(json, depth + 1, out))?;
        }
        Json::Array(_) => {
            check_depth(depth + 1)?;
            push_delimited(out, 6, |out| list_value(json, depth + 1, out))?;
        }
    }
    Ok(())
}

/// A wrapper is its value, which is in its one field.
fn wrapper(message: &MessageDescriptor, json: &Json<'_>, out: &mut Vec<u8>) -> Result<()> {
    let Some(field) = message.fields().next() else {
        return Err(Fault::new(format!("the descriptor of {} is not the one of protobuf", message.full_name())));
    };
    let value = scalar(&field.kind(), json)?;
    if !value.is_default() {
        push_tagged(out, field.number(), &field.kind(), &value);
    }
    Ok(())
}
