//! Tags, varints and fixed numbers: a reader that goes forward, and a writer that goes backward, so that the length of a message is known before it is to be written.

use super::fault::Fault;

pub(super) const VARINT: u32 = 0;
pub(super) const FIXED64: u32 = 1;
pub(super) const LENGTH: u32 = 2;
pub(super) const START_GROUP: u32 = 3;
pub(super) const END_GROUP: u32 = 4;
pub(super) const FIXED32: u32 = 5;

/// A part of the bytes that are decoded. Places in them are counted from the beginning of the whole.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.position >= self.data.len()
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The bytes since a place that this reader was at.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.data.get(start..self.position).unwrap_or_default()
    }

    /// Number and wire type of the next field.
    #[inline]
    pub(super) fn tag(&mut self) -> Result<u32, Fault> {
        match self.data.get(self.position) {
            Some(&byte) if (8..0x80).contains(&byte) => {
                self.position += 1;
                Ok(byte.into())
            }
            _ => self.long_tag(),
        }
    }

    #[inline(never)]
    fn long_tag(&mut self) -> Result<u32, Fault> {
        let start = self.position;
        let tag = self.varint()?;
        if self.position - start > 5 || tag > u64::from(u32::MAX) {
            return Err(Fault::new(format!("a tag of more than 32 bits at byte {start}")));
        }
        if tag >> 3 == 0 {
            return Err(Fault::new(format!("field number 0 at byte {start}")));
        }
        Ok(tag as u32)
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Fault> {
        match self.data.get(self.position) {
            Some(&byte) if byte < 0x80 => {
                self.position += 1;
                Ok(byte.into())
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, Fault> {
        let rest = self.data.get(self.position..).unwrap_or_default();
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
        Err(Fault::new(format!("{what} at byte {}", self.position)))
    }

    #[inline]
    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
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
    pub(super) fn delimited(&mut self) -> Result<Reader<'a>, Fault> {
        let start = self.position;
        let length = self.varint()?;
        if self.position - start > 5 {
            return Err(Fault::new(format!("a length of more than 32 bits at byte {start}")));
        }
        let end = usize::try_from(length).ok().and_then(|length| self.position.checked_add(length));
        match end.and_then(|end| self.data.get(..end)) {
            Some(data) => {
                let part = Reader { data, position: self.position };
                self.position = data.len();
                Ok(part)
            }
            None => Err(self.short(length)),
        }
    }

    /// What is left of it.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.data.get(self.position..).unwrap_or_default()
    }

    #[cold]
    fn short(&self, wanted: impl std::fmt::Display) -> Fault {
        Fault::new(format!(
            "ends too early: {wanted} bytes were to come at byte {}, and {} are there",
            self.position,
            self.rest().len()
        ))
    }

    /// Passes over the value of a field.
    ///
    /// Groups are read to their end, which must be there; they may be nested as deep as messages.
    pub(super) fn skip(&mut self, tag: u32, depth: u32) -> Result<(), Fault> {
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
                    self.skip(inner, depth)?;
                }
                Err(Fault::new(format!("ends within a group, field {}", tag >> 3)))
            }
            END_GROUP => Err(Fault::new(format!(
                "the end of a group that did not begin, field {}, before byte {}",
                tag >> 3,
                self.position
            ))),
            FIXED32 => self.fixed::<4>().map(drop),
            other => Err(Fault::new(format!(
                "unknown wire type {other} of field {} before byte {}",
                tag >> 3,
                self.position
            ))),
        }
    }
}

#[cold]
pub(super) fn too_deep() -> Fault {
    Fault::new(format!("messages are nested more than {} deep", super::MAX_DEPTH))
}

/// Bytes that are written from the last to the first.
#[derive(Default)]
pub(super) struct Writer {
    buffer: Vec<u8>,
    /// Where what is written begins in the buffer.
    start: usize,
}

impl Writer {
    pub(super) fn clear(&mut self) {
        self.start = self.buffer.len();
    }

    pub(super) fn capacity(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    pub(super) fn written(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Makes place for this many bytes before what is written.
    #[inline]
    fn place(&mut self, length: usize) -> &mut [u8] {
        if self.start < length {
            self.grow(length);
        }
        let end = self.start;
        self.start -= length;
        // In bounds, for the line above and `grow` see to it.
        &mut self.buffer[self.start..end]
    }

    #[cold]
    fn grow(&mut self, length: usize) {
        let added = length.max(self.buffer.len()).max(1024);
        let mut buffer = vec![0; added + self.buffer.len()];
        let start = buffer.len() - self.len();
        buffer[start..].copy_from_slice(self.written());
        (self.buffer, self.start) = (buffer, start);
    }

    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.place(bytes.len()).copy_from_slice(bytes);
    }

    #[inline(always)]
    pub(super) fn varint(&mut self, value: u64) {
        if value < 0x80 && self.start > 0 {
            self.start -= 1;
            self.buffer[self.start] = value as u8;
        } else {
            self.long_varint(value);
        }
    }

    #[inline(never)]
    fn long_varint(&mut self, value: u64) {
        // At least one, also for 0.
        let length = (70 - (value | 1).leading_zeros() as usize) / 7;
        let place = self.place(length);
        let mut rest = value;
        for byte in place.iter_mut() {
            *byte = (rest as u8) | 0x80;
            rest >>= 7;
        }
        if let Some(last) = place.last_mut() {
            *last &= 0x7f;
        }
    }

    /// Takes back what was written since it had this length.
    #[inline]
    pub(super) fn cut(&mut self, length: usize) {
        self.start = self.buffer.len() - length;
    }

    /// Writes the length of what was written since it had this length itself.
    #[inline]
    pub(super) fn length_since(&mut self, before: usize) {
        self.varint((self.len() - before) as u64);
    }
}
