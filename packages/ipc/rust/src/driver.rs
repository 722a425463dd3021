//! The host's side: a thread per connection that reads when no caller does, and callers that read for themselves as long as that is faster.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use anyplug_core::channel::{BoxFuture, Instant, Shell};
use anyplug_core::log::LogRecord;
use anyplug_core::{Connection, Error};

use crate::company::Company;
use crate::pipe::Pipe;
use crate::process::PluginProcess;
use crate::pump::{OnPrinted, Pump, Turn};
use crate::runtime::Runtime;
use crate::spin::Spin;

/// How long the thread stays out of the way of callers that read for themselves, after the last of them. While they go on, it looks ever less often: each look takes a core from somebody.
const QUIET: Duration = Duration::from_millis(1);
const LONGEST_QUIET: Duration = Duration::from_millis(8);

/// How long a request may wait for others, at most.
const WATCH: Duration = Duration::from_millis(1);

/// Moves the bytes of a plugin's connection. It has a thread, which waits where no caller does, and ends with the stream.
///
/// A thread that waits in `poll` is woken by the kernel for each answer, which costs more than the call. So a caller that expects its answer at once reads for itself, without asking: the thread
/// notices by the first bytes that come, and stands aside until callers have been quiet for a while, or one has waited in vain.
pub struct Driver {
    pump: Pump,
    process: Option<Arc<PluginProcess>>,
    ending: Ending,
    spin: Mutex<Spin>,
    company: Company,
    /// What the thread does: one of the constants below.
    thread: AtomicU8,
    /// Requests wait to be written together.
    holds_back: AtomicBool,
    /// The thread does not wait for longer than [`WATCH`] at a time.
    watches: AtomicBool,
    /// How many callers have read their answers for themselves.
    hits: AtomicU64,
    /// The process has ended: what is in the pipe is all there is.
    finishing: AtomicBool,
    stream_ended: AtomicBool,
    gate: Mutex<Gate>,
    changed: Condvar,
}

/// What is around the end of a connection.
pub struct Ending {
    /// Says why the stream has ended. It may take a moment.
    pub why: Box<dyn Fn() -> Error + Send + Sync>,
    /// What is to be done when the connection has ended, by whichever side, in the thread of the driver. It may take its time.
    pub then: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Gate {
    /// A caller has stopped reading for itself, and leaves calls that wait.
    handed_over: bool,
    ended: bool,
}

/// It reads, or waits until there is something to read.
const READS: u8 = 0;
/// It waits, and has yet to notice that a caller reads.
const CLAIMED: u8 = 1;
/// It stands aside.
const ASIDE: u8 = 2;

impl Driver {
    /// Makes a connection over the pipe of a process, and starts the thread that moves its bytes. `connect` is given the connection's shell. When the connection has ended, the process is stopped.
    ///
    /// # Errors
    /// The error of `connect`; UNAVAILABLE when the system gives no thread or descriptor.
    pub fn start(
        process: Arc<PluginProcess>,
        pipe: Pipe,
        runtime: Arc<dyn Runtime>,
        connect: impl FnOnce(Arc<dyn Shell>) -> Result<Connection, Error>,
    ) -> Result<Arc<Self>, Error> {
        let printed = process.is_stdio().then(|| -> OnPrinted {
            let process = process.clone();
            Box::new(move |bytes| process.printed(bytes))
        });
        let ended = process.clone();
        let ending = Ending { why: Box::new(move || ended.why_ended()), then: Box::new(|| {}) };
        let driver = Self::begin(Some(process.clone()), pipe, printed, ending, runtime, connect)?;
        let finishing = Arc::downgrade(&driver);
        process.on_exit(move || {
            if let Some(driver) = finishing.upgrade() {
                driver.finish();
            }
        });
        Ok(driver)
    }

