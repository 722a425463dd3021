//! One instance of a plugin, and the connection to it.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use anyplug_core::channel::{CallNow, CalledNow};
use anyplug_core::connection::WeakConnection;
use anyplug_core::{BoxFuture, Connection, Error, Instant, LogLevel, LogRecord, Result, Shell};
use anyplug_threads::timer::{Alarm, Due};
use anyplug_threads::workers;

use crate::abi::{ABI_VERSION, CallResult, DONE, FAILED, Host, METHOD_HEADER, PENDING};
use crate::heard::{HELD, Heard, is_sending};
use crate::library::{Description, Functions, Library};

/// How often a thread goes round for a plugin that always has something more to say, before it leaves that to another.
const MAX_ROUNDS: usize = 256;

/// The room that a result is written to, in bytes. One that is longer is the plugin's until it is copied.
const ROOM_BYTES: usize = 4096;

/// A buffer that is larger than this is not kept, in bytes.
const KEPT_BYTES: usize = 1 << 20;

/// One instance of a plugin. It moves the bytes of a connection: whoever has something to write enters the plugin, unless somebody is inside, who then does it as well. Nobody waits for anybody.
pub struct Instance {
    /// Unloaded when the instance is closed, whoever still has a handle of it.
    library: Mutex<Option<Library>>,
    functions: Functions,
    description: Description,
    /// Where handlers run, and where the log goes.
    around: Arc<dyn Shell>,
    /// The connection keeps its instance, and not the other way round.
    connection: OnceLock<WeakConnection>,
    own: Weak<Self>,
    /// How often there was something to do since nobody was inside; 0: nobody is. Beside that, what [`Heard`] notes there.
    marks: AtomicUsize,
    inside: OfOne,
    has_begun: AtomicBool,
    heard: Heard,
    /// Its hello has come, and is that of its table.
    is_known: AtomicBool,
    is_over: AtomicBool,
    failure: OnceLock<Error>,
    alarm: Alarm,
    /// Nothing of the plugin's runs any more.
    is_closed: Mutex<bool>,
    closed: Condvar,
    /// What it logged last, while it is not known.
    last_line: Mutex<Option<String>>,
    /// What is to be done then.
    on_end: Mutex<Option<OnEnd>>,
}

type OnEnd = Box<dyn FnOnce() + Send>;

/// What belongs to the one who is inside.
struct Inside {
    opened: Option<Opened>,
    output: Vec<u8>,
    /// A request with its header, which stands before it.
    request: Vec<u8>,
    room: Box<[u8; ROOM_BYTES]>,
}

/// What belongs to whoever took the marks from 0, until they are 0 again: a lock beside them would say the same twice, in every call.
struct OfOne(UnsafeCell<Inside>);

// SAFETY: there is one such thread at a time.
unsafe impl Sync for OfOne {}

/// An instance of the plugin's, and what it was given.
struct Opened {
    instance: *mut c_void,
    host: *mut Host,
}

// SAFETY: an instance may be entered from any thread, one at a time.
unsafe impl Send for Opened {}

impl Instance {
    /// A new instance and the connection to it. `connect` is given the connection's shell; `around` runs handlers and takes the log. The plugin's side is made when [`begin`](Self::begin) is called. It
    /// lives until [`end`](Self::end), or its connection ends.
    ///
    /// # Errors
    /// The error of `connect`.
    pub fn new(
        library: &Library,
        around: Arc<dyn Shell>,
        connect: impl FnOnce(Arc<dyn Shell>) -> Result<Connection>,
    ) -> Result<(Arc<Self>, Connection)> {
        let instance = Arc::new_cyclic(|own| Self {
            library: Mutex::new(Some(library.clone())),
            functions: *library.functions(),
            description: library.description().clone(),
            around,
            connection: OnceLock::new(),
            own: own.clone(),
            // Nobody enters before it has begun.
            marks: AtomicUsize::new(1),
            inside: OfOne(UnsafeCell::new(Inside {
                opened: None,
                output: Vec::new(),
                request: Vec::new(),
                room: Box::new([0; ROOM_BYTES]),
            })),
            has_begun: AtomicBool::new(false),
            heard: Heard::default(),
            is_known: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            failure: OnceLock::new(),
            alarm: Alarm::default(),
            is_closed: Mutex::new(true),
            closed: Condvar::new(),
            last_line: Mutex::default(),
            on_end: Mutex::default(),
        });
        let connection = connect(instance.clone())?;
        let _ = instance.connection.set(connection.downgrade());
        Ok((instance, connection))
    }

