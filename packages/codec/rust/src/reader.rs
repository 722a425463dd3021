//! Tags, varints, fixed numbers and lengths, out of a slice.

use prost::DecodeError;

use crate::fault::{fault, too_deep};

/// How deep messages and groups may be nested in the outermost message.
pub const MAX_DEPTH: u32 = 100;

pub(crate) const VARINT: u32 = 0;
pub(crate) const FIXED64: u32 = 1;
pub(crate) const LENGTH: u32 = 2;
pub(crate) const START_GROUP: u32 = 3;
pub(crate) const END_GROUP: u32 = 4;
pub(crate) const FIXED32: u32 = 5;

/// A part of the bytes that are decoded. Places in them are counted from the beginning of the whole.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    data: &'a [u8],
    position: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// Reads all of the slice as one message, the outermost.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0, depth: MAX_DEPTH }
    }

    /// Whether everything was read.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.position >= self.data.len()
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// The bytes since a place that this reader was at.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.data.get(start..self.position).unwrap_or_default()
    }

    /// Number and wire type of the next field.
    #[inline]
    pub(crate) fn tag(&mut self) -> Result<u32, DecodeError> {
        match self.data.get(self.position) {
            Some(&byte) if (8..0x80).contains(&byte) => {
                self.position += 1;
                Ok(byte.into())
            }
            _ => self.long_tag(),
        }
    }

    #[inline(never)]
    fn long_tag(&mut self) -> Result<u32, DecodeError> {
        let start = self.position;
        let tag = self.varint()?;
        let tag = match u32::try_from(tag) {
            Ok(tag) if self.position - start <= 5 => tag,
            _ => return Err(fault(format_args!("a tag of more than 32 bits at byte {start}"))),
        };
        if tag >> 3 == 0 {
            return Err(fault(format_args!("field number 0 at byte {start}")));
        }
        Ok(tag)
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, DecodeError> {
        match self.data.get(self.position) {
            Some(&byte) if byte < 0x80 => {
                self.position += 1;
                Ok(byte.into())
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, DecodeError> {
        let rest = self.rest();
        let mut value = 0;
        for (index, &byte) in rest.iter().take(10).enumerate() {
            // What the tenth byte has above 64 bits is lost, as in other implementations.
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.position += index + 1;
                return Ok(value);
            }
        }
        let what = if rest.len() < 10 { "ends within a number" } else { "a number of more than 10 bytes" };
        Err(fault(format_args!("{what} at byte {}", self.position)))
    }

    #[inline]
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.data.get(self.position..).and_then(|rest| rest.first_chunk()) {
            Some(chunk) => {
                self.position += N;
                Ok(*chunk)
            }
            None => Err(self.short(N)),
        }
    }

    /// A length and as many bytes, to be read by another reader.
    #[inline]
    pub(crate) fn delimited(&mut self) -> Result<Reader<'a>, DecodeError> {
        let start = self.position;
        let length = self.varint()?;
        if self.position - start > 5 {
            return Err(fault(format_args!("a length of more than 32 bits at byte {start}")));
        }
        let end = usize::try_from(length).ok().and_then(|length| self.position.checked_add(length));
        match end.and_then(|end| self.data.get(..end)) {
            Some(data) => {
                let part = Reader { data, position: self.position, depth: self.depth };
                self.position = data.len();
                Ok(part)
            }
            None => Err(self.short(length)),
        }
    }

    /// A message within this one.
    #[inline]
    pub(crate) fn message(&mut self) -> Result<Reader<'a>, DecodeError> {
        let mut part = self.delimited()?;
        part.depth = self.depth.checked_sub(1).ok_or_else(too_deep)?;
        Ok(part)
    }

    /// What is left of it.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.data.get(self.position..).unwrap_or_default()
    }

    #[cold]
    fn short(&self, wanted: impl std::fmt::Display) -> DecodeError {
        fault(format_args!(
            "ends too early: {wanted} bytes were to come at byte {}, and {} are there",
            self.position,
            self.rest().len()
        ))
    }

    /// Passes over the value of a field. Groups are read to their end, which must be there; they may be nested as deep as messages.
    pub(crate) fn skip(&mut self, tag: u32) -> Result<(), DecodeError> {
        self.skip_within(tag, self.depth)
    }

    fn skip_within(&mut self, tag: u32, depth: u32) -> Result<(), DecodeError> {
        match tag & 7 {
            VARINT => self.varint().map(drop),
            FIXED64 => self.fixed::<8>().map(drop),
            LENGTH => self.delimited().map(drop),
            START_GROUP => {
                let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
                while !self.is_empty() {
                    let inner = self.tag()?;
                    if inner & 7 == END_GROUP && inner >> 3 == tag >> 3 {
                        return Ok(());
                    }
                    self.skip_within(inner, depth)?;
                }
                Err(fault(format_args!("ends within a group, field {}", tag >> 3)))
            }
            END_GROUP => Err(fault(format_args!(
                "the end of a group that did not begin, field {}, before byte {}",
                tag >> 3,
                self.position
            ))),
            FIXED32 => self.fixed::<4>().map(drop),
            other => Err(fault(format_args!(
                "unknown wire type {other} of field {} before byte {}",
                tag >> 3,
                self.position
            ))),
        }
    }
}
