//! Lines of a stream of bytes.

use anyplug_core::{Error, Result};

/// Cuts bytes into lines of text, however they are chunked: a character that comes in two pieces is one. Bytes that are no UTF-8 become U+FFFD. Empty lines are left out.
#[derive(Debug)]
pub struct LineReader {
    max_bytes: usize,
    /// What came of a line that has not ended.
    line: Vec<u8>,
    /// The line is too long; what comes of it is dropped.
    skips: bool,
}

impl LineReader {
    /// A line of more than `max_bytes` is refused.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, line: Vec::new(), skips: false }
    }

    /// Takes the next bytes, and gives the lines that end in them.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when a line is too long, once for each; it is left out, and the lines after it are given.
    pub fn push(&mut self, bytes: &[u8], mut on_line: impl FnMut(&str)) -> Result<()> {
        let mut too_long = false;
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            too_long |= self.keep(&rest[..end]);
            self.end(&mut on_line);
            rest = &rest[end + 1..];
        }
        too_long |= self.keep(rest);
        if too_long {
            return Err(Error::resource_exhausted(format!("a line of over {} bytes", self.max_bytes)));
        }
        Ok(())
    }

    /// The line has ended, with the stream or without: what is there of it is given.
    pub fn end(&mut self, mut on_line: impl FnMut(&str)) {
        self.skips = false;
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() {
            on_line(text);
        }
    }

    /// True when this made the line too long.
    fn keep(&mut self, piece: &[u8]) -> bool {
        if self.skips {
            return false;
        }
        if self.line.len() + piece.len() > self.max_bytes {
            self.line = Vec::new();
            self.skips = true;
            return true;
        }
        self.line.extend_from_slice(piece);
        false
    }
}
