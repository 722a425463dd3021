//! A module that was checked and compiled.

use std::path::Path;
use std::sync::Arc;

use anyplug_core::{Error, Result};
use wasmtime::{Engine, ExternType, InstancePre, ValType};

use crate::cache;
use crate::data::Data;
use crate::engine::engine;
use crate::imports::{self, linker};
use crate::limits::WasmLimits;
use crate::section::{Section, read_section};
use crate::wasi::Grant;
use crate::{ticker, wasi};

/// A module that was checked and compiled, of which any number of instances can be made. A clone is another handle of the same one.
#[derive(Clone)]
pub struct Module {
    inner: Arc<Inner>,
}

struct Inner {
    section: Section,
    limits: WasmLimits,
    engine: &'static Engine,
    linked: InstancePre<Data>,
    initializes: bool,
    grants: Arc<[Grant]>,
}

impl Module {
    /// Reads, checks and compiles the module in a file.
    ///
    /// # Errors
    /// NOT_FOUND when there is no such file; otherwise as [`Module::new`].
    pub fn read(file: &Path, limits: &WasmLimits) -> Result<Self> {
        let absent = |error: std::io::Error| {
            Error::not_found(format!("there is no module at {}: {error}", file.display())).with_source(error)
        };
        let named = |error: Error| error.map_message(|message| format!("{} {message}", file.display()));
        // Its size is asked for first: what is too large is not even read.
        let size = std::fs::metadata(file).map_err(absent)?.len();
        check_size(size, limits).map_err(named)?;
        Self::new(&std::fs::read(file).map_err(absent)?, limits).map_err(named)
    }

    /// Checks and compiles a module.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when it is no valid core module, FAILED_PRECONDITION when it is no plugin or lacks exports or wants imports that there are not, RESOURCE_EXHAUSTED when it is over a limit.
    pub fn new(bytes: &[u8], limits: &WasmLimits) -> Result<Self> {
        check_size(bytes.len() as u64, limits)?;
        let section = read_section(bytes)?;
        let engine = engine(limits.fuel.is_some())?;
        let module = cache::compile(engine, bytes, &limits.cache)?;
        let has_files = !limits.wasi_directories.is_empty();
        check_shape(&module, has_files)?;
        check_resources(&module, limits)?;
        let refused = |error: wasmtime::Error| Error::failed_precondition(format!("cannot be linked: {error:#}"));
        let linked = linker(engine, has_files).and_then(|linker| linker.instantiate_pre(&module)).map_err(refused)?;
        let grants = wasi::open(&limits.wasi_directories)?;
        ticker::start()?;
        let initializes = uses_wasi(&module) && matches!(module.get_export(INITIALIZE), Some(ExternType::Func(_)));
        Ok(Self { inner: Arc::new(Inner { section, limits: limits.clone(), engine, linked, initializes, grants }) })
    }

    /// What it says of itself.
    pub fn section(&self) -> &Section {
        &self.inner.section
    }

    /// The name of the plugin.
    pub fn name(&self) -> &str {
        &self.inner.section.name
    }

    /// What its instances may take.
    pub fn limits(&self) -> &WasmLimits {
        &self.inner.limits
    }

    /// What is called before anything else, if it is to be.
    pub(crate) fn initialize(&self) -> Option<&'static str> {
        self.inner.initializes.then_some(INITIALIZE)
    }

    /// The folders that its instances were granted.
    pub(crate) fn grants(&self) -> &[Grant] {
        &self.inner.grants
    }

    pub(crate) fn engine(&self) -> &'static Engine {
        self.inner.engine
    }

    pub(crate) fn linked(&self) -> &InstancePre<Data> {
        &self.inner.linked
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("section", &self.inner.section).finish_non_exhaustive()
    }
}

/// # Errors
/// RESOURCE_EXHAUSTED when a module of so many bytes is over the limit.
pub(crate) fn check_size(size: u64, limits: &WasmLimits) -> Result<()> {
    let limit = limits.max_wasm_bytes;
    if size <= limit {
        return Ok(());
    }
    let message = format!("has {size} bytes, and a module may have {limit}; raise wasm.max_wasm_bytes");
    Err(Error::resource_exhausted(message))
}

/// The size of a page of memory.
const PAGE_BYTES: u64 = 64 << 10;

