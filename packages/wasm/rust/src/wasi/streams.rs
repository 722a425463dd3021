//! Standard output and error: each line goes to the log.

use anyplug_core::LogLevel;

use crate::data::Data;

/// What is kept of a line until it ends, in bytes.
const MAX_LINE_BYTES: usize = 8192;

/// What was written and has not come to the end of its line: standard output, standard error.
#[derive(Debug, Default)]
pub(crate) struct Lines([Vec<u8>; 2]);

/// Takes what was written: each line that has come to its end goes to the log.
///
/// # Errors
/// When it is more than an instance may send at once.
pub(crate) fn print(data: &mut Data, fd: u32, bytes: &[u8]) -> wasmtime::Result<()> {
    data.queue(bytes.len())?;
    let index = usize::from(fd != 1);
    let (level, logger) = if fd == 1 { (LogLevel::Info, "stdout") } else { (LogLevel::Warn, "stderr") };
    let mut rest = bytes;
    loop {
        let (piece, next) = match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&rest[..end], Some(&rest[end + 1..])),
            None => (rest, None),
        };
        let unfinished = &mut data.wasi.lines.0[index];
        unfinished.extend_from_slice(&piece[..piece.len().min(MAX_LINE_BYTES)]);
        if next.is_none() && unfinished.len() <= MAX_LINE_BYTES {
            return Ok(());
        }
        let line = std::mem::take(unfinished);
        data.queue(64)?;
        data.log(level, logger, String::from_utf8_lossy(&line).into_owned());
        match next {
            Some(next) => rest = next,
            None => return Ok(()),
        }
    }
}
