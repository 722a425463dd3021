//! Makes up the manifest of a plugin that has none.

use std::path::Path;

use anyplug_core::Result;

use crate::command::quote_word;
use crate::manifest::{Interop, LocatedManifest, Manifest};
use crate::wasm::read_section_of;

const NODE_MODULES: [&str; 3] = ["js", "mjs", "cjs"];
const LIBRARIES: [&str; 3] = ["so", "dylib", "dll"];

/// Imports the module that follows, and serves what it exports. Node finds the SDK from the plugin's folder.
const RUN_MODULE: &str = r#"import { run } from "@anyplug/sdk/run"; await run(process.argv[1]);"#;

/// Whether Node imports such a file.
pub(crate) fn is_node_module(file: &Path) -> bool {
    file.extension().is_some_and(|extension| NODE_MODULES.iter().any(|known| extension == *known))
}

/// Returns the plugin that a module for Node exports. `name`: by default that of the file.
pub(crate) fn derived_module(file: &Path, name: Option<&str>) -> LocatedManifest {
    let module = format!("./{}", file.file_name().unwrap_or_default().to_string_lossy());
    let command = format!("node --input-type=module --eval {} {}", quote_word(RUN_MODULE), quote_word(&module));
    derived(file, "typescript", command, Some(module), name)
}

/// Returns the plugin that a WebAssembly module is, by what its section says.
///
/// # Errors
/// As [`read_section_of`].
pub(crate) fn derived_wasm(file: &Path) -> Result<LocatedManifest> {
    let section = read_section_of(file)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let manifest = Manifest {
        name: plugin_name(&section.name),
        version: section.version,
        language: language_of(&section.runtime),
        interop: Interop { wasm_path: Some(format!("./{name}")), ..Interop::default() },
        transports: Some(vec!["wasm".to_owned()]),
        ..Manifest::default()
    };
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    Ok(LocatedManifest { manifest, folder, file: file.to_owned(), is_derived: true, python: None })
}

/// Whether such a file is a shared library.
pub(crate) fn is_library(file: &Path) -> bool {
    file.extension().is_some_and(|extension| LIBRARIES.iter().any(|known| extension == *known))
}

/// Returns the plugin that a shared library is, as far as that is known by its name: to ask it would be to run it.
pub(crate) fn derived_library(file: &Path) -> LocatedManifest {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let manifest = Manifest {
        name: plugin_name(stem.strip_prefix("lib").filter(|rest| !rest.is_empty()).unwrap_or(&stem)),
        interop: Interop { shared_lib_path: Some(format!("./{name}")), ..Interop::default() },
        transports: Some(vec!["ffi".to_owned()]),
        ..Manifest::default()
    };
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    LocatedManifest { manifest, folder, file: file.to_owned(), is_derived: true, python: None }
}

/// The language of a plugin, as its hello names it: empty when it is none of ours.
pub(crate) fn language_of(runtime: &str) -> String {
    let language = runtime.split(' ').next().unwrap_or_default();
    let known = ["typescript", "python", "rust"].contains(&language);
    if known { language.to_owned() } else { String::new() }
}

/// A name as plugin.json has it, for a file or module of this name.
pub(crate) fn plugin_name(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<_> =
        lower.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let plain = words.join("-");
    match plain.chars().next() {
        None => "plugin".to_owned(),
        Some(first) if first.is_ascii_lowercase() => plain,
        Some(_) => format!("plugin-{plain}"),
    }
}

/// What starts a process is preferred: a module of which nothing is known may be the plugin's program, and end the one that imports it.
pub(crate) fn derived(
    file: &Path,
    language: &str,
    ipc_command: String,
    module: Option<String>,
    own: Option<&str>,
) -> LocatedManifest {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let manifest = Manifest {
        name: plugin_name(own.unwrap_or(&stem)),
        language: language.to_owned(),
        interop: Interop { ipc_command: Some(ipc_command), module, ..Interop::default() },
        transports: Some(["process", "stdio", "direct"].map(str::to_owned).to_vec()),
        ..Manifest::default()
    };
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    LocatedManifest { manifest, folder, file: file.to_owned(), is_derived: true, python: None }
}
