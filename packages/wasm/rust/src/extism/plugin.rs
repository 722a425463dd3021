//! An Extism plugin: a module, and the instances that its calls are made on.

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use anyplug_core::{Error, Instant, LogRecord, Result};

use crate::extism::guest::{Ended, ExtismGuest};
use crate::extism::module::ExtismModule;
use crate::extism::options::ExtismOptions;
use crate::module::check_size;

/// An Extism plugin: a module that was built with one of Extism's development kits. A clone is another handle of the same one.
///
/// A call blocks the thread that makes it. Each of the instances takes one call at a time; what a plugin keeps in variables stays with the instance. One that traps or is stopped is thrown away, and
/// the next call gets a new one.
#[derive(Clone)]
pub struct Extism {
    inner: Arc<Inner>,
}

struct Inner {
    module: ExtismModule,
    pool: Mutex<Pool>,
    changed: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<ExtismGuest>,
    /// Instances that there are, or are being made.
    made: u32,
    is_closed: bool,
}

thread_local! {
    /// The plugins that this thread is inside of.
    static INSIDE: RefCell<Vec<*const Inner>> = const { RefCell::new(Vec::new()) };
}

impl Extism {
    /// Reads, checks and compiles the module in a file, and makes an instance.
    ///
    /// # Errors
    /// NOT_FOUND when there is no such file; otherwise as [`Extism::new`].
    pub fn read(file: &Path, options: ExtismOptions) -> Result<Self> {
        let absent = |error: std::io::Error| {
            Error::not_found(format!("there is no module at {}: {error}", file.display())).with_source(error)
        };
        let named = |error: Error| error.map_message(|message| format!("{} {message}", file.display()));
        // Its size is asked for first: what is too large is not even read.
        let size = std::fs::metadata(file).map_err(absent)?.len();
        check_size(size, &options.wasm).map_err(named)?;
        let bytes = std::fs::read(file).map_err(absent)?;
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = options.name.clone().or(stem).unwrap_or_else(|| "extism".to_owned());
        Self::start(ExtismModule::new(&name, &bytes, options).map_err(named)?)
    }

    /// Checks and compiles a module, and makes an instance.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when it is no valid core module, FAILED_PRECONDITION when it wants imports that there are not, RESOURCE_EXHAUSTED when it is over a limit, and what its first instance fails
    /// with.
    pub fn new(bytes: &[u8], options: ExtismOptions) -> Result<Self> {
        let name = options.name.clone().unwrap_or_else(|| "extism".to_owned());
        let named = |error: Error| error.map_message(|message| format!("plugin \"{name}\" {message}"));
        Self::start(ExtismModule::new(&name, bytes, options).map_err(named)?)
    }

    fn start(module: ExtismModule) -> Result<Self> {
        let plugin = Self { inner: Arc::new(Inner { module, pool: Mutex::default(), changed: Condvar::new() }) };
        let guest = plugin.guest(None)?;
        plugin.give_back(Some(guest));
        Ok(plugin)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.inner.module.name
    }

    /// The functions that can be called.
    pub fn functions(&self) -> &[String] {
        &self.inner.module.functions
    }

    /// Which limits are enforced, and how.
    pub fn enforced(&self) -> Vec<String> {
        let mut enforced = self.inner.module.terms.wasm.enforced();
        enforced.extend(["max_var_bytes: by the host", "max_http_response_bytes: by the host"].map(str::to_owned));
        enforced
    }

