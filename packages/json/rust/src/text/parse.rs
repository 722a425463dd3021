//! Reads JSON text (RFC 8259). serde_json rounds long numbers and ends at 128 levels; what its features say of that would hold for all that is in the program.

use std::borrow::Cow;

use anyplug_core::{Error, Result};

use super::json::{Json, Members};

/// How deep arrays and objects may be nested in each other. More than any message within its own limit takes.
const MAX_NESTING: usize = 256;

/// What a JSON text says.
///
/// # Errors
///
/// INVALID_ARGUMENT, naming line and column, when it is none, and when it is nested deeper than 256 levels.
pub fn parse_json(text: &str) -> Result<Json<'_>> {
    let mut parser = Parser { text, position: 0 };
    let value = parser.value(0)?;
    parser.end()?;
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Result<Json<'a>> {
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth).map(Json::Object),
            Some(b'[') => self.array(depth).map(Json::Array),
            Some(b'"') => self.string().map(Json::String),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => self.number().map(Json::Number),
        }
    }

    fn end(&mut self) -> Result<()> {
        self.space();
        if self.position < self.text.len() { Err(self.fault("expected the end")) } else { Ok(()) }
    }

    fn object(&mut self, depth: usize) -> Result<Members<'a>> {
        let mut members = Members::new();
        self.open(depth)?;
        if self.take(b'}') {
            return Ok(members);
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.fault("expected a member's name in quotes"));
            }
            let name = self.string()?;
            if !self.take(b':') {
                return Err(self.fault("expected a colon"));
            }
            members.push((name, self.value(depth + 1)?));
            if !self.take(b',') {
                break;
            }
        }
        if self.take(b'}') { Ok(members) } else { Err(self.fault("expected a comma or the object's end")) }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Json<'a>>> {
        let mut elements = Vec::new();
        self.open(depth)?;
        if self.take(b']') {
            return Ok(elements);
        }
        loop {
            elements.push(self.value(depth + 1)?);
            if !self.take(b',') {
                break;
            }
        }
        if self.take(b']') { Ok(elements) } else { Err(self.fault("expected a comma or the array's end")) }
    }

    fn open(&mut self, depth: usize) -> Result<()> {
        if depth >= MAX_NESTING {
            return Err(self.fault(&format!("nested deeper than {MAX_NESTING} levels")));
        }
        self.position += 1;
        Ok(())
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>> {
        if !self.rest().starts_with(word) {
            return Err(self.fault("expected a value"));
        }
        self.position += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<&'a str> {
        match number_length(self.rest().as_bytes()) {
            0 => Err(self.fault("expected a value")),
            length => {
                let number = &self.rest()[..length];
                self.position += length;
                Ok(number)
            }
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>> {
        self.position += 1;
        let mut read = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let length = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\');
            let (plain, stop) = rest.split_at(length.unwrap_or(rest.len()));
            read += plain;
            self.position += plain.len();
            match stop.bytes().next() {
                Some(b'"') => {
                    self.position += 1;
                    return Ok(read);
                }
                Some(b'\\') => read.to_mut().push(self.escape()?),
                None => return Err(self.fault("a string without an end")),
                Some(_) => return Err(self.fault("a control character in a string: write it as an escape")),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let character = match self.text.as_bytes().get(self.position + 1) {
            Some(b'u') => return self.escaped_character(),
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.fault("an escape that JSON does not have")),
        };
        self.position += 2;
        Ok(character)
    }

    fn escaped_character(&mut self) -> Result<char> {
        let first = self.hex(self.position)?;
        if let Some(character) = char::from_u32(first) {
            self.position += 6;
            return Ok(character);
        }
        let is_pair = first < 0xdc00 && self.rest().get(6..).is_some_and(|rest| rest.starts_with("\\u"));
        let second = if is_pair { self.hex(self.position + 6)? } else { 0 };
        let units = [first, second].map(|unit| u16::try_from(unit).unwrap_or_default());
        match char::decode_utf16(units).next() {
            Some(Ok(character)) if is_pair => {
                self.position += 12;
                Ok(character)
            }
            _ => Err(self.fault("half of a surrogate pair")),
        }
    }

    /// The code unit of the escape at a place.
    fn hex(&self, position: usize) -> Result<u32> {
        let digits = self.text.as_bytes().get(position + 2..position + 6).unwrap_or_default();
        if digits.len() < 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.fault("expected four hexadecimal digits after \\u"));
        }
        Ok(digits.iter().fold(0, |unit, digit| unit * 16 + char::from(*digit).to_digit(16).unwrap_or_default()))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let is_there = self.peek() == Some(byte);
        self.position += usize::from(is_there);
        is_there
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.position += 1;
        }
    }

    #[cold]
    fn fault(&self, told: &str) -> Error {
        let before = self.text.get(..self.position).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error::invalid_argument(format!("line {line}, column {column} of the JSON: {told}"))
    }
}

/// How many bytes at the start are a number as JSON writes them.
pub(super) fn number_length(text: &[u8]) -> usize {
    let digits = |from: usize| text[from.min(text.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = usize::from(text.first() == Some(&b'-'));
    end += match text.get(end) {
        Some(b'0') => 1,
        Some(b'1'..=b'9') => digits(end),
        _ => return 0,
    };
    if text.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        if digits(end + 1 + sign) > 0 {
            end += 1 + sign + digits(end + 1 + sign);
        }
    }
    end
}
