//! One instance of a module, and the connection to it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use anyplug_core::channel::{CallNow, CalledNow};
use anyplug_core::connection::WeakConnection;
use anyplug_core::frame::FLAG_HEADER;
use anyplug_core::{BoxFuture, Connection, Error, Instant, LogRecord, Result, Shell};
use anyplug_threads::timer::{Alarm, Due};
use anyplug_threads::workers;

use crate::frames::Frames;
use crate::guest::{Called, Guest};
use crate::module::Module;

/// How often a thread goes round for a guest that always has something more to do, before it leaves that to another.
const MAX_ROUNDS: usize = 256;

/// How long it then rests at least, if it has nothing to do for anybody.
const REST: Duration = Duration::from_millis(1);

/// A buffer that is larger than this is not kept, in bytes.
const KEPT_BYTES: usize = 1 << 20;

/// One instance of a module. It moves the bytes of a connection: whoever has something to write enters the guest, unless somebody is inside, who then does it as well. Nobody waits for anybody.
pub struct Instance {
    module: Module,
    /// Where handlers run, and where the log goes.
    around: Arc<dyn Shell>,
    /// The connection keeps its instance, and not the other way round.
    connection: OnceLock<WeakConnection>,
    own: Weak<Self>,
    /// How often there was something to do since nobody was inside; 0: nobody is.
    marks: AtomicUsize,
    inside: Mutex<Inside>,
    /// Why the guest is gone, in its own words.
    failure: OnceLock<Error>,
    is_over: AtomicBool,
    /// What is to be done when the guest is gone.
    on_end: Mutex<Option<OnEnd>>,
    /// Until when it may take to say hello.
    opens_until: Mutex<Option<Instant>>,
    alarm: Alarm,
}

type OnEnd = Box<dyn FnOnce() + Send>;

/// What belongs to the one who is inside.
#[derive(Default)]
struct Inside {
    guest: Option<Guest>,
    output: Vec<u8>,
    sent: Vec<u8>,
    frames: Frames,
    is_known: bool,
    /// It sent nothing when it was last entered.
    is_quiet: bool,
    /// When the guest wants to be entered.
    wants: Option<Instant>,
}

impl Instance {
    /// A new instance and the connection to it. `connect` is given the connection's shell; `around` runs handlers and takes the log. The guest is made when [`begin`](Self::begin) is called, or the
    /// first bytes are written.
    ///
    /// # Errors
    /// The error of `connect`.
    pub fn new(
        module: &Module,
        around: Arc<dyn Shell>,
        connect: impl FnOnce(Arc<dyn Shell>) -> Result<Connection>,
    ) -> Result<(Arc<Self>, Connection)> {
        let instance = Arc::new_cyclic(|own| Self {
            module: module.clone(),
            around,
            connection: OnceLock::new(),
            own: own.clone(),
            marks: AtomicUsize::new(0),
            inside: Mutex::default(),
            failure: OnceLock::new(),
            is_over: AtomicBool::new(false),
            on_end: Mutex::default(),
            opens_until: Mutex::default(),
            alarm: Alarm::default(),
        });
        let connection = connect(instance.clone())?;
        let _ = instance.connection.set(connection.downgrade());
        Ok((instance, connection))
    }

    /// Makes the guest, in this thread, and begins to talk with it. It may run until then before its hello.
    pub fn begin(&self, until: Option<Instant>) {
        *lock(&self.opens_until) = until;
        self.drive();
    }

    /// Does what there is to do, unless somebody is inside, who then does it.
    pub fn look(&self) {
        self.drive();
    }

    /// Has this done once, when the guest is gone, in the thread that notices; to be said before [`begin`](Self::begin).
    pub fn on_end(&self, on_end: impl FnOnce() + Send + 'static) {
        *lock(&self.on_end) = Some(Box::new(on_end));
    }

