//! What the peer sends.

use super::*;
use crate::context::MAX_ORIGIN;
use crate::frame::{FRAME_HEADER_BYTES, Frame, FrameHeader, FramePayload};

/// The most bytes of a PING.
pub(super) const MAX_PING_BYTES: usize = 64;

/// Bytes of answers that may wait in any case, however small the buffer.
const ANSWER_BYTES_ALLOWED: usize = 64 << 10;

/// What becomes of a call that the peer makes the short way of the embedded ABI.
#[derive(Debug)]
pub enum Accepted {
    /// It is to be answered.
    Yes {
        /// Deadline, metadata, trace and origin.
        header: Option<Box<CallHeader>>,
        /// Where the message begins.
        start: usize,
    },
    /// It has ended with this.
    Refused(Status),
    /// It breaks a rule, and the connection has ended.
    Broken,
}

/// Why a frame ends the connection.
enum Broken {
    /// It breaks a rule of the protocol.
    Malformed(String),
    /// Its message is over the limit.
    TooLong(String),
    /// Its words need no offset.
    Refused(Error),
}

/// What a frame that breaks a rule ends the connection with.
fn malformed<T>(what: impl Into<String>) -> Handled<T> {
    Err(Broken::Malformed(what.into()))
}

/// The words for a payload that is not the message it should be.
fn unparsable(what: &str) -> impl FnOnce(prost::DecodeError) -> Broken {
    move |error| Broken::Malformed(format!("{what} that cannot be parsed ({error})"))
}

type Handled<T = ()> = std::result::Result<T, Broken>;

