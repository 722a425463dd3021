//! What a host says first, of which a plugin reads its configuration.

use anyplug_core::frame::FRAME_HEADER_BYTES;
use anyplug_core::hello::MAGIC;

/// How long the magic and HELLO are together, as far as that is known of what was heard. What does not begin with the magic is all there: a connection that receives it says what is wrong.
pub(crate) fn hello_bytes(heard: &[u8]) -> usize {
    let start = MAGIC.len() + FRAME_HEADER_BYTES;
    if !heard.iter().zip(MAGIC).all(|(heard, magic)| *heard == magic) {
        return heard.len();
    }
    match heard.get(MAGIC.len()..MAGIC.len() + 4).map(<[u8; 4]>::try_from) {
        Some(Ok(length)) => start + u32::from_le_bytes(length) as usize,
        _ => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hello_is_heard_to_its_end() {
        let heard = b"anyplug\n\x02\x01\0\0\x01\0\0\0\0\0\0\0";
        assert_eq!(hello_bytes(&heard[..3]), 20);
        assert_eq!(hello_bytes(&heard[..11]), 20);
        assert_eq!(hello_bytes(heard), 20 + 258);
    }

    #[test]
    fn what_is_no_hello_is_not_waited_for() {
        assert_eq!(hello_bytes(b"anyplux"), 7);
    }
}
