//! What a session has to tell.

use std::sync::Arc;

use bytes::Bytes;

use crate::header::CallHeader;
use crate::hello::Peer;
use crate::log::LogRecord;
use crate::status::Status;

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