/// # Errors
/// RESOURCE_EXHAUSTED when it begins with more than it may have.
pub(crate) fn check_resources(module: &wasmtime::Module, limits: &WasmLimits) -> Result<()> {
    let needs = module.resources_required();
    let memory = needs.max_initial_memory_size.unwrap_or_default().saturating_mul(PAGE_BYTES);
    let elements = needs.max_initial_table_size.unwrap_or_default();
    let checks = [
        ("bytes of memory", "max_memory_bytes", memory, limits.max_memory_bytes),
        ("tables", "max_tables", u64::from(needs.num_tables), u64::from(limits.max_tables)),
        ("elements in a table", "max_table_elements", elements, u64::from(limits.max_table_elements)),
    ];
    for (what, option, needed, limit) in checks {
        if needed > limit {
            let message = format!("begins with {needed} {what}, and may have {limit}; raise wasm.{option}");
            return Err(Error::resource_exhausted(message));
        }
    }
    Ok(())
}

/// The functions that a module exports, with their types.
const EXPORTS: [(&str, &str); 5] = [
    ("anyplug_abi", "() -> i32"),
    ("anyplug_alloc", "(i32) -> i32"),
    ("anyplug_free", "(i32, i32)"),
    ("anyplug_recv", "(i32, i32)"),
    ("anyplug_call", "(i32, i32, i32, i32) -> i32"),
];

/// Compares what a module exports and imports with the embedded ABI, all at once.
fn check_shape(module: &wasmtime::Module, has_files: bool) -> Result<()> {
    let mut wrong: Vec<String> = EXPORTS.into_iter().filter_map(|(name, of)| wrong_export(module, name, of)).collect();
    match module.get_export("memory") {
        Some(ExternType::Memory(memory)) if memory.is_shared() => wrong.push("its memory is shared".to_owned()),
        Some(ExternType::Memory(memory)) if memory.is_64() => {
            wrong.push("its memory is of 64 bits, expected one of 32".to_owned());
        }
        Some(ExternType::Memory(_)) => {}
        Some(other) => wrong.push(format!("its export memory is a {}", kind(&other))),
        None => wrong.push("it exports no memory".to_owned()),
    }
    if uses_wasi(module) && matches!(module.get_export(INITIALIZE), Some(ExternType::Func(_))) {
        wrong.extend(wrong_export(module, INITIALIZE, "()"));
    }
    let missing: Vec<String> = module
        .imports()
        .filter(|import| {
            imports::type_of(import.module(), import.name(), has_files)
                .is_none_or(|known| known != type_text(&import.ty()))
        })
        .map(|import| format!("{}.{} {}", import.module(), import.name(), described(&import.ty())))
        .collect();
    if !missing.is_empty() {
        wrong.push(format!("this host does not have what it imports: {}", missing.join(", ")));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::failed_precondition(format!("cannot be loaded: {}", wrong.join("; "))))
}

fn wrong_export(module: &wasmtime::Module, name: &str, expected: &str) -> Option<String> {
    match module.get_export(name) {
        None => Some(format!("it exports no {name} {expected}")),
        Some(of @ ExternType::Func(_)) => {
            let of = type_text(&of);
            (of != expected).then(|| format!("its export {name} is {of}, expected {expected}"))
        }
        Some(other) => Some(format!("its export {name} is a {}, expected {expected}", kind(&other))),
    }
}

/// The type of what is imported: of a function in full, of anything else such as "(a memory)".
pub(crate) fn described(of: &ExternType) -> String {
    match of {
        ExternType::Func(_) => type_text(of),
        other => format!("(a {})", kind(other)),
    }
}

fn kind(of: &ExternType) -> &'static str {
    match of {
        ExternType::Func(_) => "function",
        ExternType::Global(_) => "global",
        ExternType::Table(_) => "table",
        ExternType::Memory(_) => "memory",
        ExternType::Tag(_) => "tag",
    }
}

/// What a module that was built for WASI wants to be called first.
const INITIALIZE: &str = "_initialize";

fn uses_wasi(module: &wasmtime::Module) -> bool {
    module.imports().any(|import| import.module() == wasi::MODULE)
}

/// The type of a function, such as "(i32, i64) -> i32"; empty for anything else.
pub(crate) fn type_text(of: &ExternType) -> String {
    let ExternType::Func(function) = of else { return String::new() };
    let names =
        |types: &mut dyn Iterator<Item = ValType>| types.map(|of| of.to_string()).collect::<Vec<_>>().join(", ");
    match function.results().len() {
        0 => format!("({})", names(&mut function.params())),
        _ => format!("({}) -> {}", names(&mut function.params()), names(&mut function.results())),
    }
}
