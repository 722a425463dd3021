//! An instance of an Extism module.

use anyplug_core::{Error, Instant, LogRecord, Result};
use wasmtime::{Instance, Store, TypedFunc};

use crate::data::{Data, Limit};
use crate::extism::kernel::Kernel;
use crate::extism::module::ExtismModule;
use crate::guest::{enter, explain};
use crate::ticker::Running;
use crate::wasi::Wasi;

pub(crate) struct ExtismGuest {
    store: Store<Data>,
    instance: Instance,
}

/// How a call has ended.
pub(crate) enum Ended {
    /// The plugin has answered or failed by itself, and can be called again.
    Well(Result<Vec<u8>>),
    /// It is of no more use.
    Badly(Error),
}

impl ExtismGuest {
    /// Makes an instance and has it make itself ready. What it logs meanwhile is appended.
    ///
    /// # Errors
    /// INTERNAL when it traps or breaks the ABI, DEADLINE_EXCEEDED when it is stopped, RESOURCE_EXHAUSTED when it meets a limit.
    pub(crate) fn start(module: &ExtismModule, deadline: Option<Instant>, logged: &mut Vec<LogRecord>) -> Result<Self> {
        let mut data = Data::new(&module.name, module.terms.wasm.clone(), Box::new(|| None));
        data.kernel = Kernel::new(module.terms.clone());
        data.wasi = Wasi::new(&module.grants);
        let mut store = Store::new(module.engine, data);
        store.limiter(|data| data);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().look()));
        let started = Self::make(module, &mut store, deadline);
        logged.append(&mut store.data_mut().logged);
        // What it said while it made itself ready belongs to no call.
        let _ = store.data_mut().kernel.end();
        Ok(Self { instance: started?, store })
    }

    fn make(module: &ExtismModule, store: &mut Store<Data>, deadline: Option<Instant>) -> Result<Instance> {
        enter(store, Limit::OfCall(deadline));
        store.data_mut().kernel.until = until(module, deadline);
        let running = Running::new();
        let made = module.linked.instantiate(&mut *store);
        drop(running);
        let instance = made.map_err(|error| explain(&module.name, store, &error))?;
        store.data_mut().memory = instance.get_memory(&mut *store, "memory");
        if let Some(initialize) = module.initialize {
            let absent = |_| Error::internal(format!("plugin \"{}\" has no {initialize}", module.name));
            let initialize: TypedFunc<(), ()> = instance.get_typed_func(&mut *store, initialize).map_err(absent)?;
            enter(store, Limit::OfCall(deadline));
            let running = Running::new();
            let called = initialize.call(&mut *store, ());
            drop(running);
            called.map_err(|error| explain(&module.name, store, &error))?;
        }
        Ok(instance)
    }

    /// Calls a function that it has. What it logs is appended.
    pub(crate) fn call(
        &mut self,
        module: &ExtismModule,
        function: &str,
        input: &[u8],
        deadline: Option<Instant>,
        logged: &mut Vec<LogRecord>,
    ) -> Ended {
        let (name, store) = (&module.name, &mut self.store);
        let called: TypedFunc<(), u32> = match self.instance.get_typed_func(&mut *store, function) {
            Ok(called) => called,
            Err(error) => return Ended::Badly(Error::internal(format!("plugin \"{name}\": {error:#}"))),
        };
        enter(store, Limit::OfCall(deadline));
        if let Err(error) = store.data_mut().kernel.begin(name, input, until(module, deadline)) {
            return Ended::Well(Err(error));
        }
        let running = Running::new();
        let returned = called.call(&mut *store, ());
        drop(running);
        logged.append(&mut store.data_mut().logged);
        match returned {
            Err(error) => Ended::Badly(explain(name, store, &error)),
            Ok(status) => Ended::Well(match (store.data_mut().kernel.end(), status) {
                (Ok(output), 0) => Ok(output),
                (Ok(_), _) => {
                    let status = status.cast_signed();
                    let message = format!("plugin \"{name}\" returned {status} from \"{function}\", and set no error");
                    Err(Error::internal(message))
                }
                (Err(text), _) => Err(Error::internal(text)),
            }),
        }
    }
}

/// When a call that begins now has to be over at the latest.
fn until(module: &ExtismModule, deadline: Option<Instant>) -> Instant {
    let own = Instant::now().saturating_add(module.terms.wasm.call_timeout);
    deadline.map_or(own, |deadline| deadline.min(own))
}
