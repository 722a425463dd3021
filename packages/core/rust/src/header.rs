//! Metadata and `CallHeader`, which goes before the first message of a direction of a call.

use prost::Message;

use crate::error::{Error, Result};
use crate::wire;

/// Pairs of metadata. A key may occur more than once, and order is kept. Keys are lower-case ASCII: `[a-z0-9_.-]+`; a key of
/// another form is refused when the call is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(String, String)>);

impl Metadata {
    /// No metadata.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a pair after those that are there.
    pub fn append(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.push((key.into(), value.into()));
    }

    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// All values of a key, in order.
    pub fn get_all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(name, _)| *name == key).map(|(_, value)| value)
    }

    /// All pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks the form of all keys.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming the first key of another form.
    pub fn validate(&self) -> Result<()> {
        for (key, _) in &self.0 {
            let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
            if key.is_empty() || !key.bytes().all(legal) {
                return Err(Error::invalid_argument(format!(
                    "metadata key {key:?} cannot be sent: keys are made of lower-case letters, digits, '_', '.' and '-'"
                )));
            }
        }
        Ok(())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl IntoIterator for Metadata {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Metadata {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl From<Vec<wire::MetadataEntry>> for Metadata {
    fn from(entries: Vec<wire::MetadataEntry>) -> Self {
        Self(entries.into_iter().map(|entry| (entry.key, entry.value)).collect())
    }
}

impl From<Metadata> for Vec<wire::MetadataEntry> {
    fn from(metadata: Metadata) -> Self {
        metadata.0.into_iter().map(|(key, value)| wire::MetadataEntry { key, value }).collect()
    }
}

/// What goes before the first message of a direction of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallHeader {
    /// Milliseconds that remain to the caller; requests only. None: no deadline. 0: already expired.
    pub timeout_ms: Option<u32>,
    /// Metadata of the caller, or of the callee before its first message.
    pub metadata: Metadata,
    /// W3C trace context.
    pub traceparent: String,
    /// W3C trace state.
    pub tracestate: String,
    /// The names of the plugins and hosts whose calls led to this one, the first cause first; requests only.
    pub origin: Vec<String>,
}

impl CallHeader {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.timeout_ms.is_none()
            && self.metadata.is_empty()
            && self.traceparent.is_empty()
            && self.tracestate.is_empty()
            && self.origin.is_empty()
    }

    /// Reads a call header.
    ///
    /// # Errors
    /// INTERNAL, when the bytes are not a `CallHeader`.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).map_err(|error| Error::internal(format!("a call header that cannot be parsed ({error})")))
    }

    pub(crate) fn parse(bytes: &[u8]) -> std::result::Result<Self, prost::DecodeError> {
        let header = wire::CallHeader::decode(bytes)?;
        Ok(Self {
            timeout_ms: header.timeout_ms,
            metadata: header.metadata.into(),
            traceparent: header.traceparent,
            tracestate: header.tracestate,
            origin: header.origin,
        })
    }

    /// Appends the encoding to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if let (Some(timeout_ms), true) = (self.timeout_ms, self.has_only_timeout()) {
            // The most frequent header by far: a deadline and nothing else.
            out.push(0x08);
            prost::encoding::encode_varint(u64::from(timeout_ms), out);
            return;
        }
        let _ = wire::CallHeader {
            timeout_ms: self.timeout_ms,
            metadata: self.metadata.clone().into(),
            traceparent: self.traceparent.clone(),
            tracestate: self.tracestate.clone(),
            origin: self.origin.clone(),
        }
        .encode(out);
    }

    fn has_only_timeout(&self) -> bool {
        self.metadata.is_empty() && self.traceparent.is_empty() && self.tracestate.is_empty() && self.origin.is_empty()
    }
}
