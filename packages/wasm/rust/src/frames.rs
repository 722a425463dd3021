//! The frames of what this side writes, to know which call the guest is entered for.

use anyplug_core::frame::FRAME_HEADER_BYTES;
use anyplug_core::hello::MAGIC;

/// Splits the output of a connection, which consists of whole frames behind the magic.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    has_begun: bool,
}

impl Frames {
    /// The call that the next frame is of (0: none), its bytes, and what is left; none at the end.
    pub(crate) fn next<'a>(&mut self, bytes: &'a [u8]) -> Option<(u32, &'a [u8], &'a [u8])> {
        let skipped = if std::mem::replace(&mut self.has_begun, true) { 0 } else { MAGIC.len() };
        let header = bytes.get(skipped..)?.get(..FRAME_HEADER_BYTES)?;
        let number = |at: usize| header.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let (length, call) = (number(0)? as usize, number(8)?);
        let (frame, rest) = bytes.split_at_checked(skipped + FRAME_HEADER_BYTES + length)?;
        Some((call, frame, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::Frames;

    #[test]
    fn the_magic_belongs_to_the_first_frame() {
        let mut bytes = b"anyplug\n\x02\0\0\0\0\0\0\0\0\0\0\0hi".to_vec();
        bytes.extend_from_slice(b"\x01\0\0\0\x01\x01\0\0\x07\0\0\0x");
        let mut frames = Frames::default();
        let (call, frame, rest) = frames.next(&bytes).expect("the hello");
        assert_eq!((call, frame.len(), rest.len()), (0, 22, 13));
        let (call, frame, rest) = frames.next(rest).expect("the request");
        assert_eq!((call, frame.len(), rest.len()), (7, 13, 0));
        assert!(frames.next(rest).is_none());
    }
}
