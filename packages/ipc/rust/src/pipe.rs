//! The bytes of a channel: two descriptors, neither of which ever blocks.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use crate::spawn::keep_clear;

/// How a read or write that may not block came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// That many bytes, at least one.
    Bytes(usize),
    /// Nothing can be moved now.
    Blocked,
    /// The other side has closed.
    Closed,
}

/// A descriptor to read from and one to write to. Closed when dropped.
#[derive(Debug)]
pub struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

impl Pipe {
    /// Takes two descriptors (of the same socket, or of two pipes), and makes them not block and not pass to children.
    ///
    /// # Errors
    /// What the system says of a descriptor that is not open.
    pub fn new(read: OwnedFd, write: OwnedFd) -> io::Result<Self> {
        for descriptor in [&read, &write] {
            rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC)?;
            rustix::io::ioctl_fionbio(descriptor, true)?;
        }
        widen(&read);
        widen(&write);
        Ok(Self { read, write })
    }

    /// Two pipes: the end of this process, and what the child reads from and writes to.
    pub(crate) fn pair() -> io::Result<(Self, [OwnedFd; 2])> {
        let (read, their_write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let (their_read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        Ok((Self::new(keep_clear(read)?, keep_clear(write)?)?, [keep_clear(their_read)?, keep_clear(their_write)?]))
    }

    /// Reads what is there, as much as `buffer` takes.
    pub fn read(&self, buffer: &mut [u8]) -> Moved {
        read_some(&self.read, buffer)
    }

    /// Writes as much of `bytes` as fits now.
    pub fn write(&self, bytes: &[u8]) -> Moved {
        write_some(&self.write, bytes)
    }

    /// Waits until there is something to read, or the other side has closed; a signal may end the wait early.
    pub fn wait_readable(&self) {
        wait_ready(&mut [PollFd::new(&self.read, PollFlags::IN)], None);
    }

    /// As [`Pipe::wait_readable`], for no longer than `timeout`.
    pub fn wait_readable_for(&self, timeout: Duration) {
        wait_ready(&mut [PollFd::new(&self.read, PollFlags::IN)], Some(timeout));
    }

    /// Waits until something can be written, or the other side has closed; a signal may end the wait early.
    pub fn wait_writable(&self) {
        wait_ready(&mut [PollFd::new(&self.write, PollFlags::OUT)], None);
    }

    /// The descriptor to read from, to wait on.
    pub fn read_fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }

    /// The descriptor to write to, to wait on.
    pub fn write_fd(&self) -> BorrowedFd<'_> {
        self.write.as_fd()
    }

    /// The descriptor to read from and the one to write to.
    pub fn into_ends(self) -> (OwnedFd, OwnedFd) {
        (self.read, self.write)
    }
}

/// How much a pipe of the channel holds, in bytes: four times what the system gives by itself, so that the two sides change places a quarter as often over a large message. Pages are in use only while bytes wait in them. More would
/// come near what Linux allows a user without privileges, 64 MiB of all pipes together, with fewer plugins.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 256 << 10;

/// Makes a pipe hold more, where the system lets us say so. A socket stays as it is, and so does a pipe of a user who has too many.
fn widen(descriptor: &OwnedFd) {
    #[cfg(target_os = "linux")]
    if rustix::pipe::fcntl_getpipe_size(descriptor).is_ok_and(|bytes| bytes < PIPE_BYTES) {
        let _ = rustix::pipe::fcntl_setpipe_size(descriptor, PIPE_BYTES);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = descriptor;
}

/// Reads what is there. An error of the system counts as the end of the stream: there is nothing else to do about it.
pub(crate) fn read_some(descriptor: &OwnedFd, buffer: &mut [u8]) -> Moved {
    moved(|| rustix::io::read(descriptor, &mut *buffer))
}

/// Writes as much of `bytes` as fits now.
pub(crate) fn write_some(descriptor: &OwnedFd, bytes: &[u8]) -> Moved {
    if bytes.is_empty() {
        return Moved::Blocked;
    }
    moved(|| rustix::io::write(descriptor, bytes))
}

fn moved(mut attempt: impl FnMut() -> Result<usize, Errno>) -> Moved {
    loop {
        match attempt() {
            Ok(0) => return Moved::Closed,
            Ok(bytes) => return Moved::Bytes(bytes),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Moved::Blocked,
            Err(_) => return Moved::Closed,
        }
    }
}

/// Waits until a descriptor is ready (or at its end), but not longer than `timeout`; a signal may end the wait early. What is ready is told by the descriptors themselves.
pub(crate) fn wait_ready(descriptors: &mut [PollFd<'_>], timeout: Option<Duration>) {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    // It fails by a signal, or for lack of memory: who finds nothing ready waits again.
    let _ = rustix::event::poll(descriptors, timeout.as_ref());
}

/// Reads nothing, and takes everything.
pub(crate) fn null_device() -> io::Result<OwnedFd> {
    keep_clear(rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
}
