//! The channel on stdin and stdout, for plugins that can have nothing else.

use anyplug_core::hello::MAGIC;

/// How a frame header of HELLO looks, from the byte of its kind on: kind 1, any flags, no method, no call.
const HELLO_KIND: u8 = 1;
const HEADER_BYTES: usize = 12;

/// Finds the beginning of the channel in what a plugin writes to stdout. What comes before is no part of it: the plugin, or its interpreter, printed it.
#[derive(Debug, Default)]
pub struct Prelude {
    held: Vec<u8>,
    found: bool,
}

/// What bytes turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// Printed by the program.
    pub printed: Vec<u8>,
    /// Of the channel: what was held back until it was clear, and the bytes themselves.
    pub channel: (Vec<u8>, &'a [u8]),
}

impl Prelude {
    /// Takes the next bytes of stdout. What may still turn out to be the magic is held back.
    pub fn filter<'a>(&mut self, bytes: &'a [u8]) -> Told<'a> {
        if self.found {
            return Told { printed: Vec::new(), channel: (Vec::new(), bytes) };
        }
        self.held.extend_from_slice(bytes);
        let start = (0..self.held.len()).find(|start| may_be_magic(&self.held[*start..])).unwrap_or(self.held.len());
        let rest = self.held.split_off(start);
        let printed = std::mem::replace(&mut self.held, rest);
        self.found = self.held.len() >= MAGIC.len() + HEADER_BYTES;
        let channel = if self.found { std::mem::take(&mut self.held) } else { Vec::new() };
        Told { printed, channel: (channel, &[]) }
    }

    /// The stream ended: what was held back was printed too.
    pub fn end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

/// Whether these bytes begin with the magic and HELLO, as far as they go. The magic alone does not tell: it is a line that a program may print.
fn may_be_magic(bytes: &[u8]) -> bool {
    let (magic, header) = bytes.split_at(bytes.len().min(MAGIC.len()));
    MAGIC.starts_with(magic)
        && header.get(4).is_none_or(|kind| *kind == HELLO_KIND)
        && header.iter().take(HEADER_BYTES).skip(6).all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = b"anyplug\n\x03\0\0\0\x01\0\0\0\0\0\0\0abc";

    /// What all of the bytes turned out to be, given in pieces of this size.
    fn tell(bytes: &[u8], piece: usize) -> (String, Vec<u8>) {
        let (mut prelude, mut printed, mut channel) = (Prelude::default(), Vec::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            let told = prelude.filter(piece);
            printed.extend(told.printed);
            channel.extend(told.channel.0);
            channel.extend(told.channel.1);
        }
        printed.extend(prelude.end());
        (String::from_utf8(printed).expect("text"), channel)
    }

    #[test]
    fn what_comes_before_the_magic_was_printed() {
        for printed in ["", "a line\n", "any", "anyanyplug", "anyplug\n", "anyplug\nanyplug\n and more"] {
            let bytes = [printed.as_bytes(), HELLO].concat();
            for piece in [1, 2, 3, 7, 8, 9, 100] {
                assert_eq!(
                    tell(&bytes, piece),
                    (printed.to_owned(), HELLO.to_vec()),
                    "{printed:?} in pieces of {piece}"
                );
            }
        }
    }

    #[test]
    fn without_the_magic_all_was_printed() {
        assert_eq!(tell(b"no channel\nanyplu", 4), ("no channel\nanyplu".to_owned(), Vec::new()));
    }

    #[test]
    fn text_that_looks_like_the_magic_is_not_held_back_for_long() {
        let mut prelude = Prelude::default();
        assert_eq!(prelude.filter(b"anyplug\nready\n").printed, b"anyplug\nready\n");
    }
}
