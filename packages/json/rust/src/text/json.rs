//! JSON as a tree that loses nothing: numbers as they were written, members in their order, also those that come twice.

use std::borrow::Cow;

use crate::fault::{quoted, shortened};

/// A value of JSON.
#[derive(Debug, PartialEq)]
pub(crate) enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it was written.
    Number(&'a str),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(Members<'a>),
}

/// A member of an object.
pub(crate) type Member<'a> = (Cow<'a, str>, Json<'a>);

/// The members of an object, in their order.
pub(crate) type Members<'a> = Vec<Member<'a>>;

impl Json<'_> {
    /// The value as a message about it shows it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(text) => shortened(text),
            Self::String(text) => quoted(text),
            Self::Array(_) => "an array".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}
