//! The session: one side of a connection as a state machine without I/O, clock or thread.
//!
//! Bytes and calls go in by methods; bytes to write and [`Event`]s come out. `docs/protocol.md` is the specification, and
//! `test/vectors/sessions` drives exactly these methods.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
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

mod incoming;

/// Which side of a connection a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that loads. It speaks first, and its call ids are odd.
    Host,
    /// The side that is loaded. Its call ids are even.
    Plugin,
}

/// What happened. Every input may cause any number of events; [`Session::next_event`] gives them in order.
#[derive(Clone, Debug)]
pub enum Event {
    /// The peer's HELLO came: calls can be made.
    Hello {
        /// What it said.
        peer: Arc<Peer>,
    },
    /// The peer makes a call.
    Request {
        /// Its id.
        call: u32,
        /// Index in this side's method table.
        method: u16,
        /// The call header, where one was sent.
        header: Option<Box<CallHeader>>,
        /// The one request message; none when the requests are streamed.
        payload: Option<Bytes>,
        /// No message follows.
        end: bool,
    },
    /// A message of a call.
    Message {
        /// The id of the call.
        call: u32,
        /// The message.
        payload: Bytes,
        /// The sender's last; from a callee, the call has succeeded.
        end: bool,
        /// The call header of a callee's first message, where one was sent.
        header: Option<Box<CallHeader>>,
        /// Counted as unread until [`Session::consume`] is called with its length: every message but one that is the only one of
        /// its direction.
        held: bool,
    },
    /// From a callee: the call is over. From a caller: no message follows.
    End {
        /// The id of the call.
        call: u32,
        /// How the call ended.
        status: Box<Status>,
    },
    /// The caller, or this session, ended a call that the peer made; nothing can be sent for it any more.
    Cancelled {
        /// The id of the call.
        call: u32,
        /// Why.
        status: Box<Status>,
    },
    /// A call that had to wait may send again.
    Writable {
        /// The id of the call.
        call: u32,
    },
    /// The answer to a ping.
    Pong {
        /// The bytes of the ping.
        payload: Bytes,
    },
    /// The peer logged something.
    Log {
        /// The record.
        record: Box<LogRecord>,
    },
    /// The peer takes no new calls.
    Goaway {
        /// Why the peer ends the connection; none when it drains.
        status: Option<Box<Status>>,
    },
    /// One side drains, and no call is left.
    Drained,
    /// The connection has ended. Nothing comes after this event.
    Closed {
        /// Why.
        status: Box<Status>,
    },
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

    // --- calls -----------------------------------------------------------------------------------

    /// Makes a call by the names of service and method, and returns its id.
    ///
    /// # Errors
    /// As [`Session::request_at`]; UNIMPLEMENTED, when the peer's table lacks the method.
    pub fn request(&mut self, service: &str, method: &str, request: Request<'_>) -> Result<u32> {
        let index = self.peer_for_request()?.method_index(service, method)?;
        self.request_at(index, request)
    }

    /// Makes a call by the method's index in the peer's table, and returns its id.
    ///
    /// # Errors
    /// Nothing is sent, and the reason is: UNAVAILABLE when the connection has ended or drains, FAILED_PRECONDITION before HELLO,
    /// INVALID_ARGUMENT for a bad metadata key, RESOURCE_EXHAUSTED for a message, header or number of calls over a limit.
    pub fn request_at(&mut self, index: u16, request: Request<'_>) -> Result<u32> {
        let peer = self.peer_for_request()?;
        let peer_limits = peer.limits;
        if self.open_own >= peer_limits.max_pending_requests as usize {
            return Err(Error::resource_exhausted(format!(
                "there are {} requests, as many as {:?} takes at once; wait for one to end",
                peer_limits.max_pending_requests, peer.name
            )));
        }
        self.check_message_size(request.payload.len())?;
        let header = encode_header(request.header)?;
        if request.end && self.output_is_over(request.payload.len(), true) {
            return Err(self.output_is_full());
        }
        let call = self.claim_id();
        let flags = if request.end { FLAG_END } else { 0 };
        self.write_with_header(Kind::Request, flags, index, call, header, request.payload)?;
        let mut state = self.new_call(false, peer_limits);
        state.sends = !request.end;
        state.send_credit.spend(request.payload.len());
        self.calls.insert(call, state);
        self.open_own += 1;
        Ok(call)
    }

