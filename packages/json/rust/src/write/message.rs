//! Messages as JSON.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::Writer;
use super::scalar::push_scalar;
use super::scan::{Fields, bytes_of, joined, scan, scan_map};
use crate::fault::{Result, Step, check_depth};
use crate::text::print::push_string;
use crate::wire::Scalar;

impl Writer<'_> {
    /// Appends the JSON of the message that lies `depth` messages deep.
    pub(super) fn message(
        &self,
        message: &MessageDescriptor,
        bytes: &[u8],
        depth: usize,
        out: &mut String,
    ) -> Result<()> {
        check_depth(depth)?;
        if self.well_known(message, bytes, depth, out)? {
            return Ok(());
        }
        out.push('{');
        self.members(message, bytes, depth, out)?;
        out.push('}');
        Ok(())
    }

    /// Appends the members of the object that a message is, in order of their numbers, each with a comma before it where something is.
    pub(super) fn members(
        &self,
        message: &MessageDescriptor,
        bytes: &[u8],
        depth: usize,
        out: &mut String,
    ) -> Result<()> {
        let mut found = scan(message, bytes)?;
        for field in self.fields_of(message, &found) {
            let values = found.remove(&field.number()).map(|found| found.values).unwrap_or_default();
            let before = out.len();
            if !out.ends_with('{') {
                out.push(',');
            }
            push_string(out, if self.options.proto_field_names { field.name() } else { field.json_name() });
            out.push(':');
            let is_printed = self.field(&field, values, depth, out).map_err(|fault| fault.at_member(field.name()))?;
            if !is_printed {
                out.truncate(before);
            }
        }
        Ok(())
    }

    fn fields_of(&self, message: &MessageDescriptor, found: &Fields<'_>) -> Vec<FieldDescriptor> {
        if !self.options.print_defaults {
            return found.values().map(|found| found.field.clone()).collect();
        }
        let mut fields: Vec<_> = message.fields().collect();
        fields.sort_by_key(FieldDescriptor::number);
        fields
    }

    /// Tells whether the field is to be printed; if not, what was appended is taken back.
    fn field(
        &self,
        field: &FieldDescriptor,
        mut values: Vec<Scalar<'_>>,
        depth: usize,
        out: &mut String,
    ) -> Result<bool> {
        let kind = field.kind();
        if field.is_map() {
            return self.map(&kind, &values, depth, out);
        }
        if field.is_list() {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                self.value(&kind, value, depth, out).map_err(|fault| fault.at(Step::Index(index)))?;
            }
            out.push(']');
            return Ok(!values.is_empty() || self.options.print_defaults);
        }
        if let Kind::Message(child) = &kind {
            return match values.is_empty() {
                true => Ok(false),
                false => self.message(child, &joined(values), depth + 1, out).map(|()| true),
            };
        }
        let is_implicit = !field.supports_presence();
        let Some(value) = values.pop().or_else(|| is_implicit.then(|| Scalar::default_of(&kind))) else {
            return Ok(false);
        };
        self.value(&kind, &value, depth, out)?;
        Ok(self.options.print_defaults || !is_implicit || !value.is_default())
    }

    /// Appends one value of a field that is no map.
    fn value(&self, kind: &Kind, value: &Scalar<'_>, depth: usize, out: &mut String) -> Result<()> {
        match kind {
            Kind::Message(child) => self.message(child, bytes_of(value), depth + 1, out)?,
            Kind::Enum(of) => self.push_enum(out, of, value),
            kind => push_scalar(out, kind, value),
        }
        Ok(())
    }

    fn map(&self, kind: &Kind, entries: &[Scalar<'_>], depth: usize, out: &mut String) -> Result<bool> {
        let Kind::Message(entry) = kind else { return Ok(false) };
        let map = scan_map(entry, entries)?;
        if !map.is_empty() {
            check_depth(depth + 1)?;
        }
        let value_kind = entry.map_entry_value_field().kind();
        out.push('{');
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_string(out, key);
            out.push(':');
            self.value(&value_kind, value, depth + 1, out).map_err(|fault| fault.at_key(key))?;
        }
        out.push('}');
        Ok(!map.is_empty() || self.options.print_defaults)
    }
}
