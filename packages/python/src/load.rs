//! Starts a plugin's process and makes a connection with it.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use anyplug_core::log::{LogLevel, LogRecord};
use anyplug_core::{Error, LimitOptions, ServiceEntry};
use anyplug_ffi::Library;
use anyplug_ffi::abi::Entry;
use anyplug_host::{
    EnvironmentOptions, FfiOptions, InheritEnv, InterpreterOptions, Isolation, LoadOptions, LocatedManifest,
    TlsOptions, dial, dial_json_rpc, plan, start_json_rpc,
};
use anyplug_ipc::{Address, JSON_RPC_PREFIX, OnPrinted, PluginProcess, json_rpc_place, start_process};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyTuple};

use crate::error::{OrRaise, to_exception};
use crate::link::{Ending, Link, lock};
use crate::service::{LateLink, ServiceParts, implementations, service_from};
use crate::session::limits_from;
use crate::wasm::{WasmModule, WasmParts};
use crate::work::Work;

/// The name of the capsule that holds a library's function of this name.
const ENTRY_CAPSULE: &CStr = c"anyplug_plugin";

/// What a host says about a plugin that it loads.
#[derive(FromPyObject)]
pub(crate) struct LoadParts<'py> {
    path: PathBuf,
    transport: Option<String>,
    services: Vec<ServiceParts>,
    expect: Vec<ServiceParts>,
    /// What a plugin that has no schema may be called by.
    known: Vec<ServiceParts>,
    grants: Vec<String>,
    limits: Bound<'py, PyDict>,
    env: BTreeMap<String, String>,
    inherit_env: Vec<String>,
    inherit_all: bool,
    env_denylist: Vec<String>,
    /// A JSON object.
    config: String,
    start_timeout: f64,
    python: Option<String>,
    host_name: Option<String>,
    tls: Option<TlsParts>,
    allow_plaintext: bool,
    wasm: WasmParts,
    ffi: FfiParts<'py>,
}

/// Where a shared library runs: in a process of its own or not, and the command that runs it there. The entry of one that is a module of this process.
#[derive(FromPyObject)]
struct FfiParts<'py> {
    is_apart: bool,
    runner: Vec<String>,
    entry: Option<Bound<'py, PyCapsule>>,
}

impl FfiParts<'_> {
    fn entry(&self) -> PyResult<Option<Entry>> {
        let Some(capsule) = &self.entry else { return Ok(None) };
        let entry = capsule.pointer_checked(Some(ENTRY_CAPSULE))?;
        // SAFETY: a capsule of this name holds a function of this name, which is of this type.
        Ok(Some(unsafe { std::mem::transmute::<*mut c_void, Entry>(entry.as_ptr()) }))
    }
}

/// Certificates: certificate, key, authority, and the name that the plugin's has to bear.
pub(crate) type TlsParts = (String, String, String, Option<String>);

pub(crate) fn tls_from((certificate, key, ca, server_name): TlsParts) -> TlsOptions {
    TlsOptions { certificate, key, ca, server_name }
}

/// A plugin whose process was started.
pub(crate) struct Started {
    pub(crate) link: Arc<Link>,
    /// None for a plugin that is served at an address.
    pub(crate) process: Option<Arc<PluginProcess>>,
    pub(crate) transport: &'static str,
    /// The address, or empty.
    pub(crate) place: String,
    /// The module that the link is to an instance of.
    pub(crate) module: Option<Arc<WasmModule>>,
}

/// Starts the plugin that `parts` describe. Its connection opens by and by.
pub(crate) fn start(py: Python<'_>, parts: LoadParts<'_>) -> PyResult<Started> {
    let late: LateLink = Arc::default();
    let records = Records(Arc::default());
    let path = parts.path.clone();
    let known = parts.known.iter().cloned().map(service_from).collect::<PyResult<Vec<_>>>()?;
    let known = known.into_iter().filter(|service: &Arc<ServiceEntry>| !service.descriptor_set.is_empty()).collect();
    let services = parts.services.iter().cloned().map(service_from).collect::<PyResult<Vec<_>>>()?;
    let entry = parts.ffi.entry()?;
    let options = options_from(py, parts, &late, &records)?;
    let started = py.detach(|| start_blocking(&path, &options, entry, known, services, &late));
    let started = started.or_raise(py)?;
    records.connect(&started.link);
    Ok(started)
}

