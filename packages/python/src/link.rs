//! A connection and the pump that moves its bytes, as Python's threads and event loops share them.

use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use anyplug_core::channel::BoxFuture;
use anyplug_core::log::LogRecord;
use anyplug_core::{Connection, Error, Instant, Shell};
use anyplug_ffi::Library;
use anyplug_ipc::{OnPrinted, Pipe, Pump, Runtime, Spin};
use anyplug_wasm::Module;

use crate::guest::Guest;
use crate::looped::Looped;
use crate::parker::{Parker, current_thread};
use crate::work::{Work, WorkQueue};

/// What is around the end of a connection whose stream has ended.
pub(crate) struct Ending {
    /// Says why. It may take a moment.
    pub(crate) why: Box<dyn Fn() -> Error + Send + Sync>,
    /// What is to be done after that. It may take seconds.
    pub(crate) then: Box<dyn Fn() + Send + Sync>,
}

impl Ending {
    /// Of a connection that did not start its peer.
    pub(crate) fn without_process() -> Self {
        Self { why: Box::new(|| Error::unavailable("the other side closed the channel")), then: Box::new(|| {}) }
    }
}

const CLOSING_CHECK: std::time::Duration = std::time::Duration::from_millis(1);

/// Who reads.
pub(crate) const NOBODY: u8 = 0;
/// A thread that waits for its own call, and reads meanwhile.
pub(crate) const CALLER: u8 = 1;
/// A thread that waits for work.
pub(crate) const WORKER: u8 = 2;
/// A thread that waits for work, and sleeps in the system until there is something to read.
pub(crate) const SLEEPER: u8 = 3;

pub(crate) struct Link {
    pub(crate) pump: Pump,
    pub(crate) work: WorkQueue,
    pub(crate) spin: Mutex<Spin>,
    /// Set once the connection belongs to an event loop.
    pub(crate) looped: OnceLock<Looped>,
    /// Callers that wait while another thread reads.
    pub(crate) followers: Mutex<Vec<Arc<Parker>>>,
    pub(crate) reads: AtomicU8,
    /// The worker that reads: it does itself what it reads. 0: none does.
    pub(crate) working_reader: AtomicUsize,
    /// When somebody last stopped to read, in nanoseconds of the clock.
    pub(crate) left_at: AtomicU64,
    /// A caller wants to read for itself.
    pub(crate) takes_over: AtomicBool,
    /// The thread that holds its output back for a moment, to write that of several handlers at once.
    holds_back: AtomicUsize,
    held_back: AtomicBool,
    /// The process has ended: what is in the pipe is all there is.
    finishing: AtomicBool,
    ended: AtomicBool,
    /// The connection ended because the stream did, and not by either side's decision.
    is_lost: AtomicBool,
    /// Threads that end the connection, and are about to wake who waited for its calls.
    closing: AtomicUsize,
    ending: Ending,
    /// The peer where it is in this process: whoever calls enters it, and nothing is read.
    guest: Option<Guest>,
    /// The process that the connection belongs to: a fork of it must leave it alone.
    owner: u32,
}

struct LinkShell {
    link: OnceLock<Weak<Link>>,
}

impl Link {
    /// Makes a connection over a pipe. `connect` is given the connection's shell.
    ///
    /// # Errors
    /// The error of `connect`; UNAVAILABLE when the system gives no descriptor.
    pub(crate) fn new(
        pipe: Pipe,
        connect: impl FnOnce(Arc<dyn Shell>) -> Result<Connection, Error>,
        on_printed: Option<OnPrinted>,
        ending: Ending,
    ) -> Result<Arc<Self>, Error> {
        let shell = Arc::new(LinkShell { link: OnceLock::new() });
        let connection = connect(shell.clone())?;
        let pump = Pump::new(pipe, connection, on_printed).map_err(refused)?;
        let link = Arc::new(Self::around(pump, ending, None));
        let _ = shell.link.set(Arc::downgrade(&link));
        link.pump.flush();
        Ok(link)
    }

