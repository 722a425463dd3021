//! What a member of a message is: one value with or without presence, a list, a map, or the choice of a oneof.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use prost::DecodeError;

use crate::reader::{LENGTH, Reader};
use crate::scalar::{Kind, Number, Scalar};
use crate::writer::{Sizes, Writer, tag_size};

/// How a member is read and written.
pub trait Field {
    /// Its type in Rust.
    type Member;

    /// The bytes that it takes with its tags.
    fn size(member: &Self::Member, number: u32, sizes: &mut Sizes) -> usize;

    /// Writes it with its tags.
    fn write(member: &Self::Member, number: u32, writer: &mut Writer);

    /// Reads what comes after a tag. False: it is not of this field, since it has another wire type, and the reader may be anywhere.
    ///
    /// # Errors
    /// When the bytes are not of its type.
    fn read(member: &mut Self::Member, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError>;
}

/// A value that is left out when it is 0 or empty.
#[derive(Debug)]
pub struct Plain<K>(PhantomData<K>);

impl<K: Scalar> Field for Plain<K> {
    type Member = K::Value;

    #[inline]
    fn size(member: &K::Value, number: u32, _: &mut Sizes) -> usize {
        if K::is_zero(member) { 0 } else { tag_size(number) + K::width(member) }
    }

    #[inline]
    fn write(member: &K::Value, number: u32, writer: &mut Writer) {
        if !K::is_zero(member) {
            writer.tag(number, K::WIRE_TYPE);
            K::write(member, writer);
        }
    }

    #[inline]
    fn read(member: &mut K::Value, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
        if tag & 7 != K::WIRE_TYPE {
            return Ok(false);
        }
        K::merge(member, reader).map(|()| true)
    }
}

/// A value that tells absent from default.
#[derive(Debug)]
pub struct Optional<K>(PhantomData<K>);

impl<K: Kind> Field for Optional<K> {
    type Member = Option<K::Value>;

    #[inline]
    fn size(member: &Option<K::Value>, number: u32, sizes: &mut Sizes) -> usize {
        member.as_ref().map_or(0, |value| tag_size(number) + K::size(value, sizes))
    }

    #[inline]
    fn write(member: &Option<K::Value>, number: u32, writer: &mut Writer) {
        if let Some(value) = member {
            writer.tag(number, K::WIRE_TYPE);
            K::write(value, writer);
        }
    }

    #[inline]
    fn read(member: &mut Option<K::Value>, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
        if tag & 7 != K::WIRE_TYPE {
            return Ok(false);
        }
        K::merge(member.get_or_insert_default(), reader).map(|()| true)
    }
}

/// A list, each element with a tag of its own.
#[derive(Debug)]
pub struct List<K>(PhantomData<K>);

impl<K: Kind> Field for List<K> {
    type Member = Vec<K::Value>;

    #[inline]
    fn size(member: &Vec<K::Value>, number: u32, sizes: &mut Sizes) -> usize {
        member.iter().map(|value| tag_size(number) + K::size(value, sizes)).sum()
    }

    #[inline]
    fn write(member: &Vec<K::Value>, number: u32, writer: &mut Writer) {
        for value in member {
            writer.tag(number, K::WIRE_TYPE);
            K::write(value, writer);
        }
    }

    #[inline]
    fn read(member: &mut Vec<K::Value>, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
        if tag & 7 != K::WIRE_TYPE {
            return Ok(false);
        }
        push::<K>(member, reader).map(|()| true)
    }
}

#[inline]
fn push<K: Kind>(list: &mut Vec<K::Value>, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let mut value = K::Value::default();
    K::merge(&mut value, reader)?;
    list.push(value);
    Ok(())
}

/// A list of numbers, written packed. It is read in both forms.
#[derive(Debug)]
pub struct Packed<K>(PhantomData<K>);

impl<K: Number> Field for Packed<K> {
    type Member = Vec<K::Value>;

    #[inline]
    fn size(member: &Vec<K::Value>, number: u32, sizes: &mut Sizes) -> usize {
        if member.is_empty() {
            return 0;
        }
        tag_size(number)
            + sizes.nested(|_| match K::WIDTH {
                Some(width) => width * member.len(),
                None => member.iter().map(K::width).sum(),
            })
    }

    #[inline]
    fn write(member: &Vec<K::Value>, number: u32, writer: &mut Writer) {
        if member.is_empty() {
            return;
        }
        writer.tag(number, LENGTH);
        writer.length();
        for value in member {
            K::write(value, writer);
        }
    }

    #[inline]
    fn read(member: &mut Vec<K::Value>, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
        read_numbers::<K>(member, tag, reader)
    }
}

/// A list of numbers, each written with a tag of its own. It is read in both forms.
#[derive(Debug)]
pub struct Unpacked<K>(PhantomData<K>);

impl<K: Number> Field for Unpacked<K> {
    type Member = Vec<K::Value>;

