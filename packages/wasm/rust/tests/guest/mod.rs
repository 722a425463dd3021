//! Guests that are written by hand, and a host for them.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses a part of it, and a failing test says where by a panic"
)]

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use anyplug_core::{
    BoxFuture, CallOptions, Connection, ConnectionOptions, Error, LogRecord, RawRequest, RawUnary, Result, Role,
    Router, RouterOptions, Shell,
};
use anyplug_protocol::anyplug::wire::v1::{Hello, Limits, Service};
use anyplug_wasm::{CacheFolder, Instance, Module, WasmLimits};
use prost::Message;

/// The index of the method that answers with what it was sent.
pub(crate) const ECHO: u16 = 0;
/// The index of the method that does what the test wants.
pub(crate) const ODD: u16 = 1;

/// The parts of a guest that a test gives, in the text format.
pub(crate) struct Guest<'a> {
    /// What else it imports.
    pub(crate) imports: &'a str,
    /// Functions, globals, tables.
    pub(crate) more: &'a str,
    /// The body of the start function.
    pub(crate) start: &'a str,
    /// The body of `anyplug_abi`.
    pub(crate) abi: &'a str,
    /// What `ODD` does; `$at` and `$length` are its request, made into an answer already.
    pub(crate) odd: &'a str,
    /// What it does when it is entered with nothing.
    pub(crate) due: &'a str,
    /// The body of `anyplug_alloc`, which has `$length`.
    pub(crate) alloc: &'a str,
    /// The body of `anyplug_call`, which has `$call`, `$method`, `$at` and `$length`. The default has frames used.
    pub(crate) call: &'a str,
    pub(crate) name: &'a str,
    pub(crate) hello: Hello,
}

pub(crate) fn hello(name: &str) -> Hello {
    let methods = vec!["Echo".to_owned(), "Odd".to_owned()];
    Hello {
        protocol: 1,
        min_protocol: 1,
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        runtime: "wat".to_owned(),
        limits: Some(Limits::default()),
        services: vec![Service { name: "test.v1.OddService".to_owned(), fingerprint: String::new(), methods }],
        ..Hello::default()
    }
}

impl Default for Guest<'_> {
    fn default() -> Self {
        Self {
            imports: "",
            more: "",
            start: "",
            abi: "(i32.const 64)",
            odd: "(call $send (local.get $at) (local.get $length))",
            due: "",
            alloc: "(i32.const 65536)",
            call: "(call $frame (local.get $call) (local.get $method) (local.get $at) (local.get $length)) (i32.const 2)",
            name: "guest",
            hello: hello("guest"),
        }
    }
}

impl Guest<'_> {
    /// The module, without its section.
    pub(crate) fn text(&self) -> String {
        let mut frame = b"anyplug\n".to_vec();
        let payload = self.hello.encode_to_vec();
        frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        frame.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
        frame.extend_from_slice(&payload);
        let data: String = frame.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let hello_bytes = frame.len();
        let Self { imports, more, start, abi, odd, due, alloc, call, .. } = self;
        format!(
            r#"(module
  (import "anyplug" "send" (func $send (param i32 i32)))
  (import "anyplug" "random" (func $random (param i32 i32)))
  (import "anyplug" "clock" (func $clock (param i32) (result f64)))
  (import "anyplug" "log" (func $log (param i32 i32 i32)))
  (import "anyplug" "checkpoint" (func $checkpoint))
  {imports}
  (memory (export "memory") 4)
  (table $table 1 funcref)
  (global $spoken (mut i32) (i32.const 0))
  (global $kept (mut i32) (i32.const 0))
  ;; The exchange area: version, scratch buffer, result, wake.
  (data (i32.const 64) "\01\00\00\00\00\20\00\00\00\20\00\00\00\80\00\00\00\00\00\00\ff\ff\ff\ff")
  (data (i32.const 1024) "{data}")
  {more}
  (func $start {start})
  (start $start)
  (func (export "anyplug_abi") (result i32) {abi})
  (func (export "anyplug_alloc") (param $length i32) (result i32) {alloc})
  (func (export "anyplug_free") (param i32 i32))
  (func $wake (param $ms i32) (i32.store (i32.const 84) (local.get $ms)))
  (func $result (param $at i32) (param $length i32)
    (i32.store (i32.const 76) (local.get $at))
    (i32.store (i32.const 80) (local.get $length)))
  (func $due {due})
  (func $odd (param $at i32) (param $length i32) {odd})
  (func $request (param $at i32) (param $length i32)
    (local $method i32)
    (local.set $method (i32.load16_u offset=6 (local.get $at)))
    (i32.store8 offset=4 (local.get $at) (i32.const 3))
    (i32.store8 offset=5 (local.get $at) (i32.const 1))
    (i32.store16 offset=6 (local.get $at) (i32.const 0))
    (if (local.get $method)
      (then (call $odd (local.get $at) (local.get $length)))
      (else (call $send (local.get $at) (local.get $length)))))
  ;; Makes a frame of a call that came the short way, behind the request, and handles that.
  (func $frame (param $call i32) (param $method i32) (param $at i32) (param $length i32)
    (memory.copy (i32.const 131084) (local.get $at) (local.get $length))
    (i32.store (i32.const 131072) (local.get $length))
    (i32.store (i32.const 131076) (i32.or (i32.const 258) (i32.shl (local.get $method) (i32.const 16))))
    (i32.store (i32.const 131080) (local.get $call))
    (call $request (i32.const 131072) (i32.add (i32.const 12) (local.get $length))))
  (func (export "anyplug_call") (param $call i32) (param $method i32) (param $at i32) (param $length i32) (result i32)
    {call})
  (func (export "anyplug_recv") (param $at i32) (param $length i32)
    (local $kind i32)
    (if (i32.eqz (local.get $length)) (then (call $due) (return)))
    (if (i32.eqz (global.get $spoken))
      (then
        (global.set $spoken (i32.const 1))
        (call $send (i32.const 1024) (i32.const {hello_bytes}))
        (return)))
    (local.set $kind (i32.load8_u offset=4 (local.get $at)))
    (if (i32.eq (local.get $kind) (i32.const 7))
      (then
        (i32.store8 offset=4 (local.get $at) (i32.const 8))
        (call $send (local.get $at) (local.get $length))))
    (if (i32.eq (local.get $kind) (i32.const 2))
      (then (call $request (local.get $at) (local.get $length)))))
)"#
        )
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        with_section(&wat::parse_str(self.text()).unwrap(), &section(1, &hello(self.name)))
    }

    pub(crate) fn load(&self) -> Host {
        self.load_within(&limits())
    }

    pub(crate) fn load_within(&self, limits: &WasmLimits) -> Host {
        Host::new(&Module::new(&self.bytes(), limits).unwrap())
    }
}

