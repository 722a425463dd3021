//! Compiled modules are kept on disk.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failing test says where by a panic")]

mod guest;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyplug_wasm::{CacheFolder, Module, WasmLimits};
use guest::{ECHO, Guest, Host, limits};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("anyplug-wasm-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn load(folder: &Path, guest: &Guest<'_>, fuel: Option<u64>) {
    let limits = WasmLimits { cache: CacheFolder::At(folder.to_owned()), fuel, ..limits() };
    let module = Module::new(&guest.bytes(), &limits).unwrap();
    assert_eq!(Host::new(&module).call(ECHO, b"kept").unwrap(), b"kept");
}

#[test]
fn a_module_is_kept_once_for_each_engine_and_used_again() {
    let folder = Folder::new("kept");
    let cache = folder.0.join("new").join("folder");
    load(&cache, &Guest::default(), None);
    let first = files(&cache);
    assert_eq!(first.len(), 1);
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    let modified = std::fs::metadata(&first[0]).unwrap().modified().unwrap();
    load(&cache, &Guest::default(), None);
    assert_eq!(files(&cache), first);
    assert_eq!(std::fs::metadata(&first[0]).unwrap().modified().unwrap(), modified, "it was not written again");
    load(&cache, &Guest::default(), Some(1 << 40));
    load(&cache, &Guest { odd: "unreachable", ..Guest::default() }, None);
    assert_eq!(files(&cache).len(), 3);
}

#[test]
fn a_file_that_the_engine_did_not_write_is_compiled_again() {
    let folder = Folder::new("broken");
    load(&folder.0, &Guest::default(), None);
    let file = files(&folder.0).remove(0);
    std::fs::write(&file, b"no machine code").unwrap();
    load(&folder.0, &Guest::default(), None);
    assert!(std::fs::metadata(&file).unwrap().len() > 1000, "it was written again");
}

#[test]
fn a_folder_that_others_can_write_to_is_not_used() {
    let folder = Folder::new("open");
    std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o777)).unwrap();
    load(&folder.0, &Guest::default(), None);
    assert_eq!(files(&folder.0), [] as [PathBuf; 0]);
}
