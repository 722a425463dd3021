//! The types of `anyplug.h`, which says what they mean and who may do what when.

use std::ffi::c_void;

/// The version of the ABI.
pub const ABI_VERSION: u32 = 1;

/// The function that a library exports.
pub const ENTRY: &str = "anyplug_plugin";

/// Flag of a method index: the payload begins with a `CallHeader`.
pub const METHOD_HEADER: u32 = 2 << 16;

/// What [`PluginTable::call`] returns when the result is the payload of a MESSAGE with END.
pub const DONE: i32 = 0;
/// What it returns when the result is the payload of END.
pub const FAILED: i32 = 1;
/// What it returns when the answer comes by frames.
pub const PENDING: i32 = 2;

/// What a host gives an instance: `anyplug_host`.
#[repr(C)]
#[derive(Debug)]
pub struct Host {
    /// Of this struct, in bytes.
    pub size: u32,
    /// [`ABI_VERSION`].
    pub version: u32,
    /// The first argument of its functions.
    pub context: *mut c_void,
    /// Bytes for the host.
    pub send: Option<unsafe extern "C" fn(context: *mut c_void, data: *const u8, length: usize)>,
    /// A line for the log.
    pub log: Option<unsafe extern "C" fn(context: *mut c_void, level: u32, data: *const u8, length: usize)>,
}

/// Where the result of a call goes: `anyplug_result`.
#[repr(C)]
#[derive(Debug)]
pub struct CallResult {
    /// From the host: room of its own; from the plugin: where the result is.
    pub data: *mut u8,
    /// From the host: bytes of that room; from the plugin: bytes of the result.
    pub length: usize,
    /// From the plugin: null when the result is in the host's room.
    pub owner: *mut c_void,
}

/// What a plugin is: `anyplug_plugin_table`.
#[repr(C)]
#[derive(Debug)]
pub struct PluginTable {
    /// Of this struct, in bytes.
    pub size: u32,
    /// [`ABI_VERSION`].
    pub version: u32,
    /// A Hello with at least name, version and runtime.
    pub hello: *const u8,
    /// Its length in bytes.
    pub hello_length: usize,
    /// Makes an instance.
    pub open: Option<unsafe extern "C" fn(host: *const Host) -> *mut c_void>,
    /// Takes bytes that the host sent.
    pub recv: Option<unsafe extern "C" fn(instance: *mut c_void, data: *const u8, length: usize)>,
    /// Makes a call with one request.
    pub call: Option<CallFunction>,
    /// Gives back a result that has an owner.
    pub release: Option<unsafe extern "C" fn(owner: *mut c_void, data: *mut u8, length: usize)>,
    /// Ends an instance.
    pub close: Option<unsafe extern "C" fn(instance: *mut c_void) -> i32>,
}

/// [`PluginTable::call`].
pub type CallFunction = unsafe extern "C" fn(
    instance: *mut c_void,
    call: u32,
    method: u32,
    data: *const u8,
    length: usize,
    result: *mut CallResult,
) -> i32;

/// The function named [`ENTRY`].
pub type Entry = unsafe extern "C" fn() -> *const PluginTable;

// The table is constant, and what it points to as well.
// SAFETY: nothing of it is ever written after it was made.
unsafe impl Send for PluginTable {}
// SAFETY: as above.
unsafe impl Sync for PluginTable {}

#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::{align_of, offset_of, size_of};

    assert!(size_of::<Host>() == 32 && align_of::<Host>() == 8);
    assert!(offset_of!(Host, context) == 8 && offset_of!(Host, send) == 16 && offset_of!(Host, log) == 24);
    assert!(size_of::<CallResult>() == 24 && align_of::<CallResult>() == 8);
    assert!(offset_of!(CallResult, length) == 8 && offset_of!(CallResult, owner) == 16);
    assert!(size_of::<PluginTable>() == 64 && align_of::<PluginTable>() == 8);
    assert!(offset_of!(PluginTable, hello) == 8 && offset_of!(PluginTable, hello_length) == 16);
    assert!(offset_of!(PluginTable, open) == 24 && offset_of!(PluginTable, recv) == 32);
    assert!(offset_of!(PluginTable, call) == 40 && offset_of!(PluginTable, release) == 48);
    assert!(offset_of!(PluginTable, close) == 56);
};
