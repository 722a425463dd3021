//! A module that is called by hand: bytes are copied in, a pointer and a length come back, bytes are copied out.

use std::path::Path;

use wasmtime::{Engine, Instance, Memory, Module, Store, TypedFunc};

use crate::starts::{self, MODULES, fresh_module};
use crate::{Answer, Contender, Failure, clock};

pub(crate) struct RawModule {
    engine: Engine,
    code: Vec<u8>,
    module: Module,
    echo: Echo,
}

struct Echo {
    store: Store<()>,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    echo: TypedFunc<(u32, u32), u32>,
    from: TypedFunc<(), u32>,
}

impl RawModule {
    pub(crate) fn load() -> Result<Self, Failure> {
        let engine = Engine::default();
        let code = std::fs::read(Path::new(MODULES).join("raw.wasm"))?;
        let module = Module::new(&engine, &code)?;
        let echo = Echo::new(&engine, &module)?;
        Ok(Self { engine, code, module, echo })
    }

    fn start(&self, module: &Module) -> Result<Echo, Failure> {
        let mut echo = Echo::new(&self.engine, module)?;
        echo.checked(16)?;
        Ok(echo)
    }
}

impl Echo {
    fn new(engine: &Engine, module: &Module) -> Result<Self, Failure> {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, module, &[])?;
        let memory = instance.get_memory(&mut store, "memory").ok_or("it has no memory")?;
        let alloc = instance.get_typed_func(&mut store, "alloc")?;
        let echo = instance.get_typed_func(&mut store, "echo")?;
        let from = instance.get_typed_func(&mut store, "from")?;
        Ok(Self { store, memory, alloc, echo, from })
    }

    fn call(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        let length = u32::try_from(data.len())?;
        let at = self.alloc.call(&mut self.store, length)?;
        self.memory.write(&mut self.store, at as usize, data)?;
        let length = self.echo.call(&mut self.store, (at, length))? as usize;
        let from = self.from.call(&mut self.store, ())? as usize;
        let answer = self.memory.data(&self.store).get(from..from + length);
        Ok(answer.ok_or("it answers from outside of its memory")?.to_vec())
    }

    fn checked(&mut self, size: usize) -> Result<(), Failure> {
        let answer = self.call(&vec![7; size])?;
        if answer.len() == size { Ok(()) } else { Err("an echo of another size".into()) }
    }
}

impl Contender for RawModule {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        if let Some(size) = starts::echo_size(what) {
            self.echo.checked(size)?;
            return Ok(clock::operation(ms, || self.echo.checked(size).is_ok()));
        }
        let close = async |_: Echo| Ok(());
        match what {
            "cold" => {
                let start = async || self.start(&Module::new(&self.engine, fresh_module(&self.code)?)?);
                starts::times(ms, start, close).await
            }
            "warm" => starts::times(ms, async || self.start(&self.module), close).await,
            "instances" | "instance-memory" => starts::many(what, async || self.start(&self.module), close).await,
            _ => Err(format!("a call by hand cannot run {what:?}").into()),
        }
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}
