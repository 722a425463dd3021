//! What the generated messages of anyplug are read and written with.
//!
//! The messages are structs as prost has them, and implement prost's `Message`; only the codec is another. It takes and refuses what protobuf's
//! own implementations do, which prost's does not in all cases: a field of another wire type than the schema's is unknown, -0.0 is not the
//! default, tags and lengths have five bytes at most, and unknown fields are kept by those messages that have a place for them.
//!
//! A message says what its fields are by [`message!`]; each is a [`Field`] of a [`Kind`].

mod enumeration;
mod fault;
mod field;
mod macros;
mod message;
mod reader;
mod scalar;
mod unknown;
mod well_known;
mod whole;
mod writer;

pub use enumeration::{Named, named};
pub use field::{Choice, Choices, Field, List, Map, Optional, Packed, Plain, Unpacked, choice_size, write_choice};
pub use message::{Boxed, Fields, Foreign, Sub, Wrapped};
#[doc(hidden)]
pub use prost;
pub use reader::{MAX_DEPTH, Reader};
pub use scalar::{
    Bool, Bytes, Double, Enum, Fixed32, Fixed64, Float, Int32, Int64, Kind, Number, Scalar, Sfixed32, Sfixed64, Sint32,
    Sint64, Text, Uint32, Uint64,
};
pub use unknown::UnknownFields;
pub use whole::{encode, encode_length_delimited, encoded_len, merge, merge_field, merge_length_delimited};
pub use writer::{Sizes, Writer};
