//! `Status`, the payload of END and CANCEL: a failure, or success with metadata.

use prost::Message;

use crate::code::Code;
use crate::error::{Any, Error, Result};
use crate::header::Metadata;
use crate::wire;

/// What a status may take in a frame, so that every peer accepts it.
const MAX_STATUS_BYTES: usize = 65_536;
/// What is left of the message of a status that takes more.
const MAX_CUT_MESSAGE_BYTES: usize = 8_192;

/// How a call ended. Default is success, whose encoding is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// The failure; none for success.
    pub code: Option<Code>,
    /// For a person; empty for success.
    pub message: String,
    /// For a program: typed details.
    pub details: Vec<Any>,
    /// Metadata that the callee sends after its last message.
    pub metadata: Metadata,
}

impl Status {
    /// Success without metadata.
    pub fn ok() -> Self {
        Self::default()
    }

    /// A failure with a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: Some(code), message: message.into(), ..Self::default() }
    }

    /// Whether this is success.
    pub fn is_ok(&self) -> bool {
        self.code.is_none()
    }

    /// The metadata of a success, or the failure as an error.
    ///
    /// # Errors
    /// The failure that this status tells.
    pub fn into_result(self) -> Result<Metadata> {
        match self.code {
            None => Ok(self.metadata),
            Some(code) => {
                let error = Error::new(code, self.message).with_metadata(self.metadata);
                Err(self.details.into_iter().fold(error, Error::with_detail))
            }
        }
    }

    /// The failure as an error. A success is one too when it comes where only a failure makes sense: then the code is `otherwise`.
    pub(crate) fn into_error(self, otherwise: Code, message: &'static str) -> Error {
        match self.into_result() {
            Err(error) => error,
            Ok(_) => Error::new(otherwise, message),
        }
    }

    /// Reads the payload of END or CANCEL. Empty is success; a code that this version does not know is UNKNOWN.
    ///
    /// # Errors
    /// INTERNAL, when the bytes are not a `Status`.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).map_err(|error| Error::internal(format!("a status that cannot be parsed ({error})")))
    }

    pub(crate) fn parse(bytes: &[u8]) -> std::result::Result<Self, prost::DecodeError> {
        if bytes.is_empty() {
            return Ok(Self::ok());
        }
        wire::Status::decode(bytes).map(Self::from)
    }

    /// Appends the encoding to `out`; nothing for success without metadata. Details, metadata and the end of the message are left
    /// out where it would take more than 64 KiB, which every peer accepts.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if self.is_ok() && self.metadata.is_empty() {
            return;
        }
        let _ = self.to_wire().encode(out);
    }

    pub(crate) fn to_wire(&self) -> wire::Status {
        let status = wire::Status::from(self.clone());
        let bytes = status.encoded_len();
        if bytes <= MAX_STATUS_BYTES {
            return status;
        }
        let kept = &self.message[..self.message.floor_char_boundary(MAX_CUT_MESSAGE_BYTES)];
        let message = format!("{kept} (cut: the status took {bytes} bytes)");
        wire::Status { code: status.code, message, ..wire::Status::default() }
    }
}

impl From<&Error> for Status {
    fn from(error: &Error) -> Self {
        Self {
            code: Some(error.code()),
            message: error.message().to_owned(),
            details: error.details().to_vec(),
            metadata: error.metadata().clone(),
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<wire::Status> for Status {
    fn from(status: wire::Status) -> Self {
        let code = match status.code {
            0 => None,
            number => Some(Code::from_number(number).unwrap_or(Code::Unknown)),
        };
        Self { code, message: status.message, details: status.details, metadata: status.metadata.into() }
    }
}

impl From<Status> for wire::Status {
    fn from(status: Status) -> Self {
        Self {
            code: status.code.map_or(0, Code::number),
            message: status.message,
            details: status.details,
            metadata: status.metadata.into(),
        }
    }
}