    /// Sends a message of a call. For a call that has ended it does nothing.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED: over the limit of either side, and the call has ended; or out of credit, and the call goes on: wait for
    /// [`Event::Writable`]. FAILED_PRECONDITION, for a message after the last, or a header that comes too late.
    pub fn send_message(&mut self, call: u32, payload: &[u8], end: bool, header: Option<&CallHeader>) -> Result<()> {
        let Some(state) = self.calls.get(call).filter(|state| state.is_open) else {
            return Ok(());
        };
        if !state.sends {
            return Err(Error::failed_precondition(format!("call {call}: a message after the last")));
        }
        if header.is_some() && (!state.is_callee || state.sent) {
            return Err(Error::failed_precondition(format!(
                "call {call}: only the first message of a callee has a header"
            )));
        }
        let is_only_answer = state.is_callee && !state.sent && end;
        let header = match self.check_message_size(payload.len()).and_then(|()| encode_header(header)) {
            Ok(header) => header,
            Err(error) => {
                self.end_locally(call, Status::from(&error), EndKind::Refused);
                return Err(error);
            }
        };
        let Some(state) = self.calls.get(call) else {
            return Ok(());
        };
        if state.send_credit.available() == 0 {
            return Err(Error::resource_exhausted(format!("call {call} has no credit; wait until it is writable")));
        }
        if self.output_is_over(payload.len(), is_only_answer) {
            let error = self.output_is_full();
            if is_only_answer {
                self.end_locally(call, Status::from(&error), EndKind::Refused);
            } else {
                self.wait_for_output(call);
            }
            return Err(error);
        }
        self.write_with_header(Kind::Message, if end { FLAG_END } else { 0 }, 0, call, header, payload)?;
        if let Some(state) = self.calls.get_mut(call) {
            state.send_credit.spend(payload.len());
            state.sent = true;
            state.sends = !end;
            if end && state.is_callee {
                self.forget(call);
                self.tell_drained();
            }
        }
        Ok(())
    }

    /// Says that this side's last message was sent; for callers. For a call that has ended it does nothing.
    pub fn half_close(&mut self, call: u32) {
        if let Some(state) = self.calls.get_mut(call)
            && state.is_open
            && state.sends
            && !state.is_callee
        {
            state.sends = false;
            self.write(Kind::End, call, &[]);
        }
    }

    /// Ends a call with a status; for callees. For a call that has ended it does nothing.
    pub fn end_call(&mut self, call: u32, status: &Status) {
        if self.calls.get(call).is_some_and(|state| state.is_open && state.is_callee) {
            self.write_status(Kind::End, call, status);
            self.forget(call);
            self.tell_drained();
        }
    }

    /// Gives a call up: a caller sends CANCEL and gets [`Event::End`], a callee sends END and gets [`Event::Cancelled`]. For a
    /// call that has ended, it drops what was not read.
    pub fn cancel(&mut self, call: u32, status: Status) {
        match self.calls.get(call) {
            Some(state) if state.is_open => self.end_locally(call, status, EndKind::Told),
            Some(_) => self.forget(call),
            None => {}
        }
    }

    /// Ends a call whose deadline has passed.
    pub fn expire(&mut self, call: u32) {
        self.cancel(call, Status::new(Code::DeadlineExceeded, "the deadline passed before the call ended"));
    }

    /// Says that the application has done with bytes of messages of a call; the peer gets credit for them.
    pub fn consume(&mut self, call: u32, bytes: usize) {
        let Some(state) = self.calls.get_mut(call) else {
            return;
        };
        let read = bytes.min(state.unread_bytes);
        state.unread_bytes -= read;
        self.unread_bytes -= read;
        if state.unread_messages > 0 {
            state.unread_messages -= 1;
            self.unread_messages -= 1;
        }
        if !state.is_open {
            if state.unread_bytes == 0 && state.unread_messages == 0 {
                self.calls.remove(call);
            }
        } else if state.receives
            && let Some(grant) = state.receive_credit.consume(bytes)
        {
            let mut payload = Vec::with_capacity(6);
            payload.push(0x08);
            prost::encoding::encode_varint(u64::from(grant), &mut payload);
            self.write(Kind::Credit, call, &payload);
        }
    }

