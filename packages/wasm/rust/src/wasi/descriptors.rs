//! What a guest does with what it has open: the standard streams, and files and folders that it was granted.

use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;

use cap_std::fs::{FileExt, Metadata};
use rustix::fs::{OFlags, fcntl_setfl};
use wasmtime::{Caller, Linker};

use crate::data::Data;
use crate::imports::{memory, range};
use crate::wasi::errno::{BAD_DESCRIPTOR, INVALID, IS_FOLDER, LONG_NAME, NO_FOLDER, NO_SEEK, NOT_SUPPORTED, OK, of};
use crate::wasi::folders::{Descriptor, Folder, OpenFile};
use crate::wasi::streams::print;
use crate::wasi::times::set_times;
use crate::wasi::{MODULE, put};

const CHARACTER_DEVICE: u8 = 2;
const FOLDER: u8 = 3;
const FILE: u8 = 4;
const LINK: u8 = 7;
/// A flag of a descriptor: what is written goes to the end.
pub(crate) const APPEND: u16 = 1;
/// All rights: what a descriptor may be used for is told by errors.
const RIGHTS: u64 = (1 << 30) - 1;
/// Ranges that are read or written at once, at most.
const MAX_VECTORS: u32 = 1024;

/// What goes on in a call: an error that the guest is told.
pub(crate) type Told<T> = Result<T, u32>;

/// Adds what works with standard streams, and with files and folders where any were granted.
///
/// # Errors
/// As the engine's.
pub(crate) fn link(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "fd_write",
        |mut caller: Caller<'_, Data>, fd: u32, vectors: u32, count: u32, at: u32| {
            write(&mut caller, "fd_write", fd, (vectors, count), None, at)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_read",
        |mut caller: Caller<'_, Data>, fd: u32, vectors: u32, count: u32, at: u32| {
            read(&mut caller, "fd_read", fd, (vectors, count), None, at)
        },
    )?;
    linker.func_wrap(MODULE, "fd_close", |mut caller: Caller<'_, Data>, fd: u32| {
        if fd <= 2 || caller.data_mut().wasi.opened.close(fd) { OK } else { BAD_DESCRIPTOR }
    })?;
    linker.func_wrap(
        MODULE,
        "fd_seek",
        |mut caller: Caller<'_, Data>, fd: u32, by: i64, from: u32, at: u32| match seek(caller.data_mut(), fd, by, from)
        {
            Ok(position) => put(&mut caller, "fd_seek", at, &position.to_le_bytes()),
            Err(told) => Ok(told),
        },
    )?;
    linker.func_wrap(MODULE, "fd_fdstat_get", |mut caller: Caller<'_, Data>, fd: u32, at: u32| {
        let (file_type, flags, rights) = match caller.data_mut().wasi.opened.get(fd) {
            _ if fd <= 2 => (CHARACTER_DEVICE, 0, 0),
            Some(Descriptor::Folder(_)) => (FOLDER, 0, RIGHTS),
            Some(Descriptor::File(file)) => (FILE, if file.appends { APPEND } else { 0 }, RIGHTS),
            None => return Ok(BAD_DESCRIPTOR),
        };
        let mut stat = [0; 24];
        stat[0] = file_type;
        stat[2..4].copy_from_slice(&flags.to_le_bytes());
        stat[8..16].copy_from_slice(&rights.to_le_bytes());
        stat[16..24].copy_from_slice(&rights.to_le_bytes());
        put(&mut caller, "fd_fdstat_get", at, &stat)
    })?;
    linker.func_wrap(MODULE, "fd_prestat_get", |mut caller: Caller<'_, Data>, fd: u32, at: u32| {
        let Some(length) = granted(caller.data_mut(), fd).map(|path| path.len() as u64) else {
            return Ok(BAD_DESCRIPTOR);
        };
        // A tag of 0, for a folder, and the length of its path.
        put(&mut caller, "fd_prestat_get", at, &(length << 32).to_le_bytes())
    })?;
    linker.func_wrap(
        MODULE,
        "fd_prestat_dir_name",
        |mut caller: Caller<'_, Data>, fd: u32, at: u32, length: u32| {
            let Some(path) = granted(caller.data_mut(), fd).map(|path| path.as_bytes().to_vec()) else {
                return Ok(BAD_DESCRIPTOR);
            };
            if path.len() > length as usize {
                Ok(LONG_NAME)
            } else {
                put(&mut caller, "fd_prestat_dir_name", at, &path)
            }
        },
    )?;
    Ok(())
}