impl Session {
    /// Takes bytes that the peer sent, in chunks of any size. What they mean comes out as events and output.
    pub fn receive(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        if matches!(self.phase, Phase::Magic) {
            self.receive_magic(&mut input);
        }
        while !matches!(self.phase, Phase::Magic | Phase::Closed(_)) {
            match self.next_frame(&mut input) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => self.fail(error.into()),
            }
        }
    }

    fn receive_magic(&mut self, input: &mut &[u8]) {
        let missing = MAGIC.len() - self.magic.len();
        let (now, rest) = input.split_at(missing.min(input.len()));
        self.magic.extend_from_slice(now);
        *input = rest;
        if self.magic.len() < MAGIC.len() {
            return;
        }
        if self.magic == MAGIC {
            self.phase = Phase::Hello;
            return;
        }
        let error = Error::failed_precondition(format!(
            "instead of the magic came \"{}\", at offset 0: the peer does not speak anyplug, or something printed to its channel",
            self.magic.escape_ascii()
        ));
        self.fail(error.into());
    }

    /// Handles the next frame; false when the input ends before it does.
    fn next_frame(&mut self, input: &mut &[u8]) -> Result<bool> {
        let Some(Frame { header, payload, offset }) = self.decoder.next(input)? else {
            return Ok(false);
        };
        self.handle_frame(header, payload).map_err(|error| match error {
            Broken::Malformed(what) => Error::internal(format!("malformed frame at offset {offset}: {what}")),
            Broken::TooLong(what) => Error::resource_exhausted(format!("{what}, at offset {offset}")),
            Broken::Refused(error) => error,
        })?;
        Ok(true)
    }

    fn handle_frame(&mut self, header: FrameHeader, payload: FramePayload<'_>) -> Handled {
        let FrameHeader { flags, call, .. } = header;
        let kind = Kind::from_number(header.kind);
        if matches!(self.phase, Phase::Hello) && kind != Some(Kind::Hello) {
            let name = kind.map_or_else(|| format!("kind {}", header.kind), |kind| kind.name().to_owned());
            return malformed(format!("{name} before HELLO"));
        }
        let Some(kind) = kind else {
            // A kind of a later version.
            return Ok(());
        };
        let name = kind.name();
        let of_call = matches!(kind, Kind::Request | Kind::Message | Kind::End | Kind::Cancel | Kind::Credit);
        if of_call && call == 0 {
            return malformed(format!("{name} without a call"));
        }
        if !of_call && call != 0 {
            return malformed(format!("{name} with call id {call}"));
        }
        if flags & FLAG_HEADER != 0 && !matches!(kind, Kind::Request | Kind::Message) {
            return malformed(format!("a call header on {name}"));
        }
        match kind {
            Kind::Hello => self.receive_hello(payload.as_slice()),
            Kind::Request => self.receive_request(header, payload),
            Kind::Message => self.receive_message(header, payload),
            Kind::End => self.receive_end(call, payload.as_slice()),
            Kind::Cancel => self.receive_cancel(call, payload.as_slice()),
            Kind::Credit => self.receive_credit(call, payload.as_slice()),
            Kind::Ping | Kind::Pong => self.receive_ping(kind, payload),
            Kind::Log => {
                let record = LogRecord::parse(payload.as_slice()).map_err(unparsable("a log record"))?;
                self.events.push_back(Event::Log { record: Box::new(record) });
                Ok(())
            }
            Kind::Goaway => self.receive_goaway(payload.as_slice()),
        }
    }

    fn receive_hello(&mut self, payload: &[u8]) -> Handled {
        if !matches!(self.phase, Phase::Hello) {
            return malformed("a second HELLO");
        }
        let hello = wire::Hello::decode(payload).map_err(unparsable("a hello"))?;
        let peer = Arc::new(Peer::new(hello).map_err(Broken::Refused)?);
        if self.role == Role::Plugin {
            self.limits = self.limit_options.over(peer.limits);
            self.decoder.set_max_frame_bytes(max_frame_bytes(self.limits));
        }
        self.peer = Some(peer.clone());
        self.phase = Phase::Open;
        self.speak();
        self.events.push_back(Event::Hello { peer });
        if self.drain_sent {
            // A drain that began before the peer could be told.
            self.write(Kind::Goaway, 0, &[]);
        }
        Ok(())
    }

    /// Takes a call with one request that the peer makes the short way of the embedded ABI, which has the parts of a REQUEST with END. Nothing is kept of it: if it is not answered at once,
    /// [`keep_call`](Self::keep_call) says so; else it is over.
    pub fn accept_call(&mut self, call: u32, method: u16, has_header: bool, payload: &[u8]) -> Accepted {
        if !matches!(self.phase, Phase::Open) {
            return Accepted::Broken;
        }
        let flags = if has_header { FLAG_END | FLAG_HEADER } else { FLAG_END };
        // Nothing that is longer is ever accepted.
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let header = FrameHeader { length, kind: Kind::Request as u8, flags, method, call };
        let checked = match call {
            0 => malformed("REQUEST without a call"),
            _ => self.check_incoming(header, payload),
        };
        let broken = match checked {
            Ok((header, start)) => match self.refusal(method, header.as_deref()) {
                None => return Accepted::Yes { header, start },
                Some(status) => return Accepted::Refused(status),
            },
            Err(Broken::Malformed(what)) => Error::internal(format!("malformed call: {what}")),
            Err(Broken::TooLong(what)) => Error::resource_exhausted(what),
            Err(Broken::Refused(error)) => error,
        };
        self.fail(broken.into());
        Accepted::Broken
    }

    /// Says that a call of [`accept_call`](Self::accept_call) is answered by frames.
    pub fn keep_call(&mut self, call: u32) {
        if self.open_peer().is_ok() {
            self.open_incoming(call, true);
        }
    }

    fn open_incoming(&mut self, call: u32, end: bool) {
        let peer_limits = self.peer.as_ref().map_or_else(Limits::default, |peer| peer.limits);
        let mut state = self.new_call(true, peer_limits);
        state.receives = !end;
        self.calls.insert(call, state);
        self.open_of_peer += 1;
    }

    fn receive_request(&mut self, header: FrameHeader, payload: FramePayload<'_>) -> Handled {
        let call = header.call;
        let end = header.flags & FLAG_END != 0;
        let (call_header, start) = self.check_incoming(header, payload.as_slice())?;
        if let Some(refusal) = self.refusal(header.method, call_header.as_deref()) {
            let mut payload = Vec::new();
            refusal.encode(&mut payload);
            return self.answer(Kind::End, call, &payload);
        }
        self.open_incoming(call, end);
        let payload = end.then(|| payload.into_bytes_from(start));
        self.events.push_back(Event::Request { call, method: header.method, header: call_header, payload, end });
        Ok(())
    }

    /// What the rules of a request say. Gives its header, and where the message begins.
    fn check_incoming(&self, header: FrameHeader, payload: &[u8]) -> Handled<(Option<Box<CallHeader>>, usize)> {
        let call = header.call;
        if self.is_own(call) {
            return malformed(format!("REQUEST with call id {call}, which is not one of the sender's"));
        }
        if self.calls.contains(call) {
            return malformed(format!("REQUEST with call id {call}, which is in use"));
        }
        let end = header.flags & FLAG_END != 0;
        let (call_header, start) = split_header(header, payload)?;
        let bytes = payload.len() - start;
        if !end && bytes > 0 {
            return malformed("REQUEST with a message, but without END");
        }
        self.check_received_size(bytes)?;
        Ok((call_header, start))
    }

    /// Why a request is answered at once.
    fn refusal(&self, method: u16, header: Option<&CallHeader>) -> Option<Status> {
        let name = &self.hello.name;
        if self.drain_sent {
            return Some(Status::new(Code::Unavailable, format!("{name:?} is draining: it takes no new calls")));
        }
        if usize::from(method) >= self.table.len() {
            return Some(Status::new(Code::Unimplemented, format!("{name:?} has no method with index {method}")));
        }
        let limit = self.limits.max_pending_requests;
        if self.open_of_peer >= limit as usize {
            let message = format!("{name:?} has {limit} requests open, as many as it takes at once");
            return Some(Status::new(Code::ResourceExhausted, message));
        }
        let header = header?;
        if header.timeout_ms == Some(0) {
            return Some(Status::new(Code::DeadlineExceeded, "no time was left when the request came"));
        }
        let hops = header.origin.len();
        if hops > MAX_ORIGIN {
            let message = format!(
                "the call went through {hops} peers, over the limit of {MAX_ORIGIN}; do they answer each other without end?"
            );
            return Some(Status::new(Code::FailedPrecondition, message));
        }
        None
    }

    fn receive_message(&mut self, header: FrameHeader, payload: FramePayload<'_>) -> Handled {
        let call = header.call;
        let has_header = header.flags & FLAG_HEADER != 0;
        if has_header && !self.is_own(call) {
            return malformed("a call header on a caller's MESSAGE");
        }
        let Some(state) = self.calls.get(call).filter(|state| state.is_open && state.receives) else {
            return Ok(());
        };
        let (is_callee, is_first) = (state.is_callee, !state.received);
        if has_header && !is_first {
            return malformed("a call header on a MESSAGE that is not the first");
        }
        let end = header.flags & FLAG_END != 0;
        let (call_header, start) = split_header(header, payload.as_slice())?;
        let bytes = payload.as_slice().len() - start;
        self.check_received_size(bytes)?;
        let held = !(is_first && end);
        if held && !self.hold(call, bytes) {
            return Ok(());
        }
        if let Some(state) = self.calls.get_mut(call) {
            state.received = true;
            state.receives = !end;
        }
        let payload = payload.into_bytes_from(start);
        self.events.push_back(Event::Message { call, payload, end, header: call_header, held });
        if end && !is_callee {
            self.end_by_callee(call);
            self.tell_drained();
        }
        Ok(())
    }

    /// Counts a message as unread; false when it does not fit, and then its call has ended.
    fn hold(&mut self, call: u32, bytes: usize) -> bool {
        let limit = self.limit_options.buffer_bytes();
        let (held, count) = (self.unread_bytes, self.unread_messages);
        let is_over = held > 0 && held + bytes > limit;
        if is_over || count >= UNREAD_MESSAGES_ALLOWED.max(limit / 64) {
            let message = format!(
                "{held} bytes of {count} messages wait to be read and the limit of {limit} bytes is reached; read faster, or raise max_buffer_bytes"
            );
            self.end_locally(call, Status::new(Code::ResourceExhausted, message), EndKind::Told);
            return false;
        }
        if let Some(state) = self.calls.get_mut(call) {
            state.unread_bytes += bytes;
            state.unread_messages += 1;
            self.unread_bytes += bytes;
            self.unread_messages += 1;
        }
        true
    }

    fn receive_end(&mut self, call: u32, payload: &[u8]) -> Handled {
        let Some(state) = self.calls.get_mut(call).filter(|state| state.is_open && state.receives) else {
            return Ok(());
        };
        let status = Status::parse(payload).map_err(unparsable("a status"))?;
        state.receives = false;
        if !state.is_callee {
            self.end_by_callee(call);
        }
        self.events.push_back(Event::End { call, status: Box::new(status) });
        self.tell_drained();
        Ok(())
    }

    fn receive_cancel(&mut self, call: u32, payload: &[u8]) -> Handled {
        if self.is_own(call) {
            return malformed("CANCEL from the callee of the call");
        }
        if !self.calls.contains(call) {
            return Ok(());
        }
        let mut status = Status::parse(payload).map_err(unparsable("a status"))?;
        status.code.get_or_insert(Code::Cancelled);
        self.forget(call);
        self.events.push_back(Event::Cancelled { call, status: Box::new(status) });
        self.tell_drained();
        Ok(())
    }

    fn receive_credit(&mut self, call: u32, payload: &[u8]) -> Handled {
        let Some(state) = self.calls.get_mut(call).filter(|state| state.is_open && state.sends) else {
            return Ok(());
        };
        let credit = wire::Credit::decode(payload).map_err(unparsable("credit"))?;
        match state.send_credit.grant(credit.bytes) {
            None => return malformed(format!("credit of call {call} goes over 2^31 - 1 bytes")),
            Some(true) if self.output_is_over(0, false) => self.wait_for_output(call),
            Some(true) => self.events.push_back(Event::Writable { call }),
            Some(false) => {}
        }
        Ok(())
    }

    fn receive_ping(&mut self, kind: Kind, payload: FramePayload<'_>) -> Handled {
        let bytes = payload.as_slice();
        if bytes.len() > MAX_PING_BYTES {
            return malformed(format!("{} of {} bytes, over {MAX_PING_BYTES}", kind.name(), bytes.len()));
        }
        if kind == Kind::Ping {
            return self.answer(Kind::Pong, 0, bytes);
        }
        self.events.push_back(Event::Pong { payload: payload.into_bytes_from(0) });
        Ok(())
    }

    fn receive_goaway(&mut self, payload: &[u8]) -> Handled {
        let goaway = wire::GoAway::decode(payload).map_err(unparsable("a goaway"))?;
        let failure = goaway.status.map(Status::from).filter(|status| !status.is_ok());
        if let Some(status) = failure {
            self.events.push_back(Event::Goaway { status: Some(Box::new(status.clone())) });
            self.close(status);
        } else if !std::mem::replace(&mut self.drain_received, true) {
            self.events.push_back(Event::Goaway { status: None });
            self.tell_drained();
        }
        Ok(())
    }

    /// Sends what the peer asked for by a frame. A peer that asks without end and reads nothing is let go.
    fn answer(&mut self, kind: Kind, call: u32, payload: &[u8]) -> Handled {
        let limit = self.limit_options.buffer_bytes().max(ANSWER_BYTES_ALLOWED);
        if self.answer_bytes > limit {
            let message = format!(
                "the peer does not read: {} bytes of answers wait to be written, over the limit of {limit} bytes",
                self.answer_bytes
            );
            return Err(Broken::Refused(Error::resource_exhausted(message)));
        }
        self.answer_bytes += FRAME_HEADER_BYTES + payload.len();
        self.write(kind, call, payload);
        Ok(())
    }

    fn is_own(&self, call: u32) -> bool {
        (call % 2 == 1) == (self.role == Role::Host)
    }

    fn check_received_size(&self, bytes: usize) -> Handled {
        let limit = self.limits.max_message_bytes;
        if bytes > limit as usize {
            let message = format!("a message of {bytes} bytes is over the limit of {limit} bytes");
            return Err(Broken::TooLong(message));
        }
        Ok(())
    }
}

/// The call header of a payload, and where the message starts.
fn split_header(header: FrameHeader, payload: &[u8]) -> Handled<(Option<Box<CallHeader>>, usize)> {
    if header.flags & FLAG_HEADER == 0 {
        return Ok((None, 0));
    }
    let Some((length, rest)) = payload.split_first_chunk::<4>() else {
        return malformed("a call header without its length");
    };
    let length = u32::from_le_bytes(*length) as usize;
    let Some(bytes) = rest.get(..length) else {
        return malformed("a call header that is longer than its frame");
    };
    let header = CallHeader::parse(bytes).map_err(unparsable("a call header"))?;
    Ok((Some(Box::new(header)), 4 + length))
}
