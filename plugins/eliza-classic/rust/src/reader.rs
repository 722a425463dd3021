//! A cursor over the tokens of a script: what comes next, which lists are open, and what is wrong here.

use crate::errors::ScriptError;
use crate::tokens::{Token, Tokens};

/// The highest rank, and the most words that a number in a decomposition can stand for.
const MAX_NUMBER: usize = 999_999;

/// Reads a script token by token.
#[derive(Debug)]
pub(crate) struct Reader<'s> {
    /// The token that comes next, at the end an empty one.
    pub(crate) next: Token,
    tokens: Tokens<'s>,
    opened: Vec<Token>,
}

impl<'s> Reader<'s> {
    /// Stands before the first token.
    ///
    /// # Errors
    ///
    /// The script is too long.
    pub(crate) fn new(script: &'s str) -> Result<Self, ScriptError> {
        let mut tokens = Tokens::new(script)?;
        Ok(Self { next: tokens.take(), tokens, opened: Vec::new() })
    }

    /// Whether this is the next token; the empty one is the end.
    pub(crate) fn at(&self, text: &str) -> bool {
        self.next.text == text
    }

    /// Returns the next token and goes past it.
    pub(crate) fn take(&mut self) -> Token {
        std::mem::replace(&mut self.next, self.tokens.take())
    }

    /// Goes past the bracket that opens a list, of which `form` says why it is due here.
    pub(crate) fn open(&mut self, form: &str) -> Result<(), ScriptError> {
        if !self.at("(") {
            return Err(self.unexpected(form));
        }
        let opened = self.take();
        self.opened.push(opened);
        Ok(())
    }

    /// Goes past the bracket that closes the list opened last. The next token is known to be one.
    pub(crate) fn close(&mut self) {
        self.opened.pop();
        self.take();
    }

    /// Takes the next token of a list, in which there are no lists; at the end of the list there is none.
    pub(crate) fn plain_token(&mut self, form: &str) -> Result<Option<Token>, ScriptError> {
        match self.next.text.as_str() {
            ")" => Ok(None),
            "(" | "" => Err(self.unexpected(form)),
            _ => Ok(Some(self.take())),
        }
    }

    /// Takes a word, which is not a number.
    pub(crate) fn word(&mut self, form: &str) -> Result<Token, ScriptError> {
        if self.next.is_word() { Ok(self.take()) } else { Err(self.unexpected(form)) }
    }

    /// Returns the number that the token says.
    ///
    /// # Errors
    ///
    /// It is above [`MAX_NUMBER`].
    pub(crate) fn number(&self, token: &Token) -> Result<usize, ScriptError> {
        let too_high = || self.error(format!("a number is at most {MAX_NUMBER}; found {}", token.describe()), token);
        match token.text.trim_start_matches('0') {
            "" => Ok(0),
            digits => digits.parse().ok().filter(|number| *number <= MAX_NUMBER).ok_or_else(too_high),
        }
    }

    /// Returns the error that the next token does not fit the form; at the end, that a list was left open.
    pub(crate) fn unexpected(&self, form: &str) -> ScriptError {
        if let Some(innermost) = self.opened.last()
            && self.at("")
        {
            return self.error("this list is not closed".to_owned(), innermost);
        }
        let mut reason = format!("{form}; found {}", self.next.describe());
        if let Some(outermost) = self.opened.first()
            && outermost.line != self.next.line
        {
            // Often a bracket is missing further up.
            reason.push_str(&format!(", in the list that opens in line {}", outermost.line));
        }
        self.error(reason, &self.next)
    }

    /// Returns an error at the next token.
    pub(crate) fn error_here(&self, reason: &str) -> ScriptError {
        self.error(reason.to_owned(), &self.next)
    }

    /// Returns an error at a token.
    pub(crate) fn error(&self, reason: String, token: &Token) -> ScriptError {
        ScriptError::new(token.line, token.column, reason)
    }
}
