//! Answers that wait: what is to be written has reached its limit, or the caller gave no credit.

use crate::error::Result;
use crate::header::{CallHeader, Metadata};
use crate::status::Status;

use super::slot::State;

/// The last message of a call that this side answers.
pub(super) struct Answer {
    header: Option<CallHeader>,
    message: Vec<u8>,
    trailer: Metadata,
}

impl State {
    /// Sends the last message of a call that this side answers. It waits where it has to, and goes when the call is writable: its
    /// handler has done its part.
    ///
    /// # Errors
    /// As [`Session::send_message`](crate::session::Session::send_message), but for what is only to be waited for.
    pub(super) fn answer(
        &mut self,
        id: u32,
        message: &[u8],
        header: Option<CallHeader>,
        trailer: Metadata,
    ) -> Result<()> {
        let ends = trailer.is_empty();
        match self.session.send_message(id, message, ends, header.as_ref()) {
            Ok(()) if ends => Ok(()),
            Ok(()) => {
                self.session.end_call(id, &Status { metadata: trailer, ..Status::ok() });
                Ok(())
            }
            Err(_) if self.session.is_open(id) && self.session.credit(id) == 0 => {
                self.answers.insert(id, Answer { header, message: message.to_vec(), trailer });
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// A call may send again: its answer goes, if it waits.
    pub(super) fn send_waiting_answer(&mut self, id: u32) {
        if let Some(Answer { header, message, trailer }) = self.answers.remove(id) {
            // An error has ended the call, and its handler is done.
            let _ = self.answer(id, &message, header, trailer);
        }
    }
}