    /// Makes an instance of a module and a connection to it. It may take until then to say hello.
    ///
    /// # Errors
    /// The error of `connect`; UNAVAILABLE when the system gives no descriptor.
    pub(crate) fn enter_module(
        module: &Module,
        until: Instant,
        connect: impl FnOnce(Arc<dyn Shell>) -> Result<Connection, Error>,
        late: &OnceLock<Weak<Self>>,
    ) -> Result<Arc<Self>, Error> {
        let make = |shell| {
            let (instance, connection) = anyplug_wasm::Instance::new(module, shell, connect)?;
            Ok((Guest::Module(instance, until), connection))
        };
        Self::enter_guest(make, late)
    }

    /// Makes an instance of a shared library and a connection to it.
    ///
    /// # Errors
    /// The error of `connect`; UNAVAILABLE when the system gives no descriptor.
    pub(crate) fn enter_library(
        library: &Library,
        connect: impl FnOnce(Arc<dyn Shell>) -> Result<Connection, Error>,
        late: &OnceLock<Weak<Self>>,
    ) -> Result<Arc<Self>, Error> {
        let make = |shell| {
            let (instance, connection) = anyplug_ffi::Instance::new(library, shell, connect)?;
            Ok((Guest::Library(instance), connection))
        };
        Self::enter_guest(make, late)
    }

    fn enter_guest(
        make: impl FnOnce(Arc<dyn Shell>) -> Result<(Guest, Connection), Error>,
        late: &OnceLock<Weak<Self>>,
    ) -> Result<Arc<Self>, Error> {
        let shell = Arc::new(LinkShell { link: OnceLock::new() });
        let (guest, connection) = make(shell.clone())?;
        let (own, other) = UnixStream::pair().map_err(refused)?;
        let write = own.try_clone().map_err(refused)?;
        let pipe = Pipe::new(own.into(), write.into()).map_err(refused)?;
        guest.on_end(move || drop(other));
        let pump = Pump::carried(pipe, connection, guest.carry()).map_err(refused)?;
        let link = Arc::new(Self::around(pump, Ending::without_process(), Some(guest.clone())));
        let _ = shell.link.set(Arc::downgrade(&link));
        let _ = late.set(Arc::downgrade(&link));
        guest.begin();
        Ok(link)
    }

    fn around(pump: Pump, ending: Ending, guest: Option<Guest>) -> Self {
        Self {
            pump,
            work: WorkQueue::default(),
            spin: Mutex::default(),
            looped: OnceLock::new(),
            followers: Mutex::default(),
            reads: AtomicU8::new(NOBODY),
            working_reader: AtomicUsize::new(0),
            left_at: AtomicU64::new(0),
            takes_over: AtomicBool::new(false),
            holds_back: AtomicUsize::new(0),
            held_back: AtomicBool::new(false),
            finishing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            closing: AtomicUsize::new(0),
            ending,
            guest,
            owner: crate::fork::generation(),
        }
    }

    /// Runs what may enter the peer where that is in this process: other threads of Python go on meanwhile.
    pub(crate) fn outside<T: Send>(&self, py: pyo3::Python<'_>, work: impl FnOnce() -> T + Send) -> T {
        if self.guest.is_some() { py.detach(work) } else { work() }
    }

    /// The peer where it is in this process.
    pub(crate) fn guest(&self) -> Option<&Guest> {
        self.guest.as_ref()
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.pump.connection()
    }

    /// Whether this is the process that made the connection, and not a fork of it.
    pub(crate) fn is_own_process(&self) -> bool {
        self.owner == crate::fork::generation()
    }

