//! The functions that a host calls. None of them lets a panic out.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use anyplug_core::{Code, LogLevel, Status};
use anyplug_ffi::abi::{ABI_VERSION, CallResult, FAILED, Host, PluginTable};

use super::Registered;
use super::guest::Guest;
use super::unload::Entered;

/// Where the hello begins in a section, behind the version of the embedded ABI.
const HELLO: usize = 4;

/// What a host asks for first: the table of the plugin in this library. Null when the library has no plugin, or several.
#[unsafe(no_mangle)]
#[expect(unreachable_pub, reason = "it is reached by its name in the library")]
pub extern "C" fn anyplug_plugin() -> *const PluginTable {
    static TABLE: OnceLock<Option<PluginTable>> = OnceLock::new();
    let _entered = Entered::new();
    let table = TABLE.get_or_init(|| {
        let hello = only()?.section.get(HELLO..)?;
        Some(PluginTable {
            size: size_of::<PluginTable>() as u32,
            version: ABI_VERSION,
            hello: hello.as_ptr(),
            hello_length: hello.len(),
            open: Some(open),
            recv: Some(recv),
            call: Some(call),
            release: Some(release),
            close: Some(close),
        })
    });
    table.as_ref().map_or(std::ptr::null(), std::ptr::from_ref)
}

/// The plugin of this library, unless it has none or several.
pub(crate) fn only() -> Option<&'static Registered> {
    let mut all = inventory::iter::<Registered>.into_iter();
    all.next().filter(|_| all.next().is_none())
}

unsafe extern "C" fn open(host: *const Host) -> *mut c_void {
    let _entered = Entered::new();
    let opened = catch_unwind(|| {
        let plugin = only()?.plugin;
        // SAFETY: the host gives what it says, and leaves it where it is until `close` has returned.
        let guest = unsafe { Guest::open(plugin, host) };
        guest.map(|guest| Box::into_raw(Box::new(guest)).cast())
    });
    opened.ok().flatten().unwrap_or(std::ptr::null_mut())
}

unsafe extern "C" fn recv(instance: *mut c_void, data: *const u8, length: usize) {
    let _entered = Entered::new();
    // SAFETY: it was made by `open`, and the host is in it once at a time.
    let guest = unsafe { &mut *instance.cast::<Guest>() };
    // SAFETY: the host says that they are there.
    let bytes = if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, length) } };
    if catch_unwind(AssertUnwindSafe(|| guest.recv(bytes))).is_err() {
        guest.fail("a panic within recv");
    }
}

unsafe extern "C" fn call(
    instance: *mut c_void,
    call: u32,
    method: u32,
    data: *const u8,
    length: usize,
    result: *mut CallResult,
) -> i32 {
    let _entered = Entered::new();
    // SAFETY: as for `recv`.
    let guest = unsafe { &mut *instance.cast::<Guest>() };
    // SAFETY: as for `recv`.
    let payload = if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, length) } };
    // SAFETY: the host gives a result that is its own.
    let result = unsafe { &mut *result };
    catch_unwind(AssertUnwindSafe(|| guest.call(call, method, payload, result))).unwrap_or_else(|_| {
        let mut status = Vec::new();
        Status::new(Code::Internal, "the plugin panicked").encode(&mut status);
        fill(result, &status);
        FAILED
    })
}

unsafe extern "C" fn release(owner: *mut c_void, _: *mut u8, _: usize) {
    // SAFETY: it is what `fill` gave, and comes back once.
    drop(unsafe { Box::from_raw(owner.cast::<Vec<u8>>()) });
}

unsafe extern "C" fn close(instance: *mut c_void) -> i32 {
    let _entered = Entered::new();
    // SAFETY: it was made by `open`, and the host uses it no more.
    let guest = unsafe { Box::from_raw(instance.cast::<Guest>()) };
    let ended = catch_unwind(AssertUnwindSafe(|| guest.close()));
    i32::from(!ended.unwrap_or(false))
}

/// Puts a result where the host has room for it, or else where it is the plugin's until it is released.
pub(super) fn fill(result: &mut CallResult, bytes: &[u8]) {
    if bytes.len() <= result.length && !result.data.is_null() {
        // SAFETY: the host has so much room there.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), result.data, bytes.len()) };
        result.owner = std::ptr::null_mut();
    } else {
        let mut own = Box::new(bytes.to_vec());
        result.data = own.as_mut_ptr();
        result.owner = Box::into_raw(own).cast();
    }
    result.length = bytes.len();
}

/// Writes a line to the host's log, where no connection can carry it.
///
/// # Safety
/// `host` is what a host gave, and the instance is not closed yet.
pub(super) unsafe fn log(host: *const Host, level: LogLevel, line: &str) {
    // SAFETY: says the caller; which function it is may change, as for `send`.
    let (log, context) = unsafe { ((&raw const (*host).log).read_volatile(), (*host).context) };
    if let Some(log) = log {
        // SAFETY: says the caller.
        unsafe { log(context, level as u32 + 1, line.as_ptr(), line.len()) };
    }
}