    /// Why the guest is gone, if it failed: a trap, a limit, or something that it may not do.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.get()
    }

    /// Whether it takes no more calls.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Ends the connection in these words, and the guest as soon as nobody is inside.
    pub fn end(&self, reason: Error) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Some(connection) = self.connection() {
            connection.closed(reason);
        }
        self.drive();
    }

    fn connection(&self) -> Option<Connection> {
        self.connection.get()?.upgrade()
    }

    /// Sees to it that all is done that there is to do.
    fn drive(&self) {
        if self.marks.fetch_add(1, Ordering::SeqCst) == 0 {
            self.lead(1);
        }
    }

    /// Calls may be over their time, or the guest wants to be entered.
    fn catch_up(&self) {
        self.alarm.told();
        if let Some(connection) = self.connection() {
            connection.expire_due(Instant::now());
        }
        self.drive();
    }

    /// Does what there is to do, until there is nothing. `marks`: how many of them have been seen.
    fn lead(&self, mut marks: usize) {
        let connection = self.connection();
        let mut inside = lock(&self.inside);
        let mut rounds = 0;
        loop {
            while connection.as_ref().is_some_and(|connection| self.turn(&mut inside, connection)) {
                rounds += 1;
                if rounds > MAX_ROUNDS {
                    rounds = 0;
                    if connection.as_ref().is_some_and(|connection| connection.output_bytes() > 0) {
                        drop(inside);
                        return self.hand_over();
                    }
                    // A guest that is never done by itself comes back by the timer.
                    inside.wants = inside.wants.map(|at| at.max(Instant::now().saturating_add(REST)));
                }
            }
            match self.marks.compare_exchange(marks, 0, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => break,
                Err(now) => marks = now,
            }
        }
        let wants = inside.wants;
        drop(inside);
        if let Some(connection) = connection {
            self.arm(&connection, wants);
        }
    }

    /// Makes a call with one request in this thread, if nobody is inside.
    fn enter_now(&self, call: &mut CallNow<'_>) -> CalledNow {
        let Some(connection) = self.connection() else { return CalledNow::Not };
        if self.marks.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return CalledNow::Not;
        }
        let mut inside = lock(&self.inside);
        let called = self.call(&mut inside, &connection, call);
        let is_quiet = inside.is_quiet && inside.wants.is_none();
        drop(inside);
        // Mostly nothing else is to be done.
        if !is_quiet || self.marks.compare_exchange(1, 0, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            self.lead(1);
        } else if matches!(called, CalledNow::Pending) {
            self.arm(&connection, None);
        }
        called
    }

    fn call(&self, inside: &mut Inside, connection: &Connection, call: &mut CallNow<'_>) -> CalledNow {
        if self.is_over() || !inside.is_known {
            return CalledNow::Not;
        }
        let Some(guest) = &mut inside.guest else { return CalledNow::Not };
        let id = match call.claim() {
            Ok(id) => id,
            Err(error) => return CalledNow::Refused(error),
        };
        let method = u32::from(call.method());
        let flags = if call.header().is_empty() { 0 } else { u32::from(FLAG_HEADER) << 16 };
        let called = guest.call(id, method | flags, &[call.header(), call.payload()], call.deadline());
        let called = match called {
            Ok(called) => called,
            Err(error) => {
                self.fail(inside, connection, id, error.clone());
                return CalledNow::Refused(error);
            }
        };
        if matches!(called, Called::Pending) {
            call.adopt();
        }
        // What else it sent is handled before its answer is.
        self.take_up(inside, connection);
        match called {
            Called::Done(message) => call.done(&message),
            Called::Failed(status) => CalledNow::Failed(status.into()),
            Called::Pending => CalledNow::Pending,
            Called::NoRoom => CalledNow::Refused(Error::resource_exhausted(format!(
                "plugin \"{}\" has no room for a request of {} bytes; raise wasm.max_memory_bytes",
                self.module.name(),
                call.payload().len()
            ))),
        }
    }

    /// Another thread goes on: this one has calls of its own to see to.
    fn hand_over(&self) {
        if let Some(own) = self.own.upgrade() {
            workers::run(move || own.lead(own.marks.load(Ordering::SeqCst)));
        }
    }

    /// Has the timer come when something is due.
    fn arm(&self, connection: &Connection, wants: Option<Instant>) {
        let deadline = connection.next_deadline();
        let Some(next) = wants.into_iter().chain(deadline).min() else { return };
        if self.is_over() {
            return;
        }
        self.alarm.set(next, Instant::now, self.own.clone());
    }

    /// Writes what there is to write, and enters the guest where it wants that. Returns whether there was anything.
    fn turn(&self, inside: &mut Inside, connection: &Connection) -> bool {
        if self.is_over() || connection.close_reason().is_some() {
            self.leave(inside);
            return false;
        }
        if inside.guest.is_none() {
            let (own, opens_until) = (connection.downgrade(), *lock(&self.opens_until));
            let until = Box::new(move || match own.upgrade() {
                Some(connection) if connection.peer().is_some() => connection.latest_deadline(),
                _ => opens_until,
            });
            match Guest::start(&self.module, until) {
                Ok(guest) => inside.guest = Some(guest),
                Err(error) => {
                    self.fail(inside, connection, 0, error);
                    return false;
                }
            }
        }
        let mut output = std::mem::take(&mut inside.output);
        output.clear();
        let has_output = connection.take_output(&mut output);
        if has_output {
            let mut rest = &output[..];
            while let Some((call, frame, next)) = inside.frames.next(rest) {
                rest = next;
                self.recv(inside, connection, call, frame);
            }
        }
        inside.output = output;
        let is_due = inside.wants.is_some_and(|at| at <= Instant::now());
        if is_due {
            self.recv(inside, connection, 0, &[]);
        }
        has_output || is_due
    }

    /// Hands bytes to the guest, and takes up what it sends.
    fn recv(&self, inside: &mut Inside, connection: &Connection, call: u32, bytes: &[u8]) {
        let Some(guest) = &mut inside.guest else { return };
        match guest.recv(bytes) {
            Ok(()) => self.take_up(inside, connection),
            Err(error) => self.fail(inside, connection, call, error),
        }
    }

    /// What the guest has sent and logged, and when it wants to be entered.
    fn take_up(&self, inside: &mut Inside, connection: &Connection) {
        let Inside { guest: Some(guest), sent, .. } = inside else { return };
        guest.take_sent(sent);
        guest.take_logged().into_iter().for_each(|record| self.log(record));
        inside.is_quiet = sent.is_empty();
        inside.wants = guest.wants().map(|ms| Instant::now().saturating_add(Duration::from_millis(u64::from(ms))));
        if sent.is_empty() {
            return;
        }
        connection.receive(sent);
        if sent.capacity() > KEPT_BYTES {
            *sent = Vec::new();
        }
        if connection.close_reason().is_some() {
            self.is_over.store(true, Ordering::SeqCst);
        }
        if !inside.is_known
            && let Some(peer) = connection.peer()
        {
            inside.is_known = true;
            let section = self.module.section();
            if (&peer.name, &peer.version) != (&section.name, &section.version) {
                let error = Error::failed_precondition(format!(
                    "plugin \"{}\" {}: its hello says that it is \"{}\" {}",
                    section.name, section.version, peer.name, peer.version
                ));
                self.fail(inside, connection, 0, error);
            }
        }
    }

    /// The guest is of no more use, and what it sent last neither. `call`: the one that it was entered for; 0: not known.
    fn fail(&self, inside: &mut Inside, connection: &Connection, call: u32, error: Error) {
        if let Some(guest) = &mut inside.guest {
            guest.take_logged().into_iter().for_each(|record| self.log(record));
        }
        self.is_over.store(true, Ordering::SeqCst);
        let _ = self.failure.set(error.clone());
        connection.closed_within(call, error);
        self.leave(inside);
    }

    fn leave(&self, inside: &mut Inside) {
        self.is_over.store(true, Ordering::SeqCst);
        *inside = Inside::default();
        let on_end = lock(&self.on_end).take();
        if let Some(on_end) = on_end {
            on_end();
        }
    }
}

impl Due for Instance {
    fn due(self: Arc<Self>) {
        // A guest that takes its time must not hold others up.
        workers::run(move || self.catch_up());
    }
}

impl Shell for Instance {
    fn wake(&self) {
        self.drive();
    }

    fn call_now(&self, call: &mut CallNow<'_>) -> CalledNow {
        self.enter_now(call)
    }

    fn spawn(&self, future: BoxFuture<()>) {
        self.around.spawn(future);
    }

    fn run(&self, poll: &mut dyn FnMut()) {
        self.around.run(poll);
    }

    fn log(&self, record: LogRecord) {
        self.around.log(record);
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("module", &self.module).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