    /// Makes the plugin's side, in this thread, and begins to talk with it. To be called once.
    pub fn begin(&self) {
        if self.has_begun.swap(true, Ordering::SeqCst) {
            return;
        }
        let opened = self.open();
        if let (Some(connection), Err(error)) = (self.connection(), &opened) {
            self.fail(&connection, error.clone());
        }
        // SAFETY: the marks are not 0 from the first, and nobody enters before this.
        unsafe { &mut *self.inside.0.get() }.opened = opened.ok();
        self.lead(self.marks.load(Ordering::SeqCst));
    }

    /// Does what there is to do, unless somebody is inside, who then does it.
    pub fn look(&self) {
        self.drive();
    }

    /// Has this done once, when nothing of the instance runs any more; to be said before [`begin`](Self::begin).
    pub fn on_end(&self, on_end: impl FnOnce() + Send + 'static) {
        *lock(&self.on_end) = Some(Box::new(on_end));
    }

    /// Whether it takes no more calls.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Why the plugin is gone, if it failed.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.get()
    }

    /// Ends the connection in these words, and the instance as soon as nobody is inside.
    pub fn end(&self, reason: Error) {
        if let Some(connection) = self.connection() {
            connection.closed(reason);
        }
        self.is_over.store(true, Ordering::SeqCst);
        self.drive();
    }

    /// Waits in this thread until nothing of an instance runs any more that has ended. Returns false when that takes longer than `timeout`.
    pub fn wait_closed(&self, timeout: Duration) -> bool {
        let waited = self.closed.wait_timeout_while(lock(&self.is_closed), timeout, |closed| !*closed);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn open(&self) -> Result<Opened> {
        let own = self.own.upgrade().ok_or_else(|| Error::internal("an instance was dropped before it began"))?;
        let host = Box::into_raw(Box::new(Host {
            size: size_of::<Host>() as u32,
            version: ABI_VERSION,
            // Given back when the instance is closed.
            context: Arc::into_raw(own).cast_mut().cast(),
            send: Some(send),
            log: Some(log),
        }));
        *lock(&self.is_closed) = false;
        self.marks.fetch_or(HELD, Ordering::SeqCst);
        // SAFETY: `host` stays where it is until the instance is closed.
        let instance = unsafe { (self.functions.open)(host) };
        if !instance.is_null() {
            return Ok(Opened { instance, host });
        }
        // SAFETY: it was not taken.
        unsafe { self.give_back(host) };
        let why = lock(&self.last_line).take().unwrap_or_else(|| "it does not say why".to_owned());
        Err(Error::failed_precondition(format!("plugin \"{}\" makes no instance: {why}", self.description.name)))
    }

    /// # Safety
    /// `host` is what [`open`](Self::open) made, and the plugin uses it no more.
    unsafe fn give_back(&self, host: *mut Host) {
        // SAFETY: says the caller.
        let host = unsafe { Box::from_raw(host) };
        // SAFETY: it was made of an Arc, once.
        drop(unsafe { Arc::from_raw(host.context.cast::<Self>().cast_const()) });
        *lock(&self.is_closed) = true;
        self.closed.notify_all();
        let on_end = lock(&self.on_end).take();
        if let Some(on_end) = on_end {
            on_end();
        }
    }

    fn connection(&self) -> Option<Connection> {
        self.connection.get()?.upgrade()
    }

    /// Sees to it that all is done that there is to do.
    fn drive(&self) {
        if self.marks.fetch_add(1, Ordering::SeqCst) > 0 {
            return;
        }
        match is_sending() {
            true => self.hand_over(),
            false => self.lead(1),
        }
    }

    /// Calls may be over their time.
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
        // SAFETY: whoever took the marks from 0 does this, or has it done.
        let inside = unsafe { &mut *self.inside.0.get() };
        let mut rounds = 0;
        loop {
            while self.turn(inside, connection.as_ref()) {
                rounds += 1;
                if rounds > MAX_ROUNDS {
                    return self.hand_over();
                }
            }
            match self.marks.compare_exchange(marks, 0, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => break,
                Err(now) => marks = now,
            }
        }
        if let Some(connection) = connection {
            self.arm(&connection);
        }
    }

    /// Another thread goes on: this one has calls of its own to see to, or may not enter.
    fn hand_over(&self) {
        if let Some(own) = self.own.upgrade() {
            workers::run(move || own.lead(own.marks.load(Ordering::SeqCst)));
        }
    }

    /// Writes what there is to write. Returns whether there was anything.
    fn turn(&self, inside: &mut Inside, connection: Option<&Connection>) -> bool {
        let Inside { opened: Some(Opened { instance, .. }), output, .. } = inside else { return false };
        output.clear();
        let has_output = connection.is_some_and(|connection| connection.take_output(output));
        if let (true, Some(connection)) = (has_output, connection) {
            self.marks.fetch_or(HELD, Ordering::SeqCst);
            // SAFETY: the instance is open, and nobody else is inside.
            unsafe { (self.functions.recv)(*instance, output.as_ptr(), output.len()) };
            self.let_go(connection);
            if output.capacity() > KEPT_BYTES {
                *output = Vec::new();
            }
        }
        let has_ended = connection.is_none_or(|connection| connection.close_reason().is_some());
        if !has_output && (has_ended || self.is_over.load(Ordering::SeqCst)) {
            self.leave(inside);
        }
        has_output
    }

    /// Nobody enters any more. What is left is done elsewhere, for it may take a moment.
    fn leave(&self, inside: &mut Inside) {
        self.is_over.store(true, Ordering::SeqCst);
        let (Some(opened), Some(own)) = (inside.opened.take(), self.own.upgrade()) else { return };
        workers::run(move || own.close(opened));
    }

    fn close(&self, opened: Opened) {
        // SAFETY: the instance is open, and nobody is inside or will be.
        let left = unsafe { (self.functions.close)(opened.instance) };
        let library = lock(&self.library).take();
        if let (true, Some(library)) = (left != 0, &library) {
            library.stay();
        }
        drop(library);
        // SAFETY: the plugin uses it no more, now that it has closed.
        unsafe { self.give_back(opened.host) };
    }

    /// Makes a call with one request in this thread, if nobody is inside.
    fn enter_now(&self, call: &mut CallNow<'_>) -> CalledNow {
        if !self.is_known.load(Ordering::Acquire)
            || is_sending()
            || self.marks.compare_exchange(0, 1 | HELD, Ordering::SeqCst, Ordering::SeqCst).is_err()
        {
            return CalledNow::Not;
        }
        // SAFETY: this thread took the marks from 0.
        let inside = unsafe { &mut *self.inside.0.get() };
        let called = self.call(inside, call);
        // Mostly nothing else has happened, and nothing else is to be done.
        let is_quiet = self.failure.get().is_none() && !matches!(called, CalledNow::Not | CalledNow::Pending);
        if is_quiet && self.marks.compare_exchange(1 | HELD, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return called;
        }
        self.follow(called)
    }

    /// Does what is to be done after a call.
    fn follow(&self, called: CalledNow) -> CalledNow {
        let connection = self.connection();
        if let Some(connection) = &connection {
            // What else it sent is handled before its answer is.
            self.let_go(connection);
        }
        // It may have done what it may not meanwhile.
        let failure = self.failure.get().cloned();
        if let (Some(connection), Some(error)) = (&connection, &failure) {
            self.fail(connection, error.clone());
        }
        self.lead(1);
        failure.map_or(called, CalledNow::Refused)
    }

    fn call(&self, inside: &mut Inside, call: &mut CallNow<'_>) -> CalledNow {
        let Inside { opened: Some(Opened { instance, .. }), request, room, .. } = inside else {
            return CalledNow::Not;
        };
        if self.is_over.load(Ordering::SeqCst) {
            return CalledNow::Not;
        }
        let id = match call.claim() {
            Ok(id) => id,
            Err(error) => return CalledNow::Refused(error),
        };
        let (mut method, mut payload) = (u32::from(call.method()), call.payload());
        if !call.header().is_empty() {
            method |= METHOD_HEADER;
            request.clear();
            request.extend_from_slice(call.header());
            request.extend_from_slice(payload);
            payload = request;
        }
        let mut result = CallResult { data: room.as_mut_ptr(), length: room.len(), owner: std::ptr::null_mut() };
        // SAFETY: the instance is open, nobody else is inside, and there is room for the result where it says.
        let returned =
            unsafe { (self.functions.call)(*instance, id, method, payload.as_ptr(), payload.len(), &raw mut result) };
        let called = match returned {
            // SAFETY: the plugin has filled it.
            DONE => unsafe { self.take(&result, &room[..], |message| call.done(message)) },
            // SAFETY: as above.
            FAILED => unsafe {
                self.take(&result, &room[..], |status| CalledNow::Failed(bytes::Bytes::copy_from_slice(status)))
            },
            PENDING => {
                call.adopt();
                CalledNow::Pending
            }
            other => self.broken(&format!("its call returned {other}")),
        };
        if request.capacity() > KEPT_BYTES {
            *request = Vec::new();
        }
        called
    }

    /// Reads what a call has resulted in, and gives it back.
    ///
    /// # Safety
    /// The plugin has filled `result`, which said that there is `room`.
    unsafe fn take(&self, result: &CallResult, room: &[u8], read: impl FnOnce(&[u8]) -> CalledNow) -> CalledNow {
        let CallResult { data, length, owner } = *result;
        if owner.is_null() {
            let result = if data.cast_const() == room.as_ptr() { room.get(..length) } else { None };
            return result.map_or_else(
                || {
                    self.broken(&format!(
                        "a result of {length} bytes without an owner is not in the host's room of {} bytes",
                        room.len()
                    ))
                },
                read,
            );
        }
        if data.is_null() && length > 0 || length > u32::MAX as usize {
            let place = if data.is_null() { "null" } else { "its place" };
            return self.broken(&format!("a result has {length} bytes at {place}"));
        }
        let called = match length {
            0 => read(&[]),
            // SAFETY: the plugin says that it is there, until it is released.
            _ => read(unsafe { std::slice::from_raw_parts(data, length) }),
        };
        // SAFETY: it is what the plugin gave, and used no more.
        unsafe { (self.functions.release)(owner, data, length) };
        called
    }

    /// The plugin has done what the ABI does not allow, and is of no more use.
    fn broken(&self, what: &str) -> CalledNow {
        let error = self.breach(what);
        let _ = self.failure.set(error.clone());
        CalledNow::Refused(error)
    }

    fn breach(&self, what: &str) -> Error {
        Error::internal(format!("plugin \"{}\" broke the ABI of anyplug.h: {what}", self.description.name))
    }

    /// Handles what came while a thread was within the plugin. Returns whether there was anything.
    fn let_go(&self, connection: &Connection) -> bool {
        self.heard.let_go(&self.marks, |bytes| self.receive(connection, bytes))
    }

    /// What the plugin sends from a thread of its own, or while it is entered.
    fn hear(&self, bytes: &[u8]) {
        let Some(connection) = self.connection() else { return };
        let handled = self.heard.add(&self.marks, bytes, |bytes| self.receive(&connection, bytes));
        if handled && (connection.output_bytes() > 0 || connection.close_reason().is_some()) {
            // Written by another thread: this one is the plugin's.
            if self.marks.fetch_add(1, Ordering::SeqCst) == 0 {
                self.hand_over();
            }
        }
    }

    fn receive(&self, connection: &Connection, bytes: &[u8]) {
        if self.is_over.load(Ordering::SeqCst) {
            return;
        }
        connection.receive(bytes);
        if !self.is_known.load(Ordering::Relaxed)
            && let Some(peer) = connection.peer()
        {
            let said = &self.description;
            if (&peer.name, &peer.version) != (&said.name, &said.version) {
                let error = Error::failed_precondition(format!(
                    "plugin \"{}\" {}: its hello says that it is \"{}\" {}",
                    said.name, said.version, peer.name, peer.version
                ));
                return self.fail(connection, error);
            }
            self.is_known.store(true, Ordering::Release);
        }
    }

    /// The plugin is of no more use.
    fn fail(&self, connection: &Connection, error: Error) {
        let _ = self.failure.set(error.clone());
        connection.closed(error);
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Has the timer come when something is due.
    fn arm(&self, connection: &Connection) {
        let Some(next) = connection.next_deadline() else { return };
        self.alarm.set(next, Instant::now, self.own.clone());
    }
}

