//! The plugin's side: opens the channel that the host named in the environment, and moves its bytes in the main thread.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use anyplug_core::channel::{BoxFuture, Shell};
use anyplug_core::log::LogRecord;
use anyplug_core::{Code, Connection, Error};

use crate::environment::CHANNEL_VARIABLE;
use crate::pipe::{Pipe, null_device};
use crate::pump::{Leader, Pump, Turn};
use crate::runtime::Runtime;
use crate::spin::Spin;

/// Where the channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Read from the first, write to the second; they may be the same.
    Descriptors(RawFd, RawFd),
    /// Read from stdin, write to stdout.
    Stdio,
}

/// Opens the channel of this process, or returns `None` when there is none: the program was not started by a host. Descriptors of the channel do not pass to children.
///
/// With the channel on stdin and stdout, it is moved to other descriptors first: from then on stdin is empty, and what is written to stdout goes to stderr.
///
/// # Errors
/// INVALID_ARGUMENT for a variable that cannot be read; FAILED_PRECONDITION when a descriptor is not open, or the channel was opened before.
pub fn open_channel() -> Result<Option<Pipe>, Error> {
    let Some(value) = std::env::var_os(CHANNEL_VARIABLE) else { return Ok(None) };
    let place = parse(&value.to_string_lossy())?;
    static OPENED: AtomicBool = AtomicBool::new(false);
    if OPENED.swap(true, Ordering::Relaxed) {
        return Err(Error::failed_precondition(
            "the channel of this process is open already; a process serves one plugin",
        ));
    }
    let pipe = match place {
        Place::Descriptors(read, write) => own(read, write)?,
        Place::Stdio => move_stdio().map_err(|error| failed(&error))?,
    };
    Ok(Some(pipe))
}

/// Takes the standard streams of this process for a protocol that is spoken there. From then on stdin is empty, and what is written to stdout goes to stderr.
///
/// # Errors
/// INTERNAL when the system refuses.
pub fn open_standard_streams() -> Result<Pipe, Error> {
    move_stdio().map_err(|error| failed(&error))
}

fn parse(value: &str) -> Result<Place, Error> {
    if value == "stdio" {
        return Ok(Place::Stdio);
    }
    let numbers = value.strip_prefix("fd:").and_then(|numbers| numbers.split_once(','));
    let number = |text: &str| text.parse().ok().filter(|number| *number >= 0);
    match numbers.and_then(|(read, write)| Some((number(read)?, number(write)?))) {
        Some((read, write)) => Ok(Place::Descriptors(read, write)),
        None => {
            let message = format!("{CHANNEL_VARIABLE} is {value:?}; expected \"fd:R,W\" or \"stdio\"");
            Err(Error::new(Code::InvalidArgument, message))
        }
    }
}

fn own(read: RawFd, write: RawFd) -> Result<Pipe, Error> {
    for number in [read, write] {
        // SAFETY: the descriptor is only asked whether it is open; it is not used or closed by this borrow.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        rustix::io::fcntl_getfd(descriptor).map_err(|_| {
            let message = format!("{CHANNEL_VARIABLE} names descriptor {number}, which is not open: was this program started by something that the host started?");
            Error::new(Code::FailedPrecondition, message)
        })?;
    }
    // SAFETY: it is open, and the host made it for this channel alone; the caller sees to it that it is taken once.
    let read_end = unsafe { OwnedFd::from_raw_fd(read) };
    let write_end = if read == write {
        rustix::io::fcntl_dupfd_cloexec(&read_end, 0).map_err(|error| failed(&error.into()))?
    } else {
        // SAFETY: as above.
        unsafe { OwnedFd::from_raw_fd(write) }
    };
    Pipe::new(read_end, write_end).map_err(|error| failed(&error))
}

fn move_stdio() -> std::io::Result<Pipe> {
    let read = rustix::io::fcntl_dupfd_cloexec(std::io::stdin().as_fd(), 3)?;
    let write = rustix::io::fcntl_dupfd_cloexec(std::io::stdout().as_fd(), 3)?;
    rustix::stdio::dup2_stdin(null_device()?)?;
    rustix::stdio::dup2_stdout(std::io::stderr())?;
    Pipe::new(read, write)
}

