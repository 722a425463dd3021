//! Moves bytes between a pipe and a connection. Any thread may write; the one that reads is the leader.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use anyplug_core::Connection;
use anyplug_core::channel::Instant;
use rustix::event::{PollFd, PollFlags};

use crate::kick::Kick;
use crate::pipe::{Moved, Pipe, read_some, wait_ready, write_some};
use crate::spin::Spin;
use crate::stdio::Prelude;

/// Bytes that one read takes at most. Memory is used only as far as bytes arrive.
const READ_BUFFER_BYTES: usize = 1 << 20;

/// A buffer that is larger than this is kept only while it is made use of, in bytes.
const KEPT_WRITE_BUFFER_BYTES: usize = 256 << 10;

/// How often the clock is looked at while bytes keep coming: once in so many reads.
const READS_PER_LOOK: u32 = 32;

/// What came of a look at the pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Bytes came, and the connection has taken them.
    Moved,
    /// There was nothing to read.
    Idle,
    /// Nothing will come any more: the stream has ended, or the connection.
    Ended,
}

/// Takes what a plugin in stdio mode printed before its hello.
pub type OnPrinted = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Moves a connection's output in another way than through the pipe, and takes what comes of it.
pub type Carry = Box<dyn Fn() + Send + Sync>;

/// Moves bytes between a [`Pipe`] and a [`Connection`], for whichever thread comes along. It has no thread of its own.
pub struct Pump {
    connection: Connection,
    read_end: OwnedFd,
    reader: Mutex<Reader>,
    writer: Mutex<Writer>,
    /// There is output that nobody has taken charge of.
    unwritten: AtomicBool,
    /// What was taken could not all be written: the leader waits until it can.
    blocked: AtomicBool,
    /// Until when the leader sleeps in `poll`, in nanoseconds of the clock; [`AWAKE`] when it does not.
    asleep_until: AtomicU64,
    kick: Kick,
    /// Nothing goes through the pipe then but its end.
    carry: Option<Carry>,
}

const AWAKE: u64 = 0;
const FOR_EVER: u64 = u64::MAX;

struct Reader {
    buffer: Vec<u8>,
    reads: u32,
    prelude: Option<(Prelude, OnPrinted)>,
}

struct Writer {
    /// None when this side has closed.
    end: Option<Arc<OwnedFd>>,
    buffer: Vec<u8>,
    written: usize,
}

impl Pump {
    /// A pump for a connection that was just made. `on_printed`: the channel is on stdin and stdout, and what is no part of it goes there.
    ///
    /// # Errors
    /// What the system says when it has no descriptor left.
    pub fn new(pipe: Pipe, connection: Connection, on_printed: Option<OnPrinted>) -> io::Result<Self> {
        let (read_end, write_end) = pipe.into_ends();
        Ok(Self {
            connection,
            read_end,
            reader: Mutex::new(Reader {
                buffer: vec![0; READ_BUFFER_BYTES],
                reads: 0,
                prelude: on_printed.map(|on_printed| (Prelude::default(), on_printed)),
            }),
            writer: Mutex::new(Writer { end: Some(Arc::new(write_end)), buffer: Vec::new(), written: 0 }),
            unwritten: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            asleep_until: AtomicU64::new(AWAKE),
            kick: Kick::new()?,
            carry: None,
        })
    }

    /// A pump for a connection whose bytes do not go through the pipe: that tells by its end when the peer has gone.
    ///
    /// # Errors
    /// As [`Pump::new`].
    pub fn carried(pipe: Pipe, connection: Connection, carry: Carry) -> io::Result<Self> {
        Ok(Self { carry: Some(carry), ..Self::new(pipe, connection, None)? })
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What to wait on for bytes of the peer.
    pub fn read_fd(&self) -> BorrowedFd<'_> {
        self.read_end.as_fd()
    }

