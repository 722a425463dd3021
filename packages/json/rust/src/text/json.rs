//! JSON as a tree that loses nothing: numbers as they were written, members in their order, also those that come twice.

use std::borrow::Cow;

use super::print::push_string;
use crate::fault::{quoted, shortened};

/// A value of JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
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
pub type Member<'a> = (Cow<'a, str>, Json<'a>);

/// The members of an object, in their order.
pub type Members<'a> = Vec<Member<'a>>;

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
    /// The member of that name, of several the last; none where there is none, and for what is no object.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().rev().find(|(one, _)| one == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value as JSON text, in one line.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.push_text(&mut out);
        out
    }

    fn push_text(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => push_string(out, text),
            Self::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    element.push_text(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    push_string(out, name);
                    out.push(':');
                    value.push_text(out);
                }
                out.push('}');
            }
        }
    }
}
