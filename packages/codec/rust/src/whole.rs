//! A message as a whole: what prost's `Message` does is done by these.

use prost::DecodeError;
use prost::bytes::Buf;
use prost::encoding::WireType;

use crate::fault::{fault, too_deep};
use crate::message::{self, Fields};
use crate::reader::{MAX_DEPTH, Reader};
use crate::writer::{Sizes, Writer};

/// The bytes that a message takes.
pub fn encoded_len<M: Fields>(message: &M) -> usize {
    message.size(&mut Sizes::default())
}

/// The bytes of a message.
pub fn encode<M: Fields>(message: &M) -> Vec<u8> {
    encode_after(message, |_| Vec::new())
}

/// The bytes of a message with their number before them.
pub fn encode_length_delimited<M: Fields>(message: &M) -> Vec<u8> {
    encode_after(message, |size| {
        let mut writer = Writer::default();
        writer.out.reserve_exact(size + 10);
        writer.varint(size as u64);
        writer.out
    })
}

fn encode_after<M: Fields>(message: &M, before: impl FnOnce(usize) -> Vec<u8>) -> Vec<u8> {
    let mut writer = Writer::default();
    let size = message.size(&mut writer.sizes);
    writer.out = before(size);
    writer.out.reserve_exact(size);
    message.write(&mut writer);
    writer.out
}

/// Reads what is left of a buffer into a message.
///
/// # Errors
/// When it is not of this message; the error names the path of the field and the byte.
pub fn merge<M: Fields>(message: &mut M, mut buffer: impl Buf) -> Result<(), DecodeError> {
    let length = buffer.remaining();
    if buffer.chunk().len() == length {
        message::merge(message, &mut Reader::new(buffer.chunk()))?;
        buffer.advance(length);
        return Ok(());
    }
    let bytes = buffer.copy_to_bytes(length);
    message::merge(message, &mut Reader::new(&bytes))
}

/// Reads a number and as many bytes of a buffer into a message.
///
/// # Errors
/// When the buffer ends too early, or the bytes are not of this message.
pub fn merge_length_delimited<M: Fields>(message: &mut M, mut buffer: impl Buf) -> Result<(), DecodeError> {
    let length = prost::decode_length_delimiter(&mut buffer)?;
    if length > buffer.remaining() {
        return Err(fault(format_args!(
            "ends too early: {length} bytes were to come, and {} are there",
            buffer.remaining()
        )));
    }
    merge(message, buffer.take(length))
}

/// Reads one field, whose tag was read already: for a message within one that prost reads.
///
/// # Errors
/// When the buffer ends too early, or the bytes are not of the field.
pub fn merge_field<M: Fields>(
    message: &mut M,
    number: u32,
    wire_type: WireType,
    buffer: &mut impl Buf,
) -> Result<(), DecodeError> {
    // The field alone, since the buffer may be in pieces and go on behind it.
    let mut field = Vec::new();
    copy_field(number, wire_type, buffer, &mut field, MAX_DEPTH)?;
    message::merge(message, &mut Reader::new(&field))
}

fn copy_field(
    number: u32,
    wire_type: WireType,
    buffer: &mut impl Buf,
    field: &mut Vec<u8>,
    depth: u32,
) -> Result<(), DecodeError> {
    prost::encoding::encode_key(number, wire_type, field);
    let length = match wire_type {
        WireType::Varint => {
            prost::encoding::encode_varint(prost::encoding::decode_varint(buffer)?, field);
            0
        }
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::LengthDelimited => {
            let length = prost::decode_length_delimiter(&mut *buffer)?;
            prost::encoding::encode_varint(length as u64, field);
            length
        }
        WireType::StartGroup => {
            let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
            loop {
                let (inner, inner_type) = prost::encoding::decode_key(buffer)?;
                if inner_type == WireType::EndGroup {
                    prost::encoding::encode_key(inner, inner_type, field);
                    break 0;
                }
                copy_field(inner, inner_type, buffer, field, depth)?;
            }
        }
        WireType::EndGroup => 0,
    };
    if length > buffer.remaining() {
        return Err(fault(format_args!(
            "ends too early: {length} bytes were to come, and {} are there",
            buffer.remaining()
        )));
    }
    field.extend_from_slice(&buffer.copy_to_bytes(length));
    Ok(())
}
