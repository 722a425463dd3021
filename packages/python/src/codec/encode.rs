//! Messages to bytes, from the last field to the first.

use std::cell::Cell;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use super::fault::{Fault, Step, shown};
use super::registry::{Field, Message, Shape, Type, attributes};
use super::table::Scalar;
use super::time::Parts;
use super::wire::{Writer, too_deep};
use super::{MAX_DEPTH, scalar};

thread_local! {
    /// Kept for the next message, unless it grew large.
    static BUFFER: Cell<Writer> = Cell::default();
}

const KEPT_BYTES: usize = 1 << 20;
/// What protobuf's implementations take at most.
const MAX_BYTES: usize = i32::MAX as usize;

pub(super) fn to_bytes<'py>(message: &Bound<'py, PyAny>, table: &'static Message, deterministic: bool) -> Result<Bound<'py, PyBytes>, Fault> {
    // An object's own code may run while it is encoded, and encode another: that one finds an empty buffer here, and no harm is done.
    let mut encoder = Encoder { writer: BUFFER.take(), deterministic };
    encoder.writer.clear();
    encoder.fields(message, table, MAX_DEPTH)?;
    let Encoder { writer, .. } = encoder;
    if writer.len() > MAX_BYTES {
        return Err(Fault::new(format!("{} bytes are more than the 2 GiB that a message may have", writer.len())));
    }
    let bytes = PyBytes::new(message.py(), writer.written());
    if writer.capacity() <= KEPT_BYTES {
        BUFFER.set(writer);
    }
    Ok(bytes)
}

struct Encoder {
    writer: Writer,
    deterministic: bool,
}

impl Encoder {
    /// Writes the fields of a message.
    fn fields(&mut self, message: &Bound<'_, PyAny>, table: &'static Message, depth: u32) -> Result<(), Fault> {
        let py = message.py();
        let values = attributes(message)?;
        if let Some(unknown) = values.get_item(table.unknown_fields.bind(py))? {
            let unknown = unknown.cast::<PyBytes>().map_err(|_| scalar::wrong(&unknown, "bytes").at(Step::Field("_unknown_fields")))?;
            self.writer.bytes(unknown.as_bytes());
        }
        // One bit for each of the first oneofs that had a member.
        let mut oneofs = 0_u64;
        for field in table.fields.iter().rev() {
            let Some(value) = values.get_item(field.key.bind(py))? else {
                return Err(Fault::new("the attribute is missing").at(Step::Field(field.name)));
            };
            if value.is(&field.default) {
                if field.is_container() {
                    return Err(scalar::wrong(&value, "a list or dict").at(Step::Field(field.name)));
                }
                continue;
            }
            if let Some(oneof) = field.oneof {
                let bit = 1_u64.checked_shl(oneof as u32).unwrap_or(0);
                if oneofs & bit != 0 || (bit == 0 && second_member(table, &values, oneof)) {
                    return Err(two_members(py, table, &values, oneof));
                }
                oneofs |= bit;
            }
            self.field(field, &value, depth)?;
        }
        Ok(())
    }

    #[inline]
    fn field(&mut self, field: &Field, value: &Bound<'_, PyAny>, depth: u32) -> Result<(), Fault> {
        let at = |fault: Fault| fault.at(Step::Field(field.name));
        match field.shape {
            Shape::Optional => {
                self.value(&field.kind, value, depth).map_err(at)?;
                self.writer.varint(field.tag.into());
            }
            Shape::Singular => {
                let before = self.writer.len();
                if self.value(&field.kind, value, depth).map_err(at)? {
                    self.writer.cut(before);
                } else {
                    self.writer.varint(field.tag.into());
                }
            }
            Shape::Repeated | Shape::Packed => self.list(field, value, depth).map_err(at)?,
            Shape::Map(key) => self.map(field, key, value, depth).map_err(at)?,
        }
        Ok(())
    }

    fn list(&mut self, field: &Field, value: &Bound<'_, PyAny>, depth: u32) -> Result<(), Fault> {
        let copied;
        let list = match value.cast::<PyList>() {
            Ok(list) => list,
            Err(_) => {
                copied = to_list(value)?;
                &copied
            }
        };
        let before = self.writer.len();
        // Looked at anew each time: an element's own code may change the list.
        let mut index = list.len();
        let packed = field.shape == Shape::Packed;
        let count = index;
        while index > 0 {
            index -= 1;
            let Ok(element) = list.get_item(index) else { return Err(Fault::new("the list changed while it was encoded")) };
            self.value(&field.kind, &element, depth).map_err(|fault| fault.at(Step::Index(index)))?;
            if !packed {
                self.writer.varint(field.tag.into());
            }
        }
        if packed && count > 0 {
            self.writer.length_since(before);
            self.writer.varint(field.tag.into());
        }
        Ok(())
    }

