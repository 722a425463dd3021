//! Writing goes over a message twice: first for the sizes, since the length of what is nested stands before it, then for the bytes.

use crate::unknown::UnknownFields;

/// How many sizes have place without an allocation.
const INLINE: usize = 16;

/// The sizes of what is nested, in the order in which it is written. Each is known once, however deep it lies.
#[derive(Debug, Default)]
pub struct Sizes {
    first: [usize; INLINE],
    more: Vec<usize>,
    count: usize,
}

impl Sizes {
    /// Measures something nested, and keeps what it measures: returns the size with the length before it.
    #[inline]
    pub(crate) fn nested(&mut self, measure: impl FnOnce(&mut Self) -> usize) -> usize {
        let index = self.count;
        self.count += 1;
        if index >= INLINE {
            self.more.push(0);
        }
        let size = measure(self);
        let place = if index < INLINE { self.first.get_mut(index) } else { self.more.get_mut(index - INLINE) };
        if let Some(place) = place {
            *place = size;
        }
        varint_size(size as u64) + size
    }

    fn get(&self, index: usize) -> usize {
        let place = if index < INLINE { self.first.get(index) } else { self.more.get(index - INLINE) };
        place.copied().unwrap_or_default()
    }
}

/// How many bytes a number takes.
#[inline]
#[must_use]
pub(crate) fn varint_size(value: u64) -> usize {
    // At least one, also for 0.
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// How many bytes the tag of a field takes.
#[inline]
#[must_use]
pub(crate) fn tag_size(number: u32) -> usize {
    varint_size(u64::from(number) << 3)
}

/// What is written, and the sizes that are still to come.
#[derive(Debug, Default)]
pub struct Writer {
    pub(crate) out: Vec<u8>,
    pub(crate) sizes: Sizes,
    next: usize,
}

impl Writer {
    #[inline]
    pub(crate) fn tag(&mut self, number: u32, wire_type: u32) {
        self.varint(u64::from(number << 3 | wire_type));
    }

    #[inline]
    pub(crate) fn varint(&mut self, value: u64) {
        if value < 0x80 {
            self.out.push(value as u8);
        } else {
            self.long_varint(value);
        }
    }

    #[inline(never)]
    fn long_varint(&mut self, mut value: u64) {
        let mut bytes = [0; 10];
        let mut length = 0;
        for byte in &mut bytes {
            length += 1;
            *byte = value as u8 | 0x80;
            value >>= 7;
            if value == 0 {
                *byte &= 0x7f;
                break;
            }
        }
        self.out.extend_from_slice(bytes.get(..length).unwrap_or_default());
    }

    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Unknown fields, as they came.
    pub fn unknown(&mut self, fields: &UnknownFields) {
        self.bytes(fields.as_bytes());
    }

    /// The length of the next thing that is nested, as it was measured.
    #[inline]
    pub(crate) fn length(&mut self) {
        let size = self.sizes.get(self.next);
        self.next += 1;
        self.varint(size as u64);
    }
}