    /// Makes a connection over the channel to a peer that this program did not start, as [`Driver::start`] does.
    ///
    /// # Errors
    /// As [`Driver::start`].
    pub fn start_over(
        pipe: Pipe,
        ending: Ending,
        runtime: Arc<dyn Runtime>,
        connect: impl FnOnce(Arc<dyn Shell>) -> Result<Connection, Error>,
    ) -> Result<Arc<Self>, Error> {
        Self::begin(None, pipe, None, ending, runtime, connect)
    }

    fn begin(
        process: Option<Arc<PluginProcess>>,
        pipe: Pipe,
        printed: Option<OnPrinted>,
        ending: Ending,
        runtime: Arc<dyn Runtime>,
        connect: impl FnOnce(Arc<dyn Shell>) -> Result<Connection, Error>,
    ) -> Result<Arc<Self>, Error> {
        let shell = Arc::new(DriverShell { driver: OnceLock::new(), runtime });
        let connection = connect(shell.clone())?;
        let refused =
            |error: io::Error| Error::unavailable(format!("the channel cannot be opened: {error}")).with_source(error);
        let driver = Arc::new(Self {
            pump: Pump::new(pipe, connection, printed).map_err(refused)?,
            process,
            ending,
            spin: Mutex::default(),
            company: Company::default(),
            thread: AtomicU8::new(READS),
            holds_back: AtomicBool::new(false),
            watches: AtomicBool::new(false),
            hits: AtomicU64::new(0),
            finishing: AtomicBool::new(false),
            stream_ended: AtomicBool::new(false),
            gate: Mutex::default(),
            changed: Condvar::new(),
        });
        let _ = shell.driver.set(Arc::downgrade(&driver));
        driver.pump.flush();
        let thread = driver.clone();
        std::thread::Builder::new().name("anyplug-channel".to_owned()).spawn(move || thread.run()).map_err(refused)?;
        Ok(driver)
    }

    /// Whether the connection ended because the stream did, and not by either side's decision.
    pub fn stream_ended(&self) -> bool {
        self.stream_ended.load(Ordering::SeqCst)
    }

    /// The process at the other end; none for a peer that this program did not start.
    pub fn process(&self) -> Option<&PluginProcess> {
        self.process.as_deref()
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        self.pump.connection()
    }

    /// Closes this side's direction of the channel: for the peer, the order to end.
    pub fn close(&self) {
        self.pump.close();
    }

