//! Finds out what a plugin is that is given by a path or by the name of a module, with a manifest or without.

use std::path::{Path, PathBuf};

use anyplug_core::{Error, Result};

use crate::command::quote_word;
use crate::manifest::{Interop, LocatedManifest, Manifest, read_manifest};

/// Stands before the name of a Python module.
pub(crate) const PYTHON_PREFIX: &str = "python:";
const NODE_MODULES: [&str; 3] = ["js", "mjs", "cjs"];

/// Imports the module that follows, and serves what it exports. Node finds the SDK from the plugin's folder.
const RUN_MODULE: &str = r#"import { run } from "@anyplug/sdk/run"; await run(process.argv[1]);"#;

/// Returns the plugin at `path`: a folder that holds a plugin.json, a manifest (.json), a module that exports `plugin` (.js, .mjs, .cjs, .py), an executable file, or the name of a Python module
/// behind `python:`.
///
/// # Errors
/// As [`read_manifest`]; INVALID_ARGUMENT for a file that is none of these.
pub fn locate_plugin(path: &Path) -> Result<LocatedManifest> {
    if let Some(module) = path.to_str().and_then(|path| path.strip_prefix(PYTHON_PREFIX)) {
        return locate_python_module(module, Path::new("."));
    }
    let file = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if !file.is_file() || extension == "json" {
        return read_manifest(&file);
    }
    let base = format!("./{}", file.file_name().unwrap_or_default().to_string_lossy());
    let name = quote_word(&base);
    if extension == "py" {
        return Ok(derived(&file, "python", format!("python -m anyplug.run {name}"), None));
    }
    if NODE_MODULES.contains(&extension) {
        let command = format!("node --input-type=module --eval {} {name}", quote_word(RUN_MODULE));
        return Ok(derived(&file, "typescript", command, Some(base)));
    }
    if anyplug_ipc::is_executable(&file) {
        return Ok(derived(&file, "", name, None));
    }
    Err(Error::invalid_argument(format!(
        "{} is no plugin: expected a folder with a plugin.json, a manifest (.json), a module (.js, .mjs, .cjs, .py) or an executable file",
        file.display()
    )))
}

/// Returns the plugin that a Python module binds to `plugin`, or to the attribute named: `my_package.my_module:my_plugin`. Python is started in `folder`; modules there are found as well.
///
/// # Errors
/// INVALID_ARGUMENT when this is no name of a module.
pub(crate) fn locate_python_module(module: &str, folder: &Path) -> Result<LocatedManifest> {
    let (dotted, attribute) = module.split_once(':').unwrap_or((module, "plugin"));
    if !dotted.split('.').chain(attribute.split('.')).all(is_identifier) {
        return Err(Error::invalid_argument(format!(
            "{module:?} is no Python module: expected a name such as my_package.my_module, or a path"
        )));
    }
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let file = folder.join(dotted.rsplit('.').next().unwrap_or_default());
    let located = derived(&file, "python", format!("python -m anyplug.run {module}"), None);
    Ok(LocatedManifest { file: PathBuf::from(module), ..located })
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

fn is_identifier(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && chars.all(|char| char == '_' || char.is_alphanumeric())
}

/// What starts a process is preferred: a module of which nothing is known may be the plugin's program, and end the one that imports it.
fn derived(file: &Path, language: &str, ipc_command: String, module: Option<String>) -> LocatedManifest {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let manifest = Manifest {
        name: plugin_name(&stem),
        language: language.to_owned(),
        interop: Interop { ipc_command: Some(ipc_command), module, ..Interop::default() },
        transports: Some(["process", "stdio", "direct"].map(str::to_owned).to_vec()),
        ..Manifest::default()
    };
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    LocatedManifest { manifest, folder, file: file.to_owned(), is_derived: true, python: None }
}