/// Adds what there is for files alone.
///
/// # Errors
/// As the engine's.
pub(crate) fn link_files(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "fd_pread",
        |mut caller: Caller<'_, Data>, fd: u32, vectors: u32, count: u32, from: u64, at: u32| {
            read(&mut caller, "fd_pread", fd, (vectors, count), Some(from), at)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_pwrite",
        |mut caller: Caller<'_, Data>, fd: u32, vectors: u32, count: u32, from: u64, at: u32| {
            write(&mut caller, "fd_pwrite", fd, (vectors, count), Some(from), at)
        },
    )?;
    linker.func_wrap(MODULE, "fd_tell", |mut caller: Caller<'_, Data>, fd: u32, at: u32| {
        match seek(caller.data_mut(), fd, 0, 1) {
            Ok(position) => put(&mut caller, "fd_tell", at, &position.to_le_bytes()),
            Err(told) => Ok(told),
        }
    })?;
    for name in ["fd_sync", "fd_datasync"] {
        linker.func_wrap(MODULE, name, |mut caller: Caller<'_, Data>, fd: u32| {
            let synced = file(caller.data_mut(), fd).and_then(|file| file.file.sync_all().map_err(|error| of(&error)));
            synced.err().unwrap_or(OK)
        })?;
    }
    linker.func_wrap(MODULE, "fd_advise", |mut caller: Caller<'_, Data>, fd: u32, _: u64, _: u64, _: u32| {
        file(caller.data_mut(), fd).err().unwrap_or(OK)
    })?;
    linker.func_wrap(MODULE, "fd_fdstat_set_flags", |mut caller: Caller<'_, Data>, fd: u32, flags: u32| {
        let file = match file(caller.data_mut(), fd) {
            Ok(file) => file,
            Err(told) => return told,
        };
        if flags & !u32::from(APPEND) != 0 {
            return NOT_SUPPORTED;
        }
        file.appends = flags != 0;
        let own = if file.appends { OFlags::APPEND } else { OFlags::empty() };
        fcntl_setfl(&file.file, own).map_err(|error| of(&error.into())).err().unwrap_or(OK)
    })?;
    linker.func_wrap(MODULE, "fd_allocate", |_: u32, _: u64, _: u64| NOT_SUPPORTED)?;
    linker.func_wrap(MODULE, "fd_renumber", |mut caller: Caller<'_, Data>, fd: u32, to: u32| {
        if caller.data_mut().wasi.opened.renumber(fd, to) { OK } else { BAD_DESCRIPTOR }
    })?;
    linker.func_wrap(MODULE, "fd_filestat_get", |mut caller: Caller<'_, Data>, fd: u32, at: u32| {
        let mut stat = [0; 64];
        let metadata = match caller.data_mut().wasi.opened.get(fd) {
            _ if fd <= 2 => None,
            Some(Descriptor::Folder(folder)) => Some(folder.folder.dir_metadata()),
            Some(Descriptor::File(file)) => Some(file.file.metadata()),
            None => return Ok(BAD_DESCRIPTOR),
        };
        match metadata {
            None => stat[16] = CHARACTER_DEVICE,
            Some(Ok(metadata)) => stat = stat_of(&metadata),
            Some(Err(error)) => return Ok(of(&error)),
        }
        put(&mut caller, "fd_filestat_get", at, &stat)
    })?;
    linker.func_wrap(MODULE, "fd_filestat_set_size", |mut caller: Caller<'_, Data>, fd: u32, size: u64| match file(
        caller.data_mut(),
        fd,
    ) {
        Ok(file) if file.is_writable => file.file.set_len(size).map_err(|error| of(&error)).err().unwrap_or(OK),
        Ok(_) => BAD_DESCRIPTOR,
        Err(told) => told,
    })?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_set_times",
        |mut caller: Caller<'_, Data>, fd: u32, accessed: u64, changed: u64, which: u32| {
            let set = file(caller.data_mut(), fd).and_then(|file| match file.is_writable {
                true => set_times(&file.file, accessed, changed, which),
                false => Err(BAD_DESCRIPTOR),
            });
            set.err().unwrap_or(OK)
        },
    )?;
    Ok(())
}

/// What a granted folder is called.
fn granted(data: &mut Data, fd: u32) -> Option<&str> {
    match data.wasi.opened.get(fd)? {
        Descriptor::Folder(folder) => folder.guest_path.as_deref(),
        Descriptor::File(_) => None,
    }
}

/// A folder that is open.
pub(crate) fn folder(data: &mut Data, fd: u32) -> Told<&mut Folder> {
    match data.wasi.opened.get(fd) {
        Some(Descriptor::Folder(folder)) => Ok(folder),
        Some(Descriptor::File(_)) => Err(NO_FOLDER),
        None => Err(BAD_DESCRIPTOR),
    }
}

fn file(data: &mut Data, fd: u32) -> Told<&mut OpenFile> {
    match data.wasi.opened.get(fd) {
        Some(Descriptor::File(file)) => Ok(file),
        Some(Descriptor::Folder(_)) => Err(IS_FOLDER),
        None => Err(BAD_DESCRIPTOR),
    }
}

