//! What a guest does with the paths of folders that it was granted. cap-std sees to it that none leads out of its folder: not by "..", not from the root, and not over links.

use cap_std::fs::{Dir, OpenOptions};
use wasmtime::{Caller, Linker};

use crate::data::Data;
use crate::imports::{memory, range};
use crate::wasi::descriptors::{APPEND, Told, file_type, folder, stat_of};
use crate::wasi::errno::{
    EXISTS, INVALID, IS_FOLDER, LONG_NAME, LOOP, NO_ACCESS, NO_FOLDER, NO_MEMORY, NOT_FOUND, NOT_SUPPORTED, OK,
    READ_ONLY, TOO_MANY, of,
};
use crate::wasi::folders::{Descriptor, Entry, Folder, OpenFile};
use crate::wasi::times::set_times;
use crate::wasi::{MODULE, put};

/// The longest path, in bytes.
const MAX_PATH_BYTES: u32 = 4096;
/// What a folder may hold for a guest to read it.
const MAX_ENTRIES: usize = 100_000;
/// Of a lookup: links are followed.
const FOLLOW: u32 = 1;
/// How something is opened.
const CREATE: u32 = 1;
const ONLY_FOLDER: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;
/// Rights that are asked for.
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;

/// Adds what works with paths.
///
/// # Errors
/// As the engine's.
pub(crate) fn link(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "path_open",
        |mut caller: Caller<'_, Data>,
         fd: u32,
         lookup: u32,
         path: u32,
         length: u32,
         how: u32,
         rights: u64,
         _: u64,
         flags: u32,
         at: u32| {
            let opened = path_at(&mut caller, "path_open", path, length)?
                .and_then(|path| open(caller.data_mut(), fd, &path, How { lookup, how, rights, flags }));
            match opened {
                Ok(opened) => put(&mut caller, "path_open", at, &opened.to_le_bytes()),
                Err(told) => Ok(told),
            }
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_filestat_get",
        |mut caller: Caller<'_, Data>, fd: u32, lookup: u32, path: u32, length: u32, at: u32| {
            let found = path_at(&mut caller, "path_filestat_get", path, length)?.and_then(|path| {
                let folder = &folder(caller.data_mut(), fd)?.folder;
                let follows = lookup & FOLLOW != 0;
                let metadata = if follows { folder.metadata(&path) } else { folder.symlink_metadata(&path) };
                metadata.map_err(|error| of(&error))
            });
            match found {
                Ok(metadata) => put(&mut caller, "path_filestat_get", at, &stat_of(&metadata)),
                Err(told) => Ok(told),
            }
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_readlink",
        |mut caller: Caller<'_, Data>, fd: u32, path: u32, length: u32, into: u32, room: u32, at: u32| {
            let target = path_at(&mut caller, "path_readlink", path, length)?.and_then(|path| {
                let target = folder(caller.data_mut(), fd)?.folder.read_link(path).map_err(|error| of(&error))?;
                target.into_os_string().into_string().map_err(|_| INVALID)
            });
            match target {
                Ok(target) => {
                    let bytes = &target.as_bytes()[..target.len().min(room as usize)];
                    put(&mut caller, "path_readlink", into, bytes)?;
                    put(&mut caller, "path_readlink", at, &(bytes.len() as u32).to_le_bytes())
                }
                Err(told) => Ok(told),
            }
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_readdir",
        |mut caller: Caller<'_, Data>, fd: u32, into: u32, room: u32, cookie: u64, at: u32| match read_folder(
            caller.data_mut(),
            fd,
            room,
            cookie,
        ) {
            Ok(bytes) => {
                put(&mut caller, "fd_readdir", into, &bytes)?;
                put(&mut caller, "fd_readdir", at, &(bytes.len() as u32).to_le_bytes())
            }
            Err(told) => Ok(told),
        },
    )?;
    link_changes(linker)
}

