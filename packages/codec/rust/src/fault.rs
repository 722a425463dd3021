//! Errors of decoding.

use std::fmt::Display;

use prost::DecodeError;

/// An error that says what is wrong and where in the bytes.
#[cold]
pub(crate) fn fault(text: impl Display) -> DecodeError {
    // prost has no other way to make one, and its Message has to return one.
    #[expect(deprecated, reason = "there is no other constructor in prost 0.14")]
    DecodeError::new(text.to_string())
}

#[cold]
pub(crate) fn too_deep() -> DecodeError {
    fault(format_args!("messages are nested more than {} deep", crate::MAX_DEPTH))
}
