//! Plugin side, on a socket: hears what a host says first, before it is known who answers.

use std::time::Instant;

use anyplug_core::Error;
use anyplug_core::hello::{MAGIC, Peer};

use crate::pipe::{Moved, Pipe};

/// The length of a frame's header.
const HEADER_BYTES: usize = 12;
const HELLO_KIND: u8 = 1;

/// The longest hello that is taken from a host, in bytes: 128 KiB of configuration and ample room for its services.
const MAX_HELLO_BYTES: usize = 1 << 20;

/// What a host said first.
#[derive(Debug)]
pub struct Preface {
    /// The bytes that were read, for the connection.
    pub heard: Vec<u8>,
    /// None when no hello came: then a connection that receives the bytes says why.
    pub hello: Option<Peer>,
}

/// Reads a host's magic and HELLO, up to `until`.
///
/// # Errors
/// DEADLINE_EXCEEDED when nothing came in time, RESOURCE_EXHAUSTED for a hello that is too long.
pub fn hear_preface(pipe: &Pipe, until: Instant) -> Result<Preface, Error> {
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match look(&heard) {
            Look::More => {}
            Look::Hello(end) => {
                let hello = Peer::decode(&heard[MAGIC.len() + HEADER_BYTES..end]).ok();
                return Ok(Preface { heard, hello });
            }
            Look::None => return Ok(Preface { heard, hello: None }),
            Look::TooLong => {
                return Err(Error::resource_exhausted(format!("the hello takes more than {MAX_HELLO_BYTES} bytes")));
            }
        }
        match pipe.read(&mut buffer) {
            Moved::Bytes(length) => heard.extend_from_slice(&buffer[..length]),
            Moved::Closed => return Ok(Preface { heard, hello: None }),
            Moved::Blocked => {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(Error::deadline_exceeded("no hello came in time"));
                }
                pipe.wait_readable_for(left);
            }
        }
    }
}

enum Look {
    /// It is not yet all there.
    More,
    /// It ends there.
    Hello(usize),
    /// What came is no hello.
    None,
    TooLong,
}

fn look(heard: &[u8]) -> Look {
    if heard.iter().zip(MAGIC).any(|(heard, magic)| *heard != magic) {
        return Look::None;
    }
    let begin = MAGIC.len() + HEADER_BYTES;
    let Some(header) = heard.get(MAGIC.len()..begin) else { return Look::More };
    let Some(length) = header.first_chunk::<4>() else { return Look::More };
    let length = u32::from_le_bytes(*length) as usize;
    match (header[4] == HELLO_KIND, length > MAX_HELLO_BYTES) {
        (false, _) => Look::None,
        (true, true) => Look::TooLong,
        (true, false) if heard.len() < begin + length => Look::More,
        (true, false) => Look::Hello(begin + length),
    }
}
