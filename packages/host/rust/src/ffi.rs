//! A plugin in a shared library.

use std::sync::Arc;
use std::time::Duration;

use anyplug_core::{Connection, Error, Link, Result};
use anyplug_ffi::{Description, Instance, Library};
use anyplug_ipc::Runtime;

use crate::derive::language_of;
use crate::manifest::{LocatedManifest, Manifest};
use crate::options::LoadOptions;
use crate::plan::Plan;
use crate::runtime::RuntimeShell;
use crate::socket::open;
use crate::wait::block_on;

/// How long a library is waited for that has been told to end.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// A library and its one instance.
pub(crate) struct FfiInstance {
    description: Description,
    instance: Arc<Instance>,
    connection: Connection,
    drain_timeout: Duration,
}

impl FfiInstance {
    /// Loads the library, and returns it when calls can be made and the schemas fit. `look` is called every now and then; an error that it returns ends the wait.
    ///
    /// # Errors
    /// As [`Library::load`]; the plugin's own when it refuses to start, DEADLINE_EXCEEDED when the time is over, FAILED_PRECONDITION when the schemas do not fit; what `look` returned.
    pub(crate) fn start(
        plan: &Plan,
        options: &LoadOptions,
        runtime: Arc<dyn Runtime>,
        mut look: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        let library = Library::load(&plan.library_file()?)?;
        let around = Arc::new(RuntimeShell(runtime));
        let (instance, connection) = Instance::new(&library, around, |shell| plan.connect(options, shell))?;
        let description = library.description().clone();
        drop(library);
        let loaded = Self { description, instance, connection, drain_timeout: options.drain_timeout };
        loaded.instance.begin();
        let who = format!("plugin \"{}\"", loaded.description.name);
        let opened = open(&loaded.connection, &who, options, &mut look);
        opened.map_err(|error| loaded.instance.failure().cloned().unwrap_or(error))?;
        Ok(loaded)
    }

    pub(crate) fn link(&self) -> Arc<dyn Link> {
        Arc::new(self.connection.clone())
    }

    /// The manifest, with what only the library knows where there is no plugin.json.
    pub(crate) fn manifest(&self, located: LocatedManifest) -> Manifest {
        let said = &self.description;
        library_manifest(located, &said.name, &said.version, &said.runtime)
    }

    /// Lets calls in flight end, and then ends the instance and waits for that; the library is unloaded when the last of it is gone. Calling it again waits for the same end.
    pub(crate) fn close(&self) {
        let until = std::time::Instant::now() + self.drain_timeout;
        let in_time = || if std::time::Instant::now() < until { Ok(()) } else { Err(()) };
        // Calls that take longer end with it.
        let _ = block_on(self.connection.drain(), in_time);
        self.instance.end(Error::unavailable(format!("plugin \"{}\" was closed", self.description.name)));
        self.instance.wait_closed(END_TIMEOUT);
    }
}

impl Drop for FfiInstance {
    fn drop(&mut self) {
        self.instance.end(Error::unavailable(format!("plugin \"{}\" was dropped by its host", self.description.name)));
    }
}

/// The manifest of a library, with what it says itself where there is no plugin.json.
pub(crate) fn library_manifest(located: LocatedManifest, name: &str, version: &str, runtime: &str) -> Manifest {
    if !located.is_derived {
        return located.manifest;
    }
    let (name, version) = (name.to_owned(), version.to_owned());
    Manifest { name, version, language: language_of(runtime), ..located.manifest }
}