    /// Waits until the process has ended and all of its bytes were taken.
    pub fn wait_ended(&self) {
        let mut gate = self.lock_gate();
        while !gate.ended {
            gate = self.changed.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The process has ended: what is in the pipe is all there is, though a child of its own may hold the other end open.
    fn finish(&self) {
        self.finishing.store(true, Ordering::SeqCst);
        self.hand_over();
        self.pump.kick();
    }

    // --- callers ---------------------------------------------------------------------------------

    fn wake(&self) {
        self.holds_back.store(false, Ordering::Relaxed);
        self.pump.wake();
    }

    /// A caller has made a call. Returns whether its request may wait for those of other tasks of the same thread.
    fn called(&self) -> bool {
        // Should the caller not come back, the thread writes it at its next look; where it sleeps without a look, the request must not wait.
        let is_watched = || self.watches.load(Ordering::SeqCst) || self.thread.load(Ordering::SeqCst) == ASIDE;
        let holds_back = self.company.is_likely() && is_watched();
        if holds_back {
            self.holds_back.store(true, Ordering::Relaxed);
        } else {
            self.wake();
        }
        holds_back
    }

    /// Reads for a caller, for as long as it is likely to be worth it.
    fn assist(&self, is_done: &dyn Fn() -> bool) {
        self.company.note(self.connection().open_calls() > 1);
        if self.holds_back.load(Ordering::Relaxed) {
            return;
        }
        let Ok(mut spin) = self.spin.try_lock() else { return };
        if !spin.allowed() {
            return;
        }
        let Some(mut leader) = self.pump.try_lead() else { return };
        let _ = self.thread.compare_exchange(READS, CLAIMED, Ordering::SeqCst, Ordering::SeqCst);
        let turn = leader.spin(&mut spin, is_done);
        drop(leader);
        if turn == Turn::Moved {
            self.hits.fetch_add(1, Ordering::Relaxed);
            if self.connection().open_calls() == 0 {
                return;
            }
        }
        if self.thread.compare_exchange(CLAIMED, READS, Ordering::SeqCst, Ordering::SeqCst) == Err(ASIDE) {
            self.hand_over();
        }
    }

    fn hand_over(&self) {
        self.lock_gate().handed_over = true;
        self.changed.notify_all();
    }

    // --- the thread ------------------------------------------------------------------------------

    fn run(&self) {
        while !self.read_all() && self.wait() != Turn::Ended {
            if self.thread.compare_exchange(CLAIMED, ASIDE, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                self.stand_aside();
                self.thread.store(READS, Ordering::SeqCst);
            }
        }
        if self.connection().close_reason().is_none() {
            self.connection().closed(self.why_ended());
        }
        self.pump.close();
        if let Some(process) = &self.process {
            process.stop();
        }
        self.lock_gate().ended = true;
        self.changed.notify_all();
        (self.ending.then)();
    }

    /// Waits until there is something to do, or to look at.
    fn wait(&self) -> Turn {
        let watches = self.company.goes_on();
        self.watches.store(watches, Ordering::SeqCst);
        self.holds_back.store(false, Ordering::Relaxed);
        self.pump.wait(watches.then(|| Instant::now().saturating_add(WATCH)))
    }

    /// Reads what there is. Returns whether nothing more will come.
    fn read_all(&self) -> bool {
        let finishing = self.finishing.load(Ordering::SeqCst);
        let mut leader = self.pump.lead();
        loop {
            match leader.turn() {
                Turn::Moved => {}
                Turn::Idle => return finishing,
                Turn::Ended => return true,
            }
        }
    }

    /// Waits until callers have not read for themselves for a while, or one of them hands over.
    fn stand_aside(&self) {
        let mut gate = self.lock_gate();
        let mut quiet = QUIET;
        while !std::mem::take(&mut gate.handed_over) {
            let hits = self.hits.load(Ordering::Relaxed);
            let (next, timeout) = self.changed.wait_timeout(gate, quiet).unwrap_or_else(PoisonError::into_inner);
            gate = next;
            self.wake();
            if timeout.timed_out() && hits == self.hits.load(Ordering::Relaxed) {
                return;
            }
            quiet = LONGEST_QUIET.min(quiet * 2);
        }
    }

    fn why_ended(&self) -> Error {
        let why = (self.ending.why)();
        self.stream_ended.store(true, Ordering::SeqCst);
        why
    }

    fn lock_gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("pump", &self.pump).finish_non_exhaustive()
    }
}

struct DriverShell {
    driver: OnceLock<Weak<Driver>>,
    runtime: Arc<dyn Runtime>,
}

impl DriverShell {
    fn driver(&self) -> Option<Arc<Driver>> {
        self.driver.get()?.upgrade()
    }
}

impl Shell for DriverShell {
    fn wake(&self) {
        if let Some(driver) = self.driver() {
            driver.wake();
        }
    }

    fn called(&self) -> bool {
        self.driver().is_some_and(|driver| driver.called())
    }

    fn spawn(&self, future: BoxFuture<()>) {
        self.runtime.spawn(future);
    }

    fn run(&self, poll: &mut dyn FnMut()) {
        self.runtime.run(poll);
    }

    fn assist(&self, is_done: &dyn Fn() -> bool) {
        if let Some(driver) = self.driver() {
            driver.assist(is_done);
        }
    }

    fn log(&self, record: LogRecord) {
        self.runtime.log(record);
    }
}
