//! One instance: a connection whose bytes come and go by function calls, and a runtime for its handlers.

use std::sync::{Arc, OnceLock, Weak};

use anyplug_core::connection::{ServedNow, WeakConnection};
use anyplug_core::frame::FLAG_HEADER;
use anyplug_core::{BoxFuture, Code, Connection, Error, LogLevel, LogRecord, Shell, Status};
use anyplug_ffi::abi::{CallResult, DONE, FAILED, Host, PENDING};
use anyplug_ipc::Runtime as _;

use super::entry::{self, fill};
use super::output::Output;
use super::timer::Timer;
use super::unload::making_runtime;
use crate::log;
use crate::plugin::Plugin;
use crate::preface::hello_bytes;
use crate::runtime::PluginRuntime;
use crate::side::connect;

/// What a host has of an instance. It is entered by one thread at a time.
pub(super) struct Guest {
    plugin: fn() -> Plugin,
    /// What has come of the host's hello.
    heard: Vec<u8>,
    connection: Option<Connection>,
    around: Arc<Around>,
}

/// What is around the connection: the runtime, and the way to the host.
struct Around {
    runtime: PluginRuntime,
    output: Output,
    timer: Timer,
    connection: OnceLock<WeakConnection>,
    own: Weak<Self>,
}

impl Guest {
    /// A new instance; none when there can be none, which is told by the host's log.
    ///
    /// # Safety
    /// `host` is what a host gives, and stays as it is until [`close`](Self::close) has returned.
    pub(super) unsafe fn open(plugin: fn() -> Plugin, host: *const Host) -> Option<Self> {
        let runtime = match making_runtime(PluginRuntime::of_its_own) {
            Ok(runtime) => runtime,
            Err(error) => {
                // SAFETY: says the caller.
                unsafe { entry::log(host, LogLevel::Error, &error.to_string()) };
                return None;
            }
        };
        let around = Arc::new_cyclic(|own| Around {
            runtime,
            // SAFETY: says the caller.
            output: unsafe { Output::new(host) },
            timer: Timer::default(),
            connection: OnceLock::new(),
            own: own.clone(),
        });
        Some(Self { plugin, heard: Vec::new(), connection: None, around })
    }

    /// Takes bytes of the host.
    pub(super) fn recv(&mut self, bytes: &[u8]) {
        if self.connection.is_none() {
            self.heard.extend_from_slice(bytes);
            if self.heard.len() < hello_bytes(&self.heard) {
                return;
            }
            let heard = std::mem::take(&mut self.heard);
            let around = &self.around;
            let connected = around.runtime.enter(|| connect(&(self.plugin)(), &heard, around.clone()));
            match connected {
                Ok(connection) => {
                    let _ = around.connection.set(connection.downgrade());
                    self.connection = Some(connection);
                }
                Err(error) => return self.log(&error.to_string()),
            }
        } else if let Some(connection) = &self.connection {
            connection.receive(bytes);
        }
        if let Some(connection) = &self.connection {
            self.around.output.flush(connection);
            self.around.arm(connection);
        }
    }

    /// Makes a call with one request, and with one answer if that is there at once.
    pub(super) fn call(&mut self, call: u32, method: u32, payload: &[u8], result: &mut CallResult) -> i32 {
        let Some(connection) = &self.connection else {
            return refuse(result, Code::FailedPrecondition, "a call came before the hello");
        };
        let has_header = (method >> 16) as u8 & FLAG_HEADER != 0;
        let (served, has_output) = connection.serve_now(call, method as u16, has_header, payload);
        if has_output || matches!(served, ServedNow::Pending) {
            // Another thread may have sent its answer already: hosts keep that until this has returned.
            self.around.output.flush(connection);
            self.around.arm(connection);
        }
        match served {
            ServedNow::Done(message) => {
                fill(result, &message);
                DONE
            }
            ServedNow::Failed(status) => {
                fill(result, &status);
                FAILED
            }
            ServedNow::Pending => PENDING,
        }
    }

    /// Ends the connection, for what is wrong with this side.
    pub(super) fn fail(&self, why: &str) {
        self.log(why);
        if let Some(connection) = &self.connection {
            connection.fail(Error::internal(why.to_owned()));
        }
    }

    /// Ends the instance. Returns whether nothing of it runs any more.
    pub(super) fn close(self) -> bool {
        if let Some(connection) = &self.connection {
            connection.closed(Error::unavailable("the host closed the plugin"));
        }
        drop(self.connection);
        let has_ended = self.around.runtime.finish_threads();
        self.around.output.end() && has_ended
    }

    fn log(&self, line: &str) {
        self.around.output.within(|host| {
            // SAFETY: the host is as it was given.
            unsafe { entry::log(host, LogLevel::Error, line) };
        });
    }
}

fn refuse(result: &mut CallResult, code: Code, why: &str) -> i32 {
    let mut status = Vec::new();
    Status::new(code, why).encode(&mut status);
    fill(result, &status);
    FAILED
}

impl Around {
    /// Has the timer come when a call is over its time.
    fn arm(&self, connection: &Connection) {
        if let Some(next) = connection.next_deadline() {
            let own = self.own.clone();
            self.timer.arm(&self.runtime, next, move || {
                if let Some(own) = own.upgrade() {
                    own.due();
                }
            });
        }
    }

    fn due(&self) {
        if let Some(connection) = self.connection.get().and_then(WeakConnection::upgrade) {
            connection.expire_due(self.now());
            self.output.flush(&connection);
            self.arm(&connection);
        }
    }
}

impl Shell for Around {
    fn wake(&self) {
        if let Some(connection) = self.connection.get().and_then(WeakConnection::upgrade) {
            self.output.flush(&connection);
        }
    }

    fn spawn(&self, future: BoxFuture<()>) {
        self.runtime.spawn(future);
    }

    fn run(&self, poll: &mut dyn FnMut()) {
        self.runtime.enter(poll);
    }

    fn log(&self, record: LogRecord) {
        log::print(&record);
    }
}
