//! The log of a plugin: its records go to the host.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use anyplug_core::{Connection, LogLevel, LogRecord, WeakConnection};

static HOST: Mutex<Option<WeakConnection>> = Mutex::new(None);

/// Sends a record to the host's log. Within a call, [`Context::log`](crate::Context::log) does the same and says which service it was.
///
/// A plugin that no host has connected to yet, or that runs in its host's own process, writes to stderr.
pub fn log(level: LogLevel, message: impl Into<String>) {
    log_record(LogRecord::new(level, "", message));
}

/// Sends a record with fields to the host's log, as [`log`] does.
pub fn log_record(record: LogRecord) {
    let host = HOST.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(WeakConnection::upgrade);
    match host {
        Some(host) => host.log(record),
        None => print(&record),
    }
}

/// Sends what is logged from now on to this peer.
pub(crate) fn connect(connection: &Connection) {
    *HOST.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.downgrade());
}

/// Writes a record to stderr, which a host captures.
pub(crate) fn print(record: &LogRecord) {
    let mut line = format!("{} {}", record.level, record.message);
    for (name, value) in &record.fields {
        // Writing to a String does not fail.
        let _ = write!(line, " {name}={value:?}");
    }
    write_line(record.level, &line);
}

#[cfg(not(target_family = "wasm"))]
fn write_line(_: LogLevel, line: &str) {
    eprintln!("{line}");
}

#[cfg(target_family = "wasm")]
fn write_line(level: LogLevel, line: &str) {
    crate::embedded::log(level, line);
}
