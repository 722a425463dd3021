//! Where a shared library runs: in this process, or in one of its own.

use std::path::{Path, PathBuf};

use anyplug_core::{Error, Result};

/// The variable that names the program which libraries run in.
const RUNNER_VARIABLE: &str = "ANYPLUG_RUNNER";

/// What a host can say about a shared library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FfiOptions {
    /// What keeps it from its host.
    pub isolation: Isolation,
    /// The command that runs a library in a process, to which its path is added. Empty: what ANYPLUG_RUNNER names, or `anyplug-runner` beside this program.
    pub runner: Vec<String>,
}

/// What keeps a shared library from its host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Nothing: it runs in the host's process.
    #[default]
    None,
    /// It runs in a process of its own, with the same bytes going to and fro.
    Process,
}

impl Isolation {
    /// As it is called in options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Process => "process",
        }
    }
}

impl FfiOptions {
    /// The command that runs this library.
    ///
    /// # Errors
    /// FAILED_PRECONDITION when there is no runner.
    pub(crate) fn command(&self, library: &Path) -> Result<Vec<String>> {
        let mut command = self.runner.clone();
        if command.is_empty() {
            command.push(runner()?.to_string_lossy().into_owned());
        }
        command.push(library.to_string_lossy().into_owned());
        Ok(command)
    }
}

fn runner() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(RUNNER_VARIABLE) {
        return Ok(named.into());
    }
    let name = format!("anyplug-runner{}", std::env::consts::EXE_SUFFIX);
    let program = std::env::current_exe().ok();
    // The programs of tests are in a folder below that of other programs.
    let folders = program.iter().flat_map(|program| program.ancestors().skip(1).take(2));
    folders.map(|folder| folder.join(&name)).find(|file| file.is_file()).ok_or_else(|| {
        Error::failed_precondition(format!(
            "ffi.isolation \"process\" needs the program {name}, and it is not beside this one: put there what the crate anyplug-host builds under this name, or name it in ffi.runner or {RUNNER_VARIABLE}"
        ))
    })
}
