//! What a guest has of its host while it runs: what it sends, and what it is limited by.

use std::time::Duration;

use anyplug_core::{Error, Instant, LogLevel, LogRecord};
use wasmtime::{Memory, ResourceLimiter, UpdateDeadline};

use crate::extism::Kernel;
use crate::limits::WasmLimits;
use crate::ticker::TICK;
use crate::wasi::Wasi;

/// Ticks between two looks at the time.
pub(crate) const LOOK_TICKS: u64 = 2;

/// How long a guest may work though a deadline has passed: for one that returns soon, that is the end of a call and not its own. It is the thread's own time, so that a guest is not ended for
/// what else the machine has to do.
const GRACE: Duration = Duration::from_millis(5);

/// How long this thread has run in all; where the system does not tell, the time itself.
fn thread_time(now: Instant) -> Duration {
    #[cfg(unix)]
    {
        let _ = now;
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
    }
    #[cfg(not(unix))]
    now.saturating_since(Instant::default())
}

/// Until when a guest may run, beside its own limit.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// Until the deadline of the one call that it is entered for.
    OfCall(Option<Instant>),
    /// As [`Until`] says.
    OfConnection,
}

/// Says until when the guest may run at the latest, for all of its open calls; none: one has no deadline, or there is none.
pub(crate) type Until = Box<dyn Fn() -> Option<Instant> + Send + Sync>;

pub(crate) struct Data {
    /// The name of the plugin.
    name: String,
    pub(crate) limits: WasmLimits,
    pub(crate) memory: Option<Memory>,
    /// What the guest has sent and nobody has handled yet.
    pub(crate) sent: Vec<u8>,
    /// What it has logged and nobody has handled yet.
    pub(crate) logged: Vec<LogRecord>,
    /// What of both it has sent since it was entered, in bytes.
    queued: u64,
    /// Until when it may run, beside its own limit.
    limit: Limit,
    until: Until,
    /// When it was entered, and how long its thread had run in all a little later; known once it has run for a while.
    entered: Option<(Instant, Duration)>,
    /// It was stopped, after so long.
    pub(crate) stopped: Option<Duration>,
    /// The limit that it has met since it was entered.
    pub(crate) exhausted: Option<String>,
    /// Why a function of the host's has ended it.
    pub(crate) failure: Option<Error>,
    /// What it has of WASI.
    pub(crate) wasi: Wasi,
    /// What it has as an Extism plugin.
    pub(crate) kernel: Kernel,
}

impl Data {
    pub(crate) fn new(name: &str, limits: WasmLimits, until: Until) -> Self {
        Self {
            name: name.to_owned(),
            limits,
            memory: None,
            sent: Vec::new(),
            logged: Vec::new(),
            queued: 0,
            limit: Limit::OfConnection,
            until,
            entered: None,
            stopped: None,
            exhausted: None,
            failure: None,
            wasi: Wasi::default(),
            kernel: Kernel::default(),
        }
    }

    pub(crate) fn enter(&mut self, limit: Limit) {
        self.queued = 0;
        self.limit = limit;
        self.entered = None;
        self.exhausted = None;
    }

    /// Called every few milliseconds while the guest runs.
    pub(crate) fn look(&mut self) -> UpdateDeadline {
        let now = Instant::now();
        let (entered, worked) = *self.entered.get_or_insert_with(|| {
            let ran = TICK * LOOK_TICKS as u32;
            (Instant::from_start(now.saturating_since(Instant::default()).saturating_sub(ran)), thread_time(now))
        });
        let ran = now.saturating_since(entered);
        let until = match self.limit {
            Limit::OfCall(deadline) => deadline,
            Limit::OfConnection => (self.until)(),
        };
        let is_late = until.is_some_and(|until| until <= now) && thread_time(now).saturating_sub(worked) >= GRACE;
        if is_late || ran >= self.limits.call_timeout {
            self.stopped = Some(ran.min(self.limits.call_timeout));
            return UpdateDeadline::Interrupt;
        }
        UpdateDeadline::Continue(LOOK_TICKS)
    }

    /// Notes that the guest sends so much.
    ///
    /// # Errors
    /// When that is more than an instance may hold.
    pub(crate) fn queue(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.queued += bytes as u64;
        if self.queued <= self.limits.max_memory_bytes {
            return Ok(());
        }
        let limit = self.limits.max_memory_bytes;
        self.exhausted = Some(format!("it sends more than {limit} bytes at once; raise wasm.max_memory_bytes"));
        Err(wasmtime::Error::msg("it sends more than it may"))
    }

    /// The name of the plugin.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn log(&mut self, level: LogLevel, logger: &str, message: String) {
        self.logged.push(LogRecord::new(level, logger, message).with_time_of_now());
    }
}

impl ResourceLimiter for Data {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let limit = self.limits.max_memory_bytes;
        let fits = desired as u64 <= limit;
        if !fits {
            let message =
                format!("it wants {desired} bytes of memory, and may have {limit}; raise wasm.max_memory_bytes");
            self.exhausted = Some(message);
        }
        Ok(fits)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let limit = self.limits.max_table_elements;
        let fits = desired as u64 <= u64::from(limit);
        if !fits {
            let message =
                format!("it wants a table of {desired} elements, and may have {limit}; raise wasm.max_table_elements");
            self.exhausted = Some(message);
        }
        Ok(fits)
    }

    fn tables(&self) -> usize {
        self.limits.max_tables as usize
    }

    fn memories(&self) -> usize {
        1
    }
}
