//! The times of files, as a guest sets them.

use rustix::fd::AsFd;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};

use crate::wasi::descriptors::Told;
use crate::wasi::errno::{INVALID, of};

/// Sets when it was accessed and changed, as far as the lower four bits of `which` say: for each of the two one for the given time, and one for that of now.
pub(crate) fn set_times(file: impl AsFd, accessed: u64, changed: u64, which: u32) -> Told<()> {
    let times =
        Timestamps { last_access: time(which & 3, accessed)?, last_modification: time(which >> 2 & 3, changed)? };
    futimens(file, &times).map_err(|error| of(&error.into()))
}

fn time(which: u32, nanoseconds: u64) -> Told<Timespec> {
    let special = |tv_nsec| Ok(Timespec { tv_sec: 0, tv_nsec });
    match which {
        0 => special(UTIME_OMIT),
        1 => Ok(Timespec {
            tv_sec: (nanoseconds / 1_000_000_000).cast_signed(),
            tv_nsec: (nanoseconds % 1_000_000_000).cast_signed(),
        }),
        2 => special(UTIME_NOW),
        _ => Err(INVALID),
    }
}
