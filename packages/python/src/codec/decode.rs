//! Bytes to messages.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::fault::{Fault, Step};
use super::registry::{Field, Message, Shape, Type, attributes};
use super::table::Scalar;
use super::time::Parts;
use super::wire::{LENGTH, Reader, too_deep};
use super::{MAX_DEPTH, scalar};

/// Makes the message of a generated class.
pub(super) fn new_message<'py>(
    py: Python<'py>,
    table: &'static Message,
    data: &[u8],
) -> Result<Bound<'py, PyAny>, Fault> {
    make(py, table, Reader::new(data), MAX_DEPTH)
}

/// Adds to a message that there is.
pub(super) fn into_message(message: &Bound<'_, PyAny>, table: &'static Message, data: &[u8]) -> Result<(), Fault> {
    let values = attributes(message)?;
    Target { table, values: &values, fresh: false }.read(Reader::new(data), MAX_DEPTH)
}

fn make<'py>(
    py: Python<'py>,
    table: &'static Message,
    reader: Reader<'_>,
    depth: u32,
) -> Result<Bound<'py, PyAny>, Fault> {
    let values = table.defaults.bind(py).copy()?;
    Target { table, values: &values, fresh: true }.read(reader, depth)?;
    Ok(instance(py, table, &values)?)
}

/// An instance with these attributes. Neither `__init__` nor `__post_init__` of the class runs: what they set is in the defaults, and what they warn of (a deprecated field that the
/// peer has set) is nothing that the reader could mend.
#[inline]
fn instance<'py>(py: Python<'py>, table: &Message, values: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the class is alive and a heap type that Python made by a class statement, of a base without data of its own, so that PyType_GenericAlloc is how its instances come to be;
    // it returns a new reference, or null with an exception set.
    let message =
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_GenericAlloc(table.class.as_ptr().cast(), 0))? };
    // SAFETY: both objects are alive, the second is a dict; the call takes a reference of its own, and sets an exception when it does not return 0.
    match unsafe { ffi::PyObject_GenericSetDict(message.as_ptr(), values.as_ptr(), std::ptr::null_mut()) } {
        0 => Ok(message),
        _ => Err(PyErr::fetch(py)),
    }
}

/// The attributes that are filled.
struct Target<'a, 'py> {
    table: &'static Message,
    values: &'a Bound<'py, PyDict>,
    /// Whether the attributes are defaults so far, with None for lists and dicts.
    fresh: bool,
}

