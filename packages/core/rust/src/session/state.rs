//! What the halves of a session share: what is written, how calls and the connection end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

impl Session {
    /// Writes magic and HELLO, once.
    pub(super) fn speak(&mut self) {
        if std::mem::replace(&mut self.has_spoken, true) {
            return;
        }
        self.output.extend_from_slice(&MAGIC);
        let mut payload = Vec::new();
        self.hello.encode(self.limits, &mut payload);
        self.write(Kind::Hello, 0, &payload);
    }

    pub(super) fn open_peer(&self) -> Result<&Arc<Peer>> {
        match (&self.phase, &self.peer) {
            (Phase::Closed(reason), _) => Err(ended(reason)),
            (Phase::Open, Some(peer)) => Ok(peer),
            _ => Err(Error::failed_precondition(NO_HELLO)),
        }
    }

    pub(super) fn peer_for_request(&self) -> Result<&Arc<Peer>> {
        let peer = self.open_peer()?;
        if self.drain_sent || self.drain_received {
            let name = &peer.name;
            return Err(Error::unavailable(format!("the connection to {name:?} is draining: it takes no new calls")));
        }
        Ok(peer)
    }

    pub(crate) fn check_message_size(&self, bytes: usize) -> Result<()> {
        let Some(peer) = &self.peer else { return Ok(()) };
        let (limit, name) = (peer.limits.max_message_bytes, &peer.name);
        if bytes <= limit as usize {
            return Ok(());
        }
        Err(Error::resource_exhausted(format!(
            "a message of {bytes} bytes is over the limit of {limit} bytes of {name:?}; raise its max_message_bytes"
        )))
    }

    /// Whether as many bytes wait to be written as may. A request that is written whole goes over that only when nothing waits.
    pub(super) fn output_is_over(&self, bytes: usize, is_whole_call: bool) -> bool {
        let limit = self.limit_options.buffer_bytes();
        if is_whole_call {
            !self.output.is_empty() && self.output.len() + bytes > limit
        } else {
            self.output.len() >= limit
        }
    }

    pub(super) fn output_is_full(&self) -> Error {
        let (waiting, limit) = (self.output.len(), self.limit_options.buffer_bytes());
        let whom = self.peer.as_ref().map_or("", |peer| &peer.name);
        Error::resource_exhausted(format!(
            "{waiting} bytes wait to be written to {whom:?} and the limit of {limit} bytes is reached; make fewer calls at once"
        ))
    }

    pub(super) fn wait_for_output(&mut self, call: u32) {
        if let Some(state) = self.calls.get_mut(call)
            && !std::mem::replace(&mut state.waits_for_output, true)
        {
            self.waiting_for_output.push(call);
        }
    }

    /// The next free id of this side's parity.
    pub(super) fn claim_id(&mut self) -> u32 {
        let smallest = if self.role == Role::Host { 1 } else { 2 };
        loop {
            let id = self.next_id;
            self.next_id = id.checked_add(2).unwrap_or(smallest);
            if !self.calls.contains(id) {
                return id;
            }
        }
    }

    pub(super) fn new_call(&mut self, is_callee: bool, peer_limits: Limits) -> Call {
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
    pub(super) fn end_locally(&mut self, call: u32, status: Status, kind: EndKind) {
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
    pub(super) fn forget(&mut self, call: u32) {
        if let Some(state) = self.calls.remove(call) {
            self.unread_bytes -= state.unread_bytes;
            self.unread_messages -= state.unread_messages;
            if state.is_open {
                self.uncount(state.is_callee);
            }
        }
    }

    /// The callee has ended a call of this side. It is forgotten when there is nothing left to read.
    pub(super) fn end_by_callee(&mut self, call: u32) {
        if let Some(state) = self.calls.get_mut(call) {
            state.is_open = false;
            if state.unread_bytes == 0 && state.unread_messages == 0 {
                self.calls.remove(call);
            }
            self.uncount(false);
        }
    }

    pub(super) fn uncount(&mut self, is_callee: bool) {
        if is_callee {
            self.open_of_peer -= 1;
        } else {
            self.open_own -= 1;
        }
    }

    pub(super) fn tell_drained(&mut self) {
        if (self.drain_sent || self.drain_received) && self.open_calls() == 0 && !self.drained_told {
            self.drained_told = true;
            self.events.push_back(Event::Drained);
        }
    }

    /// Ends all calls, in the order in which they were opened, and then the connection.
    pub(super) fn close(&mut self, status: Status) {
        let reason = status.clone().into_error(Code::Unavailable, "the connection was closed");
        let lost = Status::from(ended(&reason));
        let open = self.calls.take_all().filter(|(_, state)| state.is_open);
        // A heap is less code than a sort, which counts in a module.
        let mut open: BinaryHeap<_> = open.map(|(call, state)| Reverse((state.order, call, state.is_callee))).collect();
        while let Some(Reverse((_, call, is_callee))) = open.pop() {
            let status = Box::new(lost.clone());
            self.events.push_back(match is_callee {
                true => Event::Cancelled { call, status },
                false => Event::End { call, status },
            });
        }
        (self.open_own, self.open_of_peer, self.unread_bytes, self.unread_messages) = (0, 0, 0, 0);
        self.phase = Phase::Closed(reason);
        self.events.push_back(Event::Closed { status: Box::new(status) });
    }

    pub(super) fn write(&mut self, kind: Kind, call: u32, payload: &[u8]) {
        // Payloads that come here are far below 4 GiB, so this cannot fail.
        let _ = encode_frame(&mut self.output, kind, 0, 0, call, &[payload]);
    }

    pub(super) fn write_with_header(
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

    pub(super) fn write_status(&mut self, kind: Kind, call: u32, status: &Status) {
        let mut payload = Vec::new();
        status.encode(&mut payload);
        self.write(kind, call, &payload);
    }
}

/// Whether the application is told by an event that this session ended a call that the peer made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EndKind {
    /// By an event.
    Told,
    /// It has the error in its hands.
    Refused,
}

/// The longest payload of a frame.
pub(super) fn max_frame_bytes(limits: Limits) -> u32 {
    limits.max_message_bytes.saturating_add(FRAME_ALLOWANCE_BYTES)
}

/// What calls end with when their connection has ended.
pub(crate) fn ended(reason: &Error) -> Error {
    Error::unavailable(format!("the connection ended: {}", reason.message()))
}
