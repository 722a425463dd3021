//! An instance whose bytes are moved elsewhere, and not looked at.

use std::ffi::c_void;

use anyplug_core::{Error, Result};

use crate::abi::{ABI_VERSION, Host};
use crate::library::Library;

/// Takes what a plugin sends, from any thread, one piece at a time.
pub type TakesBytes = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Takes what a plugin logs where no connection can carry it, from any thread.
pub type TakesLine = Box<dyn Fn(&str) + Send + Sync>;

/// An instance of a plugin whose host is elsewhere: bytes go in by [`recv`](Self::recv), and come out by what was given. Closed when it is dropped.
pub struct Relay {
    library: Library,
    instance: *mut c_void,
    host: *mut Host,
}

struct Takers {
    send: TakesBytes,
    log: TakesLine,
}

impl Relay {
    /// Makes an instance. What is given must not enter it.
    ///
    /// # Errors
    /// FAILED_PRECONDITION when the plugin makes none; why, it has logged.
    pub fn open(library: &Library, send: TakesBytes, log: TakesLine) -> Result<Self> {
        let context = Box::into_raw(Box::new(Takers { send, log }));
        let host = Box::into_raw(Box::new(Host {
            size: size_of::<Host>() as u32,
            version: ABI_VERSION,
            context: context.cast(),
            send: Some(send_on),
            log: Some(log_on),
        }));
        // SAFETY: the host stays where it is until the instance is closed.
        let instance = unsafe { (library.functions().open)(host) };
        let relay = Self { library: library.clone(), instance, host };
        if instance.is_null() {
            return Err(Error::failed_precondition(format!("plugin \"{}\" makes no instance", library.name())));
        }
        Ok(relay)
    }

    /// Hands bytes of the host's to the plugin.
    pub fn recv(&mut self, bytes: &[u8]) {
        // SAFETY: the instance is open, and nobody else is inside, for this one is borrowed.
        unsafe { (self.library.functions().recv)(self.instance, bytes.as_ptr(), bytes.len()) };
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if !self.instance.is_null() {
            // SAFETY: the instance is open, and nobody is inside or will be.
            let left = unsafe { (self.library.functions().close)(self.instance) };
            if left != 0 {
                self.library.stay();
            }
        }
        // SAFETY: both were made of a box, and the plugin uses them no more.
        unsafe {
            let host = Box::from_raw(self.host);
            drop(Box::from_raw(host.context.cast::<Takers>()));
        }
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("library", &self.library).finish_non_exhaustive()
    }
}

unsafe extern "C" fn send_on(context: *mut c_void, data: *const u8, length: usize) {
    if data.is_null() || length == 0 {
        return;
    }
    // SAFETY: the plugin gives the context that it was given, before its close has returned; the bytes are there for as long as this runs.
    let (takers, bytes) = unsafe { (&*context.cast::<Takers>(), std::slice::from_raw_parts(data, length)) };
    (takers.send)(bytes);
}

unsafe extern "C" fn log_on(context: *mut c_void, _: u32, data: *const u8, length: usize) {
    // SAFETY: as for `send_on`.
    let takers = unsafe { &*context.cast::<Takers>() };
    // SAFETY: as for `send_on`.
    let text = if data.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(data, length) } };
    (takers.log)(&String::from_utf8_lossy(text));
}