/// The limits of tests: the defaults, with nothing kept on disk.
pub(crate) fn limits() -> WasmLimits {
    WasmLimits { cache: CacheFolder::Off, ..WasmLimits::default() }
}

pub(crate) fn section(abi: u32, hello: &Hello) -> Vec<u8> {
    [&abi.to_le_bytes()[..], &hello.encode_to_vec()].concat()
}

/// Appends a section `anyplug` to a module.
pub(crate) fn with_section(module: &[u8], data: &[u8]) -> Vec<u8> {
    let mut body = vec![7];
    body.extend_from_slice(b"anyplug");
    body.extend_from_slice(data);
    let mut out = module.to_vec();
    out.push(0);
    prost::encoding::encode_varint(body.len() as u64, &mut out);
    out.extend_from_slice(&body);
    out
}

/// An instance with its connection.
pub(crate) struct Host {
    pub(crate) instance: Arc<Instance>,
    pub(crate) connection: Connection,
    pub(crate) logs: Arc<Logs>,
}

#[derive(Default)]
pub(crate) struct Logs(pub(crate) Mutex<Vec<LogRecord>>);

impl Shell for Logs {
    fn wake(&self) {}
    fn spawn(&self, future: BoxFuture<()>) {
        std::thread::spawn(move || block_on(future));
    }
    fn log(&self, record: LogRecord) {
        self.0.lock().unwrap().push(record);
    }
}

impl Host {
    pub(crate) fn new(module: &Module) -> Self {
        let logs = Arc::new(Logs::default());
        let (instance, connection) = Instance::new(module, logs.clone(), |shell| {
            let router = Router::new(RouterOptions::default())?;
            Connection::new(ConnectionOptions::new(Role::Host, "test", "", router, shell))
        })
        .unwrap();
        instance.begin(None);
        Self { instance, connection, logs }
    }

    pub(crate) fn start(&self, method: u16, payload: &[u8], options: CallOptions) -> Result<RawUnary> {
        self.connection.unary(RawRequest { method, payload, options, ..RawRequest::default() })
    }

    pub(crate) fn call(&self, method: u16, payload: &[u8]) -> Result<Vec<u8>> {
        self.call_with(method, payload, CallOptions::default())
    }

    pub(crate) fn call_with(&self, method: u16, payload: &[u8], options: CallOptions) -> Result<Vec<u8>> {
        block_on(self.start(method, payload, options)?).map(|response| response.message.to_vec())
    }

    /// Calls what goes wrong, and gives how.
    pub(crate) fn odd(&self) -> Error {
        self.call(ODD, b"x").unwrap_err()
    }
}

pub(crate) fn timeout(ms: u64) -> CallOptions {
    CallOptions { timeout: Some(Duration::from_millis(ms)), ..CallOptions::default() }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        std::thread::park();
    }
}
