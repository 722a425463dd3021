//! A library with ElizaOS's C ABI: functions that take and return JSON as C strings.
//!
//! What the library returns is its own and given back by its `elizaos_free_string`, once and before it is looked at; what it is called with stays the caller's.

use std::ffi::{CStr, CString, c_char, c_int};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyplug_core::{Error, Result};

use crate::abi::ENTRY;
use crate::shared::SharedLibrary;

/// What every such library exports.
pub(crate) const MANIFEST: &str = "elizaos_get_manifest";
const FREE: &str = "elizaos_free_string";
/// What those export that are made by ElizaOS's macro: called first, it registers their plugin.
const REGISTER: &str = "elizaos_plugin_init";

type GetManifest = unsafe extern "C" fn() -> *mut c_char;
type FreeString = unsafe extern "C" fn(*mut c_char);
type Register = unsafe extern "C" fn();
type Init = unsafe extern "C" fn(*const c_char) -> c_int;
type Validate = unsafe extern "C" fn(*const c_char, *const c_char, *const c_char) -> c_int;
type Get = unsafe extern "C" fn(*const c_char, *const c_char, *const c_char) -> *mut c_char;
type Invoke = unsafe extern "C" fn(*const c_char, *const c_char, *const c_char, *const c_char) -> *mut c_char;

/// What a library answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElizaosAnswer {
    /// An int.
    Number(i32),
    /// The bytes of a text, whatever they are; none for a null pointer.
    Text(Option<Vec<u8>>),
}

/// A loaded library with ElizaOS's C ABI. It is entered by one thread at a time. Dropped, it is unloaded; best when the threads that called it have ended, since a system may keep what they still refer
/// to.
pub struct ElizaosLibrary {
    functions: Mutex<Functions>,
    loaded: SharedLibrary,
}

struct Functions {
    get_manifest: GetManifest,
    free_string: FreeString,
    init: Option<Init>,
    validate_action: Option<Validate>,
    invoke_action: Option<Invoke>,
    get_provider: Option<Get>,
    validate_evaluator: Option<Validate>,
    invoke_evaluator: Option<Get>,
}

impl ElizaosLibrary {
    /// Loads the library at a path, from a private copy, and has it register its plugin.
    ///
    /// # Errors
    /// As [`SharedLibrary::open`]; FAILED_PRECONDITION when it exports no `elizaos_get_manifest` or no `elizaos_free_string`.
    pub fn open(file: &Path) -> Result<Self> {
        let loaded = SharedLibrary::open(file)?;
        let missing = |what: String| Error::failed_precondition(format!("{} {what}", file.display()));
        // SAFETY: by these names a library has the functions of ElizaOS's C ABI, and they go with it.
        let (get_manifest, free_string) = unsafe { (loaded.function(MANIFEST), loaded.function(FREE)) };
        let Some(get_manifest) = get_manifest else {
            let advice =
                if loaded.exports(ENTRY) { "; it is one of anyplug's own: load it by load_plugin" } else { "" };
            return Err(missing(format!("is no plugin of ElizaOS: it does not export {MANIFEST}{advice}")));
        };
        let Some(free_string) = free_string else {
            return Err(missing(format!("does not export {FREE}: what it returns could not be given back")));
        };
        // SAFETY: as above.
        let functions = unsafe {
            Functions {
                get_manifest,
                free_string,
                init: loaded.function("elizaos_init"),
                validate_action: loaded.function("elizaos_validate_action"),
                invoke_action: loaded.function("elizaos_invoke_action"),
                get_provider: loaded.function("elizaos_get_provider"),
                validate_evaluator: loaded.function("elizaos_validate_evaluator"),
                invoke_evaluator: loaded.function("elizaos_invoke_evaluator"),
            }
        };
        // SAFETY: as above; it takes nothing, and is called once.
        unsafe {
            if let Some(register) = loaded.function::<Register>(REGISTER) {
                register();
            }
        }
        Ok(Self { functions: Mutex::new(functions), loaded })
    }

    /// Whether it exports a function of this name.
    pub fn exports(&self, function: &str) -> bool {
        self.loaded.exports(function)
    }

    /// Calls the function of this name, when no other call is within the library. `arguments`: what it takes, texts.
    ///
    /// # Errors
    /// UNIMPLEMENTED when the library does not export it, or the ABI has none that takes so many arguments.
    pub fn call(&self, function: &str, arguments: &[CString]) -> Result<ElizaosAnswer> {
        let functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        let Functions { get_manifest, init, validate_action, invoke_action, get_provider, .. } = *functions;
        let Functions { validate_evaluator, invoke_evaluator, .. } = *functions;
        let pointers: Vec<*const c_char> = arguments.iter().map(|argument| argument.as_ptr()).collect();
        // SAFETY: the library is there, no other call is within it, and the texts live until it has returned.
        let answer = unsafe {
            match (function, &*pointers) {
                (MANIFEST, []) => Some(functions.text(get_manifest())),
                ("elizaos_init", [config]) => init.map(|call| ElizaosAnswer::Number(call(*config))),
                ("elizaos_validate_action", [name, memory, state]) => {
                    validate_action.map(|call| ElizaosAnswer::Number(call(*name, *memory, *state)))
                }
                ("elizaos_invoke_action", [name, memory, state, options]) => {
                    invoke_action.map(|call| functions.text(call(*name, *memory, *state, *options)))
                }
                ("elizaos_get_provider", [name, memory, state]) => {
                    get_provider.map(|call| functions.text(call(*name, *memory, *state)))
                }
                ("elizaos_validate_evaluator", [name, memory, state]) => {
                    validate_evaluator.map(|call| ElizaosAnswer::Number(call(*name, *memory, *state)))
                }
                ("elizaos_invoke_evaluator", [name, memory, state]) => {
                    invoke_evaluator.map(|call| functions.text(call(*name, *memory, *state)))
                }
                _ => None,
            }
        };
        answer.ok_or_else(|| Error::unimplemented(format!("the library does not export {function}")))
    }
}

impl Functions {
    /// Copies what the library returned, and gives it back.
    ///
    /// # Safety
    /// `text` is null, or what the library returned and was not given back.
    unsafe fn text(&self, text: *mut c_char) -> ElizaosAnswer {
        if text.is_null() {
            return ElizaosAnswer::Text(None);
        }
        // SAFETY: as the caller says; it ends with a zero byte, as C strings do.
        let bytes = unsafe { CStr::from_ptr(text) }.to_bytes().to_vec();
        // SAFETY: as the caller says.
        unsafe { (self.free_string)(text) };
        ElizaosAnswer::Text(Some(bytes))
    }
}

impl std::fmt::Debug for ElizaosLibrary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ElizaosLibrary").finish_non_exhaustive()
    }
}
