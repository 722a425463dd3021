//! Finds the program of a command before it is started, so that the error can say what was looked for and where.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyplug_core::{Code, Error};
use rustix::fs::Access;

/// Where a program is looked for.
#[derive(Debug, Clone, Copy)]
pub struct ProgramPlace<'a> {
    /// The value of PATH; empty or absent: no folder.
    pub path: Option<&'a OsStr>,
    /// The folder that a program with a slash in its name is relative to.
    pub cwd: &'a Path,
}

/// Returns the absolute path of `program`.
///
/// # Errors
/// NOT_FOUND when there is none, PERMISSION_DENIED when it is there but is not executable.
pub fn find_program(program: &str, place: ProgramPlace<'_>) -> Result<PathBuf, Error> {
    if program.contains('/') {
        return find_at(&std::path::absolute(place.cwd.join(program)).unwrap_or_else(|_| program.into()));
    }
    let folders: Vec<PathBuf> =
        place.path.map(std::env::split_paths).into_iter().flatten().filter(|folder| folder.is_absolute()).collect();
    if let Some(found) = folders.iter().map(|folder| folder.join(program)).find(|path| is_executable(path)) {
        return Ok(found);
    }
    let place = if folders.is_empty() {
        "PATH is empty".to_owned()
    } else {
        let folders: Vec<_> = folders.iter().map(|folder| folder.to_string_lossy()).collect();
        format!("looked in {}", folders.join(", "))
    };
    let message = format!("program \"{program}\" was not found ({place}); install it, or add its folder to PATH");
    Err(Error::new(Code::NotFound, message))
}

fn find_at(path: &Path) -> Result<PathBuf, Error> {
    if is_executable(path) {
        return Ok(path.to_owned());
    }
    let shown = path.display();
    if path.is_file() {
        let message = format!("program {shown} is not executable; set its mode with chmod +x");
        return Err(Error::new(Code::PermissionDenied, message));
    }
    Err(Error::new(Code::NotFound, format!("program {shown} does not exist; build it, or name another command")))
}

/// The interpreter that a script names in its first line, or `None` when the file is no such script.
pub fn script_interpreter(path: &Path) -> Option<String> {
    let mut start = Vec::with_capacity(256);
    File::open(path).ok()?.take(256).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    line.split_whitespace().next().map(str::to_owned)
}

/// Whether a file is there that may be executed.
pub fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}
