//! The tokens of a script: brackets, `=`, comma and period, and words.

use std::iter::Peekable;
use std::str::Chars;

use crate::characters::in_scripts;
use crate::errors::ScriptError;

/// The longest script that is read, in characters (Unicode scalar values).
pub const MAX_SCRIPT_CHARACTERS: usize = 1_048_576;

const SHOWN_CHARACTERS: usize = 40;

/// A bracket, `=`, a comma, a period or a word in capitals, and where it stands. The end of the script is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Token {
    /// Whether it consists of the digits 0 to 9.
    pub(crate) fn is_number(&self) -> bool {
        !self.text.is_empty() && self.text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Whether it is a word with a letter or sign in it, which a keyword must be.
    pub(crate) fn is_word(&self) -> bool {
        !self.text.is_empty() && !self.text.starts_with(is_single) && !self.is_number()
    }

    /// Returns how an error names it.
    pub(crate) fn describe(&self) -> String {
        if self.text.is_empty() {
            return "the end of the script".to_owned();
        }
        match self.text.char_indices().nth(SHOWN_CHARACTERS) {
            Some((cut, _)) => format!("\"{}...\"", &self.text[..cut]),
            None => format!("\"{}\"", self.text),
        }
    }
}

/// Yields the tokens, and empty ones from the end on.
#[derive(Debug)]
pub(crate) struct Tokens<'s> {
    characters: Peekable<Chars<'s>>,
    line: usize,
    column: usize,
}

impl<'s> Tokens<'s> {
    /// Stands before the first token.
    ///
    /// # Errors
    ///
    /// The script is longer than [`MAX_SCRIPT_CHARACTERS`].
    pub(crate) fn new(script: &'s str) -> Result<Self, ScriptError> {
        if script.len() > MAX_SCRIPT_CHARACTERS {
            let characters = script.chars().count();
            if characters > MAX_SCRIPT_CHARACTERS {
                let reason =
                    format!("the script has {characters} characters, and at most {MAX_SCRIPT_CHARACTERS} are read");
                return Err(ScriptError::new(1, 1, reason));
            }
        }
        Ok(Self { characters: script.chars().peekable(), line: 1, column: 1 })
    }

    /// Returns the next token.
    pub(crate) fn take(&mut self) -> Token {
        while self.take_if(is_space).is_some() {}
        let mut token = Token { text: String::new(), line: self.line, column: self.column };
        if let Some(single) = self.take_if(is_single) {
            token.text.push(single);
            return token;
        }
        while let Some(character) = self.take_if(|character| !is_space(character) && !is_single(character)) {
            token.text.push(in_scripts(character));
        }
        token
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let character = self.characters.next_if(|character| wanted(*character))?;
        if character == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(character)
    }
}

fn is_space(character: char) -> bool {
    character <= ' ' || matches!(character, '\u{a0}' | '\u{feff}')
}

fn is_single(character: char) -> bool {
    matches!(character, '(' | ')' | '=' | ',' | '.')
}
