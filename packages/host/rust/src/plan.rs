//! Decides how a plugin is to be loaded, before anything is started.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyplug_core::router::{Grants, RouterOptions};
use anyplug_core::{
    Connection, ConnectionOptions, Error, LimitOptions, LogLevel, LogRecord, Result, Role, Router, Shell,
};
use anyplug_ffi::library_file;
use anyplug_ipc::{CONFIG_VARIABLE, OnLine, ProcessOptions, Stream};
use serde_json::{Map, Value};

use crate::command::split_command;
use crate::interpreter::{InterpreterOptions, interpreter};
use crate::locate::locate_plugin;
use crate::manifest::LocatedManifest;
use crate::options::LoadOptions;
use crate::paths::path_inside;

/// The transports of this host, in order of preference.
pub const TRANSPORTS: [&str; 5] = ["direct", "process", "stdio", "wasm", "ffi"];

/// What Linux takes of one variable, 128 KiB, without the variable's name and the zero byte at its end.
const MAX_CONFIG_BYTES: usize = (128 << 10) - CONFIG_VARIABLE.len() - 2;

/// How a plugin will be loaded.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The plugin's manifest.
    pub located: LocatedManifest,
    /// "direct", "process", "stdio", "wasm" or "ffi".
    pub transport: &'static str,
    /// The configuration: that of the manifest, with the host's own over it.
    pub config: Map<String, Value>,
    /// The limits of this side: the host's own, with those of the manifest below.
    pub limits: LimitOptions,
    /// The capabilities that the host grants, of those that the manifest names.
    pub grants: Vec<String>,
}

/// Finds the plugin at `path` and decides, for a plugin that is not linked into this program.
///
/// # Errors
/// As [`locate_plugin`]; INVALID_ARGUMENT for a transport that this host does not have; FAILED_PRECONDITION when the plugin cannot be reached by any that it has.
pub fn plan(path: &Path, options: &LoadOptions) -> Result<Plan> {
    plan_load(locate_plugin(path)?, options, false)
}

/// The file of a plugin's shared library: of a folder, its plugin.json, or the library itself.
///
/// # Errors
/// As [`locate_plugin`]; FAILED_PRECONDITION when the manifest names no library, INVALID_ARGUMENT when its path leaves the folder.
pub fn locate_library(path: &Path) -> Result<PathBuf> {
    plan(path, &LoadOptions { transport: Some("ffi".to_owned()), ..LoadOptions::default() })?.library_file()
}

pub(crate) fn plan_load(located: LocatedManifest, options: &LoadOptions, is_linked: bool) -> Result<Plan> {
    let transport = choose_transport(&located, options.transport.as_deref(), is_linked)?;
    let manifest = &located.manifest;
    let mut config: Map<String, Value> = manifest.config.clone().unwrap_or_default().into_iter().collect();
    config.extend(options.config.clone());
    let own = manifest.limits;
    let limits = LimitOptions {
        max_message_bytes: options.limits.max_message_bytes.or(own.max_message_bytes),
        max_pending_requests: options.limits.max_pending_requests.or(own.max_pending_requests),
        initial_credit_bytes: options.limits.initial_credit_bytes,
        max_buffer_bytes: options.limits.max_buffer_bytes.or(own.max_buffer_bytes.map(|bytes| bytes as usize)),
    };
    let grants = options
        .grants
        .iter()
        .filter(|grant| located.is_derived || manifest.capabilities.contains(grant))
        .cloned()
        .collect();
    Ok(Plan { transport, config, limits, grants, located })
}

fn is_json_rpc(located: &LocatedManifest) -> bool {
    located.manifest.interop.protocol.as_deref() == Some("json-rpc")
}

