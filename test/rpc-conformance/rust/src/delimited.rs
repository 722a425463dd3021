//! Messages on standard input and output, each behind its length (u32, big-endian): how the runner speaks with clients and servers.

use std::io::{ErrorKind, Read, Write};

use anyplug::{Error, Result};
use prost::Message;

use crate::convert::unavailable;

/// Waits for the next message; none when the input has ended.
pub(crate) fn read_message<M: Message + Default>() -> Result<Option<M>> {
    let mut input = std::io::stdin().lock();
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read.map_err(unavailable)?,
    };
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    input.read_exact(&mut bytes).map_err(unavailable)?;
    M::decode(&bytes[..]).map(Some).map_err(|error| Error::internal(error.to_string()))
}

/// Writes one message.
pub(crate) fn write_message(message: &impl Message) -> Result<()> {
    let mut bytes = (message.encoded_len() as u32).to_be_bytes().to_vec();
    message.encode(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
    let mut output = std::io::stdout().lock();
    output.write_all(&bytes).and_then(|()| output.flush()).map_err(unavailable)
}
