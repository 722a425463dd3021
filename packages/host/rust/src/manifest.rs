//! Reads plugin.json: what a plugin is, and how it is reached.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyplug_core::Error;
use serde_json::Value;

use crate::paths::check_paths;
use crate::shape::At;

/// The file that a plugin's folder holds.
pub const MANIFEST_FILE: &str = "plugin.json";

/// plugin.json: its members as they stand there. Described in `anyplug.plugin.v1.Manifest`.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the schema says what they mean")]
pub struct Manifest {
    pub name: String,
    pub description: Option<String>,
    pub version: String,
    pub language: String,
    pub interop: Interop,
    pub config: Option<BTreeMap<String, Value>>,
    pub dependencies: Vec<String>,
    pub events: BTreeMap<String, Vec<Value>>,
    pub actions: Vec<Action>,
    pub providers: Vec<Provider>,
    pub evaluators: Vec<Evaluator>,
    pub services: Vec<Service>,
    pub routes: Vec<Route>,
    pub offers: Option<Vec<String>>,
    pub capabilities: Vec<String>,
    pub limits: ManifestLimits,
    pub transports: Option<Vec<String>>,
}

/// How the plugin is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the schema says what they mean")]
pub struct Interop {
    pub protocol: Option<String>,
    pub wasm_path: Option<String>,
    pub shared_lib_path: Option<String>,
    pub ipc_command: Option<String>,
    pub ipc_port: Option<u16>,
    pub cwd: Option<String>,
    pub module: Option<String>,
}

/// An action of an agent.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the schema says what they mean")]
pub struct Action {
    pub name: String,
    pub description: Option<String>,
    pub similes: Vec<String>,
    pub examples: Vec<Value>,
}

/// A provider of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the schema says what they mean")]
pub struct Provider {
    pub name: String,
    pub description: Option<String>,
    pub dynamic: Option<bool>,
    pub position: Option<i32>,
    pub private: Option<bool>,
}

/// An evaluator of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the schema says what they mean")]
pub struct Evaluator {
    pub name: String,
    pub description: Option<String>,
    pub always_run: Option<bool>,
    pub similes: Vec<String>,
}

/// A service of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the schema says what they mean")]
pub struct Service {
    pub r#type: String,
    pub description: Option<String>,
}

/// An HTTP route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the schema says what they mean")]
pub struct Route {
    pub path: String,
    pub method: String,
    pub name: Option<String>,
    pub public: Option<bool>,
    pub is_multipart: Option<bool>,
}

/// Limits of one plugin. None and 0 stand for the host's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the schema says what they mean")]
pub struct ManifestLimits {
    pub max_message_bytes: Option<u32>,
    pub max_buffer_bytes: Option<u32>,
    pub max_pending_requests: Option<u32>,
}

/// A manifest and the folder that its paths are relative to.
#[derive(Debug, Clone, PartialEq)]
pub struct LocatedManifest {
    /// What it says.
    pub manifest: Manifest,
    /// The absolute path of the manifest's folder.
    pub folder: PathBuf,
    /// The absolute path of the manifest.
    pub file: PathBuf,
    /// The manifest was made up from the surroundings: there is no plugin.json.
    pub is_derived: bool,
    /// The Python program of the environment that it is installed in.
    pub python: Option<String>,
}

/// Reads the manifest at `path`: a folder that holds a plugin.json, or the file itself.
///
/// # Errors
/// NOT_FOUND when there is none; INVALID_ARGUMENT when it is not JSON, or a member is not what it should be (named by its path), or a path leaves the folder.
pub fn read_manifest(path: &Path) -> Result<LocatedManifest, Error> {
    let file = locate(path)?;
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    let json = fs::read_to_string(&file)
        .map_err(|error| Error::not_found(format!("{}: {error}", file.display())).with_source(error))?;
    let read = parse_manifest(&json).and_then(|manifest| check_paths(&manifest, &folder).map(|()| manifest));
    match read {
        Ok(manifest) => Ok(LocatedManifest { manifest, folder, file, is_derived: false, python: None }),
        Err(error) => Err(error.map_message(|message| format!("{}: {message}", file.display()))),
    }
}

/// Returns the manifest in `json`.
///
/// # Errors
/// INVALID_ARGUMENT as [`read_manifest`] does, without looking at paths.
pub fn parse_manifest(json: &str) -> Result<Manifest, Error> {
    let value: Value = serde_json::from_str(json)
        .map_err(|error| Error::invalid_argument(format!("is not JSON: {error}")).with_source(error))?;
    manifest(&At::top(&value))
}

