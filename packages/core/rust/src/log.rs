//! Log records: what a plugin tells its host, and the other way round.

use std::collections::BTreeMap;
use std::fmt;

use prost::Message;

use crate::error::{Error, Result};
use crate::wire;

/// How much a log record matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogLevel {
    /// Each step, for its author.
    Trace,
    /// For the search of a defect.
    Debug,
    /// What went as it should.
    #[default]
    Info,
    /// What may become a failure.
    Warn,
    /// What failed.
    Error,
}

impl LogLevel {
    /// The name, such as `"INFO"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One record of a structured log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRecord {
    /// How much it matters.
    pub level: LogLevel,
    /// For a person.
    pub message: String,
    /// The name of the logger, or `stdout` or `stderr` for a captured line.
    pub logger: String,
    /// Milliseconds since 1970-01-01T00:00:00Z; 0 when the sender has no clock.
    pub time_ms: i64,
    /// For a program.
    pub fields: BTreeMap<String, String>,
}

/// What a record may take in a frame, so that every peer accepts it.
const MAX_RECORD_BYTES: usize = 65_536;
/// What is left of the message of a record that takes more.
const MAX_CUT_MESSAGE_BYTES: usize = 8_192;

impl LogRecord {
    /// A record without fields; its time is filled in when it is sent.
    pub fn new(level: LogLevel, logger: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level, message: message.into(), logger: logger.into(), ..Self::default() }
    }

    /// Adds a field.
    #[must_use]
    pub fn with_field(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.insert(key.into(), value.into());
        self
    }

    /// The same record with the time of now, where it has none and the target has a clock.
    #[must_use]
    pub fn with_time_of_now(mut self) -> Self {
        if self.time_ms == 0 {
            self.time_ms = unix_time_ms();
        }
        self
    }

    /// Reads the payload of LOG. A level that is not known is INFO.
    ///
    /// # Errors
    /// INTERNAL, when the bytes are not a `LogRecord`.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).map_err(|error| Error::internal(format!("a log record that cannot be parsed ({error})")))
    }

    pub(crate) fn parse(bytes: &[u8]) -> std::result::Result<Self, prost::DecodeError> {
        let record = wire::LogRecord::decode(bytes)?;
        let level = match record.level() {
            wire::LogLevel::Trace => LogLevel::Trace,
            wire::LogLevel::Debug => LogLevel::Debug,
            wire::LogLevel::Info | wire::LogLevel::Unspecified => LogLevel::Info,
            wire::LogLevel::Warn => LogLevel::Warn,
            wire::LogLevel::Error => LogLevel::Error,
        };
        let wire::LogRecord { message, logger, time_ms, fields, .. } = record;
        Ok(Self { level, message, logger, time_ms, fields })
    }

    /// The payload of LOG. Fields and the end of the message are left out where it would take more than 64 KiB.
    pub fn encode(&self) -> Vec<u8> {
        let record = self.to_wire();
        let bytes = record.encoded_len();
        if bytes <= MAX_RECORD_BYTES {
            return record.encode_to_vec();
        }
        let cut = |text: &str| text[..text.floor_char_boundary(MAX_CUT_MESSAGE_BYTES)].to_owned();
        let message = format!("{} (cut: the record took {bytes} bytes)", cut(&self.message));
        let logger = cut(&self.logger);
        wire::LogRecord { message, logger, fields: Default::default(), ..record }.encode_to_vec()
    }

    fn to_wire(&self) -> wire::LogRecord {
        let level = match self.level {
            LogLevel::Trace => wire::LogLevel::Trace,
            LogLevel::Debug => wire::LogLevel::Debug,
            LogLevel::Info => wire::LogLevel::Info,
            LogLevel::Warn => wire::LogLevel::Warn,
            LogLevel::Error => wire::LogLevel::Error,
        };
        wire::LogRecord {
            level: level as i32,
            message: self.message.clone(),
            logger: self.logger.clone(),
            time_ms: self.time_ms,
            fields: self.fields.clone(),
        }
    }
}

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn unix_time_ms() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(0)
}

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn unix_time_ms() -> i64 {
    0
}