    /// Whether output waits for the peer to read: [`Pump::flush`] is to be called when the descriptor of [`Pump::write_fd`] is ready.
    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::SeqCst)
    }

    /// What to wait on for the peer to read; none when this side has closed.
    pub fn write_fd(&self) -> Option<Arc<OwnedFd>> {
        lock(&self.writer).end.clone()
    }

    /// Writes the connection's output as far as the peer takes it; the leader sees to the rest.
    pub fn flush(&self) {
        if let Some(carry) = &self.carry {
            return carry();
        }
        self.unwritten.store(true, Ordering::SeqCst);
        while self.unwritten.load(Ordering::SeqCst) {
            // Whoever holds the lock looks at the flag again after having released it.
            let Ok(mut writer) = self.writer.try_lock() else { return };
            self.unwritten.store(false, Ordering::SeqCst);
            let blocked = writer.write_all(&self.connection);
            let was_blocked = self.blocked.swap(blocked, Ordering::SeqCst);
            drop(writer);
            if blocked && !was_blocked {
                self.kick.give();
            }
        }
    }

    /// The connection has output or an earlier deadline, caused by this thread: what [`Shell::wake`](anyplug_core::channel::Shell::wake) is to do.
    pub fn wake(&self) {
        self.flush();
        let asleep_until = self.asleep_until.load(Ordering::SeqCst);
        if asleep_until != AWAKE && self.connection.next_deadline().is_some_and(|next| nanoseconds(next) < asleep_until)
        {
            self.kick.give();
        }
    }

    /// Waits until there is something to read, for no longer than `timeout`, whatever the state of the connection.
    pub fn wait_readable(&self, timeout: std::time::Duration) {
        wait_ready(&mut [PollFd::from_borrowed_fd(self.read_end.as_fd(), PollFlags::IN)], Some(timeout));
    }

    /// Wakes the leader when it waits.
    pub fn kick(&self) {
        self.kick.give();
    }

    /// Closes this side's direction of the channel, after what could be written at once: for the peer, the order to end.
    pub fn close(&self) {
        self.flush();
        if let Some(end) = lock(&self.writer).end.take() {
            // Of a socket, the other descriptor stays open; of a pipe, this is refused, and there is nothing to be done.
            let _ = rustix::net::shutdown(&*end, rustix::net::Shutdown::Write);
        }
        self.blocked.store(false, Ordering::SeqCst);
        self.kick.give();
    }

    /// Becomes the leader, if nobody is.
    pub fn try_lead(&self) -> Option<Leader<'_>> {
        match self.reader.try_lock() {
            Ok(reader) => Some(Leader { pump: self, reader }),
            Err(TryLockError::Poisoned(poisoned)) => Some(Leader { pump: self, reader: poisoned.into_inner() }),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Becomes the leader as soon as nobody else is. A thread that leads already must not ask.
    pub fn lead(&self) -> Leader<'_> {
        Leader { pump: self, reader: lock(&self.reader) }
    }

    /// Waits until there is something to read or to write, a deadline passed, somebody kicked, or the time has come. One thread at a time may wait; it need not be the leader.
    /// Returns whether the connection has ended.
    pub fn wait(&self, until: Option<Instant>) -> Turn {
        self.expire_due();
        self.flush();
        if self.connection.close_reason().is_some() {
            return Turn::Ended;
        }
        let until = self.connection.next_deadline().into_iter().chain(until).min();
        self.asleep_until.store(until.map_or(FOR_EVER, nanoseconds), Ordering::SeqCst);
        // Who caused output or an earlier deadline before that found this thread awake, and left it to this look.
        let next = self.connection.next_deadline();
        let as_before = next.is_none_or(|next| until.is_some_and(|until| until <= next));
        let is_written = || self.carry.is_some() || self.is_blocked() || self.connection.output_bytes() == 0;
        if as_before && is_written() {
            self.poll(until);
        }
        self.asleep_until.store(AWAKE, Ordering::SeqCst);
        self.kick.clear();
        Turn::Idle
    }

    fn poll(&self, until: Option<Instant>) {
        let write_end = if self.is_blocked() { self.write_fd() } else { None };
        let input = |descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN);
        let output = write_end.as_ref().map_or(self.kick.as_fd(), |end| end.as_fd());
        let mut polled =
            [input(self.read_end.as_fd()), input(self.kick.as_fd()), PollFd::from_borrowed_fd(output, PollFlags::OUT)];
        let count = if write_end.is_some() { 3 } else { 2 };
        wait_ready(&mut polled[..count], until.map(|until| until.saturating_since(Instant::now())));
    }

    fn expire_due(&self) {
        if let Some(next) = self.connection.next_deadline() {
            let now = Instant::now();
            if next <= now {
                self.connection.expire_due(now);
            }
        }
    }
}

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// The right to read. It is given up by being dropped.
pub struct Leader<'a> {
    pump: &'a Pump,
    reader: MutexGuard<'a, Reader>,
}

