//! The session: one side of a connection as a state machine without I/O, clock or thread.
//!
//! Bytes and calls go in by methods; bytes to write and [`Event`]s come out. `docs/protocol.md` is the specification, and
//! `test/vectors/sessions` drives exactly these methods.

use std::collections::VecDeque;
use std::sync::Arc;

use prost::Message as _;

use crate::call::{ById, Call};
use crate::code::Code;
use crate::credit::{ReceiveCredit, SendCredit};
use crate::error::{Error, Result};
use crate::frame::{Decoder, FLAG_END, FLAG_HEADER, Kind, encode_frame};
use crate::header::CallHeader;
use crate::hello::{HelloOptions, MAGIC, MAX_METHODS, Peer};
use crate::limits::{FRAME_ALLOWANCE_BYTES, LimitOptions, Limits};
use crate::log::LogRecord;
use crate::status::Status;
use crate::wire;

mod calls;
mod incoming;
mod state;

pub use crate::event::Event;
pub use incoming::Accepted;
pub(crate) use state::ended;
use state::{EndKind, max_frame_bytes};

/// Which side of a connection a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that loads. It speaks first, and its call ids are odd.
    Host,
    /// The side that is loaded. Its call ids are even.
    Plugin,
}

/// How a session is made.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Which side it is.
    pub role: Role,
    /// What it tells the peer of itself.
    pub hello: HelloOptions,
    /// The limits that its owner sets.
    pub limits: LimitOptions,
}

/// What [`Session::request`] sends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// Deadline, metadata, trace and origin.
    pub header: Option<&'a CallHeader>,
    /// The one request message, with `end`; empty otherwise.
    pub payload: &'a [u8],
    /// No message follows.
    pub end: bool,
}

/// One side of a connection.
///
/// ```
/// use anyplug_core::session::{Event, Role, Session, SessionOptions};
///
/// # fn main() -> anyplug_core::Result<()> {
/// let session = |role| Session::new(SessionOptions { role, hello: Default::default(), limits: Default::default() });
/// let (mut host, mut plugin) = (session(Role::Host)?, session(Role::Plugin)?);
/// let mut bytes = Vec::new();
/// host.take_output(&mut bytes);
/// plugin.receive(&bytes);
/// assert!(matches!(plugin.next_event(), Some(Event::Hello { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Session {
    role: Role,
    hello: HelloOptions,
    limit_options: LimitOptions,
    limits: Limits,
    /// The service and the method of each index of this side's table.
    table: Vec<(usize, usize)>,
    phase: Phase,
    magic: Vec<u8>,
    decoder: Decoder,
    has_spoken: bool,
    peer: Option<Arc<Peer>>,
    calls: ById<Call>,
    opened: u64,
    next_id: u32,
    /// Calls that are open: made by this side, and by the peer.
    open_own: usize,
    open_of_peer: usize,
    unread_bytes: usize,
    unread_messages: usize,
    drain_sent: bool,
    drain_received: bool,
    drained_told: bool,
    waiting_for_output: Vec<u32>,
    /// Bytes of the output that answer what the peer asked by a frame.
    answer_bytes: usize,
    events: VecDeque<Event>,
    output: Vec<u8>,
}

#[derive(Debug)]
enum Phase {
    Magic,
    Hello,
    Open,
    Closed(Error),
}

/// Why nothing can be sent before the peer's HELLO.
pub(crate) const NO_HELLO: &str = "the peer's hello has not come yet; wait for it";
/// A count of unread messages that is always allowed, however small the buffer; beyond that a message counts as 64 bytes.
const UNREAD_MESSAGES_ALLOWED: usize = 1_024;
/// The longest call header, in bytes: what the frame's allowance leaves for it.
const MAX_HEADER_BYTES: usize = FRAME_ALLOWANCE_BYTES as usize - 4;
/// An output buffer that is larger than this is kept only while it is made use of, in bytes.
const KEPT_OUTPUT_BYTES: usize = 256 << 10;

impl Session {
    /// A new session. A host has its magic and HELLO to write at once.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, when the services have more than 65,535 methods together.
    pub fn new(options: SessionOptions) -> Result<Self> {
        let SessionOptions { role, hello, limits: limit_options } = options;
        let mut table = Vec::new();
        for (service, entry) in hello.services.iter().enumerate() {
            table.extend((0..entry.methods.len()).map(|method| (service, method)));
        }
        if table.len() > MAX_METHODS {
            return Err(Error::invalid_argument(format!(
                "{} methods are served, and a connection has at most {MAX_METHODS}",
                table.len()
            )));
        }
        let limits = limit_options.over(Limits::default());
        let mut session = Self {
            role,
            hello,
            limit_options,
            limits,
            table,
            phase: Phase::Magic,
            magic: Vec::with_capacity(MAGIC.len()),
            decoder: Decoder::new(max_frame_bytes(limits), MAGIC.len() as u64),
            has_spoken: false,
            peer: None,
            calls: ById::default(),
            opened: 0,
            next_id: if role == Role::Host { 1 } else { 2 },
            open_own: 0,
            open_of_peer: 0,
            unread_bytes: 0,
            unread_messages: 0,
            drain_sent: false,
            drain_received: false,
            drained_told: false,
            waiting_for_output: Vec::new(),
            answer_bytes: 0,
            events: VecDeque::new(),
            output: Vec::new(),
        };
        if role == Role::Host {
            session.speak();
        }
        Ok(session)
    }

