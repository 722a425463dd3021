//! Bytes to JSON.

mod message;
mod scalar;
mod scan;
mod well_known;

use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::fault::Result;
use crate::options::JsonWriteOptions;

/// One writing of a message.
pub(crate) struct Writer<'a> {
    pool: &'a DescriptorPool,
    options: JsonWriteOptions,
}

impl<'a> Writer<'a> {
    /// A writing that resolves Any by these types.
    pub(crate) fn new(pool: &'a DescriptorPool, options: JsonWriteOptions) -> Self {
        Self { pool, options }
    }

    /// The JSON of the message that the bytes are.
    pub(crate) fn write(&self, message: &MessageDescriptor, bytes: &[u8]) -> Result<String> {
        let mut out = String::with_capacity(bytes.len() * 2);
        self.message(message, bytes, 0, &mut out)?;
        Ok(out)
    }
}
