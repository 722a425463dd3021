//! The folders that a guest was granted, and what it has open of them.

use std::io;
use std::path::Path;
use std::sync::Arc;

use anyplug_core::{Error, Result};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};

use crate::limits::WasiDirectory;

/// What a guest may have open, at most.
const MAX_OPEN: usize = 256;
/// Standard input, output and error come before it.
const FIRST: u32 = 3;

/// A folder that was granted.
#[derive(Debug)]
pub(crate) struct Grant {
    folder: Arc<Dir>,
    guest_path: String,
    is_writable: bool,
}

/// Opens the folders that are granted.
///
/// # Errors
/// NOT_FOUND or PERMISSION_DENIED for one that cannot be opened, INVALID_ARGUMENT for one that is no folder, or has no name for the guest.
pub(crate) fn open(directories: &[WasiDirectory]) -> Result<Arc<[Grant]>> {
    let open = |WasiDirectory { host_path, guest_path, read_only }: &WasiDirectory| {
        if guest_path.is_empty() || guest_path.contains('\0') {
            let message = format!("wasm.wasi_directories: {guest_path:?} is no path for {}", host_path.display());
            return Err(Error::invalid_argument(message));
        }
        let folder = Arc::new(open_folder(host_path)?);
        Ok(Grant { folder, guest_path: guest_path.clone(), is_writable: !read_only })
    };
    directories.iter().map(open).collect()
}

fn open_folder(path: &Path) -> Result<Dir> {
    Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| {
        let message = format!("wasm.wasi_directories: {} cannot be opened: {error}", path.display());
        let error_of = match error.kind() {
            io::ErrorKind::PermissionDenied => Error::permission_denied,
            io::ErrorKind::NotADirectory => Error::invalid_argument,
            _ => Error::not_found,
        };
        error_of(message).with_source(error)
    })
}

/// What a guest has open, beside the standard streams.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    places: Vec<Option<Descriptor>>,
}

/// Something that is open.
#[derive(Debug)]
pub(crate) enum Descriptor {
    Folder(Folder),
    File(OpenFile),
}

#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) folder: Arc<Dir>,
    /// What a granted one is called.
    pub(crate) guest_path: Option<String>,
    pub(crate) is_writable: bool,
    /// What was in it when the guest began to read it.
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) file: File,
    pub(crate) appends: bool,
    pub(crate) is_readable: bool,
    pub(crate) is_writable: bool,
}

/// What lies in a folder.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) inode: u64,
    pub(crate) file_type: u8,
}

impl Opened {
    pub(crate) fn new(grants: &[Grant]) -> Self {
        let open = |Grant { folder, guest_path, is_writable }: &Grant| {
            Some(Descriptor::Folder(Folder {
                folder: folder.clone(),
                guest_path: Some(guest_path.clone()),
                is_writable: *is_writable,
                entries: Vec::new(),
            }))
        };
        Self { places: grants.iter().map(open).collect() }
    }

    pub(crate) fn get(&mut self, fd: u32) -> Option<&mut Descriptor> {
        self.places.get_mut(fd.checked_sub(FIRST)? as usize)?.as_mut()
    }

    /// Its number; none when too much is open.
    pub(crate) fn add(&mut self, descriptor: Descriptor) -> Option<u32> {
        let place = self.places.iter().position(Option::is_none).unwrap_or(self.places.len());
        if place >= MAX_OPEN {
            return None;
        }
        match self.places.get_mut(place) {
            Some(free) => *free = Some(descriptor),
            None => self.places.push(Some(descriptor)),
        }
        Some(place as u32 + FIRST)
    }

    /// Gives one the number of another, which is closed. Whether there were both.
    pub(crate) fn renumber(&mut self, fd: u32, to: u32) -> bool {
        if self.get(fd).is_none() || self.get(to).is_none() {
            return false;
        }
        if fd != to {
            let place = |fd: u32| (fd - FIRST) as usize;
            self.places.swap(place(fd), place(to));
            self.places[place(fd)] = None;
        }
        true
    }

    /// Whether there was such a one.
    pub(crate) fn close(&mut self, fd: u32) -> bool {
        let place = fd.checked_sub(FIRST).and_then(|place| self.places.get_mut(place as usize));
        place.and_then(Option::take).is_some()
    }
}
