//! Messages: their fields one after the other, as a whole and nested in one another.

use std::marker::PhantomData;

use prost::DecodeError;

use crate::reader::{LENGTH, Reader};
use crate::scalar::{Kind, Scalar};
use crate::writer::{Sizes, Writer, varint_size};

/// What `message!` gives to a message.
pub trait Fields: Default {
    /// Its name, for errors.
    const NAME: &'static str;

    /// The names of its members by the numbers of their fields, for errors.
    const MEMBERS: &'static [(u32, &'static str)];

    /// The bytes that it takes.
    fn size(&self, sizes: &mut Sizes) -> usize;

    /// Writes it.
    fn write(&self, writer: &mut Writer);

    /// Reads what comes after a tag. False: it is no field of this message, and the reader may be anywhere.
    ///
    /// # Errors
    /// When the bytes are not of the field's type.
    fn read(&mut self, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError>;

    /// Takes a field that it does not know, with its tag. Where unknown fields are not kept it does nothing.
    fn keep(&mut self, _field: &[u8]) {}
}

/// Reads to the end of the reader.
///
/// # Errors
/// When the bytes are not of this message; the error names the path of the field and the byte.
pub(crate) fn merge<M: Fields>(message: &mut M, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    while !reader.is_empty() {
        let start = reader.position();
        let tag = reader.tag()?;
        let value = *reader;
        match message.read(tag, reader) {
            Ok(true) => {}
            Ok(false) => {
                *reader = value;
                reader.skip(tag)?;
                message.keep(reader.since(start));
            }
            Err(error) => return Err(within::<M>(error, tag)),
        }
    }
    Ok(())
}

#[cold]
fn within<M: Fields>(mut error: DecodeError, tag: u32) -> DecodeError {
    let member = M::MEMBERS.iter().find(|(number, _)| *number == tag >> 3);
    error.push(M::NAME, member.map_or("?", |(_, name)| name));
    error
}

/// A message within another.
#[derive(Debug)]
pub struct Sub<M>(PhantomData<M>);

impl<M: Fields> Kind for Sub<M> {
    type Value = M;

    const WIRE_TYPE: u32 = LENGTH;

    #[inline]
    fn size(value: &M, sizes: &mut Sizes) -> usize {
        sizes.nested(|sizes| value.size(sizes))
    }

    #[inline]
    fn write(value: &M, writer: &mut Writer) {
        writer.length();
        value.write(writer);
    }

    #[inline]
    fn merge(value: &mut M, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        merge(value, &mut reader.message()?)
    }
}

/// A message that is, or holds, one like that which it lies in.
#[derive(Debug)]
pub struct Boxed<K>(PhantomData<K>);

impl<K: Kind> Kind for Boxed<K> {
    type Value = Box<K::Value>;

    const WIRE_TYPE: u32 = K::WIRE_TYPE;

    #[inline]
    fn size(value: &Box<K::Value>, sizes: &mut Sizes) -> usize {
        K::size(value, sizes)
    }

    #[inline]
    fn write(value: &Box<K::Value>, writer: &mut Writer) {
        K::write(value, writer);
    }

    #[inline]
    fn merge(value: &mut Box<K::Value>, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        K::merge(value, reader)
    }
}

/// A wrapper of google.protobuf, such as Int32Value, for which the value itself stands.
#[derive(Debug)]
pub struct Wrapped<K>(PhantomData<K>);

impl<K: Scalar> Wrapped<K> {
    fn content(value: &K::Value) -> usize {
        if K::is_zero(value) { 0 } else { 1 + K::width(value) }
    }
}

impl<K: Scalar> Kind for Wrapped<K> {
    type Value = K::Value;

    const WIRE_TYPE: u32 = LENGTH;

    #[inline]
    fn size(value: &K::Value, _: &mut Sizes) -> usize {
        let content = Self::content(value);
        varint_size(content as u64) + content
    }

    #[inline]
    fn write(value: &K::Value, writer: &mut Writer) {
        let content = Self::content(value);
        writer.varint(content as u64);
        if content > 0 {
            writer.tag(1, K::WIRE_TYPE);
            K::write(value, writer);
        }
    }

    #[inline]
    fn merge(value: &mut K::Value, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut part = reader.message()?;
        while !part.is_empty() {
            match part.tag()? {
                tag if tag == 1 << 3 | K::WIRE_TYPE => K::merge(value, &mut part)?,
                tag => part.skip(tag)?,
            }
        }
        Ok(())
    }
}

/// A message of another crate, which prost reads and writes.
#[derive(Debug)]
pub struct Foreign<M>(PhantomData<M>);

impl<M: prost::Message + Default> Kind for Foreign<M> {
    type Value = M;

    const WIRE_TYPE: u32 = LENGTH;

    fn size(value: &M, sizes: &mut Sizes) -> usize {
        sizes.nested(|_| value.encoded_len())
    }

    fn write(value: &M, writer: &mut Writer) {
        writer.length();
        value.encode_raw(&mut writer.out);
    }

    fn merge(value: &mut M, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        value.merge(reader.message()?.rest())
    }
}