impl<'py> Target<'_, 'py> {
    fn read(&self, mut reader: Reader<'_>, depth: u32) -> Result<(), Fault> {
        let py = self.values.py();
        let mut unknown: Vec<u8> = Vec::new();
        // Elements of a list come one after the other, mostly.
        let mut last: Option<(usize, Bound<'py, PyAny>)> = None;
        while !reader.is_empty() {
            let start = reader.position();
            let tag = reader.tag()?;
            let known = self.table.place_of(tag >> 3).and_then(|place| Some((place, self.table.fields.get(place)?)));
            let Some((place, field)) = known.filter(|(_, field)| takes(field, tag & 7)) else {
                reader.skip(tag, depth)?;
                unknown.extend_from_slice(reader.since(start));
                continue;
            };
            let at = |fault: Fault| fault.at(Step::Field(field.name));
            if !field.is_container() {
                self.singular(place, field, &mut reader, depth).map_err(at)?;
                continue;
            }
            let container = match &last {
                Some((last, container)) if *last == place => container,
                _ => &last.insert((place, self.container(field).map_err(at)?)).1,
            };
            match field.shape {
                Shape::Map(key) => {
                    let dict = container.cast::<PyDict>().map_err(PyErr::from)?;
                    if !reader.delimited().and_then(|part| entry(field, key, dict, part, depth)).map_err(at)? {
                        unknown.extend_from_slice(reader.since(start));
                    }
                }
                _ => elements(field, container.cast::<PyList>().map_err(PyErr::from)?, tag & 7, &mut reader, depth)
                    .map_err(at)?,
            }
        }
        if self.fresh && self.table.has_containers {
            self.fill_containers()?;
        }
        if !unknown.is_empty() {
            let key = self.table.unknown_fields.bind(py);
            let mut all = match self.values.get_item(key)? {
                Some(before) => before.extract::<Vec<u8>>()?,
                None => Vec::new(),
            };
            all.append(&mut unknown);
            self.values.set_item(key, PyBytes::new(py, &all))?;
        }
        Ok(())
    }

    /// The list or dict of a field.
    fn container(&self, field: &Field) -> Result<Bound<'py, PyAny>, Fault> {
        let py = self.values.py();
        if let Some(container) = self.values.get_item(field.key.bind(py))?
            && !container.is_none()
        {
            let fits = if matches!(field.shape, Shape::Map(_)) {
                container.is_instance_of::<PyDict>()
            } else {
                container.is_instance_of::<PyList>()
            };
            return if fits { Ok(container) } else { Err(scalar::wrong(&container, "a list or dict")) };
        }
        let container = match field.shape {
            Shape::Map(_) => PyDict::new(py).into_any(),
            _ => PyList::empty(py).into_any(),
        };
        self.values.set_item(field.key.bind(py), &container)?;
        Ok(container)
    }

    fn fill_containers(&self) -> PyResult<()> {
        let py = self.values.py();
        for field in self.table.fields.iter().filter(|field| field.is_container()) {
            let key = field.key.bind(py);
            if self.values.get_item(key)?.is_none_or(|value| value.is_none()) {
                match field.shape {
                    Shape::Map(_) => self.values.set_item(key, PyDict::new(py))?,
                    _ => self.values.set_item(key, PyList::empty(py))?,
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn singular(&self, place: usize, field: &Field, reader: &mut Reader<'_>, depth: u32) -> Result<(), Fault> {
        let py = self.values.py();
        let key = field.key.bind(py);
        let value = match &field.kind {
            Type::Scalar(scalar) => scalar::read(py, *scalar, reader)?,
            Type::Enum(class) => class.member(py, reader.varint()? as i32)?,
            // What came before is merged with what comes now.
            kind => {
                let before = self.values.get_item(key)?.filter(|value| !value.is_none());
                delimited(py, kind, reader.delimited()?, before, depth)?
            }
        };
        self.values.set_item(key, value)?;
        // The last member wins.
        for &other in
            field.oneof.and_then(|oneof| self.table.oneofs.get(oneof)).into_iter().flat_map(|oneof| &oneof.members)
        {
            if let Some(field) = self.table.fields.get(other).filter(|_| other != place) {
                self.values.set_item(field.key.bind(py), py.None())?;
            }
        }
        Ok(())
    }
}

/// Whether a field can be read from this wire type; where it cannot, it is as good as unknown.
#[inline]
fn takes(field: &Field, wire_type: u32) -> bool {
    match field.shape {
        Shape::Map(_) => wire_type == LENGTH,
        Shape::Repeated | Shape::Packed => wire_type == field.kind.wire_type() || wire_type == LENGTH,
        _ => wire_type == field.kind.wire_type(),
    }
}

/// Reads an element of a list, or several that are packed, as both may come for either kind of list.
fn elements(
    field: &Field,
    list: &Bound<'_, PyList>,
    wire_type: u32,
    reader: &mut Reader<'_>,
    depth: u32,
) -> Result<(), Fault> {
    if wire_type == field.kind.wire_type() {
        let element =
            element(list.py(), &field.kind, reader, depth).map_err(|fault| fault.at(Step::Index(list.len())))?;
        return Ok(list.append(element)?);
    }
    let mut packed = reader.delimited()?;
    while !packed.is_empty() {
        let element =
            element(list.py(), &field.kind, &mut packed, depth).map_err(|fault| fault.at(Step::Index(list.len())))?;
        list.append(element)?;
    }
    Ok(())
}

#[inline]
fn element<'py>(py: Python<'py>, kind: &Type, reader: &mut Reader<'_>, depth: u32) -> Result<Bound<'py, PyAny>, Fault> {
    match kind {
        Type::Scalar(scalar) => scalar::read(py, *scalar, reader),
        Type::Enum(class) => Ok(class.member(py, reader.varint()? as i32)?),
        kind => delimited(py, kind, reader.delimited()?, None, depth),
    }
}

/// Reads a message, or what stands for one, on top of what there is already.
fn delimited<'py>(
    py: Python<'py>,
    kind: &Type,
    mut reader: Reader<'_>,
    before: Option<Bound<'py, PyAny>>,
    depth: u32,
) -> Result<Bound<'py, PyAny>, Fault> {
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    match kind {
        Type::Message(class) => {
            let table = class.table(py)?;
            let Some(before) = before else { return make(py, table, reader, depth) };
            if !before.is_instance(table.class.bind(py))? {
                return Err(scalar::wrong(&before, &format!("of type {}", table.name)));
            }
            Target { table, values: &attributes(&before)?, fresh: false }.read(reader, depth)?;
            Ok(before)
        }
        Type::Timestamp => {
            before.as_ref().map_or(Ok(Parts::default()), Parts::of_datetime)?.merge(reader, depth)?.to_datetime(py)
        }
        Type::Duration => {
            before.as_ref().map_or(Ok(Parts::default()), Parts::of_timedelta)?.merge(reader, depth)?.to_timedelta(py)
        }
        Type::Wrapper(scalar) => {
            let mut value = before.unwrap_or_else(|| scalar::default_of(py, *scalar));
            while !reader.is_empty() {
                match reader.tag()? {
                    tag if tag == 1 << 3 | scalar.wire_type() => value = scalar::read(py, *scalar, &mut reader)?,
                    // The value itself has no place for a field that its message does not have.
                    tag => reader.skip(tag, depth)?,
                }
            }
            Ok(value)
        }
        Type::Scalar(_) | Type::Enum(_) => Err(Fault::new("a value that is no message")),
    }
}

/// Reads an entry of a map; key and value that are missing are their types' defaults.
///
/// A dict has no place for a field that is neither. An entry that has one is not read into it, and false is returned: it is kept as a whole, as an unknown field, which is what protobuf's
/// own implementation does.
fn entry(
    field: &Field,
    key_type: Scalar,
    dict: &Bound<'_, PyDict>,
    mut reader: Reader<'_>,
    depth: u32,
) -> Result<bool, Fault> {
    let py = dict.py();
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    let mut key: Option<Bound<'_, PyAny>> = None;
    let mut value = None;
    let mut is_known = true;
    while !reader.is_empty() {
        let tag = reader.tag()?;
        if tag == 1 << 3 | key_type.wire_type() {
            key = Some(scalar::read(py, key_type, &mut reader).map_err(|fault| fault.at(Step::Key("?".to_owned())))?);
        } else if tag == 2 << 3 | field.kind.wire_type() {
            let result = match &field.kind {
                Type::Scalar(_) | Type::Enum(_) => element(py, &field.kind, &mut reader, depth),
                kind => reader.delimited().and_then(|part| delimited(py, kind, part, value.take(), depth)),
            };
            value = Some(result.map_err(|fault| {
                fault.at(Step::Key(
                    key.as_ref()
                        .and_then(|key| key.repr().ok())
                        .map_or_else(|| "?".to_owned(), |text| text.to_string()),
                ))
            })?);
        } else {
            reader.skip(tag, depth)?;
            is_known = false;
        }
    }
    if !is_known {
        return Ok(false);
    }
    let key = key.unwrap_or_else(|| scalar::default_of(py, key_type));
    let value = match (value, &field.kind) {
        (Some(value), _) => value,
        (None, Type::Scalar(scalar)) => scalar::default_of(py, *scalar),
        (None, Type::Enum(class)) => class.member(py, 0)?,
        (None, kind) => delimited(py, kind, Reader::new(&[]), None, depth)?,
    };
    dict.set_item(key, value)?;
    Ok(true)
}