fn options_from(py: Python<'_>, parts: LoadParts<'_>, late: &LateLink, records: &Records) -> PyResult<LoadOptions> {
    let limits: LimitOptions = limits_from(&parts.limits)?;
    let config = serde_json::from_str(&parts.config)
        .map_err(|error| to_exception(py, &Error::invalid_argument(format!("config is not a JSON object: {error}"))))?;
    let services = parts.services.into_iter().map(service_from).collect::<PyResult<_>>()?;
    let inherit_env = match (parts.inherit_all, parts.inherit_env.is_empty()) {
        (true, _) => InheritEnv::All,
        (false, true) => InheritEnv::No,
        (false, false) => InheritEnv::Names(parts.inherit_env),
    };
    let records = records.clone();
    Ok(LoadOptions {
        transport: parts.transport,
        services: implementations(services, late),
        grants: parts.grants,
        expect: parts.expect.into_iter().map(service_from).collect::<PyResult<_>>()?,
        limits,
        environment: EnvironmentOptions { env: parts.env, inherit_env, env_denylist: parts.env_denylist },
        config,
        interpreter: InterpreterOptions { python: parts.python },
        on_log: Some(Arc::new(move |record| records.push(record.clone()))),
        host_name: parts.host_name,
        tls: parts.tls.map(tls_from),
        allow_plaintext: parts.allow_plaintext,
        wasm: parts.wasm.into(),
        ffi: FfiOptions {
            isolation: if parts.ffi.is_apart { Isolation::Process } else { Isolation::None },
            runner: parts.ffi.runner,
        },
        start_timeout: Duration::try_from_secs_f64(parts.start_timeout.max(0.0)).unwrap_or(Duration::MAX),
        ..LoadOptions::default()
    })
}

fn start_blocking(
    path: &Path,
    options: &LoadOptions,
    entry: Option<Entry>,
    known: Vec<Arc<ServiceEntry>>,
    services: Vec<Arc<ServiceEntry>>,
    late: &LateLink,
) -> Result<Started, Error> {
    if let Some(place) = path.to_str().and_then(json_rpc_place) {
        return connect_json_rpc_blocking(&place.parse()?, options, known, late);
    }
    if let Some(address) = path.to_str().filter(|text| Address::is_meant(text)) {
        return connect_blocking(&address.parse()?, options, late);
    }
    let plan = plan(path, options)?;
    if let Some(on_log) = &options.on_log {
        for grant in options.grants.iter().filter(|grant| !plan.grants.contains(grant)) {
            let file = plan.located.file.display();
            let message = format!("capability \"{grant}\" is not granted: capabilities in {file} does not name it");
            on_log(&LogRecord::new(LogLevel::Warn, "anyplug", message));
        }
    }
    if plan.transport == "wasm" {
        let module = Arc::new(WasmModule::read(plan, options, services)?);
        let (link, place) = (module.enter()?, String::new());
        return Ok(Started { link, process: None, transport: "wasm", place, module: Some(module) });
    }
    if plan.transport == "ffi" && options.ffi.isolation == Isolation::None {
        let library = match entry {
            // SAFETY: it is that of a module, and Python keeps those.
            Some(entry) => unsafe { Library::linked(entry()) }?,
            None => Library::load(&plan.library_file()?)?,
        };
        let link = Link::enter_library(&library, |shell| plan.connect(options, shell), late)?;
        return Ok(Started { link, process: None, transport: "ffi", place: String::new(), module: None });
    }
    if plan.is_json_rpc() {
        let (process, _, pipe) = start_json_rpc(&plan, options, known)?;
        // The channel ends when all has been read that the process wrote.
        let link = Link::new(pipe, |shell| plan.connect(options, shell), None, ending(&process))?;
        let _ = late.set(Arc::downgrade(&link));
        return Ok(Started {
            link,
            process: Some(process),
            transport: plan.transport,
            place: String::new(),
            module: None,
        });
    }
    let (process, pipe) = start_process(&plan.process_options(options)?)?;
    let process = Arc::new(process);
    let link = Link::new(pipe, |shell| plan.connect(options, shell), on_printed(&process), ending(&process))?;
    let _ = late.set(Arc::downgrade(&link));
    let watched = Arc::downgrade(&link);
    process.on_exit(move || {
        if let Some(link) = watched.upgrade() {
            link.finish();
        }
    });
    Ok(Started { link, process: Some(process), transport: plan.transport, place: String::new(), module: None })
}

