//! The process of a plugin that is a shared library: it moves bytes between the library's instance and the channel, and knows nothing of what is said.

use std::path::Path;
use std::sync::Arc;

use anyplug_core::{BoxFuture, Connection, ConnectionOptions, Error, Result, Role, Router, RouterOptions, Shell};
use anyplug_ffi::{Library, Relay};
use anyplug_ipc::{Moved, Pipe, open_channel};

/// The status of a program that was not started by a host: "command line usage error".
const NOT_LOADED: u8 = 64;
const FAILED: u8 = 1;

/// How much is read at once, in bytes.
const READ_BYTES: usize = 64 << 10;

/// Serves the plugin in a library to the host that has started this process, until that closes the channel. Why a library cannot be loaded is told to the host. Returns the status that the process is to
/// end with.
pub fn run_library(path: &Path) -> u8 {
    match open_channel() {
        Ok(Some(pipe)) => {
            let pipe = Arc::new(pipe);
            match relay(path, &pipe) {
                Ok(()) => 0,
                Err(error) => {
                    eprintln!("{error}");
                    let _ = refuse(&pipe, error);
                    FAILED
                }
            }
        }
        Ok(None) => {
            eprintln!(
                "This program is started by a host that loads a library with isolation \"process\"; there is nothing to be done here."
            );
            NOT_LOADED
        }
        Err(error) => {
            eprintln!("{error}");
            FAILED
        }
    }
}

fn relay(path: &Path, pipe: &Arc<Pipe>) -> Result<()> {
    let library = Library::load(path)?;
    let out = pipe.clone();
    let mut relay =
        Relay::open(&library, Box::new(move |bytes| write(&out, bytes)), Box::new(|line| eprintln!("{line}")))?;
    let mut buffer = vec![0; READ_BYTES];
    while let Some(length) = read(pipe, &mut buffer) {
        relay.recv(buffer.get(..length).unwrap_or_default());
    }
    Ok(())
}

/// Waits for bytes; none at the end.
fn read(pipe: &Pipe, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match pipe.read(buffer) {
            Moved::Bytes(length) => return Some(length),
            Moved::Blocked => pipe.wait_readable(),
            Moved::Closed => return None,
        }
    }
}

/// Writes all, unless the other side has closed.
fn write(pipe: &Pipe, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match pipe.write(bytes) {
            Moved::Bytes(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Moved::Blocked => pipe.wait_writable(),
            Moved::Closed => return,
        }
    }
}

/// Says what is wrong as a plugin does that refuses to start: after both hellos.
fn refuse(pipe: &Pipe, reason: Error) -> Result<()> {
    struct NoShell;
    impl Shell for NoShell {
        fn wake(&self) {}
        fn spawn(&self, _: BoxFuture<()>) {}
    }
    let router = Router::new(RouterOptions::default())?;
    let side = Connection::new(ConnectionOptions::new(Role::Plugin, "library", "0", router, Arc::new(NoShell)))?;
    let mut buffer = vec![0; READ_BYTES];
    while side.peer().is_none() {
        let Some(length) = read(pipe, &mut buffer) else { return Ok(()) };
        side.receive(buffer.get(..length).unwrap_or_default());
    }
    side.fail(reason);
    let mut output = Vec::new();
    while side.take_output(&mut output) {}
    write(pipe, &output);
    Ok(())
}
