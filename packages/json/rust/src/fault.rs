//! Why JSON and a message do not go together, and where.

use std::fmt;

use anyplug_core::Error;

use crate::text::json::Json;
use crate::text::print::push_string;

/// How deep messages may be nested, entries of maps counted: the limit of protobuf's own implementations.
pub(crate) const MAX_DEPTH: usize = 100;

/// What everything here returns.
pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

/// A step from a message to something in it.
#[derive(Debug)]
pub(crate) enum Step {
    /// A member of an object, or a field.
    Member(String),
    /// An index of an array.
    Index(usize),
    /// A key of a map.
    Key(String),
}

/// A failure on its way out of nested messages: each level adds its step. Boxed, since results of every field carry it.
#[derive(Debug)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    told: String,
    /// The innermost first.
    path: Vec<Step>,
}

impl Fault {
    #[cold]
    pub(crate) fn new(told: impl Into<String>) -> Self {
        Self(Box::new(Inner { told: told.into(), path: Vec::new() }))
    }

    /// Says what was expected, and what was found instead.
    #[cold]
    pub(crate) fn expected(what: &str, found: &Json<'_>) -> Self {
        Self::new(format!("expected {what}, found {}", found.shown()))
    }

    #[cold]
    pub(crate) fn at(mut self, step: Step) -> Self {
        self.0.path.push(step);
        self
    }

    #[cold]
    pub(crate) fn at_member(self, name: &str) -> Self {
        self.at(Step::Member(name.to_owned()))
    }

    #[cold]
    pub(crate) fn at_key(self, key: &str) -> Self {
        self.at(Step::Key(key.to_owned()))
    }

    /// The error: "greeter.v1.GreetRequest.name: expected a string, found 1".
    #[cold]
    pub(crate) fn of(self, type_name: &str) -> Error {
        let path: String = self.0.path.iter().rev().map(ToString::to_string).collect();
        Error::invalid_argument(format!("{type_name}{path}: {}", self.0.told))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Key(key) => write!(f, "[{}]", quoted(key)),
            Self::Member(name) if is_plain(name) => write!(f, ".{name}"),
            Self::Member(name) => write!(f, "[{}]", quoted(name)),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, '_' | '@'))
        && characters.all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '.'))
}

/// A string as JSON has it, cut to what fits into a line of a log.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::new();
    push_string(&mut out, &shortened(text));
    out
}

/// What fits into a line of a log.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        None => text.to_owned(),
        Some(_) => text.chars().take(59).chain(['…']).collect(),
    }
}

/// Refuses a message that lies this many messages deep, when that is too deep.
pub(crate) fn check_depth(depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Fault::new(format!("nested deeper than {MAX_DEPTH} messages")));
    }
    Ok(())
}