impl Due for Instance {
    fn due(self: Arc<Self>) {
        // A plugin that takes its time must not hold others up.
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
        f.debug_struct("Instance").field("description", &self.description).finish_non_exhaustive()
    }
}

/// `anyplug_host.send`.
unsafe extern "C" fn send(context: *mut c_void, data: *const u8, length: usize) {
    if data.is_null() || length == 0 {
        return;
    }
    // SAFETY: the plugin gives the context that it was given, and does so before its close has returned.
    let instance = unsafe { &*context.cast::<Instance>() };
    if length > u32::MAX as usize {
        if let Some(connection) = instance.connection() {
            instance.fail(&connection, instance.breach(&format!("it sent {length} bytes at once")));
        }
        return;
    }
    // SAFETY: the bytes are there for as long as this runs.
    instance.hear(unsafe { std::slice::from_raw_parts(data, length) });
}

/// `anyplug_host.log`.
unsafe extern "C" fn log(context: *mut c_void, level: u32, data: *const u8, length: usize) {
    // SAFETY: as for `send`.
    let instance = unsafe { &*context.cast::<Instance>() };
    // SAFETY: as for `send`.
    let text = if data.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(data, length) } };
    let level = match level {
        1 => LogLevel::Trace,
        2 => LogLevel::Debug,
        4 => LogLevel::Warn,
        5 => LogLevel::Error,
        _ => LogLevel::Info,
    };
    let message = String::from_utf8_lossy(text).into_owned();
    if !instance.is_known.load(Ordering::Relaxed) {
        *lock(&instance.last_line) = Some(message.clone());
    }
    instance.around.log(LogRecord::new(level, &*instance.description.name, message).with_time_of_now());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
