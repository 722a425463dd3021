//! The frame: a header of 12 bytes, little-endian, and a payload.

use bytes::Bytes;

use crate::error::{Error, Result};

/// What a frame is. A frame of another kind is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The first frame of each side: `Hello`.
    Hello = 1,
    /// Opens a call; with END it carries the one request message.
    Request = 2,
    /// A message of a call.
    Message = 3,
    /// The end of a direction, or from the callee of the call: `Status`.
    End = 4,
    /// The caller gives up: `Status`.
    Cancel = 5,
    /// More bytes that may be sent: `Credit`.
    Credit = 6,
    /// To be answered by PONG with the same bytes.
    Ping = 7,
    /// The answer to PING.
    Pong = 8,
    /// `LogRecord`.
    Log = 9,
    /// `GoAway`.
    Goaway = 10,
}

impl Kind {
    /// The kind of a number, if this version knows it.
    pub fn from_number(number: u8) -> Option<Kind> {
        Some(match number {
            1 => Kind::Hello,
            2 => Kind::Request,
            3 => Kind::Message,
            4 => Kind::End,
            5 => Kind::Cancel,
            6 => Kind::Credit,
            7 => Kind::Ping,
            8 => Kind::Pong,
            9 => Kind::Log,
            10 => Kind::Goaway,
            _ => return None,
        })
    }

    /// The name in the protocol, such as `"REQUEST"`.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Hello => "HELLO",
            Kind::Request => "REQUEST",
            Kind::Message => "MESSAGE",
            Kind::End => "END",
            Kind::Cancel => "CANCEL",
            Kind::Credit => "CREDIT",
            Kind::Ping => "PING",
            Kind::Pong => "PONG",
            Kind::Log => "LOG",
            Kind::Goaway => "GOAWAY",
        }
    }
}

/// The message is the sender's last.
pub const FLAG_END: u8 = 1;
/// A call header goes before the message.
pub const FLAG_HEADER: u8 = 2;
/// The size of a frame header in bytes.
pub const FRAME_HEADER_BYTES: usize = 12;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FrameHeader {
    /// Length of the payload in bytes.
    pub length: u32,
    /// A [`Kind`], or a number that this version does not know.
    pub kind: u8,
    /// [`FLAG_END`] and [`FLAG_HEADER`]; other bits are cleared when it is read.
    pub flags: u8,
    /// Index in the callee's method table; for REQUEST only.
    pub method: u16,
    /// Call id; 0 for the connection itself.
    pub call: u32,
}

const _: () = assert!(size_of::<FrameHeader>() == FRAME_HEADER_BYTES);

impl FrameHeader {
    /// The 12 bytes on the wire.
    pub fn encode(self) -> [u8; FRAME_HEADER_BYTES] {
        let mut out = [0; FRAME_HEADER_BYTES];
        out[0..4].copy_from_slice(&self.length.to_le_bytes());
        out[4] = self.kind;
        out[5] = self.flags;
        out[6..8].copy_from_slice(&self.method.to_le_bytes());
        out[8..12].copy_from_slice(&self.call.to_le_bytes());
        out
    }

    /// Reads the 12 bytes; unknown flags are ignored.
    pub fn decode(bytes: &[u8; FRAME_HEADER_BYTES]) -> Self {
        let [l0, l1, l2, l3, kind, flags, m0, m1, c0, c1, c2, c3] = *bytes;
        Self {
            length: u32::from_le_bytes([l0, l1, l2, l3]),
            kind,
            flags: flags & (FLAG_END | FLAG_HEADER),
            method: u16::from_le_bytes([m0, m1]),
            call: u32::from_le_bytes([c0, c1, c2, c3]),
        }
    }
}

/// The payload of a frame: in place where it arrived whole, owned where it was put together.
#[derive(Debug)]
pub enum FramePayload<'a> {
    /// A part of the bytes that were fed to the decoder.
    Borrowed(&'a [u8]),
    /// Put together from several reads.
    Owned(Bytes),
}

impl FramePayload<'_> {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }

    /// The bytes from `start` on, to keep; copied once at most.
    pub fn into_bytes_from(self, start: usize) -> Bytes {
        match self {
            Self::Borrowed(bytes) => Bytes::copy_from_slice(bytes.get(start..).unwrap_or_default()),
            Self::Owned(mut bytes) => bytes.split_off(start.min(bytes.len())),
        }
    }
}

/// A frame as the decoder gives it.
#[derive(Debug)]
pub struct Frame<'a> {
    /// Its header.
    pub header: FrameHeader,
    /// Its payload, as long as the header says.
    pub payload: FramePayload<'a>,
    /// The offset of its first byte, counted from the first byte of the connection.
    pub offset: u64,
}

/// Splits a stream of bytes into frames, whatever the chunks it comes in.
///
/// ```
/// use anyplug_core::frame::Decoder;
///
/// let mut decoder = Decoder::new(1024, 0);
/// let mut input: &[u8] = &[2, 0, 0, 0, 3, 1, 0, 0, 7, 0, 0, 0, b'h'];
/// assert!(decoder.next(&mut input)?.is_none());
/// let mut input: &[u8] = b"i";
/// let frame = decoder.next(&mut input)?.unwrap();
/// assert_eq!((frame.header.call, frame.payload.as_slice(), frame.offset), (7, &b"hi"[..], 0));
/// # Ok::<(), anyplug_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    max_frame_bytes: u32,
    /// Offset of the first byte of the frame that is being read.
    offset: u64,
    head: [u8; FRAME_HEADER_BYTES],
    head_filled: usize,
    body: Option<Body>,
}