    /// Whether the stream has ended; why, the connection knows as soon as it has been found out.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Whether the connection ended because the stream did, and not by either side's decision.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::SeqCst)
    }

    /// Whether the connection has ended, and nothing is left to do in Python.
    pub(crate) fn is_over(&self) -> bool {
        self.work.lock().ended && self.work.is_empty()
    }

    /// Whether what has been read is all that will come.
    pub(crate) fn is_finishing(&self) -> bool {
        self.finishing.load(Ordering::SeqCst)
    }

    /// The process has ended: what is in the pipe is all there is, though a child of its own may hold the other end open.
    pub(crate) fn finish(&self) {
        self.finishing.store(true, Ordering::SeqCst);
        self.nudge();
    }

    /// Wakes whoever reads, or makes somebody read.
    pub(crate) fn nudge(&self) {
        match self.looped.get() {
            Some(looped) => looped.poke(),
            None => {
                self.pump.kick();
                self.work.wake_standby();
                self.hand_over();
            }
        }
    }

    /// Ends the connection by `end`, which wakes who waited for its calls; nobody leaves before that is done.
    pub(crate) fn close_by(&self, end: impl FnOnce(&Connection)) {
        self.closing.fetch_add(1, Ordering::SeqCst);
        end(self.connection());
        self.closing.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whoever read the end of the stream says so.
    pub(crate) fn stream_ended(self: &Arc<Self>) {
        if self.ended.swap(true, Ordering::SeqCst) {
            return;
        }
        let link = self.clone();
        let tell = move || {
            if link.connection().close_reason().is_none() {
                let why = (link.ending.why)();
                link.is_lost.store(true, Ordering::SeqCst);
                link.connection().closed(why);
            }
            // Another thread may have been first, and not have told everybody yet.
            while link.closing.load(Ordering::SeqCst) > 0 {
                std::thread::sleep(CLOSING_CHECK);
            }
            link.work.end();
            link.nudge();
            link.pump.close();
            (link.ending.then)();
        };
        // The reason may take a moment, in which neither a caller with a deadline nor an event loop should wait.
        if let Err(error) = std::thread::Builder::new().name("anyplug-end".to_owned()).spawn(tell) {
            self.connection().closed(Error::unavailable(format!("the channel has ended (why is not known: {error})")));
            self.work.end();
            self.nudge();
        }
    }

    /// Adds work for Python.
    pub(crate) fn push(&self, work: Work) {
        let does_it_itself = self.working_reader.load(Ordering::Relaxed) == current_thread();
        self.work.push(work, does_it_itself);
        if self.guest.is_some() && self.looped.get().is_none() {
            // The thread that would do it sleeps until there is something to read, and there never is.
            self.pump.kick();
        }
        if let Some(looped) = self.looped.get() {
            looped.nudge();
        }
    }

    /// Lets a caller read that waits, now that nobody does.
    pub(crate) fn hand_over(&self) {
        let next = lock(&self.followers).pop();
        if let Some(next) = next {
            next.wake_up();
        }
    }

    /// Writes what this thread's next calls of the connection cause only when [`release_output`](Self::release_output) is called.
    pub(crate) fn hold_output_back(&self) {
        self.holds_back.store(current_thread(), Ordering::Relaxed);
    }

    pub(crate) fn release_output(&self) {
        self.holds_back.store(0, Ordering::Relaxed);
        if self.held_back.swap(false, Ordering::SeqCst) {
            self.pump.wake();
        }
    }

    fn wake(&self) {
        if let Some(looped) = self.looped.get() {
            if looped.is_own_thread() {
                looped.nudge();
            } else {
                self.pump.flush();
                looped.poke();
            }
        } else if self.holds_back.load(Ordering::Relaxed) == current_thread() {
            self.held_back.store(true, Ordering::SeqCst);
        } else {
            self.pump.wake();
        }
    }
}

fn refused(error: std::io::Error) -> Error {
    Error::unavailable(format!("the channel cannot be opened: {error}")).with_source(error)
}

impl Shell for LinkShell {
    fn wake(&self) {
        if let Some(link) = self.link.get().and_then(Weak::upgrade) {
            link.wake();
        }
    }

    fn spawn(&self, future: BoxFuture<()>) {
        Spawner.spawn(future);
    }

    fn log(&self, record: LogRecord) {
        if let Some(link) = self.link.get().and_then(Weak::upgrade) {
            link.push(Work::Log(record));
        }
    }
}

/// Runs what is written in Rust and cannot end at once; handlers in Python do not come this way.
struct Spawner;

impl Runtime for Spawner {
    fn log(&self, _: LogRecord) {}
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nanoseconds of the clock.
pub(crate) fn nanoseconds(instant: Instant) -> u64 {
    u64::try_from(instant.saturating_since(Instant::default()).as_nanos()).unwrap_or(u64::MAX)
}
