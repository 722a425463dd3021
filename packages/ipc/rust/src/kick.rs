//! Wakes a thread that waits in `poll`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::spawn::keep_clear;

/// A descriptor that is ready to be read after a kick. Kicks before the next [`Kick::clear`] count as one.
#[derive(Debug)]
pub(crate) struct Kick {
    read: OwnedFd,
    /// None where one descriptor does for both ends.
    write: Option<OwnedFd>,
    given: AtomicBool,
}

impl Kick {
    pub(crate) fn new() -> io::Result<Self> {
        let (read, write) = descriptors()?;
        Ok(Self { read: keep_clear(read)?, write: write.map(keep_clear).transpose()?, given: AtomicBool::new(false) })
    }

    pub(crate) fn give(&self) {
        if !self.given.swap(true, Ordering::SeqCst) {
            // Full is as good as given; there is no other way for this to fail.
            let _ = rustix::io::write(self.write.as_ref().unwrap_or(&self.read), &1u64.to_ne_bytes());
        }
    }

    /// To be called before looking at what a kick may have been about.
    pub(crate) fn clear(&self) {
        if self.given.load(Ordering::SeqCst) {
            let _ = rustix::io::read(&self.read, &mut [0; 64]);
            self.given.store(false, Ordering::SeqCst);
        }
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}

#[cfg(target_os = "linux")]
fn descriptors() -> io::Result<(OwnedFd, Option<OwnedFd>)> {
    use rustix::event::{EventfdFlags, eventfd};
    Ok((eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?, None))
}

#[cfg(not(target_os = "linux"))]
fn descriptors() -> io::Result<(OwnedFd, Option<OwnedFd>)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&read, true)?;
    rustix::io::ioctl_fionbio(&write, true)?;
    Ok((read, Some(write)))
}
