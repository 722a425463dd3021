//! A shared library that was loaded, whatever it is.

use std::error::Error as _;
use std::path::{Path, PathBuf};

use anyplug_core::{Error, Result};

use crate::machine;

/// A shared library that was loaded from a copy of its file. It is unloaded when it is dropped: nothing of it may be used, and none of its threads may run then.
#[derive(Debug)]
pub struct SharedLibrary {
    loaded: libloading::Library,
}

impl SharedLibrary {
    /// Loads the library at a path. It is copied to a private place before, so that a rebuilt one at the same path is loaded anew, and overwriting it does no harm.
    ///
    /// To load a library is to run it: what it does when it is loaded, it does with all rights of this process.
    ///
    /// # Errors
    /// NOT_FOUND when there is no such file; INVALID_ARGUMENT when it is no shared library; FAILED_PRECONDITION when it is for another machine or cannot be loaded; UNAVAILABLE when it cannot be copied.
    pub fn open(file: &Path) -> Result<Self> {
        machine::check(file)?;
        let copy = PrivateCopy::of(file)?;
        let loaded = open(&copy.file).map_err(|error| {
            // The loader names the copy, which says nothing to anybody.
            let told = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            let told = told.replace(&*copy.file.to_string_lossy(), &file.to_string_lossy());
            Error::failed_precondition(format!("{} cannot be loaded: {told}{}", file.display(), advice(&told)))
        })?;
        Ok(Self { loaded })
    }

    /// Whether it exports something of this name.
    pub fn exports(&self, name: &str) -> bool {
        // SAFETY: nothing is done with what it leads to.
        unsafe { self.loaded.get::<*const ()>(name).is_ok() }
    }

    /// A function that it exports; none when it does not.
    ///
    /// # Safety
    /// `F` is the type of a function pointer, and what the library has by this name is such a function. It may be called only while this library is there.
    pub unsafe fn function<F: Copy>(&self, name: &str) -> Option<F> {
        // SAFETY: as the caller says.
        unsafe { self.loaded.get::<F>(name).ok().map(|function| *function) }
    }
}

/// What to do about a library that the loader of the system refuses for this reason.
fn advice(told: &str) -> &'static str {
    // So begin the names of all that Python has for its modules.
    let is_for_python = ["Py", "_Py"].iter().any(|start| told.contains(&format!("undefined symbol: {start}")));
    if is_for_python {
        "; it is a module of Python, which this program is not, or not of a version that it fits: load it by its name, as in python:my_module, which starts Python"
    } else {
        ""
    }
}

fn open(file: &Path) -> std::result::Result<libloading::Library, libloading::Error> {
    #[cfg(unix)]
    {
        use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
        // A function that is missing is told now, not when it is called.
        // SAFETY: that its initialisers run is what loading a library is.
        unsafe { Library::open(Some(file), RTLD_NOW | RTLD_LOCAL).map(Into::into) }
    }
    #[cfg(not(unix))]
    // SAFETY: as above.
    unsafe {
        libloading::Library::new(file)
    }
}

/// A copy of a file in a folder that only this user can enter; gone when it is dropped, where the system lets go of it.
struct PrivateCopy {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl PrivateCopy {
    fn of(file: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::unavailable(format!("{} cannot be copied to a private place: {error}", file.display()))
                .with_source(error)
        };
        // It has mode 0700.
        let folder = tempfile::Builder::new().prefix("anyplug-").tempdir().map_err(failed)?;
        let copy = folder.path().join(file.file_name().unwrap_or_default());
        std::fs::copy(file, &copy).map_err(failed)?;
        Ok(Self { _folder: folder, file: copy })
    }
}
