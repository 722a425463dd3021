//! Calls with one request that a shell makes at once, without a frame.

use std::sync::Arc;

use bytes::Bytes;

use super::Inner;
use super::slot::Slot;
use crate::channel::Instant;
use crate::error::Result;
use crate::header::CallHeader;
use crate::session::Request;
use crate::status::Status;

/// A call with one request that a shell may make at once: it claims the call, makes it, and says how it went.
pub struct CallNow<'a> {
    inner: &'a Arc<Inner>,
    method: u16,
    header: Option<&'a CallHeader>,
    payload: &'a [u8],
    deadline: Option<Instant>,
    /// Whom the answer is for.
    take: &'a mut dyn FnMut(&[u8]),
    /// The encoded header, with its length before it, once it is claimed.
    encoded: Vec<u8>,
    id: u32,
    pub(super) place: Option<usize>,
}

/// How a call went that a shell was asked to make at once.
#[derive(Debug)]
pub enum CalledNow {
    /// It was not made, and goes the long way.
    Not,
    /// It failed before the peer could answer.
    Refused(crate::Error),
    /// The peer has answered: see [`CallNow::done`].
    Done,
    /// The peer has answered with this [`Status`], encoded.
    Failed(Bytes),
    /// The peer answers by frames, and the call was [adopted](CallNow::adopt).
    Pending,
}

impl<'a> CallNow<'a> {
    pub(super) fn new(
        inner: &'a Arc<Inner>,
        method: u16,
        header: Option<&'a CallHeader>,
        payload: &'a [u8],
        deadline: Option<Instant>,
        take: &'a mut dyn FnMut(&[u8]),
    ) -> Self {
        Self { inner, method, header, payload, deadline, take, encoded: Vec::new(), id: 0, place: None }
    }

    /// Takes the next id of the connection.
    ///
    /// # Errors
    /// As [`Session::request_at`](crate::Session::request_at); the call is not to be made then.
    pub fn claim(&mut self) -> Result<u32> {
        let request = Request { header: self.header, payload: self.payload, end: true };
        let (id, header) = self.inner.lock().session.claim_call(&request)?;
        if let Some(header) = header {
            // A header is far below 4 GiB.
            self.encoded.extend_from_slice(&(header.len() as u32).to_le_bytes());
            self.encoded.extend_from_slice(&header);
        }
        self.id = id;
        Ok(id)
    }

    /// The index of the method in the peer's table.
    pub fn method(&self) -> u16 {
        self.method
    }

    /// What stands before the message, once the call is claimed; empty: no header.
    pub fn header(&self) -> &[u8] {
        &self.encoded
    }

    /// The message.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// When its time is over.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Says that the peer has answered with this message, which is copied, or read, before this returns. Gives how the call went.
    pub fn done(&mut self, message: &[u8]) -> CalledNow {
        match self.inner.check_answer(message.len()) {
            Ok(()) => {
                (self.take)(message);
                CalledNow::Done
            }
            Err(error) => CalledNow::Refused(error),
        }
    }

    /// Says that the peer answers by frames. They may be received from now on. Where another thread has ended the connection meanwhile, the call has ended as well.
    pub fn adopt(&mut self) {
        let mut state = self.inner.lock();
        let adopted = state.session.adopt_call(self.id, self.payload.len());
        let timeout_ms = self.header.and_then(|header| header.timeout_ms).unwrap_or(0);
        let slot = Slot { id: self.id, deadline: self.deadline, timeout_ms, ..Slot::default() };
        self.place = Some(state.insert(slot));
        if let Err(error) = adopted
            && let Some(slot) = state.end(self.id)
        {
            slot.outcome = Some(Err(error));
        }
    }
}

/// Why a call failed, by an encoded status.
pub(super) fn failure(status: &[u8]) -> crate::Error {
    match Status::decode(status).and_then(|status| status.into_result().map(drop)) {
        Err(error) => error,
        Ok(()) => crate::Error::internal("the call failed without a reason"),
    }
}
