//! JSON to bytes.

mod message;
mod scalar;
mod well_known;

pub(crate) use message::{key_of, oneof_of};
pub(crate) use scalar::is_open;

use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::fault::Result;
use crate::options::JsonReadOptions;
use crate::text::json::Json;

/// One reading of a JSON text.
pub(crate) struct Reader<'a> {
    pool: &'a DescriptorPool,
    options: JsonReadOptions,
}

impl<'a> Reader<'a> {
    /// A reading that resolves Any by these types.
    pub(crate) fn new(pool: &'a DescriptorPool, options: JsonReadOptions) -> Self {
        Self { pool, options }
    }

    /// The bytes of the message that JSON means.
    pub(crate) fn read(&self, message: &MessageDescriptor, json: &Json<'_>) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.message(message, json, 0, &mut out)?;
        Ok(out)
    }
}
