//! What a guest and its host share: the exchange area and the scratch buffer of `docs/embedded-abi.md`.

use std::cell::UnsafeCell;

use crate::section::ABI_VERSION;

/// Small messages are written here, so that they need no allocation; in bytes.
const SCRATCH_BYTES: usize = 64 << 10;

/// `wake`, when nothing is due by itself.
pub(super) const NEVER: u32 = u32::MAX;

/// The exchange area.
#[repr(C)]
pub struct Area {
    abi: u32,
    scratch: *const u8,
    scratch_length: u32,
    result: *const u8,
    result_length: u32,
    wake: u32,
}

#[repr(C, align(8))]
struct Scratch([u8; SCRATCH_BYTES]);

struct Shared<T>(UnsafeCell<T>);

// SAFETY: a module has one thread, and the host never calls into it while it runs.
unsafe impl<T> Sync for Shared<T> {}

static SCRATCH: Shared<Scratch> = Shared(UnsafeCell::new(Scratch([0; SCRATCH_BYTES])));

static AREA: Shared<Area> = Shared(UnsafeCell::new(Area {
    abi: ABI_VERSION,
    scratch: SCRATCH.0.get().cast::<u8>(),
    scratch_length: SCRATCH_BYTES as u32,
    result: std::ptr::null(),
    result_length: 0,
    wake: NEVER,
}));

/// Where the area is.
pub(super) fn pointer() -> *const Area {
    AREA.0.get()
}

/// Says where the result of a call is; it stays until the next call into the guest.
pub(super) fn set_result(result: &[u8]) {
    // SAFETY: nobody else is in the area: there is one thread, and no reference to it is ever kept.
    unsafe {
        (*AREA.0.get()).result = result.as_ptr();
        (*AREA.0.get()).result_length = u32::try_from(result.len()).unwrap_or(u32::MAX);
    }
}

/// Says in how many milliseconds something is due.
pub(super) fn set_wake(wake: u32) {
    // SAFETY: as in `set_result`.
    unsafe { (*AREA.0.get()).wake = wake };
}