/// A payload that is being put together.
#[derive(Debug)]
struct Body {
    header: FrameHeader,
    bytes: Vec<u8>,
}

/// The largest payload for which all of its memory is reserved at once; a larger one gets more as its bytes come, so that a length alone claims little.
const TRUSTED_BYTES: usize = 2 << 20;

impl Decoder {
    /// A decoder of payloads of up to `max_frame_bytes`; `offset` is where in the connection its first byte is.
    pub fn new(max_frame_bytes: u32, offset: u64) -> Self {
        Self { max_frame_bytes, offset, head: [0; FRAME_HEADER_BYTES], head_filled: 0, body: None }
    }

    /// Changes the largest payload, from the next header on.
    pub fn set_max_frame_bytes(&mut self, max_frame_bytes: u32) {
        self.max_frame_bytes = max_frame_bytes;
    }

    /// The offset of the first byte of the frame that is being read, or that comes next.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes of an incomplete frame are kept.
    pub fn pending_bytes(&self) -> usize {
        self.head_filled + self.body.as_ref().map_or(0, |body| body.bytes.len())
    }

    /// Takes bytes from `input` up to the end of the next frame and gives that frame; none when `input` ends before it does.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED, as soon as a header has come whose length is over the limit. The decoder is of no use after that.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Frame<'a>>> {
        let header = match self.body.as_mut() {
            Some(_) => return Ok(self.continue_body(input)),
            None => match self.take_head(input) {
                Some(head) => FrameHeader::decode(&head),
                None => return Ok(None),
            },
        };
        if header.length > self.max_frame_bytes {
            return Err(Error::resource_exhausted(format!(
                "the frame at offset {} announces {} bytes; at most {} are accepted",
                self.offset, header.length, self.max_frame_bytes
            )));
        }
        let length = header.length as usize;
        if let Some((payload, rest)) = input.split_at_checked(length) {
            *input = rest;
            self.head_filled = 0;
            return Ok(Some(self.finish(header, FramePayload::Borrowed(payload))));
        }
        let bytes = Vec::with_capacity(length.min(TRUSTED_BYTES.max(input.len())));
        self.body = Some(Body { header, bytes });
        Ok(self.continue_body(input))
    }

    /// The 12 bytes of a header, once they are there.
    fn take_head(&mut self, input: &mut &[u8]) -> Option<[u8; FRAME_HEADER_BYTES]> {
        if self.head_filled == 0
            && let Some((head, rest)) = input.split_first_chunk::<FRAME_HEADER_BYTES>()
        {
            *input = rest;
            self.head_filled = FRAME_HEADER_BYTES;
            return Some(*head);
        }
        let missing = FRAME_HEADER_BYTES - self.head_filled;
        let (now, rest) = input.split_at(missing.min(input.len()));
        self.head[self.head_filled..self.head_filled + now.len()].copy_from_slice(now);
        self.head_filled += now.len();
        *input = rest;
        (self.head_filled == FRAME_HEADER_BYTES).then_some(self.head)
    }

    fn continue_body<'a>(&mut self, input: &mut &'a [u8]) -> Option<Frame<'a>> {
        let body = self.body.as_mut()?;
        let length = body.header.length as usize;
        let (now, rest) = input.split_at((length - body.bytes.len()).min(input.len()));
        if body.bytes.len() + now.len() > body.bytes.capacity() {
            // Doubles, but never past the payload's own length.
            let wanted = (body.bytes.capacity() * 2).max(body.bytes.len() + now.len()).min(length);
            body.bytes.reserve_exact(wanted - body.bytes.len());
        }
        body.bytes.extend_from_slice(now);
        *input = rest;
        if body.bytes.len() < length {
            return None;
        }
        let Body { header, bytes } = self.body.take()?;
        self.head_filled = 0;
        Some(self.finish(header, FramePayload::Owned(bytes.into())))
    }

    fn finish<'a>(&mut self, header: FrameHeader, payload: FramePayload<'a>) -> Frame<'a> {
        let offset = self.offset;
        self.offset += FRAME_HEADER_BYTES as u64 + u64::from(header.length);
        Frame { header, payload, offset }
    }
}

/// Appends a frame to `out`. The length is taken from `parts`, whose bytes follow each other.
///
/// # Errors
/// RESOURCE_EXHAUSTED, when the payload is 4 GiB or longer.
pub fn encode_frame(out: &mut Vec<u8>, kind: Kind, flags: u8, method: u16, call: u32, parts: &[&[u8]]) -> Result<()> {
    let total: usize = parts.iter().map(|part| part.len()).sum();
    let Ok(length) = u32::try_from(total) else {
        return Err(Error::resource_exhausted(format!("a frame of {total} bytes does not fit in one frame of 4 GiB")));
    };
    out.reserve(FRAME_HEADER_BYTES + total);
    out.extend_from_slice(&FrameHeader { length, kind: kind as u8, flags, method, call }.encode());
    for part in parts {
        out.extend_from_slice(part);
    }
    Ok(())
}
