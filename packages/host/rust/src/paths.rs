//! Keeps the paths of a manifest in the plugin's folder.

use std::path::{Component, Path, PathBuf};

use anyplug_core::Error;

use crate::command::split_command;
use crate::manifest::{Interop, Manifest};

/// The absolute path of `inside`, which is relative to the plugin's folder.
///
/// # Errors
/// INVALID_ARGUMENT naming `member` when the path leaves the folder, by itself or by a symbolic link.
pub fn path_inside(folder: &Path, inside: &str, member: &str) -> Result<PathBuf, Error> {
    let path = check_name(folder, inside, member)?;
    if real_path(&path).starts_with(real_path(folder)) {
        Ok(path)
    } else {
        Err(left(inside, member, " by a symbolic link"))
    }
}

/// # Errors
/// INVALID_ARGUMENT for the first path of the manifest that leaves its folder.
pub(crate) fn check_paths(manifest: &Manifest, folder: &Path) -> Result<(), Error> {
    let Interop { cwd, wasm_path, shared_lib_path, module, ipc_command, .. } = &manifest.interop;
    let paths = [("interop.cwd", cwd), ("interop.wasmPath", wasm_path), ("interop.sharedLibPath", shared_lib_path)];
    for (member, path) in paths {
        if let Some(path) = path {
            path_inside(folder, path, member)?;
        }
    }
    // A name without a slash is a dotted Python module, or a program on PATH.
    if let Some(module) = module.as_ref().filter(|module| module.contains('/')) {
        path_inside(folder, module, "interop.module")?;
    }
    let Some(command) = ipc_command else { return Ok(()) };
    let words = split_command(command)?;
    // An absolute program is the system's own, and so may be what a link leads to: the Python of a virtual environment is one.
    if let Some(program) = words.first().filter(|program| program.contains('/') && !program.starts_with('/')) {
        let from = cwd.as_deref().unwrap_or(".");
        check_name(folder, &format!("{from}/{program}"), "interop.ipcCommand")?;
    }
    Ok(())
}

fn check_name(folder: &Path, inside: &str, member: &str) -> Result<PathBuf, Error> {
    let mut path = folder.to_owned();
    for component in Path::new(inside).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path != folder => {
                path.pop();
            }
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(left(inside, member, "")),
        }
    }
    Ok(path)
}

/// Where a path leads to, whose end need not exist yet.
fn real_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real_path(parent).join(name),
        _ => path.to_owned(),
    })
}

fn left(inside: &str, member: &str, how: &str) -> Error {
    Error::invalid_argument(format!("{member}: {inside:?} leaves the plugin's folder{how}"))
}
