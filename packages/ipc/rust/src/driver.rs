//! The host's side: a thread per connection that reads when no caller does, and callers that read for themselves as long as that is faster.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use anyplug_core::channel::{BoxFuture, Instant, Shell};
use anyplug_core::log::LogRecord;
use anyplug_core::{Connection, Error};

use crate::pipe::Pipe;
use crate::process::PluginProcess;
use crate::pump::{Leader, OnPrinted, Pump, Turn};
use crate::runtime::Runtime;
use crate::spin::Spin;

/// How long the thread stays out of the way of callers that read for themselves, after the last of them. While they go on, it looks ever less often: each look takes a core from somebody.
const QUIET: Duration = Duration::from_millis(1);
const LONGEST_QUIET: Duration = Duration::from_millis(8);

/// How often a caller that waits in its own thread looks around.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How often a caller asks whether the thread has let it read, about 20 us in all; then the thread may as well go on.
const CLAIMS: u32 = 400;

/// How long a process that closed its channel has to exit, before the error says that it did not.
const EXIT_GRACE: Duration = Duration::from_secs(1);

/// Moves the bytes of a plugin's connection. It has a thread, which waits where no caller does, and ends with the stream.
pub struct Driver {
    pump: Pump,
    process: Arc<PluginProcess>,
    spin: Mutex<Spin>,
    /// Who reads: one of the constants below.
    reads: AtomicU8,
    /// A caller asks the thread to let it read.
    claimed: AtomicBool,
    /// How many waits of callers came to their end by their own reading.
    hits: AtomicU64,
    /// The process has ended: what is in the pipe is all there is.
    finishing: AtomicBool,
    stream_ended: AtomicBool,
    gate: Mutex<Gate>,
    changed: Condvar,
}

#[derive(Default)]
struct Gate {
    /// A caller has stopped reading for itself, and leaves calls that wait.
    handed_over: bool,
    ended: bool,
}