/// Adds what changes folders.
fn link_changes(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    type Change = fn(&Dir, &str) -> std::io::Result<()>;
    let changes: [(&str, Change); 3] = [
        ("path_create_directory", |folder, path| folder.create_dir(path)),
        ("path_remove_directory", |folder, path| folder.remove_dir(path)),
        ("path_unlink_file", |folder, path| folder.remove_file(path)),
    ];
    for (name, change) in changes {
        linker.func_wrap(MODULE, name, move |mut caller: Caller<'_, Data>, fd: u32, path: u32, length: u32| {
            let changed = path_at(&mut caller, name, path, length)?
                .and_then(|path| change(&writable(caller.data_mut(), fd)?.folder, &path).map_err(|error| of(&error)));
            Ok(changed.err().unwrap_or(OK))
        })?;
    }
    linker.func_wrap(
        MODULE,
        "path_rename",
        |mut caller: Caller<'_, Data>, fd: u32, path: u32, length: u32, to_fd: u32, to_path: u32, to_length: u32| {
            let from = path_at(&mut caller, "path_rename", path, length)?;
            let to = path_at(&mut caller, "path_rename", to_path, to_length)?;
            let renamed = from.and_then(|from| {
                let to = to?;
                let to_folder = writable(caller.data_mut(), to_fd)?.folder.clone();
                let folder = &writable(caller.data_mut(), fd)?.folder;
                folder.rename(from, &to_folder, to).map_err(|error| of(&error))
            });
            Ok(renamed.err().unwrap_or(OK))
        },
    )?;
    // Links would be of use to lead others astray.
    linker.func_wrap(MODULE, "path_symlink", |_: u32, _: u32, _: u32, _: u32, _: u32| NOT_SUPPORTED)?;
    linker.func_wrap(MODULE, "path_link", |_: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32| NOT_SUPPORTED)?;
    linker.func_wrap(
        MODULE,
        "path_filestat_set_times",
        |mut caller: Caller<'_, Data>,
         fd: u32,
         lookup: u32,
         path: u32,
         length: u32,
         accessed: u64,
         changed: u64,
         which: u32| {
            let path = path_at(&mut caller, "path_filestat_set_times", path, length)?;
            let set =
                path.and_then(|path| set_path_times(caller.data_mut(), fd, lookup, &path, (accessed, changed, which)));
            Ok(set.err().unwrap_or(OK))
        },
    )?;
    Ok(())
}

fn set_path_times(data: &mut Data, fd: u32, lookup: u32, path: &str, times: (u64, u64, u32)) -> Told<()> {
    let folder = &writable(data, fd)?.folder;
    let found = if lookup & FOLLOW != 0 { folder.metadata(path) } else { folder.symlink_metadata(path) };
    let found = found.map_err(|error| of(&error))?;
    let (accessed, changed, which) = times;
    if found.is_dir() {
        return set_times(folder.open_dir(path).map_err(|error| of(&error))?, accessed, changed, which);
    }
    if !found.is_file() {
        return Err(NOT_SUPPORTED);
    }
    let mut options = OpenOptions::new();
    options.read(true);
    do_not_wait(&mut options);
    set_times(folder.open_with(path, &options).map_err(|error| of(&error))?, accessed, changed, which)
}

/// A path that the guest gives.
fn path_at(caller: &mut Caller<'_, Data>, what: &str, at: u32, length: u32) -> wasmtime::Result<Told<String>> {
    let memory = memory(caller)?;
    let own = memory.data(&*caller);
    let bytes = &own[range(what, at, length, own.len())?];
    if length > MAX_PATH_BYTES {
        return Ok(Err(LONG_NAME));
    }
    Ok(match str::from_utf8(bytes) {
        Ok("") => Err(NOT_FOUND),
        Ok(path) if path.contains('\0') => Err(INVALID),
        Ok(path) => Ok(path.to_owned()),
        Err(_) => Err(INVALID),
    })
}

/// A folder that is open, and may be changed.
fn writable(data: &mut Data, fd: u32) -> Told<&Folder> {
    let folder = folder(data, fd)?;
    if folder.is_writable { Ok(folder) } else { Err(READ_ONLY) }
}

/// How a path is opened.
struct How {
    lookup: u32,
    how: u32,
    rights: u64,
    flags: u32,
}

