//! A plugin's table and a host's instance in one program, without a library between them: so Miri, which loads none, sees all of the boundary.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use anyplug_core::router::RouterOptions;
use anyplug_core::{BoxFuture, Code, Connection, ConnectionOptions, Error, LimitOptions, Link, Role, Router, Shell};
use anyplug_ffi::abi::PluginTable;
use anyplug_ffi::{Instance, Library};
use anyplug_generated::anyplug::test::v1::{
    CountRequest, EchoRequest, FailRequest, SumRequest, TestClient, WaitRequest,
};
use futures_util::stream;

unsafe extern "C" {
    /// Of the SDK, which a plugin brings along.
    safe fn anyplug_plugin() -> *const PluginTable;
}

/// What does not fit into the room that a host has for a result, in bytes.
const LONG: usize = 10_000;

struct Plugin {
    instance: Arc<Instance>,
    connection: Connection,
}

impl Plugin {
    fn load() -> Self {
        // It is known by being linked, which it is when something of it is used.
        std::hint::black_box(anyplug_test_plugin::plugin as fn() -> anyplug_sdk::Plugin);
        // SAFETY: it is the SDK's, and part of this program.
        let library = unsafe { Library::linked(anyplug_plugin()) }.expect("a plugin");
        assert_eq!(library.name(), "test-plugin");
        let connect = |shell| {
            let router = Router::new(RouterOptions::default())?;
            let limits = LimitOptions { initial_credit_bytes: Some(1024), ..LimitOptions::default() };
            let options = ConnectionOptions::new(Role::Host, "in place", "", router, shell);
            Connection::new(ConnectionOptions { limits, ..options })
        };
        let (instance, connection) = Instance::new(&library, Arc::new(Threads), connect).expect("an instance");
        instance.begin();
        block_on(connection.wait_opened()).expect("a connection");
        Self { instance, connection }
    }

    fn client(&self) -> TestClient {
        TestClient::new(&self.connection)
    }

    fn close(self) {
        self.instance.end(Error::unavailable("it is over"));
        assert!(self.instance.wait_closed(Duration::from_secs(60)), "an end");
    }
}

#[test]
fn calls_are_answered_in_the_host_s_room_and_in_the_plugin_s() {
    let plugin = Plugin::load();
    let client = plugin.client();
    for length in [0, 1, 100, LONG] {
        let data = vec![7; length];
        let answer = block_on(client.echo(EchoRequest { data: data.clone(), ..EchoRequest::default() }));
        assert_eq!(answer.expect("an answer").data, data);
    }
    let fail = FailRequest { code: Code::Aborted.number(), message: "as told".to_owned(), ..FailRequest::default() };
    let error = block_on(client.fail(fail)).expect_err("a failure");
    assert_eq!((error.code(), error.message()), (Code::Aborted, "as told"));
    plugin.close();
    assert_eq!(block_on(client.echo(EchoRequest::default())).expect_err("an end").code(), Code::Unavailable);
}

#[test]
fn streams_go_in_either_direction() {
    let plugin = Plugin::load();
    let client = plugin.client();
    let mut counted =
        block_on(client.count(CountRequest { count: 10, size: 500, ..CountRequest::default() })).expect("a stream");
    let mut next = 0;
    while let Some(one) = block_on(counted.message()).expect("a message") {
        assert_eq!((one.index, one.data.len()), (next, 500));
        next += 1;
    }
    assert_eq!(next, 10);
    let numbers = stream::iter((0..10).map(|number| SumRequest { number, data: vec![0; 500] }));
    assert_eq!(block_on(client.sum(numbers)).expect("a sum").sum, 45);
    drop(block_on(client.count(CountRequest { count: 1_000_000, size: 500, ..CountRequest::default() })));
    plugin.close();
}

#[test]
fn threads_call_while_the_plugin_sends_and_calls_are_open_when_it_ends() {
    let plugin = Plugin::load();
    let threads: Vec<_> = (0..2)
        .map(|thread| {
            let client = plugin.client();
            std::thread::spawn(move || {
                for call in 0..5 {
                    let text = format!("{thread} {call}");
                    let answer = block_on(client.echo(EchoRequest { text: text.clone(), ..EchoRequest::default() }));
                    assert_eq!(answer.expect("an answer").text, text);
                    block_on(client.wait(WaitRequest { ms: 1 })).expect("an answer");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a thread");
    }
    let client = plugin.client();
    let mut waiting = Box::pin(client.wait(WaitRequest { ms: 600_000 }).into_future());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    plugin.close();
    assert_eq!(block_on(waiting).expect_err("an end").code(), Code::Unavailable);
}

/// Runs what it is given in a thread each.
struct Threads;

impl Shell for Threads {
    fn wake(&self) {}

    fn spawn(&self, future: BoxFuture<()>) {
        std::thread::spawn(|| block_on(future));
    }
}

/// Polls a future to its end in this thread.
fn block_on<T>(future: impl IntoFuture<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future.into_future());
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        std::thread::park();
    }
}
