//! What a file is that should be a shared library, by its first bytes: the loader of the system says it in words of its own, if at all.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyplug_core::{Error, Result};

const ELF: [u8; 4] = *b"\x7fELF";
/// `e_type` of a shared object.
const SHARED: u16 = 3;

/// The machines of ELF, by number.
const MACHINES: [(u16, &str); 6] =
    [(3, "x86"), (40, "arm"), (62, "x86_64"), (183, "aarch64"), (243, "riscv64"), (258, "loongarch64")];

/// Checks that the file is a library for this machine, where libraries are ELF.
///
/// # Errors
/// NOT_FOUND when it cannot be read, INVALID_ARGUMENT when it is no shared library, FAILED_PRECONDITION when it is one for another machine.
pub(crate) fn check(file: &Path) -> Result<()> {
    let absent = |error: std::io::Error| {
        Error::not_found(format!("there is no library at {}: {error}", file.display())).with_source(error)
    };
    let mut start = Vec::new();
    File::open(file).and_then(|opened| opened.take(20).read_to_end(&mut start)).map_err(absent)?;
    if !cfg!(any(target_os = "linux", target_os = "android", target_os = "freebsd")) {
        return Ok(());
    }
    let number = |at: usize| {
        let bytes = start.get(at..at + 2)?.try_into().ok()?;
        Some(if start.get(5) == Some(&2) { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let (Some(kind), Some(machine)) = (number(16), number(18)) else { return Err(no_library(file)) };
    if !start.starts_with(&ELF) {
        return Err(no_library(file));
    }
    let known = MACHINES.iter().find(|(number, _)| *number == machine);
    let name = known.map_or_else(|| format!("machine {machine}"), |(_, name)| (*name).to_owned());
    let own = std::env::consts::ARCH;
    if name != own && MACHINES.iter().any(|(_, name)| *name == own) {
        return Err(Error::failed_precondition(format!(
            "{} is built for {name}, and this program for {own}; build it for this machine",
            file.display()
        )));
    }
    if kind != SHARED {
        return Err(no_library(file));
    }
    Ok(())
}

fn no_library(file: &Path) -> Error {
    Error::invalid_argument(format!("{} is no shared library", file.display()))
}
