//! What the engine refuses, and why. Both are the caller's to correct: an invalid argument.

use std::error::Error;
use std::fmt;

/// A script that is not in the form of 1966.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    line: usize,
    column: usize,
    reason: String,
}

impl ScriptError {
    pub(crate) fn new(line: usize, column: usize, reason: String) -> Self {
        Self { line, column, reason }
    }

    /// The line where the reason was found, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The character (Unicode scalar value) in that line, counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// What is wrong there.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.reason)
    }
}

impl Error for ScriptError {}

/// A line or a session id that is too long. The message names the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    message: String,
}

impl InputError {
    pub(crate) fn new(message: String) -> Self {
        Self { message }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for InputError {}