/// Moves the bytes of a plugin's connection, in the thread that calls [`Server::run`].
pub struct Server {
    pump: Pump,
}

impl Server {
    /// Makes a connection over a pipe. `connect` is given the connection's shell.
    ///
    /// # Errors
    /// The error of `connect`; UNAVAILABLE when the system gives no descriptor.
    pub fn new(
        pipe: Pipe,
        runtime: Arc<dyn Runtime>,
        connect: impl FnOnce(Arc<dyn Shell>) -> Result<Connection, Error>,
    ) -> Result<Arc<Self>, Error> {
        let shell = Arc::new(ServerShell { server: OnceLock::new(), runtime });
        let connection = connect(shell.clone())?;
        let pump = Pump::new(pipe, connection, None).map_err(|error| failed(&error))?;
        let server = Arc::new(Self { pump });
        let _ = shell.server.set(Arc::downgrade(&server));
        Ok(server)
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        self.pump.connection()
    }

    /// The pump, to lead it by other means than [`Server::run`].
    pub fn pump(&self) -> &Pump {
        &self.pump
    }

    /// Moves bytes until the channel or the connection ends, and then ends the connection. `look` is called after each wait, also when a signal ended it; an error that it returns
    /// ends the connection too. After work, the thread reads for 20 us more before it waits.
    ///
    /// # Errors
    /// What `look` returned.
    pub fn run<E>(&self, mut look: impl FnMut() -> Result<(), E>) -> Result<(), E> {
        let mut leader = self.pump.lead();
        let mut spin = Spin::default();
        let result = loop {
            match serve_turn(&mut leader, &mut spin) {
                Turn::Ended => break Ok(()),
                Turn::Moved => {}
                Turn::Idle => {
                    if leader.wait(None) == Turn::Ended {
                        break Ok(());
                    }
                    if let Err(error) = look() {
                        break Err(error);
                    }
                }
            }
        };
        drop(leader);
        self.connection().closed(Error::unavailable("the host closed the channel"));
        self.pump.close();
        result
    }
}

/// Reads once; when something came, more is likely to come soon.
fn serve_turn(leader: &mut Leader<'_>, spin: &mut Spin) -> Turn {
    let mut turn = leader.turn();
    while turn == Turn::Moved && spin.allowed() {
        turn = leader.spin(spin, || true);
    }
    turn
}

struct ServerShell {
    server: OnceLock<Weak<Server>>,
    runtime: Arc<dyn Runtime>,
}

impl Shell for ServerShell {
    fn wake(&self) {
        if let Some(server) = self.server.get().and_then(Weak::upgrade) {
            server.pump.wake();
        }
    }

    fn spawn(&self, future: BoxFuture<()>) {
        self.runtime.spawn(future);
    }

    fn run(&self, poll: &mut dyn FnMut()) {
        self.runtime.run(poll);
    }

    fn log(&self, record: LogRecord) {
        self.runtime.log(record);
    }
}

fn failed(error: &std::io::Error) -> Error {
    Error::new(Code::Internal, format!("the channel cannot be opened: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        assert_eq!(parse("fd:3,4").expect("a place"), Place::Descriptors(3, 4));
        assert_eq!(parse("fd:7,7").expect("a place"), Place::Descriptors(7, 7));
        assert_eq!(parse("stdio").expect("a place"), Place::Stdio);
    }

    #[test]
    fn another_form_is_refused_by_name() {
        for value in ["", "fd:3", "fd:3,x", "fd:-1,4", "unix:/x"] {
            let error = parse(value).expect_err(value);
            let message = format!("ANYPLUG_CHANNEL is {value:?}; expected \"fd:R,W\" or \"stdio\"");
            assert_eq!((error.code(), error.message()), (Code::InvalidArgument, message.as_str()));
        }
    }
}