    // --- what goes on ----------------------------------------------------------------------------

    /// Takes the next event.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether [`next_event`](Self::next_event) has one to give.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Moves the bytes that have to be written to the end of `into`; false when there are none.
    pub fn take_output(&mut self, into: &mut Vec<u8>) -> bool {
        if self.output.is_empty() {
            return false;
        }
        self.answer_bytes = 0;
        if into.is_empty() {
            std::mem::swap(&mut self.output, into);
        } else {
            into.append(&mut self.output);
        }
        if self.output.capacity() > KEPT_OUTPUT_BYTES && into.len() < self.output.capacity() / 4 {
            self.output = Vec::new();
        }
        for call in std::mem::take(&mut self.waiting_for_output) {
            if let Some(state) = self.calls.get_mut(call)
                && std::mem::take(&mut state.waits_for_output)
                && state.is_open
                && state.send_credit.available() > 0
            {
                self.events.push_back(Event::Writable { call });
            }
        }
        true
    }

    /// How many bytes have to be written.
    pub fn output_bytes(&self) -> usize {
        self.output.len()
    }

    /// The limits of this side; a plugin's are final once the host's HELLO has come.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// What the peer's HELLO said, once it has come.
    pub fn peer(&self) -> Option<&Arc<Peer>> {
        self.peer.as_ref()
    }

    /// The names of the service and the method at an index of this side's table.
    pub fn local_method(&self, index: u16) -> Option<(&str, &str)> {
        let (service, method) = *self.table.get(usize::from(index))?;
        let entry = self.hello.services.get(service)?;
        Some((&entry.name, &entry.methods.get(method)?.name))
    }

    /// Whether a call has not ended.
    pub fn is_open(&self, call: u32) -> bool {
        self.calls.get(call).is_some_and(|state| state.is_open)
    }

    /// How many calls are open, in both directions.
    pub fn open_calls(&self) -> usize {
        self.open_own + self.open_of_peer
    }

    /// Why the connection has ended, if it has.
    pub fn close_reason(&self) -> Option<&Error> {
        match &self.phase {
            Phase::Closed(reason) => Some(reason),
            _ => None,
        }
    }

    // --- the connection --------------------------------------------------------------------------

    /// Sends a ping; its bytes come back by [`Event::Pong`].
    ///
    /// # Errors
    /// INVALID_ARGUMENT for more than 64 bytes; before HELLO and after the end as for a request.
    pub fn ping(&mut self, payload: &[u8]) -> Result<()> {
        if payload.len() > incoming::MAX_PING_BYTES {
            let (bytes, limit) = (payload.len(), incoming::MAX_PING_BYTES);
            return Err(Error::invalid_argument(format!("a ping of {bytes} bytes is over the limit of {limit} bytes")));
        }
        self.open_peer()?;
        self.write(Kind::Ping, 0, payload);
        Ok(())
    }

    /// Sends a log record to the peer; a record over the peer's limit is shortened. Before HELLO, after the end, and while the
    /// peer reads nothing, it is dropped.
    pub fn log(&mut self, record: &LogRecord) {
        if self.open_peer().is_ok() && !self.output_is_over(0, false) {
            self.write(Kind::Log, 0, &record.encode());
        }
    }

    /// Begins a drain: calls in flight go on, new ones are refused on both sides, and [`Event::Drained`] tells when none is left.
    pub fn drain(&mut self) {
        if self.drain_sent || matches!(self.phase, Phase::Closed(_)) {
            return;
        }
        self.drain_sent = true;
        if matches!(self.phase, Phase::Open) {
            self.write(Kind::Goaway, 0, &[]);
        }
        self.tell_drained();
    }

    /// Ends the connection for a reason of this side, which the peer is told.
    pub fn fail(&mut self, status: Status) {
        if matches!(self.phase, Phase::Closed(_)) {
            return;
        }
        self.speak();
        let goaway = wire::GoAway { status: Some(status.to_wire()) };
        self.write(Kind::Goaway, 0, &goaway.encode_to_vec());
        self.close(status);
    }

    /// Tells that the transport has ended, and why.
    pub fn closed(&mut self, reason: Status) {
        let told = match &self.phase {
            Phase::Closed(_) => return,
            Phase::Magic if !self.magic.is_empty() => {
                format!("{} (the stream ended before HELLO, after \"{}\")", reason.message, self.magic.escape_ascii())
            }
            Phase::Magic | Phase::Hello => format!("{} (the stream ended before HELLO)", reason.message),
            Phase::Open if self.decoder.pending_bytes() > 0 => {
                format!("{} (in the middle of the frame at offset {})", reason.message, self.decoder.offset())
            }
            Phase::Open => reason.message,
        };
        let code = reason.code.or(Some(Code::Unavailable));
        self.close(Status { code, message: told, ..reason });
    }
}
