//! The calls of both sides, as this side drives them.

use super::*;

impl Session {
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
        let header = self.check_request(&request)?;
        if request.end && self.output_is_over(request.payload.len(), true) {
            return Err(self.output_is_full());
        }
        let call = self.claim_id();
        let flags = if request.end { FLAG_END } else { 0 };
        self.write_with_header(Kind::Request, flags, index, call, header, request.payload)?;
        self.open_call(call, request.payload.len(), request.end);
        Ok(call)
    }

    /// Gives the id of a call with one request that is made the short way of the embedded ABI, and its encoded header; nothing is written. If the answer is pending, [`adopt_call`](Self::adopt_call)
    /// says so; else it is over.
    ///
    /// # Errors
    /// As [`Session::request_at`].
    pub fn claim_call(&mut self, request: &Request<'_>) -> Result<(u32, Option<Vec<u8>>)> {
        let header = self.check_request(request)?;
        Ok((self.claim_id(), header))
    }

    /// Says that the answer to a call of [`claim_call`](Self::claim_call), whose request had so many bytes, comes by frames.
    ///
    /// # Errors
    /// UNAVAILABLE when the connection has ended since it was claimed: no answer comes.
    pub fn adopt_call(&mut self, call: u32, bytes: usize) -> Result<()> {
        self.open_peer()?;
        self.open_call(call, bytes, true);
        Ok(())
    }

    /// What has to hold before a call is made; gives its encoded header.
    fn check_request(&self, request: &Request<'_>) -> Result<Option<Vec<u8>>> {
        let peer = self.peer_for_request()?;
        let most = peer.limits.max_pending_requests;
        if self.open_own >= most as usize {
            return Err(Error::resource_exhausted(format!(
                "there are {most} requests, as many as {:?} takes at once; wait for one to end",
                peer.name
            )));
        }
        self.check_message_size(request.payload.len())?;
        encode_header(request.header)
    }

    fn open_call(&mut self, call: u32, bytes: usize, end: bool) {
        let Some(peer_limits) = self.peer.as_ref().map(|peer| peer.limits) else { return };
        let mut state = self.new_call(false, peer_limits);
        state.sends = !end;
        state.send_credit.spend(bytes);
        self.calls.insert(call, state);
        self.open_own += 1;
    }

    /// Sends a message of a call. For a call that has ended it does nothing.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED: message or header over its limit, and the call has ended; or out of credit, or the output is full, and the
    /// call goes on: wait for [`Event::Writable`]. INVALID_ARGUMENT, for a bad metadata key, and the call has ended.
    /// FAILED_PRECONDITION, for a message after the last, or a header that comes too late.
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
        if self.output_is_over(0, false) {
            self.wait_for_output(call);
            return Err(self.output_is_full());
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