    #[inline]
    fn size(member: &Vec<K::Value>, number: u32, sizes: &mut Sizes) -> usize {
        List::<K>::size(member, number, sizes)
    }

    #[inline]
    fn write(member: &Vec<K::Value>, number: u32, writer: &mut Writer) {
        List::<K>::write(member, number, writer);
    }

    #[inline]
    fn read(member: &mut Vec<K::Value>, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
        read_numbers::<K>(member, tag, reader)
    }
}

fn read_numbers<K: Number>(list: &mut Vec<K::Value>, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
    if tag & 7 == K::WIRE_TYPE {
        return push::<K>(list, reader).map(|()| true);
    }
    if tag & 7 != LENGTH {
        return Ok(false);
    }
    let mut part = reader.delimited()?;
    if let Some(width) = K::WIDTH {
        // As many as the bytes that are there, so no more than the sender sent.
        list.reserve(part.rest().len() / width);
    }
    while !part.is_empty() {
        push::<K>(list, &mut part)?;
    }
    Ok(true)
}

/// A map: a list of entries, each a message with the key as field 1 and the value as field 2.
///
/// An entry with other fields is an unknown field itself, as in protobuf's own implementations: where those are kept, nothing of it is lost.
#[derive(Debug)]
pub struct Map<K, V>(PhantomData<(K, V)>);

impl<K: Scalar<Value: Ord>, V: Kind> Field for Map<K, V> {
    type Member = BTreeMap<K::Value, V::Value>;

    #[inline]
    fn size(member: &Self::Member, number: u32, sizes: &mut Sizes) -> usize {
        member
            .iter()
            .map(|(key, value)| tag_size(number) + sizes.nested(|sizes| 2 + K::width(key) + V::size(value, sizes)))
            .sum()
    }

    #[inline]
    fn write(member: &Self::Member, number: u32, writer: &mut Writer) {
        for (key, value) in member {
            writer.tag(number, LENGTH);
            writer.length();
            writer.tag(1, K::WIRE_TYPE);
            K::write(key, writer);
            writer.tag(2, V::WIRE_TYPE);
            V::write(value, writer);
        }
    }

    #[inline]
    fn read(member: &mut Self::Member, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
        if tag & 7 != LENGTH {
            return Ok(false);
        }
        let mut entry = reader.message()?;
        let (mut key, mut value) = (K::Value::default(), V::Value::default());
        let mut is_known = true;
        while !entry.is_empty() {
            let part = entry.tag()?;
            if part == 1 << 3 | K::WIRE_TYPE {
                K::merge(&mut key, &mut entry)?;
            } else if part == 2 << 3 | V::WIRE_TYPE {
                V::merge(&mut value, &mut entry)?;
            } else {
                entry.skip(part)?;
                is_known = false;
            }
        }
        if !is_known {
            return Ok(false);
        }
        member.insert(key, value);
        Ok(true)
    }
}

/// A oneof: the generated enum of its choices.
pub trait Choices: Sized {
    /// The bytes that it takes with its tag.
    fn size(&self, sizes: &mut Sizes) -> usize;

    /// Writes it with its tag.
    fn write(&self, writer: &mut Writer);

    /// Reads what comes after a tag; a message is merged into the one that is there. False: it has another wire type.
    ///
    /// # Errors
    /// When the bytes are not of its type.
    fn read(member: &mut Option<Self>, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError>;
}

/// A member that holds what was chosen.
#[derive(Debug)]
pub struct Choice<C>(PhantomData<C>);

impl<C: Choices> Field for Choice<C> {
    type Member = Option<C>;

    #[inline]
    fn size(member: &Option<C>, _: u32, sizes: &mut Sizes) -> usize {
        member.as_ref().map_or(0, |choice| choice.size(sizes))
    }

    #[inline]
    fn write(member: &Option<C>, _: u32, writer: &mut Writer) {
        if let Some(choice) = member {
            choice.write(writer);
        }
    }

    #[inline]
    fn read(member: &mut Option<C>, tag: u32, reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
        C::read(member, tag, reader)
    }
}

/// The bytes of a choice with its tag.
#[inline]
pub fn choice_size<K: Kind>(value: &K::Value, number: u32, sizes: &mut Sizes) -> usize {
    tag_size(number) + K::size(value, sizes)
}

/// Writes a choice with its tag.
#[inline]
pub fn write_choice<K: Kind>(value: &K::Value, number: u32, writer: &mut Writer) {
    writer.tag(number, K::WIRE_TYPE);
    K::write(value, writer);
}