const NOBODY: u8 = 0;
const THREAD: u8 = 1;
const CALLER: u8 = 2;
/// A caller that waits in `poll`.
const WAITING_CALLER: u8 = 3;

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
        let shell = Arc::new(DriverShell { driver: OnceLock::new(), runtime });
        let connection = connect(shell.clone())?;
        let refused =
            |error: io::Error| Error::unavailable(format!("the channel cannot be opened: {error}")).with_source(error);
        let printed = process.is_stdio().then(|| -> OnPrinted {
            let process = process.clone();
            Box::new(move |bytes| process.printed(bytes))
        });
        let driver = Arc::new(Self {
            pump: Pump::new(pipe, connection, printed).map_err(refused)?,
            process,
            spin: Mutex::default(),
            reads: AtomicU8::new(NOBODY),
            claimed: AtomicBool::new(false),
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
        let finishing = Arc::downgrade(&driver);
        driver.process.on_exit(move || {
            if let Some(driver) = finishing.upgrade() {
                driver.finish();
            }
        });
        Ok(driver)
    }

    /// Whether the connection ended because the stream did, and not by either side's decision.
    pub fn stream_ended(&self) -> bool {
        self.stream_ended.load(Ordering::SeqCst)
    }

    /// The process at the other end.
    pub fn process(&self) -> &PluginProcess {
        &self.process
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        self.pump.connection()
    }

    /// Closes this side's direction of the channel: for the peer, the order to end.
    pub fn close(&self) {
        self.pump.close();
    }

    /// The process has ended: what is in the pipe is all there is, though a child of its own may hold the other end open.
    fn finish(&self) {
        self.finishing.store(true, Ordering::SeqCst);
        self.hand_over();
        self.pump.kick();
    }

    /// Waits until the process has ended and all of its bytes were taken.
    pub fn wait_ended(&self) {
        let mut gate = self.lock_gate();
        while !gate.ended {
            gate = self.changed.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for `future` in this thread, which moves the bytes meanwhile. `look` is called before each wait, at least every 50 ms; an error that it returns ends the wait.
    /// It works within a handler that this thread runs for the same connection, too.
    ///
    /// # Errors
    /// What `look` returned.
    pub fn block_on<T, E>(
        self: &Arc<Self>,
        future: impl Future<Output = T>,
        mut look: impl FnMut() -> Result<(), E>,
    ) -> Result<T, E> {
        let mut future = pin!(future);
        let signal = Arc::new(Signal {
            given: AtomicBool::new(false),
            in_poll: AtomicBool::new(false),
            thread: std::thread::current(),
            driver: Arc::downgrade(self),
        });
        let waker = Waker::from(signal.clone());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Ok(value);
            }
            while !signal.given.swap(false, Ordering::SeqCst) {
                look()?;
                self.wait_for(&signal);
            }
        }
    }

    /// Waits for a while, or until the signal is given.
    fn wait_for(&self, signal: &Signal) {
        let Some(mut claim) = self.claim() else {
            // Another caller reads. It wakes this one, or leaves the reading to the thread, which does.
            return std::thread::park_timeout(LOOK_AGAIN);
        };
        let until = Instant::now().saturating_add(LOOK_AGAIN);
        let is_given = || signal.given.load(Ordering::SeqCst);
        let ended = loop {
            match claim.leader.turn() {
                Turn::Ended => break true,
                Turn::Moved => {}
                Turn::Idle => claim.wait(signal, until),
            }
            if is_given() || Instant::now() >= until {
                break false;
            }
        };
        let waited = claim.waited;
        drop(claim);
        self.hits.fetch_add(1, Ordering::Relaxed);
        if ended || self.connection().open_calls() > 0 {
            self.hand_over();
        } else if waited {
            // The thread sleeps for as long as a caller waits.
            drop(self.lock_gate());
            self.changed.notify_all();
        }
    }

    /// Reads for a caller, for as long as it is likely to be worth it.
    fn assist(&self, is_done: &dyn Fn() -> bool) {
        // Where several calls are open, the thread that reads for all of them does better than callers that take turns.
        if self.pump.is_leader() || self.connection().open_calls() > 1 {
            return;
        }
        let Ok(mut spin) = self.spin.try_lock() else { return };
        if !spin.allowed() {
            return;
        }
        let Some(mut claim) = self.claim() else { return };
        let turn = claim.leader.spin(&mut spin, is_done);
        drop(claim);
        if turn == Turn::Moved {
            self.hits.fetch_add(1, Ordering::Relaxed);
        } else {
            self.hand_over();
        }
    }

    /// Takes the reading over, unless another caller has it.
    fn claim(&self) -> Option<Claim<'_>> {
        if self.pump.is_leader() {
            return Some(Claim { driver: self, leader: self.pump.lead(), nested: true, waited: false });
        }
        if self.reads.load(Ordering::SeqCst) == THREAD {
            self.claimed.store(true, Ordering::SeqCst);
            self.pump.kick();
        }
        for _ in 0..CLAIMS {
            if let Some(leader) = self.pump.try_lead() {
                self.reads.store(CALLER, Ordering::SeqCst);
                self.claimed.store(false, Ordering::SeqCst);
                return Some(Claim { driver: self, leader, nested: false, waited: false });
            }
            if self.reads.load(Ordering::SeqCst) >= CALLER {
                break;
            }
            std::hint::spin_loop();
        }
        None
    }

    // --- the thread ------------------------------------------------------------------------------

    fn run(&self) {
        loop {
            let mut leader = self.pump.lead();
            self.reads.store(THREAD, Ordering::SeqCst);
            let ended = self.read_until_claimed(&mut leader);
            self.reads.store(NOBODY, Ordering::SeqCst);
            drop(leader);
            if ended {
                break;
            }
            self.stand_aside();
        }
        if self.connection().close_reason().is_none() {
            self.connection().closed(self.why_ended());
        }
        self.pump.close();
        self.process.stop();
        self.lock_gate().ended = true;
        self.changed.notify_all();
    }

    /// The stream has ended: in most cases because the process has, which shows a moment later.
    fn why_ended(&self) -> Error {
        self.process.wait(EXIT_GRACE);
        self.stream_ended.store(true, Ordering::SeqCst);
        Error::unavailable(format!("plugin \"{}\" {}", self.process.name(), self.process.describe("")))
    }

    /// Returns whether the stream has ended.
    fn read_until_claimed(&self, leader: &mut Leader<'_>) -> bool {
        loop {
            let finishing = self.finishing.load(Ordering::SeqCst);
            match leader.turn() {
                Turn::Ended => return true,
                Turn::Idle if finishing => return true,
                Turn::Moved if finishing => continue,
                Turn::Moved | Turn::Idle if self.claimed.swap(false, Ordering::SeqCst) => return false,
                Turn::Moved => {}
                Turn::Idle => {
                    if leader.wait(None) == Turn::Ended {
                        return true;
                    }
                }
            }
        }
    }

    /// Waits until callers have not read for themselves for a while, or one of them hands over.
    fn stand_aside(&self) {
        let mut gate = self.lock_gate();
        let mut quiet = QUIET;
        loop {
            if std::mem::take(&mut gate.handed_over) {
                return;
            }
            if self.reads.load(Ordering::SeqCst) == WAITING_CALLER {
                gate = self.changed.wait(gate).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let hits = self.hits.load(Ordering::Relaxed);
            let (next, timeout) = self.changed.wait_timeout(gate, quiet).unwrap_or_else(PoisonError::into_inner);
            gate = next;
            let is_quiet = hits == self.hits.load(Ordering::Relaxed) && self.reads.load(Ordering::SeqCst) == NOBODY;
            if timeout.timed_out() && is_quiet {
                return;
            }
            quiet = LONGEST_QUIET.min(quiet * 2);
        }
    }

    fn hand_over(&self) {
        self.lock_gate().handed_over = true;
        self.changed.notify_all();
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

/// The reading, by a caller.
struct Claim<'a> {
    driver: &'a Driver,
    leader: Leader<'a>,
    nested: bool,
    waited: bool,
}

impl Claim<'_> {
    /// Waits in `poll`, unless the signal is given; that ends the wait.
    fn wait(&mut self, signal: &Signal, until: Instant) {
        self.waited = true;
        self.driver.reads.store(WAITING_CALLER, Ordering::SeqCst);
        signal.in_poll.store(true, Ordering::SeqCst);
        if !signal.given.load(Ordering::SeqCst) {
            self.leader.wait(Some(until));
        }
        signal.in_poll.store(false, Ordering::SeqCst);
        self.driver.reads.store(CALLER, Ordering::SeqCst);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.nested {
            self.driver.reads.store(NOBODY, Ordering::SeqCst);
        }
    }
}

/// Wakes a caller that waits in its own thread.
struct Signal {
    given: AtomicBool,
    in_poll: AtomicBool,
    thread: Thread,
    driver: Weak<Driver>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.given.store(true, Ordering::SeqCst);
        if self.in_poll.load(Ordering::SeqCst)
            && let Some(driver) = self.driver.upgrade()
        {
            driver.pump.kick();
        }
        self.thread.unpark();
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
            driver.pump.wake();
        }
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