fn choose_transport(located: &LocatedManifest, asked: Option<&str>, is_linked: bool) -> Result<&'static str> {
    let file = located.file.display();
    if is_json_rpc(located) {
        return match asked {
            None | Some("stdio") => Ok("stdio"),
            Some(asked) => Err(Error::failed_precondition(format!(
                "{file}: interop.protocol is \"json-rpc\", which is spoken over transport \"stdio\", not over {asked:?}"
            ))),
        };
    }
    let known = |name: &str| TRANSPORTS.into_iter().find(|known| *known == name);
    if let Some(asked) = asked {
        let Some(transport) = known(asked) else {
            let message = format!("transport: expected one of {}, got {asked:?}", TRANSPORTS.join(", "));
            return Err(Error::invalid_argument(message));
        };
        if transport == "direct" && !is_linked {
            let message = format!(
                "{file}: transport \"direct\" is for a plugin in this host's language, Rust, that is linked into this program: \
                 give it to the load by `linked`"
            );
            return Err(Error::failed_precondition(message));
        }
        return Ok(transport);
    }
    let interop = &located.manifest.interop;
    let is_possible = |name: &str| match name {
        "direct" => is_linked,
        "wasm" => interop.wasm_path.is_some(),
        "ffi" => interop.shared_lib_path.is_some(),
        _ => true,
    };
    let possible: Vec<&'static str> = TRANSPORTS.into_iter().filter(|name| is_possible(name)).collect();
    // What shares the memory of its host is asked for, or there is nothing else.
    let is_native = matches!(interop.protocol.as_deref(), Some("ffi" | "native"))
        || interop.ipc_command.is_none() && interop.wasm_path.is_none();
    let is_module = interop.protocol.as_deref() == Some("wasm") || interop.ipc_command.is_none();
    let preferred = match &located.manifest.transports {
        Some(names) if !names.is_empty() => names.iter().map(String::as_str).collect(),
        _ if interop.wasm_path.is_some() && is_module => vec!["direct", "wasm", "process", "stdio"],
        _ if interop.shared_lib_path.is_some() && is_native => vec!["direct", "ffi", "process", "stdio", "wasm"],
        _ => TRANSPORTS.to_vec(),
    };
    let chosen = preferred.iter().find_map(|name| possible.iter().copied().find(|one| one == name));
    chosen.ok_or_else(|| {
        Error::failed_precondition(format!(
            "{file}: transports names {}, and this host has {} for it",
            preferred.join(", "),
            possible.join(", ")
        ))
    })
}

impl Plan {
    /// Whether the plugin speaks JSON-RPC, on its standard streams.
    pub fn is_json_rpc(&self) -> bool {
        is_json_rpc(&self.located)
    }

    /// The process to start.
    ///
    /// # Errors
    /// FAILED_PRECONDITION when the manifest names no command, INVALID_ARGUMENT when the configuration is too large for a variable.
    pub fn process_options(&self, options: &LoadOptions) -> Result<ProcessOptions> {
        let LocatedManifest { manifest, folder, file, python, .. } = &self.located;
        if self.transport == "ffi" {
            // What runs the library knows nothing of it: its configuration comes with the host's hello.
            return Ok(self.process_of(options.ffi.command(&self.library_file()?)?, self.working_folder()?, options));
        }
        let Some(command) = &manifest.interop.ipc_command else {
            let message = format!(
                "{}: interop.ipcCommand is missing, and transport {:?} needs a command to start",
                file.display(),
                self.transport
            );
            return Err(Error::failed_precondition(message));
        };
        let mut command = split_command(command)?;
        if let Some(program) = command.first_mut() {
            let chosen = InterpreterOptions { python: options.interpreter.python.clone().or_else(|| python.clone()) };
            *program = interpreter(program, folder, &chosen, |name| std::env::var_os(name));
        }
        let mut process = self.process_of(command, self.working_folder()?, options);
        if !self.config.is_empty() {
            process.environment.env.insert(CONFIG_VARIABLE.to_owned(), self.config_text()?);
        }
        Ok(process)
    }

    fn process_of(&self, command: Vec<String>, cwd: PathBuf, options: &LoadOptions) -> ProcessOptions {
        ProcessOptions {
            name: self.located.manifest.name.clone(),
            command,
            cwd,
            environment: options.environment.clone(),
            stdio: self.transport == "stdio",
            json_rpc: false,
            on_line: on_line(options),
        }
    }

