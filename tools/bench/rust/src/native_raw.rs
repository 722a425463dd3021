//! What calls of libraries stand beside: a C function of a library called by its pointer, a call through a trait object, and tokio's own oneshot across threads.

use std::ffi::c_void;
use std::hint::black_box;
use std::path::Path;
use std::ptr::null_mut;

use anyplug_ffi::abi::{ABI_VERSION, CallFunction, CallResult, DONE, ENTRY, Entry, Host};
use anyplug_ffi::{SharedLibrary, library_file};
use tokio::sync::{mpsc, oneshot};

use crate::native::{SMALL, checked, size_of};
use crate::{Answer, Contender, Failure, clock};

/// The index of Echo in the table of the plugin in C.
const ECHO: u32 = 1;

/// The echo of the plugin in C, without a host: the bytes go from one place of the caller's to another.
pub(crate) struct RawCall {
    call: CallFunction,
    instance: *mut c_void,
    _host: Box<Host>,
    _library: SharedLibrary,
}

impl RawCall {
    /// Loads the library of the plugin in C.
    pub(crate) fn load() -> Result<Self, Failure> {
        let library = SharedLibrary::open(&library_file(Path::new("plugins/test-plugin/c/bin/test-plugin")))?;
        let host = Box::new(Host {
            size: u32::try_from(std::mem::size_of::<Host>())?,
            version: ABI_VERSION,
            context: null_mut(),
            send: Some(drop_bytes),
            log: Some(drop_line),
        });
        // SAFETY: that is what a plugin exports by this name, and its table is constant.
        let table = unsafe { library.function::<Entry>(ENTRY).and_then(|entry| entry().as_ref()) };
        let (open, call) = table.and_then(|table| table.open.zip(table.call)).ok_or("the library is no plugin")?;
        // SAFETY: the host stays as it is as long as the instance is called.
        let instance = unsafe { open(&raw const *host) };
        Ok(Self { call, instance, _host: host, _library: library })
    }
}

impl Contender for RawCall {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        let data = vec![7; size_of(what)?];
        let mut room = vec![0_u8; data.len()];
        let mut echo = || {
            let mut result = CallResult { data: room.as_mut_ptr(), length: room.len(), owner: null_mut() };
            // SAFETY: data and room are there until it returns, and nobody else calls this instance.
            let state = unsafe { (self.call)(self.instance, 1, ECHO, data.as_ptr(), data.len(), &raw mut result) };
            (state, result.length)
        };
        let (state, length) = echo();
        checked(if state == DONE { length } else { 0 }, data.len())?;
        Ok(clock::operation(ms, || black_box(echo())))
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}

extern "C" fn drop_bytes(_: *mut c_void, _: *const u8, _: usize) {}

extern "C" fn drop_line(_: *mut c_void, _: u32, _: *const u8, _: usize) {}

/// What a caller knows of the callee: of a library it knows no more.
trait Echo {
    fn echo(&self, data: &[u8]) -> Vec<u8>;
}

struct Copying;

impl Echo for Copying {
    fn echo(&self, data: &[u8]) -> Vec<u8> {
        data.to_vec()
    }
}

/// A call through a trait object that copies the bytes, as often as those of a request and an answer are made.
pub(crate) struct PlainCopy;

impl Contender for PlainCopy {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        let size = size_of(what)?;
        let handler: &dyn Echo = black_box(&Copying);
        Ok(clock::operation(ms, || black_box(handler.echo(&vec![7; size]))))
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}

/// Bytes for another thread, and where it answers.
type Asked = (Vec<u8>, oneshot::Sender<Vec<u8>>);

/// A task in a thread of the runtime, which answers by tokio's oneshot.
pub(crate) struct Oneshot(mpsc::UnboundedSender<Asked>);

impl Oneshot {
    /// Starts the task.
    pub(crate) fn start() -> Self {
        let (ask, mut asked) = mpsc::unbounded_channel::<Asked>();
        tokio::spawn(async move {
            while let Some((data, answer)) = asked.recv().await {
                // Whoever does not wait any more does not want it.
                let _ = answer.send(data);
            }
        });
        Self(ask)
    }
}

impl Contender for Oneshot {
    async fn run(&mut self, _: &str, ms: u64) -> Result<Answer, Failure> {
        let echo = || async {
            let (answer, answered) = oneshot::channel();
            self.0.send((vec![7; SMALL], answer))?;
            checked(answered.await?.len(), SMALL)
        };
        clock::latency(ms, 1, echo).await
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}
