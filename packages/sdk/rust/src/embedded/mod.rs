//! A plugin within its host's process, as `docs/embedded-abi.md` describes it: a guest, whose functions the host calls.

mod area;
mod executor;
mod guest;
mod imports;
mod sleep;

pub use crate::section::{section, section_bytes};
pub use area::Area;
pub use guest::Guest;
pub(crate) use imports::log;
pub(crate) use sleep::sleep;

/// Exports a plugin from this crate; what `#[plugin]` writes.
#[doc(hidden)]
#[macro_export]
macro_rules! export_plugin {
    ($plugin:path, $name:expr, $version:expr) => {
        const _: () = {
            use $crate::embedded::{Area, Guest, section, section_bytes};

            static GUEST: Guest = Guest::new($plugin);

            #[used]
            #[unsafe(link_section = "anyplug")]
            static SECTION: [u8; section_bytes($name, $version)] = section($name, $version);

            #[unsafe(no_mangle)]
            extern "C" fn anyplug_abi() -> *const Area {
                GUEST.abi()
            }

            #[unsafe(no_mangle)]
            extern "C" fn anyplug_alloc(length: usize) -> *mut u8 {
                GUEST.alloc(length)
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn anyplug_free(pointer: *mut u8, length: usize) {
                // SAFETY: the host gives what it was given.
                unsafe { GUEST.free(pointer, length) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn anyplug_recv(pointer: *const u8, length: usize) {
                // SAFETY: the host has written the range, and leaves it alone until this returns.
                unsafe { GUEST.recv(pointer, length) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn anyplug_call(call: u32, method: u32, pointer: *const u8, length: usize) -> i32 {
                // SAFETY: as for `anyplug_recv`.
                unsafe { GUEST.call(call, method, pointer, length) }
            }
        };
    };
}