/// Where the guest's ranges are, each within its memory.
fn ranges(what: &str, own: &[u8], (at, count): (u32, u32)) -> wasmtime::Result<Vec<Range<usize>>> {
    let vectors = &own[range(what, at, count * 8, own.len())?];
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    vectors.chunks_exact(8).map(|vector| range(what, number(&vector[..4]), number(&vector[4..]), own.len())).collect()
}

fn write(
    caller: &mut Caller<'_, Data>,
    what: &'static str,
    fd: u32,
    vectors: (u32, u32),
    from: Option<u64>,
    at: u32,
) -> wasmtime::Result<u32> {
    let is_stream = fd == 1 || fd == 2;
    if !is_stream && let Err(told) = file(caller.data_mut(), fd) {
        return Ok(told);
    }
    if vectors.1 > MAX_VECTORS {
        return Ok(INVALID);
    }
    let memory = memory(caller)?;
    let (own, data) = memory.data_and_store_mut(&mut *caller);
    let mut written = 0u64;
    for range in ranges(what, own, vectors)? {
        let bytes = &own[range];
        if is_stream {
            print(data, fd, bytes)?;
            written += bytes.len() as u64;
            continue;
        }
        let wrote = match file(data, fd) {
            Ok(file) if !file.is_writable => Err(BAD_DESCRIPTOR),
            Ok(file) => match from {
                Some(from) => file.file.write_at(bytes, from.saturating_add(written)),
                None => file.file.write(bytes),
            }
            .map_err(|error| of(&error)),
            Err(told) => Err(told),
        };
        match wrote {
            Ok(wrote) => written += wrote as u64,
            // What was written already is told first.
            Err(told) if written == 0 => return Ok(told),
            Err(_) => break,
        }
        if wrote != Ok(bytes.len()) {
            break;
        }
    }
    put(caller, what, at, &(written as u32).to_le_bytes())
}

fn read(
    caller: &mut Caller<'_, Data>,
    what: &'static str,
    fd: u32,
    vectors: (u32, u32),
    from: Option<u64>,
    at: u32,
) -> wasmtime::Result<u32> {
    if fd == 0 {
        // Standard input is at its end.
        return put(caller, what, at, &[0; 4]);
    }
    if let Err(told) = file(caller.data_mut(), fd) {
        return Ok(told);
    }
    if vectors.1 > MAX_VECTORS {
        return Ok(INVALID);
    }
    let memory = memory(caller)?;
    let (own, data) = memory.data_and_store_mut(&mut *caller);
    let mut filled = 0u64;
    for range in ranges(what, own, vectors)? {
        let bytes = &mut own[range];
        let wanted = bytes.len();
        let read = match file(data, fd) {
            Ok(file) if !file.is_readable => Err(BAD_DESCRIPTOR),
            Ok(file) => match from {
                Some(from) => file.file.read_at(bytes, from.saturating_add(filled)),
                None => file.file.read(bytes),
            }
            .map_err(|error| of(&error)),
            Err(told) => Err(told),
        };
        match read {
            Ok(read) => filled += read as u64,
            Err(told) if filled == 0 => return Ok(told),
            Err(_) => break,
        }
        if read != Ok(wanted) {
            break;
        }
    }
    put(caller, what, at, &(filled as u32).to_le_bytes())
}

fn seek(data: &mut Data, fd: u32, by: i64, from: u32) -> Told<u64> {
    if fd <= 2 {
        return Err(NO_SEEK);
    }
    let position = match from {
        0 => SeekFrom::Start(u64::try_from(by).map_err(|_| INVALID)?),
        1 => SeekFrom::Current(by),
        2 => SeekFrom::End(by),
        _ => return Err(INVALID),
    };
    file(data, fd)?.file.seek(position).map_err(|error| of(&error))
}

/// The type of what lies in a folder; 0 for what is none of these.
pub(crate) fn file_type(of: cap_std::fs::FileType) -> u8 {
    match of {
        of if of.is_dir() => FOLDER,
        of if of.is_file() => FILE,
        of if of.is_symlink() => LINK,
        _ => 0,
    }
}

/// What is known of a file, as preview 1 has it.
pub(crate) fn stat_of(metadata: &Metadata) -> [u8; 64] {
    use cap_std::fs::MetadataExt;
    let time = |time: std::io::Result<cap_std::time::SystemTime>| {
        let since = time.ok().and_then(|time| time.into_std().duration_since(std::time::UNIX_EPOCH).ok());
        since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or_default()
    };
    let mut stat = [0; 64];
    stat[16] = file_type(metadata.file_type());
    let numbers = [
        (0, metadata.dev()),
        (8, metadata.ino()),
        (24, metadata.nlink()),
        (32, metadata.len()),
        (40, time(metadata.accessed())),
        (48, time(metadata.modified())),
        (56, time(metadata.modified())),
    ];
    for (at, number) in numbers {
        stat[at..at + 8].copy_from_slice(&number.to_le_bytes());
    }
    stat
}