    /// The module to load.
    ///
    /// # Errors
    /// FAILED_PRECONDITION when the manifest names none, INVALID_ARGUMENT when its path leaves the folder.
    pub fn wasm_file(&self) -> Result<PathBuf> {
        let LocatedManifest { manifest, folder, file, .. } = &self.located;
        match &manifest.interop.wasm_path {
            Some(path) => path_inside(folder, path, "interop.wasmPath"),
            None => Err(Error::failed_precondition(format!(
                "{}: interop.wasmPath is missing, and transport \"wasm\" needs a module",
                file.display()
            ))),
        }
    }

    /// The library to load.
    ///
    /// # Errors
    /// FAILED_PRECONDITION when the manifest names none, INVALID_ARGUMENT when its path leaves the folder.
    pub fn library_file(&self) -> Result<PathBuf> {
        let LocatedManifest { manifest, folder, file, .. } = &self.located;
        match &manifest.interop.shared_lib_path {
            Some(path) => path_inside(folder, path, "interop.sharedLibPath").map(|path| library_file(&path)),
            None => Err(Error::failed_precondition(format!(
                "{}: interop.sharedLibPath is missing, and transport \"ffi\" needs a library",
                file.display()
            ))),
        }
    }

    fn config_text(&self) -> Result<String> {
        config_text(&self.config, &self.located.manifest.name)
    }

    /// This side of the connection.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when a service is implemented twice, or the configuration is too large.
    pub fn connect(&self, options: &LoadOptions, shell: Arc<dyn Shell>) -> Result<Connection> {
        let router = host_router(options, &self.grants)?;
        let connection = ConnectionOptions::new(Role::Host, host_name(options), "", router, shell);
        // A process finds its configuration in its environment.
        let is_told = matches!(self.transport, "wasm" | "ffi") && !self.config.is_empty();
        let config = if is_told { self.config_text()? } else { String::new() };
        Connection::new(ConnectionOptions { limits: self.limits, config, ..connection })
    }

    fn working_folder(&self) -> Result<PathBuf> {
        let LocatedManifest { manifest, folder, .. } = &self.located;
        path_inside(folder, manifest.interop.cwd.as_deref().unwrap_or("."), "interop.cwd")
    }
}

/// The configuration as a plugin gets it, over any transport.
pub(crate) fn config_text(config: &Map<String, Value>, name: &str) -> Result<String> {
    let text = Value::Object(config.clone()).to_string();
    if text.len() <= MAX_CONFIG_BYTES {
        return Ok(text);
    }
    Err(Error::invalid_argument(format!(
        "the configuration of plugin \"{name}\" takes {} bytes, and a process takes {MAX_CONFIG_BYTES}; give the path of a file instead",
        text.len()
    )))
}

/// What this side serves, and what the plugin may call of it.
pub(crate) fn host_router(options: &LoadOptions, grants: &[String]) -> Result<Router> {
    Router::new(RouterOptions {
        services: options.services.clone(),
        uses: options.expect.clone(),
        grants: Grants::Only(grants.to_vec()),
        config: String::new(),
    })
}

/// The name that the plugin sees of this host.
pub(crate) fn host_name(options: &LoadOptions) -> String {
    if let Some(name) = &options.host_name {
        return name.clone();
    }
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(Path::file_stem).map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "host".to_owned())
}

/// A line that the plugin printed is a record of its log.
fn on_line(options: &LoadOptions) -> OnLine {
    let on_log = options.on_log.clone();
    Arc::new(move |stream, line| {
        let Some(on_log) = &on_log else { return };
        let level = match stream {
            Stream::Stdout => LogLevel::Info,
            Stream::Stderr => LogLevel::Warn,
        };
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time_ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        on_log(&LogRecord { time_ms, ..LogRecord::new(level, stream.name(), line) });
    })
}
