//! The messages of google.protobuf that have a JSON of their own.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::Writer;
use super::scalar::push_scalar;
use super::scan::{Fields, bytes_of, joined, scan, scan_map};
use crate::fault::{Fault, Result, Step, check_depth, quoted};
use crate::text::field_mask::mask_text;
use crate::text::number::double_text;
use crate::text::print::push_string;
use crate::text::time::{Seconds, duration_text, timestamp_text};
use crate::well_known::WellKnown;
use crate::wire::Scalar;

impl Writer<'_> {
    /// Appends the JSON of a message and tells so, if it is one with a JSON of its own.
    pub(super) fn well_known(
        &self,
        message: &MessageDescriptor,
        bytes: &[u8],
        depth: usize,
        out: &mut String,
    ) -> Result<bool> {
        let Some(well_known) = WellKnown::of(message.full_name()) else { return Ok(false) };
        let fields = scan(message, bytes)?;
        match well_known {
            WellKnown::Any => self.any(fields, depth, out)?,
            WellKnown::Timestamp => seconds(timestamp_text, "outside the years 1 to 9999", &fields, out)?,
            WellKnown::Duration => {
                let limits = "longer than 10,000 years, or of seconds and nanoseconds with different signs";
                seconds(duration_text, limits, &fields, out)?;
            }
            WellKnown::FieldMask => field_mask(&fields, out)?,
            WellKnown::Struct => self.structure(message, fields, depth, out)?,
            WellKnown::Value => self.dynamic_value(fields, depth, out)?,
            WellKnown::ListValue => self.list_value(message, fields, depth, out)?,
            WellKnown::Wrapper => wrapper(message, &fields, out)?,
        }
        Ok(true)
    }

    fn structure(&self, message: &MessageDescriptor, fields: Fields<'_>, depth: usize, out: &mut String) -> Result<()> {
        let field = only_field(message)?;
        let Kind::Message(entry) = field.kind() else { return Err(foreign(message)) };
        if !field.is_map() {
            return Err(foreign(message));
        }
        let Kind::Message(value) = entry.map_entry_value_field().kind() else { return Err(foreign(message)) };
        let entries = values_of(fields);
        out.push('{');
        for (index, (key, bytes)) in scan_map(&entry, &entries)?.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_string(out, key);
            out.push(':');
            self.message(&value, bytes_of(bytes), depth + 2, out).map_err(|fault| fault.at_key(key))?;
        }
        out.push('}');
        Ok(())
    }

    fn list_value(
        &self,
        message: &MessageDescriptor,
        fields: Fields<'_>,
        depth: usize,
        out: &mut String,
    ) -> Result<()> {
        let Kind::Message(value) = only_field(message)?.kind() else { return Err(foreign(message)) };
        out.push('[');
        for (index, bytes) in values_of(fields).iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            self.message(&value, bytes_of(bytes), depth + 1, out).map_err(|fault| fault.at(Step::Index(index)))?;
        }
        out.push(']');
        Ok(())
    }

    fn dynamic_value(&self, fields: Fields<'_>, depth: usize, out: &mut String) -> Result<()> {
        let Some(found) = fields.into_values().next() else {
            return Err(Fault::new("a google.protobuf.Value without a value"));
        };
        match found.field.kind() {
            Kind::Message(message) => return self.message(&message, &joined(found.values), depth + 1, out),
            Kind::Enum(_) => out.push_str("null"),
            kind => match found.values.last() {
                Some(Scalar::Number(value)) if !value.is_finite() => {
                    let value = if value.is_nan() {
                        "NaN"
                    } else if *value > 0.0 {
                        "Infinity"
                    } else {
                        "-Infinity"
                    };
                    return Err(Fault::new(format!("{value} has no JSON as a google.protobuf.Value")));
                }
                Some(Scalar::Number(value)) => out.push_str(&double_text(*value)),
                Some(value) => push_scalar(out, &kind, value),
                None => {}
            },
        }
        Ok(())
    }

    fn any(&self, mut fields: Fields<'_>, depth: usize, out: &mut String) -> Result<()> {
        let url = match fields.get(&1).and_then(|found| found.values.last()) {
            Some(Scalar::String(url)) => url.to_string(),
            _ => String::new(),
        };
        let bytes = fields.remove(&2).map(|found| joined(found.values)).unwrap_or_default();
        if url.is_empty() && bytes.is_empty() {
            out.push_str("{}");
            return Ok(());
        }
        let message = url.rsplit_once('/').and_then(|(_, name)| self.pool.get_message_by_name(name));
        let Some(message) = message else {
            return Err(Fault::new(format!("there is no type {} among the types", quoted(&url))));
        };
        check_depth(depth + 1)?;
        out.push_str("{\"@type\":");
        push_string(out, &url);
        if WellKnown::of(message.full_name()).is_some() {
            out.push_str(",\"value\":");
            self.message(&message, &bytes, depth + 1, out).map_err(|fault| fault.at_member("value"))?;
        } else {
            self.members(&message, &bytes, depth + 1, out)?;
        }
        out.push('}');
        Ok(())
    }
}

fn seconds(print: fn(Seconds) -> Option<String>, limits: &str, fields: &Fields<'_>, out: &mut String) -> Result<()> {
    let integer = |number: u32| match fields.get(&number).and_then(|found| found.values.last()) {
        Some(Scalar::Integer(value)) => *value,
        _ => 0,
    };
    let (seconds, nanos) = (integer(1), integer(2));
    let text = match (i64::try_from(seconds), i32::try_from(nanos)) {
        (Ok(seconds), Ok(nanos)) => print(Seconds { seconds, nanos }),
        _ => None,
    };
    let text = text.ok_or_else(|| Fault::new(format!("{seconds} s and {nanos} ns are {limits}")))?;
    out.extend(["\"", &text, "\""]);
    Ok(())
}

fn field_mask(fields: &Fields<'_>, out: &mut String) -> Result<()> {
    out.push('"');
    for (index, path) in fields.get(&1).into_iter().flat_map(|found| &found.values).enumerate() {
        let Scalar::String(path) = path else { continue };
        let text = mask_text(path)
            .ok_or_else(|| Fault::new(format!("{} has no JSON: it would be read as another path", quoted(path))))?;
        out.extend([if index > 0 { "," } else { "" }, &text]);
    }
    out.push('"');
    Ok(())
}

/// A wrapper is its value, which is in its one field.
fn wrapper(message: &MessageDescriptor, fields: &Fields<'_>, out: &mut String) -> Result<()> {
    let kind = only_field(message)?.kind();
    match fields.values().next().and_then(|found| found.values.last()) {
        Some(value) => push_scalar(out, &kind, value),
        None => push_scalar(out, &kind, &Scalar::default_of(&kind)),
    }
    Ok(())
}

fn values_of(fields: Fields<'_>) -> Vec<Scalar<'_>> {
    fields.into_values().next().map(|found| found.values).unwrap_or_default()
}

fn only_field(message: &MessageDescriptor) -> Result<FieldDescriptor> {
    message.fields().next().ok_or_else(|| foreign(message))
}

fn foreign(message: &MessageDescriptor) -> Fault {
    Fault::new(format!("the descriptor of {} is not the one of protobuf", message.full_name()))
}