fn locate(path: &Path) -> Result<PathBuf, Error> {
    let absolute = std::path::absolute(path).map_err(|error| {
        Error::invalid_argument(format!("the path {path:?} of a plugin: {error}")).with_source(error)
    })?;
    if !absolute.exists() {
        return Err(Error::not_found(format!("there is no plugin at {}", absolute.display())));
    }
    if !absolute.is_dir() {
        return Ok(absolute);
    }
    let file = absolute.join(MANIFEST_FILE);
    if file.exists() {
        Ok(file)
    } else {
        Err(Error::not_found(format!("the folder {} has no {MANIFEST_FILE}", absolute.display())))
    }
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_lowercase())
        && chars.all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-')
}

fn manifest(at: &At<'_>) -> Result<Manifest, Error> {
    let name = |at: &At<'_>| at.matching(is_name, "lower-case letters, digits and dashes, beginning with a letter");
    let languages = |at: &At<'_>| at.one_of(&["typescript", "rust", "python", "other"]);
    Ok(Manifest {
        name: at.required("name", name)?,
        description: at.member("description", At::text)?,
        version: at.required("version", At::text)?,
        language: at.required("language", languages)?,
        interop: at.member("interop", interop)?.unwrap_or_default(),
        config: at.member("config", |at| at.record(At::anything))?,
        dependencies: texts(at, "dependencies")?.unwrap_or_default(),
        events: at.member("events", |at| at.record(|at| at.list(At::anything)))?.unwrap_or_default(),
        actions: at.member("actions", |at| at.list(action))?.unwrap_or_default(),
        providers: at.member("providers", |at| at.list(provider))?.unwrap_or_default(),
        evaluators: at.member("evaluators", |at| at.list(evaluator))?.unwrap_or_default(),
        services: at.member("services", |at| at.list(service))?.unwrap_or_default(),
        routes: at.member("routes", |at| at.list(route))?.unwrap_or_default(),
        offers: texts(at, "offers")?,
        capabilities: texts(at, "capabilities")?.unwrap_or_default(),
        limits: at.member("limits", limits)?.unwrap_or_default(),
        transports: texts(at, "transports")?,
    })
}

fn texts(at: &At<'_>, name: &str) -> Result<Option<Vec<String>>, Error> {
    at.member(name, |at| at.list(At::text))
}

fn interop(at: &At<'_>) -> Result<Interop, Error> {
    Ok(Interop {
        protocol: at.member("protocol", |at| at.one_of(&["wasm", "ffi", "ipc", "native", "json-rpc"]))?,
        wasm_path: at.member("wasmPath", At::text)?,
        shared_lib_path: at.member("sharedLibPath", At::text)?,
        ipc_command: at.member("ipcCommand", At::text)?,
        ipc_port: at.member("ipcPort", |at| at.integer(1..=65_535))?,
        cwd: at.member("cwd", At::text)?,
        module: at.member("module", At::text)?,
    })
}

fn action(at: &At<'_>) -> Result<Action, Error> {
    Ok(Action {
        name: at.required("name", At::text)?,
        description: at.member("description", At::text)?,
        similes: texts(at, "similes")?.unwrap_or_default(),
        examples: at.member("examples", |at| at.list(At::anything))?.unwrap_or_default(),
    })
}

fn provider(at: &At<'_>) -> Result<Provider, Error> {
    Ok(Provider {
        name: at.required("name", At::text)?,
        description: at.member("description", At::text)?,
        dynamic: at.member("dynamic", At::flag)?,
        position: at.member("position", |at| at.integer(i32::MIN.into()..=i32::MAX.into()))?,
        private: at.member("private", At::flag)?,
    })
}

fn evaluator(at: &At<'_>) -> Result<Evaluator, Error> {
    Ok(Evaluator {
        name: at.required("name", At::text)?,
        description: at.member("description", At::text)?,
        always_run: at.member("alwaysRun", At::flag)?,
        similes: texts(at, "similes")?.unwrap_or_default(),
    })
}

fn service(at: &At<'_>) -> Result<Service, Error> {
    Ok(Service { r#type: at.required("type", At::text)?, description: at.member("description", At::text)? })
}

fn route(at: &At<'_>) -> Result<Route, Error> {
    let methods = |at: &At<'_>| at.one_of(&["GET", "POST", "PUT", "PATCH", "DELETE", "STATIC"]);
    Ok(Route {
        path: at.required("path", At::text)?,
        method: at.required("method", methods)?,
        name: at.member("name", At::text)?,
        public: at.member("public", At::flag)?,
        is_multipart: at.member("isMultipart", At::flag)?,
    })
}

fn limits(at: &At<'_>) -> Result<ManifestLimits, Error> {
    let limit = |name| at.member(name, |at| at.integer(0..=u32::MAX.into()));
    Ok(ManifestLimits {
        max_message_bytes: limit("maxMessageBytes")?,
        max_buffer_bytes: limit("maxBufferBytes")?,
        max_pending_requests: limit("maxPendingRequests")?,
    })
}