    /// Bytes that a call may send now; 0 when it has to wait for [`Event::Writable`], or has ended.
    pub fn credit(&mut self, call: u32) -> u32 {
        let available = match self.calls.get(call) {
            Some(state) if state.is_open => state.send_credit.available(),
            _ => return 0,
        };
        if available > 0 && self.output_is_over(0, false) {
            self.wait_for_output(call);
            return 0;
        }
        available
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

    // --- inside ----------------------------------------------------------------------------------

    /// Writes magic and HELLO, once.
    fn speak(&mut self) {
        if std::mem::replace(&mut self.has_spoken, true) {
            return;
        }
        self.output.extend_from_slice(&MAGIC);
        let mut payload = Vec::new();
        self.hello.encode(self.limits, &mut payload);
        self.write(Kind::Hello, 0, &payload);
    }

    fn open_peer(&self) -> Result<&Arc<Peer>> {
        match (&self.phase, &self.peer) {
            (Phase::Closed(reason), _) => Err(ended(reason)),
            (Phase::Open, Some(peer)) => Ok(peer),
            _ => Err(Error::failed_precondition(NO_HELLO)),
        }
    }

    fn peer_for_request(&self) -> Result<&Arc<Peer>> {
        let peer = self.open_peer()?;
        if self.drain_sent || self.drain_received {
            let name = &peer.name;
            return Err(Error::unavailable(format!("the connection to {name:?} is draining: it takes no new calls")));
        }
        Ok(peer)
    }

    fn check_message_size(&self, bytes: usize) -> Result<()> {
        let own = self.limits.max_message_bytes;
        let (limit, whose) = match &self.peer {
            Some(peer) if peer.limits.max_message_bytes < own => (peer.limits.max_message_bytes, &*peer.name),
            _ => (own, ""),
        };
        if bytes <= limit as usize {
            return Ok(());
        }
        let whose = if whose.is_empty() { "this side".to_owned() } else { format!("{whose:?}") };
        Err(Error::resource_exhausted(format!(
            "a message of {bytes} bytes is over the limit of {limit} bytes of {whose}; raise max_message_bytes"
        )))
    }

    fn output_is_over(&self, bytes: usize, is_whole_call: bool) -> bool {
        let limit = self.limit_options.buffer_bytes();
        if is_whole_call {
            !self.output.is_empty() && self.output.len() + bytes > limit
        } else {
            self.output.len() >= limit
        }
    }

    fn output_is_full(&self) -> Error {
        let (waiting, limit) = (self.output.len(), self.limit_options.buffer_bytes());
        let whom = self.peer.as_ref().map_or("", |peer| &peer.name);
        Error::resource_exhausted(format!(
            "{waiting} bytes wait to be written to {whom:?} and the limit of {limit} bytes is reached; make fewer calls at once"
        ))
    }

    fn wait_for_output(&mut self, call: u32) {
        if let Some(state) = self.calls.get_mut(call)
            && !std::mem::replace(&mut state.waits_for_output, true)
        {
            self.waiting_for_output.push(call);
        }
    }

    /// The next free id of this side's parity.
    fn claim_id(&mut self) -> u32 {
        let smallest = if self.role == Role::Host { 1 } else { 2 };
        loop {
            let id = self.next_id;
            self.next_id = id.checked_add(2).unwrap_or(smallest);
            if !self.calls.contains(id) {
                return id;
            }
        }
    }

    fn new_call(&mut self, is_callee: bool, peer_limits: Limits) -> Call {
        self.opened += 1;
        Call {
            order: self.opened,
            is_callee,
            is_open: true,
            sends: true,
            receives: true,
            received: false,
            sent: false,
            waits_for_output: false,
            send_credit: SendCredit::new(peer_limits.initial_credit_bytes),
            receive_credit: ReceiveCredit::new(self.limits.initial_credit_bytes),
            unread_bytes: 0,
            unread_messages: 0,
        }
    }

    /// Ends an open call from this side, on the wire and for the application.
    fn end_locally(&mut self, call: u32, status: Status, kind: EndKind) {
        let Some(is_callee) = self.calls.get(call).map(|state| state.is_callee) else {
            return;
        };
        self.write_status(if is_callee { Kind::End } else { Kind::Cancel }, call, &status);
        self.forget(call);
        match (is_callee, kind) {
            (true, EndKind::Told) => self.events.push_back(Event::Cancelled { call, status: Box::new(status) }),
            (true, EndKind::Refused) => {}
            (false, _) => self.events.push_back(Event::End { call, status: Box::new(status) }),
        }
        self.tell_drained();
    }

    /// Removes a call with all that it holds.
    fn forget(&mut self, call: u32) {
        if let Some(state) = self.calls.remove(call) {
            self.unread_bytes -= state.unread_bytes;
            self.unread_messages -= state.unread_messages;
            if state.is_open {
                self.uncount(state.is_callee);
            }
        }
    }

    /// The callee has ended a call of this side. It is forgotten when there is nothing left to read.
    fn end_by_callee(&mut self, call: u32) {
        if let Some(state) = self.calls.get_mut(call) {
            state.is_open = false;
            if state.unread_bytes == 0 && state.unread_messages == 0 {
                self.calls.remove(call);
            }
            self.uncount(false);
        }
    }

    fn uncount(&mut self, is_callee: bool) {
        if is_callee {
            self.open_of_peer -= 1;
        } else {
            self.open_own -= 1;
        }
    }

    fn tell_drained(&mut self) {
        if (self.drain_sent || self.drain_received) && self.open_calls() == 0 && !self.drained_told {
            self.drained_told = true;
            self.events.push_back(Event::Drained);
        }
    }

    /// Ends all calls, in the order in which they were opened, and then the connection.
    fn close(&mut self, status: Status) {
        let reason = status.clone().into_error(Code::Unavailable, "the connection was closed");
        let lost = Status::from(ended(&reason));
        let mut open: Vec<_> = self.calls.take_all().filter(|(_, state)| state.is_open).collect();
        open.sort_unstable_by_key(|(_, state)| state.order);
        for (call, state) in open {
            let status = Box::new(lost.clone());
            self.events.push_back(match state.is_callee {
                true => Event::Cancelled { call, status },
                false => Event::End { call, status },
            });
        }
        (self.open_own, self.open_of_peer, self.unread_bytes, self.unread_messages) = (0, 0, 0, 0);
        self.phase = Phase::Closed(reason);
        self.events.push_back(Event::Closed { status: Box::new(status) });
    }

    fn write(&mut self, kind: Kind, call: u32, payload: &[u8]) {
        // Payloads that come here are far below 4 GiB, so this cannot fail.
        let _ = encode_frame(&mut self.output, kind, 0, 0, call, &[payload]);
    }

    fn write_with_header(
        &mut self,
        kind: Kind,
        flags: u8,
        method: u16,
        call: u32,
        header: Option<Vec<u8>>,
        payload: &[u8],
    ) -> Result<()> {
        match header {
            None => encode_frame(&mut self.output, kind, flags, method, call, &[payload]),
            Some(header) => {
                let length = (header.len() as u32).to_le_bytes();
                encode_frame(&mut self.output, kind, flags | FLAG_HEADER, method, call, &[&length, &header, payload])
            }
        }
    }

    fn write_status(&mut self, kind: Kind, call: u32, status: &Status) {
        let mut payload = Vec::new();
        status.encode(&mut payload);
        self.write(kind, call, &payload);
    }
}

/// Whether the application is told by an event that this session ended a call that the peer made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EndKind {
    /// By an event.
    Told,
    /// It has the error in its hands.
    Refused,
}

/// The longest payload of a frame.
fn max_frame_bytes(limits: Limits) -> u32 {
    limits.max_message_bytes.saturating_add(FRAME_ALLOWANCE_BYTES)
}

/// What calls end with when their connection has ended.
pub(crate) fn ended(reason: &Error) -> Error {
    Error::unavailable(format!("the connection ended: {}", reason.message()))
}

fn encode_header(header: Option<&CallHeader>) -> Result<Option<Vec<u8>>> {
    let Some(header) = header else {
        return Ok(None);
    };
    header.metadata.validate()?;
    let mut bytes = Vec::with_capacity(8);
    header.encode(&mut bytes);
    if bytes.len() > MAX_HEADER_BYTES {
        return Err(Error::resource_exhausted(format!(
            "a call header of {} bytes is over the limit of {MAX_HEADER_BYTES} bytes; send less metadata",
            bytes.len()
        )));
    }
    Ok(Some(bytes))
}
