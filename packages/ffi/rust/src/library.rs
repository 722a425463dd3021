//! A shared library that was loaded and checked.

use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyplug_core::{Error, Result};
use anyplug_protocol::anyplug::wire::v1::Hello;
use prost::Message;

use crate::abi::{ABI_VERSION, CallFunction, ENTRY, Entry, Host, PluginTable};
use crate::elizaos;
use crate::shared::SharedLibrary;

/// The longest hello of a table, in bytes: one fits into much less.
const MAX_HELLO_BYTES: usize = 1 << 20;

/// What a library says of its plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The name of the plugin.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its language and library, for people and logs only.
    pub runtime: String,
}

/// A shared library that was loaded and checked, of which any number of instances can be made. A clone is another handle of the same one; the library is unloaded when the last is gone, and the last
/// instance closed.
#[derive(Clone)]
pub struct Library {
    inner: Arc<Inner>,
}

struct Inner {
    description: Description,
    pub(crate) functions: Functions,
    /// It was said that threads of it still run.
    stays: AtomicBool,
    /// Unloaded by dropping it; none while that happens, and of a table that no library was loaded for.
    loaded: Option<SharedLibrary>,
}

/// The functions of a table, all of them there.
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    pub(crate) open: unsafe extern "C" fn(host: *const Host) -> *mut c_void,
    pub(crate) recv: unsafe extern "C" fn(instance: *mut c_void, data: *const u8, length: usize),
    pub(crate) call: CallFunction,
    pub(crate) release: unsafe extern "C" fn(owner: *mut c_void, data: *mut u8, length: usize),
    pub(crate) close: unsafe extern "C" fn(instance: *mut c_void) -> i32,
}

impl Library {
    /// Loads the library at a path and checks its table. It is copied to a private place before, so that a rebuilt one at the same path is loaded anew, and overwriting it does no harm.
    ///
    /// To load a library is to run it: what it does when it is loaded, it does with all rights of this process.
    ///
    /// # Errors
    /// NOT_FOUND when there is no such file; INVALID_ARGUMENT when it is no shared library; FAILED_PRECONDITION when it is for another machine, cannot be loaded, or is no plugin that fits; UNAVAILABLE
    /// when it cannot be copied.
    pub fn load(file: &Path) -> Result<Self> {
        let loaded = SharedLibrary::open(file)?;
        let failed = |what: String| Error::failed_precondition(format!("{} {what}", file.display()));
        // SAFETY: a library with a function of this name follows anyplug.h.
        let table = unsafe { loaded.function::<Entry>(ENTRY).map(|entry| entry()) };
        let Some(table) = table else {
            let advice = if loaded.exports(elizaos::MANIFEST) {
                "it is one of ElizaOS, by its C ABI: load it by load_library_plugin of anyplug's elizaos"
            } else {
                "build it with the anyplug SDK"
            };
            return Err(failed(format!("is no plugin: it does not export {ENTRY}; {advice}")));
        };
        // SAFETY: what it returned is its table, or null.
        let (description, functions) = unsafe { read_table(table) }.map_err(failed)?;
        Ok(Self {
            inner: Arc::new(Inner { description, functions, stays: AtomicBool::new(false), loaded: Some(loaded) }),
        })
    }

    /// A plugin that this program was linked with, by its table: nothing is loaded, nor unloaded. Checkers of memory that cannot follow a program into a library see both sides this way.
    ///
    /// # Safety
    /// `table` is null, or what a function named [`ENTRY`] has returned that follows `anyplug.h`, and of which no instance outlives the code.
    ///
    /// # Errors
    /// FAILED_PRECONDITION when it is no table that fits.
    #[doc(hidden)]
    pub unsafe fn linked(table: *const PluginTable) -> Result<Self> {
        // SAFETY: says the caller.
        let read = unsafe { read_table(table) };
        let (description, functions) =
            read.map_err(|what| Error::failed_precondition(format!("what this program is linked with {what}")))?;
        Ok(Self { inner: Arc::new(Inner { description, functions, stays: AtomicBool::new(false), loaded: None }) })
    }

    /// What it says of its plugin.
    pub fn description(&self) -> &Description {
        &self.inner.description
    }

    /// The name of the plugin.
    pub fn name(&self) -> &str {
        &self.inner.description.name
    }

    pub(crate) fn functions(&self) -> &Functions {
        &self.inner.functions
    }

    /// Has it stay loaded until the process ends: threads of it may still run.
    pub(crate) fn stay(&self) {
        self.inner.stays.store(true, Ordering::Relaxed);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.stays.load(Ordering::Relaxed) {
            std::mem::forget(self.loaded.take());
        }
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").field("description", &self.inner.description).finish_non_exhaustive()
    }
}

/// The file of a library that a manifest names by a path. A name without an extension stands for what this platform calls such a library: `bin/name` for `bin/libname.so`, `bin/libname.dylib` or
/// `bin\name.dll`.
pub fn library_file(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_whole = [".so", ".dylib", ".dll"].iter().any(|extension| name.ends_with(extension)) || name.contains(".so.");
    if is_whole {
        return path.to_owned();
    }
    path.with_file_name(format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

/// # Safety
/// `table` is null, or what a library returned that follows `anyplug.h` in some version.
unsafe fn read_table(table: *const PluginTable) -> std::result::Result<(Description, Functions), String> {
    if table.is_null() {
        return Err(format!(
            "has no plugin for this machine: {ENTRY} returned null, as one of Rust does that has no #[plugin], or several"
        ));
    }
    // SAFETY: size and version come first in every version.
    let (size, version) = unsafe { ((*table).size, (*table).version) };
    if version != ABI_VERSION {
        return Err(format!(
            "speaks version {version} of the ABI of anyplug.h, and this host speaks {ABI_VERSION}; build it with the SDK of this version"
        ));
    }
    let wanted = size_of::<PluginTable>();
    if (size as usize) < wanted {
        return Err(format!("has a table of {size} bytes, and version {ABI_VERSION} has {wanted}"));
    }
    // SAFETY: it is as long as it says.
    let table = unsafe { &*table };
    let PluginTable {
        open: Some(open),
        recv: Some(recv),
        call: Some(call),
        release: Some(release),
        close: Some(close),
        ..
    } = *table
    else {
        return Err("has a table in which a function is missing".to_owned());
    };
    if table.hello.is_null() || table.hello_length > MAX_HELLO_BYTES {
        return Err(format!("has a table whose hello is none: it is null, or has more than {MAX_HELLO_BYTES} bytes"));
    }
    // SAFETY: the table says that it is there.
    let hello = unsafe { std::slice::from_raw_parts(table.hello, table.hello_length) };
    let hello = Hello::decode(hello).map_err(|error| format!("has a table whose hello is none: {error}"))?;
    if hello.name.is_empty() || hello.version.is_empty() {
        return Err("has a table whose hello is none: it does not tell the plugin's name and version".to_owned());
    }
    let description = Description { name: hello.name, version: hello.version, runtime: hello.runtime };
    Ok((description, Functions { open, recv, call, release, close }))
}