fn open(data: &mut Data, fd: u32, path: &str, how: How) -> Told<u32> {
    let parent = folder(data, fd)?;
    let writes = how.rights & WRITE != 0;
    if !parent.is_writable && (writes || how.how & (CREATE | TRUNCATE) != 0) {
        return Err(READ_ONLY);
    }
    let (folder, is_writable) = (parent.folder.clone(), parent.is_writable);
    if how.lookup & FOLLOW == 0 && folder.symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink()) {
        return Err(LOOP);
    }
    let descriptor = match folder.metadata(path) {
        Ok(_) if how.how & (CREATE | EXCLUSIVE) == CREATE | EXCLUSIVE => return Err(EXISTS),
        Ok(found) if found.is_dir() => {
            if writes || how.how & TRUNCATE != 0 {
                return Err(IS_FOLDER);
            }
            let folder = folder.open_dir(path).map_err(|error| of(&error))?.into();
            Descriptor::Folder(Folder { folder, guest_path: None, is_writable, entries: Vec::new() })
        }
        Ok(_) if how.how & ONLY_FOLDER != 0 => return Err(NO_FOLDER),
        // A pipe or a device could keep the host waiting.
        Ok(found) if !found.is_file() => return Err(NO_ACCESS),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound || how.how & CREATE == 0 => return Err(of(&error)),
        _ => open_file(&folder, path, &how)?,
    };
    data.wasi.opened.add(descriptor).ok_or(TOO_MANY)
}

fn open_file(folder: &Dir, path: &str, how: &How) -> Told<Descriptor> {
    let writes = how.rights & WRITE != 0;
    let is_readable = how.rights & READ != 0 || !writes;
    let appends = how.flags & u32::from(APPEND) != 0;
    let mut options = OpenOptions::new();
    options.read(is_readable).append(writes && appends);
    // A file that is made or cut short is opened for writing, though the guest may not write to it.
    let changes = how.how & (CREATE | TRUNCATE) != 0;
    options.write((writes && !appends) || (changes && !writes));
    options.create(how.how & CREATE != 0).create_new(how.how & (CREATE | EXCLUSIVE) == CREATE | EXCLUSIVE);
    options.truncate(how.how & TRUNCATE != 0 && !appends);
    do_not_wait(&mut options);
    let file = folder.open_with(path, &options).map_err(|error| of(&error))?;
    // It may be another than the one that was looked at.
    if !file.metadata().map_err(|error| of(&error))?.is_file() {
        return Err(NO_ACCESS);
    }
    if how.how & TRUNCATE != 0 && appends {
        file.set_len(0).map_err(|error| of(&error))?;
    }
    Ok(Descriptor::File(OpenFile { file, appends: writes && appends, is_readable, is_writable: writes }))
}

/// Opening a pipe waits for its other end, unless it is said that it shall not.
fn do_not_wait(options: &mut OpenOptions) {
    use cap_std::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
}

/// Entries from a place on, as many as there is room for; the last may be cut off.
fn read_folder(data: &mut Data, fd: u32, room: u32, cookie: u64) -> Told<Vec<u8>> {
    let folder = folder(data, fd)?;
    if cookie == 0 {
        folder.entries = entries(&folder.folder)?;
    }
    let mut bytes = Vec::new();
    let skipped = usize::try_from(cookie).unwrap_or(usize::MAX);
    for (index, entry) in folder.entries.iter().enumerate().skip(skipped) {
        bytes.extend_from_slice(&(index as u64 + 1).to_le_bytes());
        bytes.extend_from_slice(&entry.inode.to_le_bytes());
        bytes.extend_from_slice(&(entry.name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&u32::from(entry.file_type).to_le_bytes());
        bytes.extend_from_slice(entry.name.as_bytes());
        if bytes.len() >= room as usize {
            break;
        }
    }
    bytes.truncate(room as usize);
    Ok(bytes)
}

/// What lies in a folder, by name. What has no name in UTF-8 is left out.
fn entries(folder: &Dir) -> Told<Vec<Entry>> {
    use std::os::unix::fs::DirEntryExt;

    use cap_std::fs::MetadataExt;
    let own = folder.dir_metadata().map_err(|error| of(&error))?;
    let mut entries = Vec::new();
    for entry in folder.entries().map_err(|error| of(&error))? {
        let entry = entry.map_err(|error| of(&error))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let file_type = entry.file_type().map_or(0, file_type);
        entries.push(Entry { name, inode: entry.ino(), file_type });
        if entries.len() > MAX_ENTRIES {
            return Err(NO_MEMORY);
        }
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let itself = [".", ".."].map(|name| Entry { name: name.to_owned(), inode: own.ino(), file_type: 3 });
    Ok(itself.into_iter().chain(entries).collect())
}
