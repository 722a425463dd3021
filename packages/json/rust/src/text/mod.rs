//! JSON text, and the texts that single values have in it.

pub(crate) mod base64;
pub(crate) mod field_mask;
pub(crate) mod json;
pub(crate) mod number;
pub(crate) mod parse;
pub(crate) mod print;
pub(crate) mod time;
