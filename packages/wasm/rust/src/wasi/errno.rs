//! The numbers of preview 1's errors.

use std::io::{self, ErrorKind};

pub(crate) const OK: u32 = 0;
pub(crate) const NO_ACCESS: u32 = 2;
pub(crate) const BAD_DESCRIPTOR: u32 = 8;
pub(crate) const EXISTS: u32 = 20;
pub(crate) const INVALID: u32 = 28;
const IO: u32 = 29;
pub(crate) const IS_FOLDER: u32 = 31;
pub(crate) const LOOP: u32 = 32;
pub(crate) const TOO_MANY: u32 = 33;
pub(crate) const LONG_NAME: u32 = 37;
pub(crate) const NOT_FOUND: u32 = 44;
pub(crate) const NO_MEMORY: u32 = 48;
pub(crate) const NO_FOLDER: u32 = 54;
pub(crate) const NOT_SUPPORTED: u32 = 58;
pub(crate) const READ_ONLY: u32 = 69;
pub(crate) const NO_SEEK: u32 = 70;
/// A path that leads out of the folder.
const NOT_CAPABLE: u32 = 76;

/// The number of an error of the system.
pub(crate) fn of(error: &io::Error) -> u32 {
    match error.kind() {
        // What leads out of a folder is refused before the system sees it.
        ErrorKind::PermissionDenied if error.raw_os_error().is_none() => NOT_CAPABLE,
        ErrorKind::PermissionDenied => NO_ACCESS,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::AlreadyExists => EXISTS,
        ErrorKind::InvalidInput => INVALID,
        ErrorKind::IsADirectory => IS_FOLDER,
        ErrorKind::NotADirectory => NO_FOLDER,
        ErrorKind::DirectoryNotEmpty => 55,
        ErrorKind::ReadOnlyFilesystem => READ_ONLY,
        ErrorKind::StorageFull => 51,
        ErrorKind::QuotaExceeded => 19,
        ErrorKind::FileTooLarge => 22,
        ErrorKind::InvalidFilename => LONG_NAME,
        ErrorKind::ResourceBusy => 10,
        ErrorKind::CrossesDevices => 75,
        ErrorKind::TooManyLinks => 34,
        ErrorKind::OutOfMemory => NO_MEMORY,
        ErrorKind::NotSeekable => NO_SEEK,
        ErrorKind::Unsupported => NOT_SUPPORTED,
        _ => other(error),
    }
}

fn other(error: &io::Error) -> u32 {
    use rustix::io::Errno;
    match Errno::from_io_error(error) {
        Some(Errno::LOOP) => LOOP,
        Some(Errno::MFILE | Errno::NFILE) => TOO_MANY,
        Some(Errno::BADF) => BAD_DESCRIPTOR,
        Some(Errno::XDEV) => 75,
        _ => IO,
    }
}
