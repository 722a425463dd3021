//! A module's instance as the embedded ABI sees it: its memory and its functions.

use anyplug_core::{Error, Instant, LogRecord, Result};
use wasmtime::{Memory, Store, Trap, TypedFunc};

use crate::data::{Data, LOOK_TICKS, Limit, Until};
use crate::imports::range;
use crate::module::Module;
use crate::section::ABI;
use crate::ticker::Running;
use crate::wasi::Wasi;

/// The length of the exchange area.
const AREA_BYTES: u32 = 24;
/// The shortest scratch buffer.
const SCRATCH_BYTES: u32 = 4096;
/// In the exchange area: it wants nothing by itself.
const NEVER: u32 = u32::MAX;

pub(crate) struct Guest {
    module: Module,
    store: Store<Data>,
    memory: Memory,
    functions: Functions,
    /// Where the exchange area is.
    area: u32,
    scratch: (u32, u32),
}

struct Functions {
    alloc: TypedFunc<u32, u32>,
    free: TypedFunc<(u32, u32), ()>,
    recv: TypedFunc<(u32, u32), ()>,
    call: TypedFunc<(u32, u32, u32, u32), u32>,
}

/// What [`Guest::call`] gives.
#[derive(Debug)]
pub(crate) enum Called {
    /// The answer.
    Done(Vec<u8>),
    /// A status.
    Failed(Vec<u8>),
    /// The answer comes by frames.
    Pending,
    /// The guest has no room for the request.
    NoRoom,
}

impl Guest {
    /// Makes an instance and has it make itself ready.
    ///
    /// # Errors
    /// INTERNAL when it traps or breaks the ABI, DEADLINE_EXCEEDED when it is stopped, RESOURCE_EXHAUSTED when it meets a limit.
    pub(crate) fn start(module: &Module, until: Until) -> Result<Self> {
        let mut data = Data::new(module.name(), module.limits().clone(), until);
        data.wasi = Wasi::new(module.grants());
        let mut store = Store::new(module.engine(), data);
        store.limiter(|data| data);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().look()));
        enter(&mut store, Limit::OfConnection);
        let instance = {
            let _running = Running::new();
            module.linked().instantiate(&mut store).map_err(|error| explain(module.name(), &mut store, &error))?
        };
        let missing = |what: &str| Error::internal(format!("plugin \"{}\" has no {what}", module.name()));
        let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| missing("memory"))?;
        store.data_mut().memory = Some(memory);
        macro_rules! function {
            ($name:literal) => {
                instance.get_typed_func(&mut store, $name).map_err(|_| missing($name))?
            };
        }
        let functions = Functions {
            alloc: function!("anyplug_alloc"),
            free: function!("anyplug_free"),
            recv: function!("anyplug_recv"),
            call: function!("anyplug_call"),
        };
        let abi: TypedFunc<(), u32> = function!("anyplug_abi");
        if let Some(initialize) = module.initialize() {
            let initialize: TypedFunc<(), ()> =
                instance.get_typed_func(&mut store, initialize).map_err(|_| missing(initialize))?;
            enter(&mut store, Limit::OfConnection);
            let _running = Running::new();
            initialize.call(&mut store, ()).map_err(|error| explain(module.name(), &mut store, &error))?;
        }
        enter(&mut store, Limit::OfConnection);
        let area = {
            let _running = Running::new();
            abi.call(&mut store, ()).map_err(|error| explain(module.name(), &mut store, &error))?
        };
        let mut guest = Self { module: module.clone(), store, memory, functions, area, scratch: (0, 0) };
        guest.read_area()?;
        Ok(guest)
    }

    fn read_area(&mut self) -> Result<()> {
        let area = self.area;
        if !area.is_multiple_of(4) || self.range("anyplug_abi", area, AREA_BYTES).is_err() {
            return Err(
                self.broken(&format!("its exchange area at {area} is not within its memory, at a multiple of 4"))
            );
        }
        let version = self.field(0);
        if version != ABI {
            return Err(self.broken(&format!("its exchange area is of version {version}, and this host's is {ABI}")));
        }
        let (at, length) = (self.field(4), self.field(8));
        if length < SCRATCH_BYTES || self.range("scratch", at, length).is_err() {
            let what = format!(
                "its scratch buffer of {length} bytes at {at} is not within its memory, or below {SCRATCH_BYTES} bytes"
            );
            return Err(self.broken(&what));
        }
        self.scratch = (at, length);
        Ok(())
    }

    /// What it has sent, which is taken away.
    pub(crate) fn take_sent(&mut self, into: &mut Vec<u8>) {
        into.clear();
        std::mem::swap(into, &mut self.store.data_mut().sent);
    }

    /// What it has logged, which is taken away.
    pub(crate) fn take_logged(&mut self) -> Vec<LogRecord> {
        std::mem::take(&mut self.store.data_mut().logged)
    }

    /// Hands bytes to the guest; none: it does what is due.
    ///
    /// # Errors
    /// As [`start`](Self::start); the guest is of no more use then.
    pub(crate) fn recv(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.len() <= self.scratch.1 as usize {
            return self.recv_scratch(bytes);
        }
        let length = self.length(bytes.len())?;
        let at = self.alloc(length)?;
        if at == 0 {
            // In pieces it may still find a place for it.
            let piece = self.scratch.1 as usize;
            return bytes.chunks(piece).try_for_each(|piece| self.recv_scratch(piece));
        }
        self.write(at, &[bytes])?;
        self.enter(Limit::OfConnection, |functions, store| functions.recv.call(store, (at, length)))?;
        self.enter(Limit::OfConnection, |functions, store| functions.free.call(store, (at, length)))
    }

    fn recv_scratch(&mut self, bytes: &[u8]) -> Result<()> {
        let at = self.scratch.0;
        self.write(at, &[bytes])?;
        // It fits into the scratch buffer, whose length is a u32.
        let length = bytes.len() as u32;
        self.enter(Limit::OfConnection, |functions, store| functions.recv.call(store, (at, length)))
    }

    /// Makes a call with one request, which is `parts` one after the other.
    ///
    /// # Errors
    /// As [`start`](Self::start); the guest is of no more use then.
    pub(crate) fn call(
        &mut self,
        call: u32,
        method: u32,
        parts: &[&[u8]],
        deadline: Option<Instant>,
    ) -> Result<Called> {
        let limit = Limit::OfCall(deadline);
        let bytes = parts.iter().map(|part| part.len()).sum::<usize>();
        let length = self.length(bytes)?;
        let is_small = length <= self.scratch.1;
        let at = if is_small { self.scratch.0 } else { self.alloc(length)? };
        if at == 0 && !is_small {
            return Ok(Called::NoRoom);
        }
        self.write(at, parts)?;
        let returned = self.enter(limit, |functions, store| functions.call.call(store, (call, method, at, length)))?;
        let called = match returned {
            0 => Called::Done(self.result()?),
            1 => Called::Failed(self.result()?),
            2 => Called::Pending,
            other => return Err(self.broken(&format!("anyplug_call returned {other}"))),
        };
        if !is_small {
            self.enter(Limit::OfConnection, |functions, store| functions.free.call(store, (at, length)))?;
        }
        Ok(called)
    }

    /// Milliseconds until it wants to be entered; none: not by itself.
    pub(crate) fn wants(&self) -> Option<u32> {
        let wants = self.field(20);
        (wants != NEVER).then_some(wants)
    }

    fn result(&mut self) -> Result<Vec<u8>> {
        let (at, length) = (self.field(12), self.field(16));
        let range = self.range("the result", at, length)?;
        // The check above was of the same memory.
        Ok(self.memory.data(&self.store).get(range).unwrap_or_default().to_vec())
    }

    /// A number in the exchange area, which lies within the memory.
    fn field(&self, offset: u32) -> u32 {
        let start = self.area as usize + offset as usize;
        let bytes = self.memory.data(&self.store).get(start..start + 4);
        bytes.and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes).unwrap_or_default()
    }

    fn alloc(&mut self, length: u32) -> Result<u32> {
        let at = self.enter(Limit::OfConnection, |functions, store| functions.alloc.call(store, length))?;
        if at != 0 {
            self.range("anyplug_alloc", at, length)?;
        }
        Ok(at)
    }

    fn write(&mut self, at: u32, parts: &[&[u8]]) -> Result<()> {
        let mut at = at as usize;
        let memory = self.memory.data_mut(&mut self.store);
        for part in parts {
            let Some(place) = memory.get_mut(at..at + part.len()) else {
                return Err(self.broken("it has less memory than it had"));
            };
            place.copy_from_slice(part);
            at += part.len();
        }
        Ok(())
    }

    fn length(&self, bytes: usize) -> Result<u32> {
        u32::try_from(bytes).map_err(|_| {
            Error::resource_exhausted(format!("plugin \"{}\" cannot take {bytes} bytes at once", self.module.name()))
        })
    }

    fn range(&self, what: &str, at: u32, length: u32) -> Result<std::ops::Range<usize>> {
        range(what, at, length, self.memory.data_size(&self.store)).map_err(|error| self.broken(&error.to_string()))
    }

    fn broken(&self, what: &str) -> Error {
        Error::internal(format!("plugin \"{}\" broke the embedded ABI: {what}", self.module.name()))
    }

    fn enter<T>(
        &mut self,
        limit: Limit,
        run: impl FnOnce(&Functions, &mut Store<Data>) -> wasmtime::Result<T>,
    ) -> Result<T> {
        enter(&mut self.store, limit);
        let running = Running::new();
        let result = run(&self.functions, &mut self.store);
        drop(running);
        result.map_err(|error| explain(self.module.name(), &mut self.store, &error))
    }
}

