//! The guest: a connection whose bytes come and go by function calls.

use std::alloc::{Layout, alloc, dealloc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyplug_core::connection::ServedNow;
use anyplug_core::frame::{FLAG_END, FLAG_HEADER, FRAME_HEADER_BYTES, FrameHeader, Kind};
use anyplug_core::{BoxFuture, Code, Connection, Instant, LogLevel, LogRecord, Shell, Status};

use super::area::{self, Area, NEVER};
use super::{executor, imports};
use crate::log;
use crate::plugin::Plugin;
use crate::preface::hello_bytes;
use crate::side::connect;

const ALIGNMENT: usize = 8;

/// How a call was answered: the result is there, or it has failed, or the answer comes by frames.
const DONE: i32 = 0;
const FAILED: i32 = 1;
const PENDING: i32 = 2;

/// A plugin, served to the host that has loaded the module.
pub struct Guest {
    plugin: fn() -> Plugin,
    state: Mutex<State>,
}

struct State {
    stage: Stage,
    /// What was taken of the connection last: the result of a call lies in it until the next call.
    output: Vec<u8>,
}

enum Stage {
    /// What has come of the host's hello.
    Hearing(Vec<u8>),
    Serving(Connection),
}

impl Guest {
    /// Serves what `plugin` makes, from the host's hello on.
    pub const fn new(plugin: fn() -> Plugin) -> Self {
        Self { plugin, state: Mutex::new(State { stage: Stage::Hearing(Vec::new()), output: Vec::new() }) }
    }

    /// Makes itself ready; gives the exchange area.
    pub fn abi(&self) -> *const Area {
        std::panic::set_hook(Box::new(|panic| imports::log(LogLevel::Error, &panic.to_string())));
        area::pointer()
    }

    /// Room for `length` bytes, or null.
    pub fn alloc(&self, length: usize) -> *mut u8 {
        // SAFETY: the layout is not empty.
        layout(length).map_or(std::ptr::null_mut(), |layout| unsafe { alloc(layout) })
    }

    /// Gives back what [`alloc`](Self::alloc) gave.
    ///
    /// # Safety
    /// `pointer` is what `alloc` gave for `length`, and was not given back yet.
    pub unsafe fn free(&self, pointer: *mut u8, length: usize) {
        if let (false, Some(layout)) = (pointer.is_null(), layout(length)) {
            // SAFETY: it was allocated with this layout.
            unsafe { dealloc(pointer, layout) };
        }
    }

    /// Takes bytes of the host, and does what is due.
    ///
    /// # Safety
    /// The range can be read until this returns; a `length` of 0 needs no pointer.
    pub unsafe fn recv(&self, pointer: *const u8, length: usize) {
        // SAFETY: says the caller.
        let bytes = unsafe { bytes(pointer, length) };
        let state = &mut *self.lock();
        let State { stage, output } = state;
        let connection = match stage {
            Stage::Serving(connection) => {
                if !bytes.is_empty() {
                    connection.receive(bytes);
                }
                connection
            }
            Stage::Hearing(heard) => {
                heard.extend_from_slice(bytes);
                if heard.len() < hello_bytes(heard) {
                    return;
                }
                let heard = std::mem::take(heard);
                let connection = match connect(&(self.plugin)(), &heard, Arc::new(GuestShell)) {
                    Ok(connection) => connection,
                    Err(error) => return imports::log(LogLevel::Error, &error.to_string()),
                };
                *stage = Stage::Serving(connection);
                let Stage::Serving(connection) = stage else { return };
                connection
            }
        };
        run(connection);
        flush(connection, output);
        area::set_wake(next_wake(connection));
    }

    /// Makes a call with one request, and with one answer if that is there at once.
    ///
    /// # Safety
    /// The range can be read until this returns; a `length` of 0 needs no pointer.
    pub unsafe fn call(&self, call: u32, method: u32, pointer: *const u8, length: usize) -> i32 {
        let State { stage, output } = &mut *self.lock();
        let Stage::Serving(connection) = stage else {
            return refuse(output, "a call came before the hello");
        };
        // SAFETY: says the caller.
        let payload = unsafe { bytes(pointer, length) };
        let has_header = (method >> 16) as u8 & FLAG_HEADER != 0;
        let (served, has_output) = connection.serve_now(call, method as u16, has_header, payload);
        if matches!(served, ServedNow::Pending) {
            let returned = pending(connection, output, call);
            area::set_wake(next_wake(connection));
            return returned;
        }
        if executor::is_busy() || has_output || connection.next_deadline().is_some() {
            run(connection);
            flush(connection, output);
            area::set_wake(next_wake(connection));
        } else {
            area::set_wake(NEVER);
        }
        let returned;
        (returned, *output) = match served {
            ServedNow::Done(message) => (DONE, message.into()),
            ServedNow::Failed(status) => (FAILED, status),
            ServedNow::Pending => return PENDING,
        };
        area::set_result(output);
        returned
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn layout(length: usize) -> Option<Layout> {
    Layout::from_size_align(length.max(1), ALIGNMENT).ok()
}

/// Does what is due after a call whose answer comes by frames. One that is answered by its last frame alone goes the short way nevertheless.
fn pending(connection: &Connection, output: &mut Vec<u8>, call: u32) -> i32 {
    run(connection);
    output.clear();
    connection.take_output(output);
    let (returned, sent) = short_answer(output, call);
    if sent > 0 {
        imports::send(&output[..sent]);
    }
    if returned == PENDING {
        flush(connection, output);
    } else {
        area::set_result(&output[sent + FRAME_HEADER_BYTES..]);
    }
    returned
}

/// How `output` answers a call, and how much of it goes out as frames. A call that is answered by its last frame alone goes the short way.
fn short_answer(output: &[u8], call: u32) -> (i32, usize) {
    let mut at = 0;
    while let Some(header) = output.get(at..).and_then(|rest| rest.first_chunk::<FRAME_HEADER_BYTES>()) {
        let header = FrameHeader::decode(header);
        let end = at + FRAME_HEADER_BYTES + header.length as usize;
        if header.call == call {
            let is_message = header.kind == Kind::Message as u8 && header.flags == FLAG_END;
            return match (end == output.len(), header.kind) {
                (true, _) if is_message => (DONE, at),
                (true, kind) if kind == Kind::End as u8 => (FAILED, at),
                _ => (PENDING, output.len()),
            };
        }
        at = end;
    }
    (PENDING, output.len())
}

/// # Safety
/// The range can be read as long as what is given is used; a `length` of 0 needs no pointer.
unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> &'a [u8] {
    // SAFETY: says the caller.
    if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(pointer, length) } }
}

