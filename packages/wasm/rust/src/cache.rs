//! Compiled modules on disk, by what they were compiled from and by what.

use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyplug_core::{Error, Result};
use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module};

use crate::limits::CacheFolder;

/// Compiles a module, or takes it from the cache.
///
/// # Errors
/// INVALID_ARGUMENT when it is no valid module.
pub(crate) fn compile(engine: &Engine, bytes: &[u8], folder: &CacheFolder) -> Result<Module> {
    let place = open_folder(folder).map(|folder| folder.join(file_name(engine, bytes)));
    if let Some(place) = place.as_deref().filter(|place| place.exists()) {
        // SAFETY: the file is of a folder that only this user can write to, and was put there whole by `keep`, under a name that tells the engine, its settings and the module. The engine checks
        // its own version and settings once more.
        let kept = unsafe { Module::deserialize_file(engine, place) };
        if let Ok(module) = kept {
            return Ok(module);
        }
    }
    let module = Module::from_binary(engine, bytes)
        .map_err(|error| Error::invalid_argument(format!("is no valid WebAssembly module: {error:#}")))?;
    if let Some(place) = place {
        // Without the cache it is compiled again next time.
        let _ = keep(&place, &module);
    }
    Ok(module)
}

fn keep(place: &Path, module: &Module) -> wasmtime::Result<()> {
    let mut salt = [0; 8];
    getrandom::fill(&mut salt).map_err(|error| wasmtime::Error::msg(error.to_string()))?;
    let new = place.with_extension(format!("{:016x}", u64::from_le_bytes(salt)));
    let kept = module.serialize().and_then(|code| {
        let mut file = std::fs::File::create_new(&new)?;
        file.write_all(&code)?;
        file.sync_all()?;
        Ok(std::fs::rename(&new, place)?)
    });
    if kept.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    kept
}

fn file_name(engine: &Engine, bytes: &[u8]) -> String {
    let mut of_engine = Sha256Hasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut of_engine);
    let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{}-{}.cwasm", hex(&Sha256::digest(bytes)), hex(&of_engine.0.finalize()[..8]))
}

struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.first_chunk().copied().map(u64::from_le_bytes).unwrap_or_default()
    }
}

/// The folder, if there is one that nobody else can write to.
fn open_folder(folder: &CacheFolder) -> Option<PathBuf> {
    let folder = match folder {
        CacheFolder::Off => return None,
        CacheFolder::At(folder) => folder.clone(),
        CacheFolder::OfUser => folder_of_user()?,
    };
    make_private(&folder).then_some(folder)
}

fn folder_of_user() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("anyplug").join("wasm"))
}

#[cfg(unix)]
fn make_private(folder: &Path) -> bool {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let Ok(metadata) = std::fs::metadata(folder) else { return false };
    let own = rustix::process::geteuid().as_raw();
    metadata.is_dir() && metadata.uid() == own && metadata.mode() & 0o022 == 0
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> bool {
    std::fs::create_dir_all(folder).is_ok()
}
