//! Captured output of a child process: lines of text, bounded in length, with the last ones kept for errors.

use std::collections::VecDeque;

/// The longest line that is kept whole, in bytes; a longer one is passed on in pieces of at most this length.
pub const MAX_LINE_LENGTH: usize = 8192;

/// How many of the last lines of a stream are attached to an error.
pub const KEPT_LINES: usize = 20;

/// Cuts a stream of bytes into lines. A character that is split over two chunks stays whole; bytes that are not UTF-8 become U+FFFD.
#[derive(Debug, Default)]
pub struct LineCapture {
    rest: Vec<u8>,
    last: VecDeque<String>,
}

impl LineCapture {
    /// The last lines, oldest first, at most [`KEPT_LINES`].
    pub fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    /// Takes the next bytes of the stream and hands each line that they complete to `on_line`.
    pub fn push(&mut self, mut bytes: &[u8], mut on_line: impl FnMut(&str)) {
        while let Some(newline) = bytes.iter().position(|byte| *byte == b'\n') {
            self.extend(&bytes[..newline], &mut on_line);
            self.emit_rest(self.rest.len(), &mut on_line);
            bytes = &bytes[newline + 1..];
        }
        self.extend(bytes, &mut on_line);
    }

    /// The stream ended: what was not ended by a newline is a line too.
    pub fn end(&mut self, mut on_line: impl FnMut(&str)) {
        if !self.rest.is_empty() {
            self.emit_rest(self.rest.len(), &mut on_line);
        }
    }

    /// Appends to the line that has begun, and emits pieces of it while it is too long.
    fn extend(&mut self, mut bytes: &[u8], on_line: &mut impl FnMut(&str)) {
        while self.rest.len() + bytes.len() > MAX_LINE_LENGTH {
            let (now, later) = bytes.split_at(MAX_LINE_LENGTH - self.rest.len());
            self.rest.extend_from_slice(now);
            bytes = later;
            self.emit_rest(whole_characters(&self.rest), on_line);
        }
        self.rest.extend_from_slice(bytes);
    }

    /// Emits the first `length` bytes of what is held.
    fn emit_rest(&mut self, length: usize, on_line: &mut impl FnMut(&str)) {
        let line = &self.rest[..length];
        let text = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
        self.rest.drain(..length);
        on_line(&text);
        if self.last.len() == KEPT_LINES {
            self.last.pop_front();
        }
        self.last.push_back(text);
    }
}

/// How many of these bytes to emit so that a character at the end is not cut.
fn whole_characters(bytes: &[u8]) -> usize {
    let is_start = |byte: &u8| byte & 0xc0 != 0x80;
    match bytes.iter().rev().take(4).position(is_start) {
        Some(back) => {
            let start = bytes.len() - 1 - back;
            let length = match bytes[start] {
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => 1,
            };
            if start > 0 && start + length > bytes.len() { start } else { bytes.len() }
        }
        None => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let (mut capture, mut lines) = (LineCapture::default(), Vec::new());
        for chunk in chunks {
            capture.push(chunk, |line| lines.push(line.to_owned()));
        }
        capture.end(|line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn a_line_without_a_newline_at_the_end_is_not_lost() {
        assert_eq!(lines(&[b"one\r\ntw", b"o\n\nthree"]), ["one", "two", "", "three"]);
    }

    #[test]
    fn a_character_split_over_two_chunks_stays_whole() {
        let [start, end] = ["€".as_bytes().split_at(1).0, "€".as_bytes().split_at(1).1];
        assert_eq!(lines(&[start, end]), ["€"]);
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_replaced() {
        assert_eq!(lines(&[b"a\xffb\n"]), ["a\u{fffd}b"]);
    }

    #[test]
    fn a_line_without_end_takes_no_memory_without_end() {
        let mut capture = LineCapture::default();
        let mut pieces = Vec::new();
        for _ in 0..1000 {
            capture.push("€".repeat(100).as_bytes(), |line| pieces.push(line.to_owned()));
            assert!(capture.rest.len() <= MAX_LINE_LENGTH);
        }
        capture.end(|line| pieces.push(line.to_owned()));
        assert!(pieces.iter().all(|piece| piece.len() <= MAX_LINE_LENGTH));
        assert_eq!(pieces.concat(), "€".repeat(100_000));
    }

    #[test]
    fn the_last_lines_are_kept() {
        let mut capture = LineCapture::default();
        for line in 0..50 {
            capture.push(format!("{line}\n").as_bytes(), |_| {});
        }
        let expected: Vec<String> = (30..50).map(|line| line.to_string()).collect();
        assert_eq!(capture.last(), expected);
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(text in "[a-zä€🙂\n]{0,400}", cuts in prop::collection::vec(0usize..400, 0..8)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let mut start = 0;
            let chunks: Vec<&[u8]> = cuts.iter().map(|cut| { let chunk = &bytes[start..*cut]; start = *cut; chunk }).collect();
            prop_assert_eq!(lines(&chunks), lines(&[bytes]));
        }
    }
}
