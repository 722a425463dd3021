//! What the peer sends.

use prost::Message;

use super::*;
use crate::frame::{Frame, FrameHeader, FramePayload};
use crate::hello::Peer;
use crate::wire;

/// The most bytes of a PING.
pub(super) const MAX_PING_BYTES: usize = 64;

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
            "the peer does not speak anyplug: its first bytes are \"{}\" instead of the magic (at offset 0)",
            self.magic.escape_ascii()
        ));
        self.fail(error.into());
    }

    /// Handles the next frame; false when the input ends before it does.
    fn next_frame(&mut self, input: &mut &[u8]) -> Result<bool> {
        let Some(Frame { header, payload, offset }) = self.decoder.next(input)? else {
            return Ok(false);
        };
        self.handle_frame(header, payload)
            .map_err(|error| error.map_message(|message| format!("{message} (frame at offset {offset})")))?;
        Ok(true)
    }

    fn handle_frame(&mut self, header: FrameHeader, payload: FramePayload<'_>) -> Result<()> {
        let kind = Kind::from_number(header.kind);
        if matches!(self.phase, Phase::Hello) && kind != Some(Kind::Hello) {
            return Err(Error::internal("a frame came before HELLO"));
        }
        let Some(kind) = kind else {
            return Ok(());
        };
        let of_call = matches!(kind, Kind::Request | Kind::Message | Kind::End | Kind::Cancel | Kind::Credit);
        if of_call == (header.call == 0) {
            let name = kind.name();
            return Err(Error::internal(match of_call {
                true => format!("{name} has the call id 0"),
                false => format!("{name} has the call id {} instead of 0", header.call),
            }));
        }
        if header.flags & FLAG_HEADER != 0 && !matches!(kind, Kind::Request | Kind::Message) {
            return Err(Error::internal(format!("{} has a call header", kind.name())));
        }
        match kind {
            Kind::Hello => self.receive_hello(payload.as_slice()),
            Kind::Request => self.receive_request(header, payload),
            Kind::Message => self.receive_message(header, payload),
            Kind::End => self.receive_end(header.call, payload.as_slice()),
            Kind::Cancel => self.receive_cancel(header.call, payload.as_slice()),
            Kind::Credit => self.receive_credit(header.call, payload.as_slice()),
            Kind::Ping | Kind::Pong => self.receive_ping(kind, payload),
            Kind::Log => {
                let record = Box::new(LogRecord::decode(payload.as_slice())?);
                self.events.push_back(Event::Log { record });
                Ok(())
            }
            Kind::Goaway => self.receive_goaway(payload.as_slice()),
        }
    }

    fn receive_hello(&mut self, payload: &[u8]) -> Result<()> {
        if !matches!(self.phase, Phase::Hello) {
            return Err(Error::internal("a second HELLO came"));
        }
        let peer = Arc::new(Peer::decode(payload)?);
        if self.role == Role::Plugin {
            self.limits = self.limit_options.over(peer.limits);
            self.decoder.set_max_frame_bytes(max_frame_bytes(self.limits));
        }
        self.peer = Some(peer.clone());
        self.phase = Phase::Open;
        self.speak();
        self.events.push_back(Event::Hello { peer });
        Ok(())
    }

    fn receive_request(&mut self, header: FrameHeader, payload: FramePayload<'_>) -> Result<()> {
        let call = header.call;
        if self.is_own(call) {
            return Err(Error::internal(format!("REQUEST has the call id {call}, which is this side's parity")));
        }
        if self.calls.contains_key(&call) {
            return Err(Error::internal(format!("REQUEST has the call id {call}, which is in use")));
        }
        let end = header.flags & FLAG_END != 0;
        let (call_header, start) = split_header(header, payload.as_slice())?;
        let bytes = payload.as_slice().len() - start;
        if !end && bytes > 0 {
            return Err(Error::internal("REQUEST has a message but not END"));
        }
        self.check_received_size(bytes)?;
        if let Some(refusal) = self.refusal(header.method, call_header.as_deref()) {
            self.write_status(Kind::End, call, &refusal);
            return self.check_answers_are_read();
        }
        let peer_limits = self.peer.as_ref().map_or_else(Limits::default, |peer| peer.limits);
        let mut state = self.new_call(true, peer_limits);
        state.receives = !end;
        self.calls.insert(call, state);
        self.open_of_peer += 1;
        let payload = end.then(|| payload.into_bytes_from(start));
        self.events.push_back(Event::Request { call, method: header.method, header: call_header, payload, end });
        Ok(())
    }

    /// Why a request is answered at once.
    fn refusal(&self, method: u16, header: Option<&CallHeader>) -> Option<Status> {
        if self.drain_sent {
            return Some(Status::new(Code::Unavailable, "this side drains the connection and takes no new calls"));
        }
        if usize::from(method) >= self.table.len() {
            let methods = self.table.len();
            return Some(Status::new(
                Code::Unimplemented,
                format!("there is no method {method}: the table has {methods}"),
            ));
        }
        let limit = self.limits.max_pending_requests;
        if self.open_of_peer >= limit as usize {
            let message = format!("{limit} requests are open, as many as this side takes (max_pending_requests)");
            return Some(Status::new(Code::ResourceExhausted, message));
        }
        if header.is_some_and(|header| header.timeout_ms == Some(0)) {
            return Some(Status::new(Code::DeadlineExceeded, "the request came with no time left"));
        }
        None
    }

    fn receive_message(&mut self, header: FrameHeader, payload: FramePayload<'_>) -> Result<()> {
        let call = header.call;
        let has_header = header.flags & FLAG_HEADER != 0;
        if has_header && !self.is_own(call) {
            return Err(Error::internal("MESSAGE of a caller has a call header"));
        }
        let Some(state) = self.calls.get_mut(&call).filter(|state| state.is_open && state.receives) else {
            return Ok(());
        };
        if has_header && state.answered {
            return Err(Error::internal("MESSAGE has a call header but is not the first"));
        }
        let is_callee = state.is_callee;
        // Of a call that this side made, `answered` is the callee's first message; of one that the peer made, this side's.
        state.answered |= !is_callee;
        let end = header.flags & FLAG_END != 0;
        let (call_header, start) = split_header(header, payload.as_slice())?;
        let bytes = payload.as_slice().len() - start;
        self.check_received_size(bytes)?;
        if end && !is_callee {
            self.end_by_callee(call);
        } else if !self.hold(call, bytes, end) {
            return Ok(());
        }
        let payload = payload.into_bytes_from(start);
        self.events.push_back(Event::Message { call, payload, end, header: call_header });
        self.tell_drained();
        Ok(())
    }

    /// Counts a message as unread; false when it does not fit, and then its call has ended.
    fn hold(&mut self, call: u32, bytes: usize, end: bool) -> bool {
        let limit = self.limit_options.buffer_bytes();
        let most_messages = UNREAD_MESSAGES_ALLOWED.max(limit / 64);
        if self.unread_bytes + bytes > limit || self.unread_messages >= most_messages {
            let message = format!(
                "{} bytes in {} messages wait to be read, and {bytes} more are over the limit of {limit} (max_buffer_bytes)",
                self.unread_bytes, self.unread_messages
            );
            self.end_locally(call, Status::new(Code::ResourceExhausted, message), EndKind::Told);
            return false;
        }
        if let Some(state) = self.calls.get_mut(&call) {
            state.receives = !end;
            state.unread_bytes += bytes;
            state.unread_messages += 1;
            self.unread_bytes += bytes;
            self.unread_messages += 1;
        }
        true
    }

    fn receive_end(&mut self, call: u32, payload: &[u8]) -> Result<()> {
        let Some(state) = self.calls.get_mut(&call).filter(|state| state.is_open && state.receives) else {
            return Ok(());
        };
        let mut status = Status::ok();
        if state.is_callee {
            state.receives = false;
        } else {
            status = Status::decode(payload)?;
            self.end_by_callee(call);
        }
        self.events.push_back(Event::End { call, status: Box::new(status) });
        self.tell_drained();
        Ok(())
    }

    fn receive_cancel(&mut self, call: u32, payload: &[u8]) -> Result<()> {
        if self.is_own(call) {
            return Err(Error::internal(format!("CANCEL came from the callee of call {call}")));
        }
        if !self.calls.contains_key(&call) {
            return Ok(());
        }
        let mut status = Status::decode(payload)?;
        if status.is_ok() {
            status = Status::new(Code::Cancelled, "the caller cancelled the call");
        }
        self.forget(call);
        self.events.push_back(Event::Cancelled { call, status: Box::new(status) });
        self.tell_drained();
        Ok(())
    }

    fn receive_credit(&mut self, call: u32, payload: &[u8]) -> Result<()> {
        let Some(state) = self.calls.get_mut(&call).filter(|state| state.is_open) else {
            return Ok(());
        };
        let credit = wire::Credit::decode(payload)
            .map_err(|error| Error::internal(format!("the CREDIT cannot be parsed: {error}")))?;
        if state.send_credit.add(credit.bytes)? && state.sends {
            self.events.push_back(Event::Writable { call });
        }
        Ok(())
    }

    fn receive_ping(&mut self, kind: Kind, payload: FramePayload<'_>) -> Result<()> {
        let bytes = payload.as_slice();
        if bytes.len() > MAX_PING_BYTES {
            return Err(Error::internal(format!("{} has {} bytes; at most 64 are allowed", kind.name(), bytes.len())));
        }
        if kind == Kind::Ping {
            self.write(Kind::Pong, 0, bytes);
            return self.check_answers_are_read();
        }
        self.events.push_back(Event::Pong { payload: payload.into_bytes_from(0) });
        Ok(())
    }

    fn receive_goaway(&mut self, payload: &[u8]) -> Result<()> {
        let goaway = wire::GoAway::decode(payload)
            .map_err(|error| Error::internal(format!("the GOAWAY cannot be parsed: {error}")))?;
        let status = goaway.status.map(Status::from).filter(|status| !status.is_ok());
        if let Some(status) = status {
            self.events.push_back(Event::Goaway { status: Some(Box::new(status.clone())) });
            self.close(status);
        } else if !std::mem::replace(&mut self.drain_received, true) {
            self.events.push_back(Event::Goaway { status: None });
            self.tell_drained();
        }
        Ok(())
    }

    fn is_own(&self, call: u32) -> bool {
        (call % 2 == 1) == (self.role == Role::Host)
    }

    fn check_received_size(&self, bytes: usize) -> Result<()> {
        let limit = self.limits.max_message_bytes;
        if bytes > limit as usize {
            return Err(Error::resource_exhausted(format!(
                "a message of {bytes} bytes is over the limit of {limit} (max_message_bytes)"
            )));
        }
        Ok(())
    }

    /// A peer that asks and never reads the answers is cut off before they fill the memory.
    fn check_answers_are_read(&self) -> Result<()> {
        let limit = self.limit_options.buffer_bytes().saturating_mul(2);
        if self.output.len() > limit {
            return Err(Error::resource_exhausted(format!("{} bytes of answers were not read", self.output.len())));
        }
        Ok(())
    }
}

/// The call header of a payload, and where the message starts.
fn split_header(header: FrameHeader, payload: &[u8]) -> Result<(Option<Box<CallHeader>>, usize)> {
    if header.flags & FLAG_HEADER == 0 {
        return Ok((None, 0));
    }
    let Some((length, rest)) = payload.split_first_chunk::<4>() else {
        return Err(Error::internal("the payload is too short for the length of its call header"));
    };
    let length = u32::from_le_bytes(*length) as usize;
    let Some(bytes) = rest.get(..length) else {
        return Err(Error::internal(format!("the call header has {length} bytes, longer than the payload")));
    };
    Ok((Some(Box::new(CallHeader::decode(bytes)?)), 4 + length))
}
