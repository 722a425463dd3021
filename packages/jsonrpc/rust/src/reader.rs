//! Messages of a stream of bytes: one in a line, or behind a `Content-Length` header.

use anyplug_core::{Error, Result};

/// How messages are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Each is a line.
    Lines,
    /// Each stands behind a header, as in LSP.
    Headers,
}

/// Cuts bytes into texts, however they are chunked: a character that comes in two pieces is one. Bytes that are no UTF-8 become U+FFFD. Empty lines are left out. A line `Content-Length: N` begins
/// a header; behind the empty line at its end come N bytes.
#[derive(Debug)]
pub struct MessageReader {
    max_bytes: usize,
    /// What came of a line or body that has not ended.
    kept: Vec<u8>,
    /// What the header says of the body; none outside of a header.
    announced: Option<usize>,
    /// Bytes of the body that are still to come.
    missing: usize,
    /// The message is too long; what comes of it is dropped.
    skips: bool,
    is_too_long: bool,
}

impl MessageReader {
    /// A message of more than `max_bytes` is refused.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, kept: Vec::new(), announced: None, missing: 0, skips: false, is_too_long: false }
    }

    /// Takes the next bytes, and gives the messages that end in them.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when a message was too long; it is left out, and those after it are given.
    pub fn push(&mut self, bytes: &[u8], mut on_message: impl FnMut(&str, Framing)) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.missing {
                0 => self.read_line(rest, &mut on_message),
                _ => self.read_body(rest, &mut on_message),
            };
        }
        match std::mem::take(&mut self.is_too_long) {
            true => {
                let message = format!("a message of over {} bytes; raise maxMessageBytes", self.max_bytes);
                Err(Error::resource_exhausted(message))
            }
            false => Ok(()),
        }
    }

    /// The stream has ended: what is there of a line is one.
    pub fn end(&mut self, mut on_message: impl FnMut(&str, Framing)) {
        let text = self.take();
        if self.announced.is_none() && !text.is_empty() {
            on_message(&text, Framing::Lines);
        }
    }

    fn read_body<'a>(&mut self, bytes: &'a [u8], on_message: &mut impl FnMut(&str, Framing)) -> &'a [u8] {
        let (piece, rest) = bytes.split_at(self.missing.min(bytes.len()));
        self.missing -= piece.len();
        self.keep(piece);
        if self.missing == 0 {
            let text = self.take();
            if !text.is_empty() {
                on_message(&text, Framing::Headers);
            }
        }
        rest
    }

    fn read_line<'a>(&mut self, bytes: &'a [u8], on_message: &mut impl FnMut(&str, Framing)) -> &'a [u8] {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.keep(bytes);
            return &[];
        };
        self.keep(&bytes[..end]);
        let text = self.take();
        if let Some(length) = content_length(&text) {
            self.announced = Some(length);
        } else if self.announced.is_none() {
            if !text.is_empty() {
                on_message(&text, Framing::Lines);
            }
        } else if text.is_empty() {
            self.missing = self.announced.take().unwrap_or_default();
        }
        &bytes[end + 1..]
    }

    fn keep(&mut self, piece: &[u8]) {
        if self.skips {
            return;
        }
        if self.kept.len() + piece.len() > self.max_bytes {
            self.kept = Vec::new();
            self.skips = true;
            self.is_too_long = true;
        } else {
            self.kept.extend_from_slice(piece);
        }
    }

    /// What was kept, as text without blanks around it.
    fn take(&mut self) -> String {
        self.skips = false;
        let bytes = std::mem::take(&mut self.kept);
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

fn content_length(text: &str) -> Option<usize> {
    let (name, value) = text.split_once(':')?;
    let value = value.trim_start();
    let is_number = !value.is_empty() && value.len() <= 15 && value.bytes().all(|byte| byte.is_ascii_digit());
    if !name.eq_ignore_ascii_case("content-length") || !is_number {
        return None;
    }
    value.parse().ok()
}

/// A message as bytes, framed.
pub(crate) fn framed(text: &str, framing: Framing) -> Vec<u8> {
    match framing {
        Framing::Lines => format!("{text}\n").into_bytes(),
        Framing::Headers => format!("Content-Length: {}\r\n\r\n{text}", text.len()).into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], chunk: usize, max_bytes: usize) -> (Vec<(String, Framing)>, usize) {
        let (mut found, mut refused) = (Vec::new(), 0);
        let mut reader = MessageReader::new(max_bytes);
        for piece in bytes.chunks(chunk) {
            let pushed = reader.push(piece, |text, framing| found.push((text.to_owned(), framing)));
            refused += usize::from(pushed.is_err());
        }
        reader.end(|text, framing| found.push((text.to_owned(), framing)));
        (found, refused)
    }

    #[test]
    fn lines_and_bodies_are_read_however_they_are_chunked() {
        let bytes = "a 🎈\r\n\n {\"b\": 1}\nContent-Length: 7\r\nContent-Type: x\r\n\r\né\nd🎈c\nlast".as_bytes();
        let lines = |text: &str| (text.to_owned(), Framing::Lines);
        // 7 bytes: é, a newline and a balloon.
        let bytes = String::from_utf8_lossy(bytes).replace("é\nd🎈", "é\n🎈");
        let expected =
            vec![lines("a 🎈"), lines("{\"b\": 1}"), ("é\n🎈".to_owned(), Framing::Headers), lines("c"), lines("last")];
        for chunk in 1..=bytes.len() {
            assert_eq!(read(bytes.as_bytes(), chunk, 100), (expected.clone(), 0), "chunks of {chunk}");
        }
    }

    #[test]
    fn a_message_over_the_limit_is_left_out_and_told_once() {
        for chunk in [1, 5, 64] {
            let (found, refused) =
                read(b"0123456789\nok\nContent-Length: 20\n\n01234567890123456789ok\n", chunk, 9 + 9);
            assert_eq!(refused, 1, "chunks of {chunk}");
            let texts: Vec<_> = found.iter().map(|(text, _)| text.as_str()).collect();
            assert_eq!(texts, ["0123456789", "ok", "ok"], "chunks of {chunk}");
        }
    }
}