/// What goes before each entry.
pub(crate) fn enter(store: &mut Store<Data>, limit: Limit) {
    store.data_mut().enter(limit);
    store.set_epoch_deadline(LOOK_TICKS);
    if let Some(fuel) = store.data().limits.fuel {
        // It fails only where the engine counts none.
        let _ = store.set_fuel(fuel);
    }
}

/// Why the guest has ended.
pub(crate) fn explain(name: &str, store: &mut Store<Data>, error: &wasmtime::Error) -> Error {
    let data = store.data_mut();
    if let Some(ran) = data.stopped {
        return Error::deadline_exceeded(format!("plugin \"{name}\" was stopped after {} ms", ran.as_millis()));
    }
    if let Some(failure) = data.failure.take() {
        return failure;
    }
    if let Some(limit) = &data.exhausted {
        return Error::resource_exhausted(format!("plugin \"{name}\" ended: {limit}"));
    }
    let trap = error.downcast_ref::<Trap>();
    if let (Some(Trap::OutOfFuel), Some(fuel)) = (trap, data.limits.fuel) {
        return Error::resource_exhausted(format!(
            "plugin \"{name}\" used up its {fuel} units of fuel for one call; raise wasm.fuel"
        ));
    }
    let reason = match trap {
        Some(Trap::StackOverflow) => "its calls nest too deeply: the stack is used up".to_owned(),
        Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
        None => format!("{error:#}"),
    };
    Error::internal(format!("plugin \"{name}\" trapped: {reason}"))
}
