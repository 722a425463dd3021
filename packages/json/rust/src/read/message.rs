//! Messages of JSON.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor};

use super::Reader;
use super::scalar::{key, scalar};
use crate::fault::{Fault, Result, Step, check_depth, quoted};
use crate::text::json::{Json, Member};
use crate::wire::{Scalar, push_delimited, push_tagged, push_value};

/// What one member of an object sets.
#[derive(PartialEq, Eq, Hash)]
enum Place {
    Field(u32),
    Oneof(String),
}

impl Reader<'_> {
    /// Appends the message that JSON means, without tag and length. It lies `depth` messages deep.
    pub(super) fn message(
        &self,
        message: &MessageDescriptor,
        json: &Json<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        check_depth(depth)?;
        if self.well_known(message, json, depth, out)? {
            return Ok(());
        }
        match json {
            Json::Object(members) => self.members(message, members.iter(), depth, out),
            other => Err(Fault::expected("an object", other)),
        }
    }

    /// Appends the fields that members of an object mean, in order of their numbers.
    pub(super) fn members<'m>(
        &self,
        message: &MessageDescriptor,
        members: impl Iterator<Item = &'m Member<'m>>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let mut seen = HashMap::new();
        let mut resolved = Vec::new();
        for (name, json) in members {
            let found = message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name));
            let Some(field) = found else {
                if self.options.ignore_unknown_members {
                    continue;
                }
                return Err(Fault::new(format!("{} has no such field", message.full_name())).at_member(name));
            };
            claim(&mut seen, Place::Field(field.number()), "the field", name)?;
            if *json == Json::Null && !takes_null(&field) {
                continue;
            }
            if let Some(oneof) = oneof_of(&field) {
                let what = format!("the oneof {}", oneof.name());
                claim(&mut seen, Place::Oneof(oneof.name().to_owned()), &what, name)?;
            }
            resolved.push((field, name, json));
        }
        resolved.sort_by_key(|(field, ..)| field.number());
        for (field, name, json) in resolved {
            self.field(&field, json, depth, out).map_err(|fault| fault.at_member(name))?;
        }
        Ok(())
    }

    fn field(&self, field: &FieldDescriptor, json: &Json<'_>, depth: usize, out: &mut Vec<u8>) -> Result<()> {
        if field.is_map() {
            return self.map(field, json, depth, out);
        }
        if field.is_list() {
            return self.list(field, json, depth, out);
        }
        let value = match field.kind() {
            Kind::Message(child) => return self.child(field, &child, json, depth, out),
            Kind::Enum(of) => match self.enum_number(&of, json)? {
                Some(number) => Scalar::Integer(number),
                None => return Ok(()),
            },
            kind => scalar(&kind, json)?,
        };
        if field.supports_presence() || !value.is_default() {
            push_tagged(out, field.number(), &field.kind(), &value);
        }
        Ok(())
    }

    fn child(
        &self,
        field: &FieldDescriptor,
        child: &MessageDescriptor,
        json: &Json<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if !field.is_group() {
            return push_delimited(out, field.number(), |out| self.message(child, json, depth + 1, out));
        }
        encode_key(field.number(), WireType::StartGroup, out);
        self.message(child, json, depth + 1, out)?;
        encode_key(field.number(), WireType::EndGroup, out);
        Ok(())
    }

    fn list(&self, field: &FieldDescriptor, json: &Json<'_>, depth: usize, out: &mut Vec<u8>) -> Result<()> {
        let Json::Array(elements) = json else { return Err(Fault::expected("an array", json)) };
        let kind = field.kind();
        let mut packed = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            let value = match &kind {
                Kind::Message(child) => self.child(field, child, element, depth, out).map(|()| None),
                Kind::Enum(of) => self.enum_number(of, element).map(|number| number.map(Scalar::Integer)),
                kind => scalar(kind, element).map(Some),
            };
            let Some(value) = value.map_err(|fault| fault.at(Step::Index(index)))? else { continue };
            if field.is_packed() {
                push_value(&mut packed, &kind, &value);
            } else {
                push_tagged(out, field.number(), &kind, &value);
            }
        }
        if field.is_packed() && !elements.is_empty() {
            encode_key(field.number(), WireType::LengthDelimited, out);
            encode_varint(packed.len() as u64, out);
            out.append(&mut packed);
        }
        Ok(())
    }

    fn map(&self, field: &FieldDescriptor, json: &Json<'_>, depth: usize, out: &mut Vec<u8>) -> Result<()> {
        let Json::Object(members) = json else { return Err(Fault::expected("an object", json)) };
        let kind = field.kind();
        let Kind::Message(entry) = &kind else { return Err(Fault::new("a map without entries")) };
        let (key_kind, value_kind) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let mut seen = HashSet::new();
        for (name, element) in members {
            let mut read = || {
                check_depth(depth + 1)?;
                let key = key(&key_kind, name)?;
                if !seen.insert(key_of(&key)) {
                    return Err(Fault::new("the key was there before"));
                }
                let number = match &value_kind {
                    Kind::Enum(of) => match self.enum_number(of, element)? {
                        Some(number) => number,
                        None => return Ok(()),
                    },
                    _ => 0,
                };
                push_delimited(out, field.number(), |out| {
                    push_tagged(out, 1, &key_kind, &key);
                    self.map_value(&value_kind, element, number, depth, out)
                })
            };
            read().map_err(|fault: Fault| fault.at_key(name))?;
        }
        Ok(())
    }

    fn map_value(&self, kind: &Kind, json: &Json<'_>, number: i128, depth: usize, out: &mut Vec<u8>) -> Result<()> {
        match kind {
            Kind::Message(message) => push_delimited(out, 2, |out| self.message(message, json, depth + 2, out)),
            Kind::Enum(_) => {
                push_tagged(out, 2, kind, &Scalar::Integer(number));
                Ok(())
            }
            kind => {
                push_tagged(out, 2, kind, &scalar(kind, json)?);
                Ok(())
            }
        }
    }
}

/// A field, or a oneof, is set by one member.
fn claim<'a, P: Hash + Eq>(seen: &mut HashMap<P, &'a str>, place: P, what: &str, name: &'a str) -> Result<()> {
    match seen.insert(place, name) {
        None => Ok(()),
        Some(first) => Err(Fault::new(format!("{what} was set before, by {}", quoted(first))).at_member(name)),
    }
}

/// Whether null is a value of the field, and does not stand for its absence.
fn takes_null(field: &FieldDescriptor) -> bool {
    !field.is_list()
        && match field.kind() {
            Kind::Message(message) => message.full_name() == "google.protobuf.Value",
            Kind::Enum(of) => of.full_name() == "google.protobuf.NullValue",
            _ => false,
        }
}

/// The oneof that the schema puts the field in.
pub(crate) fn oneof_of(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

/// What tells a key of a map from others of its type.
pub(crate) fn key_of(key: &Scalar<'_>) -> String {
    match key {
        Scalar::Integer(value) => value.to_string(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::String(value) => value.to_string(),
        Scalar::Number(_) | Scalar::Bytes(_) => String::new(),
    }
}
