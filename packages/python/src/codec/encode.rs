//! Messages to bytes, from the last field to the first.

use std::cell::Cell;

use pyo3::ffi;
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

pub(super) fn to_bytes<'py>(
    message: &Bound<'py, PyAny>,
    table: &'static Message,
    deterministic: bool,
) -> Result<Bound<'py, PyBytes>, Fault> {
    with_bytes(message, table, deterministic, |bytes| PyBytes::new(message.py(), bytes))
}

/// Gives the encoding of a message, for as long as `take` runs.
pub(super) fn with_bytes<'py, T>(
    message: &Bound<'py, PyAny>,
    table: &'static Message,
    deterministic: bool,
    take: impl FnOnce(&[u8]) -> T,
) -> Result<T, Fault> {
    // An object's own code may run while it is encoded, and encode another: that one finds an empty buffer here, and no harm is done.
    let mut encoder = Encoder { writer: BUFFER.take(), values: Vec::with_capacity(64), deterministic };
    encoder.writer.clear();
    encoder.fields(message, table, MAX_DEPTH)?;
    let Encoder { writer, .. } = encoder;
    if writer.len() > MAX_BYTES {
        return Err(Fault::new(format!("{} bytes are more than the 2 GiB that a message may have", writer.len())));
    }
    let taken = take(writer.written());
    if writer.capacity() <= KEPT_BYTES {
        BUFFER.set(writer);
    }
    Ok(taken)
}

struct Encoder<'py> {
    writer: Writer,
    /// The values of the attributes of the messages that are being encoded, the innermost last. They are kept, for an object's own code may run and change its message.
    values: Vec<Option<Bound<'py, PyAny>>>,
    deterministic: bool,
}

impl<'py> Encoder<'py> {
    /// Writes the fields of a message.
    fn fields(&mut self, message: &Bound<'py, PyAny>, table: &'static Message, depth: u32) -> Result<(), Fault> {
        let first = self.values.len();
        self.load(&attributes(message)?, table)?;
        if let Some(unknown) = self.values.pop().flatten() {
            let unknown = unknown
                .cast::<PyBytes>()
                .map_err(|_| scalar::wrong(&unknown, "bytes").at(Step::Field("_unknown_fields")))?;
            self.writer.bytes(unknown.as_bytes());
        }
        for field in table.fields.iter().rev() {
            let Some(value) = self.values.get_mut(first + field.slot).and_then(Option::take) else {
                return Err(Fault::new("the attribute is missing").at(Step::Field(field.name)));
            };
            if value.is(&field.default) {
                if field.is_container() {
                    return Err(scalar::wrong(&value, "a list or dict").at(Step::Field(field.name)));
                }
                continue;
            }
            if let Some(oneof) = field.oneof {
                // What was written already is taken off the stack, so the first of two sees the second.
                if let Some(other) = self.other_member(first, table, oneof) {
                    return Err(two_members(table, oneof, field.name, other));
                }
            }
            self.field(field, &value, depth)?;
        }
        self.values.truncate(first);
        Ok(())
    }

    /// Puts the values of the attributes on the stack, in the order of their declaration, and the unknown fields after them.
    #[inline]
    fn load(&mut self, attributes: &Bound<'py, PyDict>, table: &Message) -> PyResult<()> {
        let (py, first) = (attributes.py(), self.values.len());
        let mut position = 0;
        for key in &table.keys {
            let (mut found, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
            // SAFETY: the dict is alive and nothing of Python runs in this loop, so that it does not change; the position began at 0. Both pointers are set when 1 is returned.
            let is_there = unsafe { ffi::PyDict_Next(attributes.as_ptr(), &mut position, &mut found, &mut value) } != 0;
            if !is_there || found != key.as_ptr() {
                // Somebody set attributes in an order of their own.
                self.values.truncate(first);
                return self.load_by_name(attributes, table);
            }
            // SAFETY: PyDict_Next gave a pointer to an object that the dict keeps alive until Python runs again, and a reference of our own is taken here.
            self.values.push(Some(unsafe { Bound::from_borrowed_ptr(py, value) }));
        }
        Ok(())
    }

    #[cold]
    fn load_by_name(&mut self, attributes: &Bound<'py, PyDict>, table: &Message) -> PyResult<()> {
        for key in &table.keys {
            self.values.push(attributes.get_item(key)?);
        }
        Ok(())
    }

    /// A member of a oneof that is still to come.
    fn other_member(&self, first: usize, table: &'static Message, oneof: usize) -> Option<&'static str> {
        let members = table.oneofs.get(oneof)?.members.iter().filter_map(|&place| table.fields.get(place));
        members
            .filter(|field| matches!(self.values.get(first + field.slot), Some(Some(value)) if !value.is_none()))
            .map(|field| field.name)
            .next()
    }

    #[inline]
    fn field(&mut self, field: &Field, value: &Bound<'py, PyAny>, depth: u32) -> Result<(), Fault> {
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

    fn list(&mut self, field: &Field, value: &Bound<'py, PyAny>, depth: u32) -> Result<(), Fault> {
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
            let Ok(element) = list.get_item(index) else {
                return Err(Fault::new("the list changed while it was encoded"));
            };
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

    fn map(&mut self, field: &Field, key_type: Scalar, value: &Bound<'py, PyAny>, depth: u32) -> Result<(), Fault> {
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
            let at =
                |fault: Fault| fault.at(Step::Key(key.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string())));
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
    fn value(&mut self, kind: &Type, value: &Bound<'py, PyAny>, depth: u32) -> Result<bool, Fault> {
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
                if !value.get_type_ptr().cast::<()>().eq(&table.class.as_ptr().cast())
                    && !value.is_instance(table.class.bind(py))?
                {
                    return Err(Fault::new(format!("{} is not of type {}", shown(value), table.name)));
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
            let text: String =
                key.extract().map_err(|_| scalar::wrong(&key, "a str in UTF-8").at(Step::Field("key")))?;
            keyed.push((text, (key, value)));
        }
        keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.extend(keyed.into_iter().map(|(_, entry)| entry));
    } else {
        let mut keyed = Vec::with_capacity(entries.len());
        for (key, value) in entries.drain(..) {
            let number: i128 = match key_type {
                Scalar::Uint64 | Scalar::Fixed64 => key
                    .extract::<u64>()
                    .map(i128::from)
                    .map_err(|_| scalar::wrong(&key, "an integer of 64 bits").at(Step::Field("key")))?,
                _ => scalar::whole(key_type, &key).map_err(|fault| fault.at(Step::Field("key")))?.into(),
            };
            keyed.push((number, (key, value)));
        }
        keyed.sort_by_key(|(number, _)| *number);
        entries.extend(keyed.into_iter().map(|(_, entry)| entry));
    }
    Ok(())
}

#[cold]
fn two_members(table: &Message, oneof: usize, one: &str, other: &str) -> Fault {
    let name = table.oneofs.get(oneof).map_or("", |oneof| &oneof.name);
    Fault::new(format!("oneof {name} has both {other} and {one}; set one of them to None"))
}
