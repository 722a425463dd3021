//! The threads that move the bytes of a JSON-RPC connection, and the local channel that stands for it.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::Builder;
use std::time::Duration;

use anyplug_core::{BoxFuture, Error, LogRecord, Result};
use anyplug_ipc::{Pipe, Runtime, spawn_task};
use rustix::net::{Shutdown, shutdown, sockopt};

use crate::output::Output;

/// How long a peer has to read what was written, before the connection is closed.
const LINGER: Duration = Duration::from_secs(2);

/// Two ends of a channel in this process.
pub(crate) fn channel_pair() -> Result<(Pipe, Pipe)> {
    let pair = || -> std::io::Result<(Pipe, Pipe)> {
        let (one, other) = UnixStream::pair()?;
        let pipe = |socket: UnixStream| Pipe::new(OwnedFd::from(socket.try_clone()?), OwnedFd::from(socket));
        Ok((pipe(one)?, pipe(other)?))
    };
    pair().map_err(|error| Error::unavailable(format!("no channel: {error}")).with_source(error))
}

/// Reads in a thread of its own: `read` is given a function that takes the next bytes, which returns 0 at the end of the stream. Writes in another what `output` gets. When that is closed, the stream is
/// closed too; what is returned tells when that has been done.
pub(crate) fn move_bytes(
    json: Pipe,
    output: Arc<Output>,
    read: impl FnOnce(&mut dyn FnMut(&mut [u8]) -> usize) + Send + 'static,
) -> Result<Receiver<()>> {
    let (from, to) = json.into_ends();
    for end in [&from, &to] {
        rustix::io::ioctl_fionbio(end, false).map_err(|error| Error::unavailable(error.to_string()))?;
    }
    let (over, is_over) = channel::<()>();
    let mut from = File::from(from);
    thread("anyplug-json-in", move || {
        read(&mut |buffer| loop {
            match from.read(buffer) {
                Ok(length) => break length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break 0,
            }
        });
        drop(over);
    })?;
    let (written, is_written) = channel::<()>();
    thread("anyplug-json-out", move || {
        write_all(File::from(to), &output, &is_over);
        drop(written);
    })?;
    Ok(is_written)
}

fn write_all(mut to: File, output: &Output, reading_is_over: &Receiver<()>) {
    while let Some(bytes) = output.next() {
        if to.write_all(&bytes).is_err() {
            output.abandon();
        }
    }
    if sockopt::socket_type(&to).is_err() {
        return;
    }
    // The peer reads all of it, and closes.
    let _ = shutdown(&to, Shutdown::Write);
    let _ = reading_is_over.recv_timeout(LINGER);
    let _ = shutdown(&to, Shutdown::Both);
}

/// Runs `work` in a thread.
pub(crate) fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = Builder::new().name(name.to_owned()).spawn(work);
    started.map(drop).map_err(|error| Error::unavailable(format!("no thread: {error}")).with_source(error))
}

/// Waits in this thread for what a future gives.
pub(crate) fn wait_for<T: Send + 'static>(future: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let (sender, receiver) = channel();
    spawn_task(Box::pin(async move {
        // Whoever waits does so to the end.
        let _ = sender.send(future.await);
    }));
    receiver.recv().unwrap_or_else(|_| Err(Error::internal("what was waited for was dropped")))
}

/// Runs what goes on between the two sides; it never blocks.
pub(crate) struct BridgeRuntime;

impl Runtime for BridgeRuntime {
    fn spawn(&self, future: BoxFuture<()>) {
        spawn_task(future);
    }

    fn log(&self, _: LogRecord) {}
}
