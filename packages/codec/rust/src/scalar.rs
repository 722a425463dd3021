//! The types of values that are not messages, as types without values: what they are in Rust and on the wire.

use prost::DecodeError;

use crate::fault::fault;
use crate::reader::{FIXED32, FIXED64, LENGTH, Reader, VARINT};
use crate::writer::{Sizes, Writer, varint_size};

/// What a field, an element of a list or a value of a map is.
pub trait Kind {
    /// Its type in Rust.
    type Value: Default;

    /// The wire type.
    const WIRE_TYPE: u32;

    /// The bytes that it takes, the length included.
    fn size(value: &Self::Value, sizes: &mut Sizes) -> usize;

    /// Writes it without the tag.
    fn write(value: &Self::Value, writer: &mut Writer);

    /// Reads it into what is there: messages are merged, others replaced.
    ///
    /// # Errors
    /// When the bytes are not one.
    fn merge(value: &mut Self::Value, reader: &mut Reader<'_>) -> Result<(), DecodeError>;
}

/// What is no message.
pub trait Scalar: Kind {
    /// Whether it is what a field without presence leaves out. -0.0 is not.
    fn is_zero(value: &Self::Value) -> bool;

    /// The bytes that it takes, the length included.
    fn width(value: &Self::Value) -> usize;
}

/// What lists hold packed: numbers, bools and enums.
pub trait Number: Scalar {
    /// The bytes that each takes, when it is always the same.
    const WIDTH: Option<usize>;
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident: $value:ty, $wire_type:ident, $width:expr,
        $zero:expr, $size:expr, $write:expr, $read:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Kind for $name {
            type Value = $value;

            const WIRE_TYPE: u32 = $wire_type;

            #[inline]
            fn size(value: &$value, _: &mut Sizes) -> usize {
                $size(*value)
            }

            #[inline]
            fn write(value: &$value, writer: &mut Writer) {
                $write(*value, writer)
            }

            #[inline]
            fn merge(value: &mut $value, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
                *value = $read(reader)?;
                Ok(())
            }
        }

        impl Scalar for $name {
            #[inline]
            fn is_zero(value: &$value) -> bool {
                $zero(*value)
            }

            #[inline]
            fn width(value: &$value) -> usize {
                $size(*value)
            }
        }

        impl Number for $name {
            const WIDTH: Option<usize> = $width;
        }
    };
}

macro_rules! varint {
    ($(#[$doc:meta])* $name:ident: $value:ty, $to:expr, $from:expr) => {
        number!(
            $(#[$doc])*
            $name: $value, VARINT, None,
            |value| value == <$value>::default(),
            |value| varint_size($to(value)),
            |value, writer: &mut Writer| writer.varint($to(value)),
            |reader: &mut Reader<'_>| reader.varint().map($from)
        );
    };
}

macro_rules! fixed {
    ($(#[$doc:meta])* $name:ident: $value:ty, $wire_type:ident, $width:literal) => {
        number!(
            $(#[$doc])*
            $name: $value, $wire_type, Some($width),
            |value: $value| value.to_le_bytes() == [0; $width],
            |_| $width,
            |value: $value, writer: &mut Writer| writer.bytes(&value.to_le_bytes()),
            |reader: &mut Reader<'_>| reader.fixed().map(<$value>::from_le_bytes)
        );
    };
}

varint!(
    /// `int32`: ten bytes where it is negative.
    Int32: i32, |value: i32| i64::from(value) as u64, |value: u64| value as i32
);
varint!(
    /// `int64`
    Int64: i64, |value: i64| value as u64, |value: u64| value as i64
);
varint!(
    /// `uint32`
    Uint32: u32, |value: u32| u64::from(value), |value: u64| value as u32
);
varint!(
    /// `uint64`
    Uint64: u64, |value: u64| value, |value: u64| value
);
varint!(
    /// `sint32`
    Sint32: i32, |value: i32| u64::from((value << 1 ^ value >> 31) as u32), |value: u64| {
        (value as u32 >> 1) as i32 ^ -(value as i32 & 1)
    }
);
varint!(
    /// `sint64`
    Sint64: i64, |value: i64| (value << 1 ^ value >> 63) as u64, |value: u64| (value >> 1) as i64 ^ -(value as i64 & 1)
);
varint!(
    /// `bool`
    Bool: bool, |value: bool| u64::from(value), |value: u64| value != 0
);
varint!(
    /// An enum: its number, also when it has no name.
    Enum: i32, |value: i32| i64::from(value) as u64, |value: u64| value as i32
);
fixed!(
    /// `double`
    Double: f64, FIXED64, 8
);
fixed!(
    /// `float`
    Float: f32, FIXED32, 4
);
fixed!(
    /// `fixed32`
    Fixed32: u32, FIXED32, 4
);
fixed!(
    /// `fixed64`
    Fixed64: u64, FIXED64, 8
);
fixed!(
    /// `sfixed32`
    Sfixed32: i32, FIXED32, 4
);
fixed!(
    /// `sfixed64`
    Sfixed64: i64, FIXED64, 8
);

/// `string`
#[derive(Debug)]
pub struct Text;

impl Kind for Text {
    type Value = String;

    const WIRE_TYPE: u32 = LENGTH;

    #[inline]
    fn size(value: &String, _: &mut Sizes) -> usize {
        Self::width(value)
    }

    #[inline]
    fn write(value: &String, writer: &mut Writer) {
        writer.varint(value.len() as u64);
        writer.bytes(value.as_bytes());
    }

    #[inline]
    fn merge(value: &mut String, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let part = reader.delimited()?;
        let text = std::str::from_utf8(part.rest()).map_err(|error| {
            fault(format_args!("text that is not UTF-8 at byte {}", part.position() + error.valid_up_to()))
        })?;
        text.clone_into(value);
        Ok(())
    }
}

impl Scalar for Text {
    #[inline]
    fn is_zero(value: &String) -> bool {
        value.is_empty()
    }

    #[inline]
    fn width(value: &String) -> usize {
        varint_size(value.len() as u64) + value.len()
    }
}

/// `bytes`
#[derive(Debug)]
pub struct Bytes;

impl Kind for Bytes {
    type Value = Vec<u8>;

    const WIRE_TYPE: u32 = LENGTH;

    #[inline]
    fn size(value: &Vec<u8>, _: &mut Sizes) -> usize {
        Self::width(value)
    }

    #[inline]
    fn write(value: &Vec<u8>, writer: &mut Writer) {
        writer.varint(value.len() as u64);
        writer.bytes(value);
    }

    #[inline]
    fn merge(value: &mut Vec<u8>, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        reader.delimited()?.rest().clone_into(value);
        Ok(())
    }
}

impl Scalar for Bytes {
    #[inline]
    fn is_zero(value: &Vec<u8>) -> bool {
        value.is_empty()
    }

    #[inline]
    fn width(value: &Vec<u8>) -> usize {
        varint_size(value.len() as u64) + value.len()
    }
}