impl Leader<'_> {
    /// Reads once, without waiting; the connection takes what came, and what it answers is written.
    pub fn turn(&mut self) -> Turn {
        let pump = self.pump;
        let Reader { buffer, reads, prelude } = &mut *self.reader;
        let length = match read_some(&pump.read_end, buffer) {
            Moved::Bytes(length) => length,
            Moved::Blocked => return Turn::Idle,
            Moved::Closed => {
                if let Some((prelude, on_printed)) = prelude {
                    on_printed(&prelude.end());
                }
                return Turn::Ended;
            }
        };
        let bytes = &buffer[..length];
        match prelude {
            None => pump.connection.receive(bytes),
            Some((prelude, on_printed)) => {
                let told = prelude.filter(bytes);
                if !told.printed.is_empty() {
                    on_printed(&told.printed);
                }
                pump.connection.receive(&told.channel.0);
                pump.connection.receive(told.channel.1);
            }
        }
        *reads = reads.wrapping_add(1);
        let looks = reads.is_multiple_of(READS_PER_LOOK);
        if looks {
            pump.expire_due();
        }
        pump.flush();
        if looks && pump.connection.close_reason().is_some() { Turn::Ended } else { Turn::Moved }
    }

    /// Takes turns, for 20 us at most, until `is_done` after one in which something came.
    pub fn spin(&mut self, spin: &mut Spin, is_done: impl Fn() -> bool) -> Turn {
        let found = spin.wait(std::time::Instant::now, || match self.turn() {
            Turn::Idle => None,
            Turn::Moved if !is_done() => None,
            turn => Some(turn),
        });
        found.unwrap_or(Turn::Idle)
    }

    /// Waits as [`Pump::wait`] does.
    pub fn wait(&mut self, until: Option<Instant>) -> Turn {
        self.pump.wait(until)
    }
}

impl Writer {
    /// Returns whether something is left that cannot be written now.
    fn write_all(&mut self, connection: &Connection) -> bool {
        loop {
            if self.written == self.buffer.len() {
                self.drop_written();
                if !connection.take_output(&mut self.buffer) {
                    return false;
                }
            }
            let Some(end) = &self.end else {
                // Closed by this side: what is left is for nobody.
                self.drop_written();
                continue;
            };
            match write_some(end, &self.buffer[self.written..]) {
                Moved::Bytes(length) => self.written += length,
                Moved::Blocked => return true,
                // The peer has closed, which the leader will read.
                Moved::Closed => self.end = None,
            }
        }
    }

    fn drop_written(&mut self) {
        let is_used = self.buffer.len() > self.buffer.capacity() / 4;
        self.written = 0;
        self.buffer.clear();
        if self.buffer.capacity() > KEPT_WRITE_BUFFER_BYTES && !is_used {
            self.buffer = Vec::new();
        }
    }
}

fn nanoseconds(instant: Instant) -> u64 {
    let since = instant.saturating_since(Instant::default());
    // Neither of the two numbers with a meaning of their own.
    u64::try_from(since.as_nanos()).unwrap_or(FOR_EVER).clamp(AWAKE + 1, FOR_EVER - 1)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
