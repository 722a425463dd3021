//! An Extism module that was checked and compiled.

use std::sync::Arc;

use anyplug_core::{Error, Result};
use wasmtime::{Engine, InstancePre, Linker};

use crate::data::Data;
use crate::engine::engine;
use crate::extism::functions;
use crate::extism::options::{ExtismOptions, Terms};
use crate::module::{check_resources, check_size, described, type_text};
use crate::wasi::Grant;
use crate::{cache, ticker, wasi};

/// What a module may want to be called before anything else.
const INITIALIZE: &str = "_initialize";

/// A module that was checked and compiled.
pub(crate) struct ExtismModule {
    pub(crate) name: String,
    pub(crate) terms: Arc<Terms>,
    pub(crate) engine: &'static Engine,
    pub(crate) linked: InstancePre<Data>,
    /// What it exports that can be called.
    pub(crate) functions: Vec<String>,
    pub(crate) initialize: Option<&'static str>,
    pub(crate) grants: Arc<[Grant]>,
}

impl ExtismModule {
    /// Checks and compiles a module.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when it is no valid core module, FAILED_PRECONDITION when it wants imports that there are not, RESOURCE_EXHAUSTED when it is over a limit.
    pub(crate) fn new(name: &str, bytes: &[u8], terms: ExtismOptions) -> Result<Self> {
        check_size(bytes.len() as u64, &terms.wasm)?;
        if !bytes.starts_with(b"\0asm") {
            return Err(Error::invalid_argument("is no WebAssembly module"));
        }
        if !bytes.starts_with(b"\0asm\x01\0\0\0") {
            return Err(Error::invalid_argument("is a WebAssembly component; an Extism plugin is a core module"));
        }
        let engine = engine(terms.wasm.fuel.is_some())?;
        let module = cache::compile(engine, bytes, &terms.wasm.cache)?;
        let users = check_imports(&module, &terms)?;
        check_resources(&module, &terms.wasm)?;
        let has_files = !terms.wasm.wasi_directories.is_empty();
        let grants = wasi::open(&terms.wasm.wasi_directories)?;
        let mut linker = Linker::new(engine);
        let linked = functions::link(&mut linker)
            .and_then(|()| wasi::link(&mut linker, has_files))
            .and_then(|()| users.iter().try_for_each(|(name, of)| functions::link_user(&mut linker, name, of)))
            .and_then(|()| linker.instantiate_pre(&module))
            .map_err(|error| Error::failed_precondition(format!("cannot be linked: {error:#}")))?;
        ticker::start()?;
        let exported = |of: &str| {
            let is_one = move |export: &wasmtime::ExportType<'_>| type_text(&export.ty()) == of;
            module
                .exports()
                .filter(move |export| is_one(export))
                .map(|export| export.name().to_owned())
                .collect::<Vec<_>>()
        };
        let (functions, procedures) = (exported("() -> i32"), exported("()"));
        let initialize = procedures.iter().any(|own| own == INITIALIZE).then_some(INITIALIZE);
        Ok(Self { name: name.to_owned(), terms: Arc::new(terms), engine, linked, functions, initialize, grants })
    }
}

/// Compares what a module imports with what there is, all at once, and returns the functions of the host's own that it wants, with their types.
fn check_imports(module: &wasmtime::Module, terms: &Terms) -> Result<Vec<(String, String)>> {
    let (mut missing, mut users) = (Vec::new(), Vec::new());
    for import in module.imports() {
        let (from, name, of) = (import.module(), import.name(), import.ty());
        let text = described(&of);
        let known = match from {
            functions::MODULE => functions::TYPES.iter().find(|(known, _)| *known == name).map(|(_, of)| *of),
            wasi::MODULE => wasi::type_of(name, !terms.wasm.wasi_directories.is_empty()),
            _ => None,
        };
        let is_own = from == functions::USER
            && terms.functions.contains_key(name)
            && functions::USER_TYPES.contains(&text.as_str());
        if is_own {
            if !users.iter().any(|(known, _)| known == name) {
                users.push((name.to_owned(), text));
            }
        } else if known != Some(text.as_str()) {
            missing.push(format!("{from}.{name} {text}"));
        }
    }
    if missing.is_empty() {
        return Ok(users);
    }
    let message = format!("cannot be loaded: this host does not have what it imports: {}", missing.join(", "));
    Err(Error::failed_precondition(message))
}