fn refuse(output: &mut Vec<u8>, why: &str) -> i32 {
    output.clear();
    Status::new(Code::FailedPrecondition, why).encode(output);
    area::set_result(output);
    FAILED
}

/// Does what is due, until all wait.
fn run(connection: &Connection) {
    loop {
        executor::fire(imports::now);
        if connection.next_deadline().is_some() {
            connection.expire_due(imports::now());
        }
        if !executor::run() {
            return;
        }
    }
}

/// Sends what there is to be written. That may set tasks free that waited for room.
fn flush(connection: &Connection, output: &mut Vec<u8>) {
    loop {
        output.clear();
        if !connection.take_output(output) {
            return;
        }
        imports::send(output);
        run(connection);
    }
}

/// In how many milliseconds the host is to come back.
fn next_wake(connection: &Connection) -> u32 {
    let now = imports::now;
    let next = executor::fire(now).into_iter().chain(connection.next_deadline()).min();
    // A timer that has just become due, or output that was taken, set a task free.
    if executor::is_ready() {
        return 0;
    }
    next.map_or(NEVER, |next| {
        let left = next.saturating_since(now()).as_nanos().div_ceil(1_000_000);
        u32::try_from(left).unwrap_or(NEVER - 1)
    })
}

/// What is around the connection: the guest's own executor, and a host that takes the output as soon as the guest returns.
struct GuestShell;

impl Shell for GuestShell {
    fn wake(&self) {}

    fn spawn(&self, future: BoxFuture<()>) {
        executor::spawn(future);
    }

    fn now(&self) -> Instant {
        imports::now()
    }

    fn log(&self, record: LogRecord) {
        log::print(&record);
    }
}
