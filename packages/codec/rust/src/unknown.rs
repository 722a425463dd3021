//! Fields that a message of a later version has and this one does not.

/// Unknown fields as they came, with their tags, in their order. They are written after the fields that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UnknownFields {
    #[expect(clippy::box_collection, reason = "most messages have none, and a pointer costs them less than a vector")]
    bytes: Option<Box<Vec<u8>>>,
}

impl UnknownFields {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_none()
    }

    /// Their bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_ref().map_or(&[], |bytes| bytes)
    }

    #[doc(hidden)]
    pub fn push(&mut self, field: &[u8]) {
        self.bytes.get_or_insert_default().extend_from_slice(field);
    }
}
