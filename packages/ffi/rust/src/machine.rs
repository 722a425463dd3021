//! What a file is that should be a shared library, by its first bytes: of what the loader of the system says, not all is clear, and a file that was cut off may end the process.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use anyplug_core::{Error, Result};

const ELF: [u8; 4] = *b"\x7fELF";
/// The length of the header of 64 bits.
const HEADER_BYTES: usize = 64;
/// `e_type` of a shared object.
const SHARED: u16 = 3;
/// `p_type` of a segment that is loaded.
const LOADED: u32 = 1;
/// The length of what describes a segment.
const SEGMENT_BYTES: usize = 56;

/// The machines of ELF, by number.
const MACHINES: [(u16, &str); 6] =
    [(3, "x86"), (40, "arm"), (62, "x86_64"), (183, "aarch64"), (243, "riscv64"), (258, "loongarch64")];

/// Checks that the file is a library for this machine, where libraries are ELF of 64 bits.
///
/// # Errors
/// NOT_FOUND when it cannot be read, INVALID_ARGUMENT when it is no shared library or only a part of one, FAILED_PRECONDITION when it is one for another machine.
pub(crate) fn check(file: &Path) -> Result<()> {
    let absent = |error: std::io::Error| {
        Error::not_found(format!("there is no library at {}: {error}", file.display())).with_source(error)
    };
    let mut opened = File::open(file).map_err(absent)?;
    let size = opened.metadata().map_err(absent)?.len();
    let header = read(&mut opened, 0, HEADER_BYTES).map_err(absent)?;
    if !cfg!(all(target_os = "linux", target_pointer_width = "64")) {
        return Ok(());
    }
    let no_library = |why: &str| Error::invalid_argument(format!("{} is no shared library{why}", file.display()));
    if !header.starts_with(&ELF) || header.len() < 20 {
        return Err(no_library(""));
    }
    let is_own_order = header.get(5) == Some(&1) && cfg!(target_endian = "little");
    let number = u16_at(&header, 18);
    let machine = if is_own_order { number } else { number.swap_bytes() };
    let known = MACHINES.iter().find(|(number, _)| *number == machine);
    let name = known.map_or_else(|| format!("machine {machine}"), |(_, name)| (*name).to_owned());
    let own = std::env::consts::ARCH;
    let is_other = name != own && MACHINES.iter().any(|(_, name)| *name == own);
    if is_other || !is_own_order || header.get(4) != Some(&2) {
        return Err(Error::failed_precondition(format!(
            "{} is built for {name}, and this program for {own}; build it for this machine",
            file.display()
        )));
    }
    if u16_at(&header, 16) != SHARED {
        return Err(no_library(""));
    }
    let (table, count) = (u64_at(&header, 32), usize::from(u16_at(&header, 56)));
    let segments = read(&mut opened, table, count * SEGMENT_BYTES).map_err(absent)?;
    let end_of = |segment: &[u8]| u64_at(segment, 8).saturating_add(u64_at(segment, 32));
    let loaded = segments.chunks(SEGMENT_BYTES).filter(|segment| u32_at(segment, 0) == LOADED);
    let end = loaded.map(end_of).max().unwrap_or(u64::MAX);
    if end > size || segments.len() < count * SEGMENT_BYTES {
        return Err(no_library(&format!(
            ": it has {size} bytes, and is only a part of what it says; build or copy it again"
        )));
    }
    Ok(())
}

/// What there is of a range.
fn read(file: &mut File, at: u64, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at.min(i64::MAX as u64)))?;
    file.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u16::from_ne_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}