fn connect_blocking(address: &Address, options: &LoadOptions, late: &LateLink) -> Result<Started, Error> {
    let (pipe, why, connect) = dial(address, options)?;
    let ending = Ending { why, then: Box::new(|| {}) };
    let link = Link::new(pipe, connect, None, ending)?;
    let _ = late.set(Arc::downgrade(&link));
    Ok(Started { link, process: None, transport: address.transport(), place: address.to_string(), module: None })
}

fn connect_json_rpc_blocking(
    address: &Address,
    options: &LoadOptions,
    known: Vec<Arc<ServiceEntry>>,
    late: &LateLink,
) -> Result<Started, Error> {
    let (pipe, why, connect) = dial_json_rpc(address, options, known)?;
    let link = Link::new(pipe, connect, None, Ending { why, then: Box::new(|| {}) })?;
    let _ = late.set(Arc::downgrade(&link));
    let place = format!("{JSON_RPC_PREFIX}{address}");
    Ok(Started { link, process: None, transport: address.transport(), place, module: None })
}

fn ending(process: &Arc<PluginProcess>) -> Ending {
    let (ended, left) = (process.clone(), process.clone());
    Ending {
        why: Box::new(move || ended.why_ended()),
        then: Box::new(move || {
            left.stop();
        }),
    }
}

fn on_printed(process: &Arc<PluginProcess>) -> Option<OnPrinted> {
    let process = process.is_stdio().then(|| process.clone())?;
    Some(Box::new(move |bytes| process.printed(bytes)))
}

/// The lines that a plugin printed, on their way to the log of its connection.
#[derive(Clone)]
struct Records(Arc<RecordsState>);

#[derive(Default)]
struct RecordsState {
    link: OnceLock<Weak<Link>>,
    /// What came before there was a connection.
    early: Mutex<Vec<LogRecord>>,
}

impl Records {
    fn push(&self, record: LogRecord) {
        let mut early = lock(&self.0.early);
        let Some(link) = self.0.link.get() else {
            return early.push(record);
        };
        drop(early);
        if let Some(link) = link.upgrade() {
            link.push(Work::Log(record));
        }
    }

    /// Hands the records to a connection, from now on and those that came before.
    fn connect(&self, link: &Arc<Link>) {
        let mut early = lock(&self.0.early);
        let _ = self.0.link.set(Arc::downgrade(link));
        let records = std::mem::take(&mut *early);
        drop(early);
        for record in records {
            link.push(Work::Log(record));
        }
    }
}

/// Finds the plugin at a path: `(file, folder, name, version, language, module, transports, capabilities, is_derived)`.
#[pyfunction]
pub(crate) fn locate_plugin(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyTuple>> {
    let LocatedManifest { manifest, folder, file, is_derived, .. } = anyplug_host::locate_plugin(&path).or_raise(py)?;
    let transports = manifest.transports.map(|names| PyTuple::new(py, names)).transpose()?;
    let capabilities = PyTuple::new(py, &manifest.capabilities)?;
    let (name, version, language) = (manifest.name, manifest.version, manifest.language);
    (file, folder, name, version, language, manifest.interop.module, transports, capabilities, is_derived)
        .into_pyobject(py)
}

/// The process of a plugin that is a shared library: serves it until its host closes the channel. Returns the status of the process.
#[pyfunction]
pub(crate) fn run_library(py: Python<'_>, path: PathBuf) -> u8 {
    py.detach(|| anyplug_host::run_library(&path))
}

/// Compares two descriptor sets of a service, of its caller and of its callee.
#[pyfunction]
pub(crate) fn check_compatible(py: Python<'_>, service: &str, caller: &[u8], callee: &[u8]) -> PyResult<()> {
    anyplug_core::negotiation::check_compatible(service, caller, callee).or_raise(py)
}
