//! Frames.

use anyplug_core::Code;
use anyplug_core::frame::{Decoder, FLAG_END, FLAG_HEADER, FRAME_HEADER_BYTES, FrameHeader, Kind};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;

pub(crate) fn frame_bytes(kind: u8, flags: u8, method: u16, call: u32, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader { length: payload.len() as u32, kind, flags, method, call };
    [&header.encode()[..], payload].concat()
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), any::<u8>(), any::<u16>(), any::<u32>(), vec(any::<u8>(), 0..300))
        .prop_map(|(kind, flags, method, call, payload)| frame_bytes(kind, flags, method, call, &payload))
}

/// Frames with their offsets, the error after them, and how many bytes are left.
type Decoded = (Vec<(FrameHeader, Vec<u8>, u64)>, Option<Code>, usize);

/// The frames of a stream that arrives in pieces of these sizes, over and over.
fn decode(input: &[u8], sizes: &[usize], max_frame_bytes: u32) -> Decoded {
    let mut decoder = Decoder::new(max_frame_bytes, 0);
    let (mut frames, mut at, mut turn) = (Vec::new(), 0, 0);
    while at < input.len() {
        let size = sizes[turn % sizes.len()].max(1).min(input.len() - at);
        let mut part = &input[at..at + size];
        (at, turn) = (at + size, turn + 1);
        loop {
            match decoder.next(&mut part) {
                Ok(Some(frame)) => frames.push((frame.header, frame.payload.as_slice().to_vec(), frame.offset)),
                Ok(None) => break,
                Err(error) => return (frames, Some(error.code()), 0),
            }
        }
    }
    (frames, None, decoder.pending_bytes())
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn frames_do_not_depend_on_the_chunks_they_come_in(
        frames in vec(any_frame(), 0..8),
        rest in vec(any::<u8>(), 0..11),
        sizes in vec(1usize..400, 1..6),
    ) {
        let mut input = frames.concat();
        let offsets: Vec<_> = frames.iter().scan(0, |at, frame| { *at += frame.len(); Some((*at - frame.len()) as u64) }).collect();
        input.extend_from_slice(&rest);
        let whole = decode(&input, &[usize::MAX], 300);
        prop_assert_eq!(&decode(&input, &sizes, 300), &whole);
        prop_assert_eq!(whole.0.iter().map(|frame| frame.2).collect::<Vec<_>>(), offsets);
        prop_assert_eq!(whole.2, rest.len());
        for ((header, payload, _), bytes) in whole.0.iter().zip(&frames) {
            prop_assert_eq!(header.flags & !(FLAG_END | FLAG_HEADER), 0);
            prop_assert_eq!(payload.as_slice(), &bytes[FRAME_HEADER_BYTES..]);
        }
    }

    #[test]
    fn random_bytes_give_frames_or_an_error_and_claim_no_more_than_they_are(input in vec(any::<u8>(), 0..2_000), sizes in vec(1usize..50, 1..4)) {
        let (frames, error, rest) = decode(&input, &sizes, 1 << 20);
        prop_assert_eq!(&(frames.clone(), error, rest), &decode(&input, &[usize::MAX], 1 << 20));
        let taken: usize = frames.iter().map(|(_, payload, _)| FRAME_HEADER_BYTES + payload.len()).sum();
        if error.is_none() {
            prop_assert_eq!(taken + rest, input.len());
        }
    }
}

#[test]
fn kinds_lead_back_to_their_numbers() {
    for number in 0..=255 {
        if let Some(kind) = Kind::from_number(number) {
            assert_eq!(kind as u8, number);
        }
    }
}