    /// Calls a function, in this thread, and waits until then at the latest.
    ///
    /// # Errors
    /// UNIMPLEMENTED when it has no such function; INTERNAL in the plugin's words when it fails, and when it traps; DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED when it is over a limit; PERMISSION_DENIED
    /// when it asks a host that it was not granted; UNAVAILABLE when a request of its fails, and when it was closed; what a function of the host's own returned.
    pub fn call(&self, function: &str, input: &[u8], deadline: Option<Instant>) -> Result<Vec<u8>> {
        let module = &self.inner.module;
        if !module.functions.iter().any(|own| own == function) {
            let (name, known) = (&module.name, module.functions.join(", "));
            let message = format!("plugin \"{name}\" has no function {function:?}; it has: {known}");
            return Err(Error::unimplemented(message));
        }
        let mut guest = self.guest(deadline)?;
        let mut logged = Vec::new();
        let inside = Inside::new(&self.inner);
        let ended = guest.call(module, function, input, deadline, &mut logged);
        drop(inside);
        let result = match ended {
            Ended::Well(result) => {
                self.give_back(Some(guest));
                result
            }
            Ended::Badly(error) => {
                self.give_back(None);
                Err(error)
            }
        };
        self.log(logged);
        result
    }

    /// Takes no more calls. Those that are being made end by themselves.
    pub fn close(&self) {
        let mut pool = self.pool();
        pool.is_closed = true;
        let idle = std::mem::take(&mut pool.idle);
        drop(pool);
        self.inner.changed.notify_all();
        drop(idle);
    }

    /// An instance that nobody else has, which may be new.
    fn guest(&self, deadline: Option<Instant>) -> Result<ExtismGuest> {
        let module = &self.inner.module;
        let mut pool = self.pool();
        loop {
            if pool.is_closed {
                return Err(Error::unavailable(format!("plugin \"{}\" was closed", module.name)));
            }
            if let Some(guest) = pool.idle.pop() {
                return Ok(guest);
            }
            if pool.made < module.terms.wasm.instances.max(1) {
                break;
            }
            pool = self.wait(pool, deadline)?;
        }
        pool.made += 1;
        drop(pool);
        let mut logged = Vec::new();
        let inside = Inside::new(&self.inner);
        let started = ExtismGuest::start(module, deadline, &mut logged);
        drop(inside);
        if started.is_err() {
            self.give_back(None);
        }
        self.log(logged);
        started
    }

    fn wait<'a>(&self, pool: MutexGuard<'a, Pool>, deadline: Option<Instant>) -> Result<MutexGuard<'a, Pool>> {
        let name = self.name();
        if INSIDE.with_borrow(|inside| inside.contains(&Arc::as_ptr(&self.inner))) {
            let message =
                format!("plugin \"{name}\" is running: what it calls of its host cannot call it; raise wasm.instances");
            return Err(Error::failed_precondition(message));
        }
        let Some(deadline) = deadline else {
            return Ok(self.inner.changed.wait(pool).unwrap_or_else(PoisonError::into_inner));
        };
        let left = deadline.saturating_since(Instant::now());
        if left.is_zero() {
            let message = format!("plugin \"{name}\" was busy with other calls until the call's time was over");
            return Err(Error::deadline_exceeded(message));
        }
        Ok(self.inner.changed.wait_timeout(pool, left).unwrap_or_else(PoisonError::into_inner).0)
    }

    /// A call has ended; none: its instance is of no more use.
    fn give_back(&self, guest: Option<ExtismGuest>) {
        let mut pool = self.pool();
        let left = match guest {
            Some(guest) if !pool.is_closed => {
                pool.idle.push(guest);
                None
            }
            guest => {
                pool.made -= 1;
                guest
            }
        };
        drop(pool);
        self.inner.changed.notify_one();
        drop(left);
    }

    fn log(&self, records: Vec<LogRecord>) {
        if let Some(on_log) = &self.inner.module.terms.on_log {
            records.iter().for_each(|record| on_log(record));
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.inner.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Extism {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extism")
            .field("name", &self.name())
            .field("functions", &self.functions())
            .finish_non_exhaustive()
    }
}

/// This thread is inside of a plugin, until this is dropped.
struct Inside(());

impl Inside {
    fn new(plugin: &Arc<Inner>) -> Self {
        INSIDE.with_borrow_mut(|inside| inside.push(Arc::as_ptr(plugin)));
        Self(())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(|inside| inside.pop());
    }
}
