//! Single values: numbers, text and bytes.

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyUnicodeEncodeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString};

use super::fault::{Fault, shown};
use super::table::Scalar;
use super::wire::{Reader, Writer};

/// What a field of this type holds when nothing is said.
pub(super) fn default_of(py: Python<'_>, scalar: Scalar) -> Bound<'_, PyAny> {
    match scalar {
        Scalar::Double | Scalar::Float => PyFloat::new(py, 0.0).into_any(),
        Scalar::Bool => PyBool::new(py, false).to_owned().into_any(),
        Scalar::String => PyString::new(py, "").into_any(),
        Scalar::Bytes => PyBytes::new(py, b"").into_any(),
        _ => integer(py, 0),
    }
}

/// Reads a value whose wire type was seen to be right.
#[inline]
pub(super) fn read<'py>(py: Python<'py>, scalar: Scalar, reader: &mut Reader<'_>) -> Result<Bound<'py, PyAny>, Fault> {
    Ok(match scalar {
        Scalar::String => return text(py, reader),
        Scalar::Int32 => integer(py, i64::from(reader.varint()? as i32)),
        Scalar::Int64 => integer(py, reader.varint()? as i64),
        Scalar::Uint32 => integer(py, i64::from(reader.varint()? as u32)),
        Scalar::Uint64 => unsigned(py, reader.varint()?),
        Scalar::Bool => PyBool::new(py, reader.varint()? != 0).to_owned().into_any(),
        Scalar::Double => PyFloat::new(py, f64::from_le_bytes(reader.fixed()?)).into_any(),
        Scalar::Float => PyFloat::new(py, f64::from(f32::from_le_bytes(reader.fixed()?))).into_any(),
        Scalar::Bytes => PyBytes::new(py, reader.delimited()?.rest()).into_any(),
        Scalar::Sint32 => {
            let value = reader.varint()? as u32;
            integer(py, i64::from((value >> 1) as i32 ^ -((value & 1) as i32)))
        }
        Scalar::Sint64 => {
            let value = reader.varint()?;
            integer(py, (value >> 1) as i64 ^ -((value & 1) as i64))
        }
        Scalar::Fixed32 => integer(py, i64::from(u32::from_le_bytes(reader.fixed()?))),
        Scalar::Fixed64 => unsigned(py, u64::from_le_bytes(reader.fixed()?)),
        Scalar::Sfixed32 => integer(py, i64::from(i32::from_le_bytes(reader.fixed()?))),
        Scalar::Sfixed64 => integer(py, i64::from_le_bytes(reader.fixed()?)),
    })
}

#[inline]
fn text<'py>(py: Python<'py>, reader: &mut Reader<'_>) -> Result<Bound<'py, PyAny>, Fault> {
    let part = reader.delimited()?;
    let bytes = part.rest();
    // SAFETY: the pointer is to as many bytes as are named (a slice has at most isize::MAX); what comes back is a new reference, or null with an exception set.
    let text = unsafe {
        Bound::from_owned_ptr_or_opt(
            py,
            ffi::PyUnicode_FromStringAndSize(bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t),
        )
    };
    text.ok_or_else(|| match std::str::from_utf8(bytes) {
        Err(error) => {
            drop(PyErr::take(py));
            Fault::new(format!("text that is not UTF-8 at byte {}", part.position() + error.valid_up_to()))
        }
        Ok(_) => PyErr::fetch(py).into(),
    })
}

#[inline]
fn integer(py: Python<'_>, value: i64) -> Bound<'_, PyAny> {
    match value.into_pyobject(py) {
        Ok(value) => value.into_any(),
        Err(never) => match never {},
    }
}

#[inline]
fn unsigned(py: Python<'_>, value: u64) -> Bound<'_, PyAny> {
    match value.into_pyobject(py) {
        Ok(value) => value.into_any(),
        Err(never) => match never {},
    }
}

/// Writes a value, after its length if it has one; returns whether it is its type's default, which minus zero is not.
#[inline]
pub(super) fn write(writer: &mut Writer, scalar: Scalar, value: &Bound<'_, PyAny>) -> Result<bool, Fault> {
    match scalar {
        Scalar::String => {
            let text = utf8(value)?;
            writer.bytes(text.as_bytes());
            writer.varint(text.len() as u64);
            Ok(text.is_empty())
        }
        Scalar::Bytes => {
            let bytes = match value.cast::<PyBytes>() {
                Ok(bytes) => bytes.clone(),
                Err(_) => copy_of_buffer(value)?,
            };
            writer.bytes(bytes.as_bytes());
            writer.varint(bytes.as_bytes().len() as u64);
            Ok(bytes.as_bytes().is_empty())
        }
        Scalar::Double => {
            let value = float(scalar, value)?;
            writer.bytes(&value.to_le_bytes());
            Ok(value.to_bits() == 0)
        }
        Scalar::Float => {
            let value = float(scalar, value)? as f32;
            writer.bytes(&value.to_le_bytes());
            Ok(value.to_bits() == 0)
        }
        Scalar::Uint64 | Scalar::Fixed64 => {
            let value = natural(scalar, value)?;
            match scalar {
                Scalar::Uint64 => writer.varint(value),
                _ => writer.bytes(&value.to_le_bytes()),
            }
            Ok(value == 0)
        }
        _ => {
            let value = whole(scalar, value)?;
            match scalar {
                Scalar::Fixed32 | Scalar::Sfixed32 => writer.bytes(&(value as u32).to_le_bytes()),
                Scalar::Sfixed64 => writer.bytes(&value.to_le_bytes()),
                // The same for 32 bits: zigzag keeps small numbers small.
                Scalar::Sint32 | Scalar::Sint64 => writer.varint(((value << 1) ^ (value >> 63)) as u64),
                _ => writer.varint(value as u64),
            }
            Ok(value == 0)
        }
    }
}

/// The text of a str, which stays where it is as long as the str.
#[inline]
fn utf8<'a>(value: &'a Bound<'_, PyAny>) -> Result<&'a str, Fault> {
    if !value.is_exact_instance_of::<PyString>() && !value.is_instance_of::<PyString>() {
        return Err(wrong(value, "a str"));
    }
    let mut length = 0;
    // SAFETY: the object is a str and alive; null comes with an exception set.
    let text = unsafe { ffi::PyUnicode_AsUTF8AndSize(value.as_ptr(), &mut length) };
    if text.is_null() {
        return Err(not_utf8(value));
    }
    // SAFETY: the str keeps its UTF-8, of this length, as long as it lives, which is as long as it is borrowed here.
    Ok(unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(text.cast(), length as usize)) })
}

#[cold]
fn not_utf8(value: &Bound<'_, PyAny>) -> Fault {
    let error = PyErr::fetch(value.py());
    match error.is_instance_of::<PyUnicodeEncodeError>(value.py()) {
        true => Fault::new(format!("{} cannot be written in UTF-8: {}", shown(value), error.value(value.py()))),
        false => error.into(),
    }
}

#[inline]
fn float(scalar: Scalar, value: &Bound<'_, PyAny>) -> Result<f64, Fault> {
    match value.cast::<PyFloat>() {
        Ok(value) => Ok(value.value()),
        Err(_) => value.extract().map_err(|error| number_fault(scalar, value, error)),
    }
}

/// An enum's number.
#[inline]
pub(super) fn number(value: &Bound<'_, PyAny>) -> Result<i64, Fault> {
    whole(Scalar::Int32, value)
}

/// A whole number of any type but the unsigned ones of 64 bits; a bool is one, 0 or 1.
#[inline]
pub(super) fn whole(scalar: Scalar, value: &Bound<'_, PyAny>) -> Result<i64, Fault> {
    // SAFETY: the object is alive; the call takes any object, and sets an exception when it is no integer.
    let number = unsafe { ffi::PyLong_AsLongLong(value.as_ptr()) };
    if number == -1
        && let Some(error) = PyErr::take(value.py())
    {
        return Err(number_fault(scalar, value, error));
    }
    let (low, high) = range(scalar);
    if number < low || number > high { Err(out_of_range(scalar, value)) } else { Ok(number) }
}

fn natural(scalar: Scalar, value: &Bound<'_, PyAny>) -> Result<u64, Fault> {
    value.extract().map_err(|error| number_fault(scalar, value, error))
}

#[inline]
fn range(scalar: Scalar) -> (i64, i64) {
    match scalar {
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => (i32::MIN.into(), i32::MAX.into()),
        Scalar::Uint32 | Scalar::Fixed32 => (0, u32::MAX.into()),
        Scalar::Bool => (0, 1),
        _ => (i64::MIN, i64::MAX),
    }
}

#[cold]
fn number_fault(scalar: Scalar, value: &Bound<'_, PyAny>, error: PyErr) -> Fault {
    let py = value.py();
    if error.is_instance_of::<PyOverflowError>(py) {
        out_of_range(scalar, value)
    } else if error.is_instance_of::<PyTypeError>(py) {
        wrong(value, if matches!(scalar, Scalar::Double | Scalar::Float) { "a number" } else { "an integer" })
    } else {
        error.into()
    }
}

#[cold]
fn out_of_range(scalar: Scalar, value: &Bound<'_, PyAny>) -> Fault {
    let range = match scalar {
        Scalar::Uint64 | Scalar::Fixed64 => format!("0 to {}", u64::MAX),
        Scalar::Double | Scalar::Float => "what a float holds".to_owned(),
        _ => {
            let (low, high) = range(scalar);
            format!("{low} to {high}")
        }
    };
    Fault::new(format!("{} is out of range, which is {range}", shown(value)))
}

/// What is said of a value of the wrong type.
#[cold]
pub(super) fn wrong(value: &Bound<'_, PyAny>, expected: &str) -> Fault {
    Fault::new(format!("{} is not {expected}", shown(value)))
}

/// The bytes of a bytearray, a memoryview or the like.
#[cold]
pub(super) fn copy_of_buffer<'py>(value: &Bound<'py, PyAny>) -> Result<Bound<'py, PyBytes>, Fault> {
    // SAFETY: the object is alive, and the call takes any object.
    let is_buffer = unsafe { ffi::PyObject_CheckBuffer(value.as_ptr()) } != 0;
    if !is_buffer || value.is_instance_of::<PyInt>() {
        return Err(wrong(value, "bytes"));
    }
    // SAFETY: the object is alive and gives its bytes; what comes back is a new reference, or null with an exception set.
    let bytes = unsafe { Bound::from_owned_ptr_or_err(value.py(), ffi::PyBytes_FromObject(value.as_ptr()))? };
    bytes.cast_into::<PyBytes>().map_err(|error| PyErr::from(error).into())
}
