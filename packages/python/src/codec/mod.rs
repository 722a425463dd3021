//! Messages to bytes and back: betterproto2's dataclasses, read and written by tables.
//!
//! A table says of each field of a class which number, attribute, cardinality and type it has. `protoc-gen-anyplug` writes the tables as text, a module a package; the text of a
//! package is read when one of its classes is first used, and a class is bound to its part then, so that importing a schema of any size costs next to nothing.
//!
//! `table` is the text and what it says, `registry` the classes that have one, `bind` brings the two together; `wire` reads and writes varints and tags, `scalar` and `time` turn single values, and `encode` and
//! `decode` walk messages. An instance is read and filled through its `__dict__`: a look-up by an interned string, where an attribute costs three times that.

mod bind;
mod decode;
mod encode;
mod fault;
mod registry;
mod scalar;
mod table;
mod time;
mod wire;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};

use fault::Fault;
use registry::Class;

/// Levels of messages within a message, maps' entries included; the limit of protobuf's own implementations.
const MAX_DEPTH: u32 = 100;

/// Lets a class that betterproto2 generated be encoded and decoded here. Its table is looked for when it is first used.
#[pyfunction]
#[pyo3(signature = (message_type, /))]
pub(crate) fn register_message(message_type: &Bound<'_, PyType>) {
    registry::register(message_type);
}

/// Returns the bytes of a message; with `deterministic`, the entries of maps in order of their keys.
///
/// Raises AnyplugError (INVALID_ARGUMENT), which names the field, when one holds what its type cannot.
#[pyfunction]
#[pyo3(signature = (message, /, *, deterministic = false))]
pub(crate) fn encode_message<'py>(message: &Bound<'py, PyAny>, deterministic: bool) -> PyResult<Bound<'py, PyBytes>> {
    let py = message.py();
    let class = registry::class_of(&message.get_type())?;
    encode::to_bytes(message, class.table(), deterministic).map_err(|fault| fault.raise(py, &class.table().name))
}

/// Returns the message of this class that the bytes encode.
///
/// Raises AnyplugError (INVALID_ARGUMENT), which names the field and the place, when they do not encode one.
#[pyfunction]
#[pyo3(signature = (message_type, data, /))]
pub(crate) fn decode_message<'py>(
    message_type: &Bound<'py, PyType>,
    data: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = message_type.py();
    match registry::class_of(message_type)? {
        Class::Generated(table) => bytes_of(data)
            .and_then(|data| decode::new_message(py, table, data.as_bytes()))
            .map_err(|fault| fault.raise(py, &table.name)),
        // A class of the user's own has a constructor of its own, perhaps.
        Class::Derived(_) => {
            let message = message_type.call0()?;
            merge_message(&message, data)?;
            Ok(message)
        }
    }
}

/// Adds what the bytes encode to a message: replaces scalars, extends lists and maps, merges messages.
///
/// Raises AnyplugError (INVALID_ARGUMENT), which names the field and the place, when they do not encode such a message; some fields may have been set by then.
#[pyfunction]
#[pyo3(signature = (message, data, /))]
pub(crate) fn merge_message<'py>(message: &Bound<'py, PyAny>, data: &Bound<'py, PyAny>) -> PyResult<()> {
    let py = message.py();
    let class = registry::class_of(&message.get_type())?;
    bytes_of(data)
        .and_then(|data| decode::into_message(message, class.table(), data.as_bytes()))
        .map_err(|fault| fault.raise(py, &class.table().name))
}

/// How messages of one generated class are read and written.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    /// The class is kept by the registry.
    class: usize,
    table: &'static registry::Message,
}

impl Table {
    /// Returns the table of a class; None of one of the user's own, which may do it in its own way.
    ///
    /// # Errors
    ///
    /// AnyplugError (INVALID_ARGUMENT) for a class that was not generated.
    pub(crate) fn of(class: &Bound<'_, PyType>) -> PyResult<Option<Self>> {
        Ok(match registry::class_of(class)? {
            Class::Generated(table) => Some(Self { class: class.as_ptr() as usize, table }),
            Class::Derived(_) => None,
        })
    }

    /// Gives the encoding of a message to `take`. None: it is no message of this very class, or cannot be encoded.
    pub(crate) fn encoded<T>(self, message: &Bound<'_, PyAny>, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if message.get_type().as_ptr() as usize != self.class {
            return None;
        }
        encode::with_bytes(message, self.table, false, take).ok()
    }

    /// Returns the message. None: the bytes are not the encoding of one.
    pub(crate) fn decoded<'py>(self, py: Python<'py>, bytes: &[u8]) -> Option<Bound<'py, PyAny>> {
        decode::new_message(py, self.table, bytes).ok()
    }
}

/// Bytes are read in place; a bytearray or a memoryview is copied first, since whoever has it may change it.
fn bytes_of<'py>(data: &Bound<'py, PyAny>) -> Result<Bound<'py, PyBytes>, Fault> {
    match data.cast::<PyBytes>() {
        Ok(data) => Ok(data.clone()),
        Err(_) => scalar::copy_of_buffer(data),
    }
}