    fn map(&mut self, field: &Field, key_type: Scalar, value: &Bound<'_, PyAny>, depth: u32) -> Result<(), Fault> {
        let dict = value.cast::<PyDict>().map_err(|_| scalar::wrong(value, "a dict"))?;
        if dict.is_empty() {
            return Ok(());
        }
        let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
        let mut entries: Vec<_> = dict.iter().collect();
        if self.deterministic {
            sort(&mut entries, key_type)?;
        }
        for (key, value) in entries.iter().rev() {
            let at = |fault: Fault| fault.at(Step::Key(key.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string())));
            let before = self.writer.len();
            self.value(&field.kind, value, depth).map_err(at)?;
            self.writer.varint((2 << 3 | field.kind.wire_type()).into());
            scalar::write(&mut self.writer, key_type, key).map_err(|fault| at(fault.at(Step::Field("key"))))?;
            self.writer.varint((1 << 3 | key_type.wire_type()).into());
            self.writer.length_since(before);
            self.writer.varint(field.tag.into());
        }
        Ok(())
    }

    /// Writes a value without its tag; returns whether it is its type's default.
    #[inline]
    fn value(&mut self, kind: &Type, value: &Bound<'_, PyAny>, depth: u32) -> Result<bool, Fault> {
        let py = value.py();
        match kind {
            Type::Scalar(scalar) => return scalar::write(&mut self.writer, *scalar, value),
            Type::Enum(_) => {
                let number = scalar::number(value)?;
                self.writer.varint(number as u64);
                return Ok(number == 0);
            }
            Type::Message(class) => {
                let table = class.table(py)?;
                if !value.get_type_ptr().cast::<()>().eq(&table.class.as_ptr().cast()) && !value.is_instance(table.class.bind(py))? {
                    return Err(Fault::new(format!("{} is not a {}", shown(value), table.name)));
                }
                let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
                let before = self.writer.len();
                self.fields(value, table, depth)?;
                self.writer.length_since(before);
            }
            Type::Timestamp => Parts::of_datetime(value)?.write(&mut self.writer),
            Type::Duration => Parts::of_timedelta(value)?.write(&mut self.writer),
            Type::Wrapper(scalar) => {
                let before = self.writer.len();
                if scalar::write(&mut self.writer, *scalar, value)? {
                    self.writer.cut(before);
                } else {
                    self.writer.varint((1 << 3 | scalar.wire_type()).into());
                }
                self.writer.length_since(before);
            }
        }
        Ok(false)
    }
}

/// A tuple, or what else is a sequence, but neither text nor bytes, whose elements are no elements of a list.
#[cold]
fn to_list<'py>(value: &Bound<'py, PyAny>) -> Result<Bound<'py, PyList>, Fault> {
    match value.cast::<PyTuple>() {
        Ok(tuple) => Ok(tuple.to_list()),
        Err(_) => Err(scalar::wrong(value, "a list")),
    }
}

/// Orders entries as protobuf's implementations do: numbers by value, text by its bytes.
#[cold]
fn sort(entries: &mut Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>, key_type: Scalar) -> Result<(), Fault> {
    if key_type == Scalar::String {
        let mut keyed = Vec::with_capacity(entries.len());
        for (key, value) in entries.drain(..) {
            let text: String = key.extract().map_err(|_| scalar::wrong(&key, "a str in UTF-8").at(Step::Field("key")))?;
            keyed.push((text, (key, value)));
        }
        keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.extend(keyed.into_iter().map(|(_, entry)| entry));
    } else {
        let mut keyed = Vec::with_capacity(entries.len());
        for (key, value) in entries.drain(..) {
            let number: i128 = match key_type {
                Scalar::Uint64 | Scalar::Fixed64 => key.extract::<u64>().map(i128::from).map_err(|_| scalar::wrong(&key, "an integer of 64 bits").at(Step::Field("key")))?,
                _ => scalar::whole(key_type, &key).map_err(|fault| fault.at(Step::Field("key")))?.into(),
            };
            keyed.push((number, (key, value)));
        }
        keyed.sort_by_key(|(number, _)| *number);
        entries.extend(keyed.into_iter().map(|(_, entry)| entry));
    }
    Ok(())
}

/// Whether a oneof has two members or more; for those that have no bit.
#[cold]
fn second_member(table: &Message, values: &Bound<'_, PyDict>, oneof: usize) -> bool {
    members(values.py(), table, values, oneof).len() > 1
}

#[cold]
fn two_members(py: Python<'_>, table: &Message, values: &Bound<'_, PyDict>, oneof: usize) -> Fault {
    let names = members(py, table, values, oneof).join(" and ");
    let name = table.oneofs.get(oneof).map_or("", |oneof| &oneof.name);
    Fault::new(format!("oneof {name} has {names}; set all but one of them to None"))
}

fn members(py: Python<'_>, table: &Message, values: &Bound<'_, PyDict>, oneof: usize) -> Vec<&'static str> {
    let fields = table.oneofs.get(oneof).into_iter().flat_map(|oneof| &oneof.members).filter_map(|&place| table.fields.get(place));
    fields.filter(|field| matches!(values.get_item(field.key.bind(py)), Ok(Some(value)) if !value.is_none())).map(|field| field.name).collect()
}
