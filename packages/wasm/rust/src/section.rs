//! The custom section that says what a module is, read before anything is compiled.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use anyplug_core::{Error, Result};
use anyplug_protocol::anyplug::wire::v1::Hello;
use prost::Message;

/// The name of the section.
pub const SECTION: &str = "anyplug";
/// The version of the embedded ABI that this host speaks.
pub const ABI: u32 = 1;
/// The longest section, in bytes: a hello fits into much less.
const MAX_BYTES: u64 = 1 << 20;

const MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";
const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The name of the plugin.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its language and library, for people and logs only.
    pub runtime: String,
    /// The full names of the services that it serves, as far as the section names them.
    pub services: Vec<String>,
}

/// Reads the section of the module in a file, and not much more of it.
///
/// # Errors
/// NOT_FOUND when there is no such file; otherwise as [`read_section`], naming the file.
pub fn read_section_of(file: &Path) -> Result<Section> {
    let absent = |error: io::Error| {
        Error::not_found(format!("there is no module at {}: {error}", file.display())).with_source(error)
    };
    let named = |error: Error| error.map_message(|message| format!("{} {message}", file.display()));
    let opened = File::open(file).map_err(absent)?;
    let bytes = opened.metadata().map_err(absent)?.len();
    read(BufReader::new(opened), bytes).map_err(named)
}

/// Reads the section of the module in `bytes`.
///
/// # Errors
/// INVALID_ARGUMENT when this is no core module; FAILED_PRECONDITION when it has no such section, or two, or one of another version, or one that cannot be read.
pub fn read_section(bytes: &[u8]) -> Result<Section> {
    read(io::Cursor::new(bytes), bytes.len() as u64)
}

fn read(mut source: impl Read + Seek, bytes: u64) -> Result<Section> {
    let mut header = [0; 8];
    let is_read = source.read_exact(&mut header).is_ok();
    if !is_read || header != MODULE {
        let what = if header == COMPONENT {
            "is a WebAssembly component; a plugin is a core module"
        } else {
            "is no WebAssembly module"
        };
        return Err(Error::invalid_argument(what));
    }
    let found = find(&mut source, bytes).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::failed_precondition(format!("has two sections \"{SECTION}\"; a plugin has one"))
        }
        io::ErrorKind::FileTooLarge => {
            Error::failed_precondition(format!("has a section \"{SECTION}\" of more than {MAX_BYTES} bytes"))
        }
        _ => Error::invalid_argument(format!("is no WebAssembly module: {error}")),
    })?;
    match found {
        Some(data) => parse(&data),
        None => Err(Error::failed_precondition(format!(
            "is no plugin: it has no section \"{SECTION}\"; build it with the anyplug SDK"
        ))),
    }
}

/// Goes through the sections of a module of so many bytes, behind its header.
fn find(source: &mut (impl Read + Seek), bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let mut found = None;
    let mut id = [0];
    while source.read(&mut id)? == 1 {
        let length = u64::from(read_length(source)?);
        let from = source.stream_position()?;
        let end = from + length;
        if end > bytes {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends in the middle of a section"));
        }
        if id == [0] {
            let name_bytes = u64::from(read_length(source)?);
            let mut name = Vec::new();
            if name_bytes == SECTION.len() as u64 {
                source.take(name_bytes).read_to_end(&mut name)?;
            }
            let at = source.stream_position()?;
            if name == SECTION.as_bytes() && at <= end {
                if end - at > MAX_BYTES {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                let mut data = Vec::new();
                source.take(end - at).read_to_end(&mut data)?;
                if found.replace(data).is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
            }
        }
        source.seek(SeekFrom::Start(end))?;
    }
    Ok(found)
}

/// Reads a u32 in LEB128.
fn read_length(source: &mut impl Read) -> io::Result<u32> {
    let mut length = 0u32;
    for shift in [0, 7, 14, 21, 28] {
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        length |= u32::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the length of a section cannot be read"))
}

fn parse(data: &[u8]) -> Result<Section> {
    let Some((version, hello)) = data.split_first_chunk() else {
        return Err(Error::failed_precondition(format!("has a section \"{SECTION}\" of {} bytes", data.len())));
    };
    let version = u32::from_le_bytes(*version);
    if version != ABI {
        return Err(Error::failed_precondition(format!(
            "speaks version {version} of the embedded ABI, and this host speaks {ABI}; build it with the SDK of this version"
        )));
    }
    let unreadable = |what: &str| Error::failed_precondition(format!("has a section \"{SECTION}\" that {what}"));
    let hello = Hello::decode(hello).map_err(|error| unreadable("holds no Hello").with_source(error))?;
    if hello.name.is_empty() || hello.version.is_empty() {
        return Err(unreadable("does not tell the plugin's name and version"));
    }
    let services = hello.services.into_iter().map(|service| service.name).collect();
    Ok(Section { name: hello.name, version: hello.version, runtime: hello.runtime, services })
}
