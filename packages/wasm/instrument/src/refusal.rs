//! Why a module is refused.

use std::fmt;

/// What sort of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The bytes are no valid module.
    Invalid,
    /// It is valid, and uses what cannot be held to the limits or what one of the engines does not know.
    Unsupported,
    /// It wants more memory, tables or entries than it is allowed.
    TooLarge,
}

/// Why a module is refused: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    kind: Kind,
    message: String,
}

impl Refusal {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(Kind::TooLarge, message)
    }

    /// What sort of reason it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// For what a validated module cannot give rise to: said instead of a panic.
impl From<wasmparser::Error> for Refusal {
    fn from(error: wasmparser::Error) -> Self {
        Self::new(
            Kind::Invalid,
            format!("no valid WebAssembly module: {} at offset {}", error.message(), error.offset()),
        )
    }
}
