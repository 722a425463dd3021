//! Calls within one process: what holds over a connection holds here, without a byte being encoded.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

#[path = "../../../core/rust/tests/greeter/mod.rs"]
mod greeter;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Wake};
use std::thread::Thread;
use std::time::Duration;

use anyplug_core::codegen::v1::{Context, Sender, Streaming};
use anyplug_core::{
    BoxFuture, Code, Error, Grants, LimitOptions, Link, LogLevel, LogRecord, Metadata, Router, RouterOptions,
    ServiceEntry, Shell,
};
use anyplug_direct::{Direct, Side, connect};
use futures_util::{StreamExt, stream};
use greeter::{Answer, GREETER, Greeter, GreeterClient, GreeterHandler, Greets, Plain, Text, text};

// --- an executor of one thread -------------------------------------------------------------------

#[derive(Default)]
struct Tasks {
    spawned: Mutex<Vec<BoxFuture<()>>>,
    logs: Mutex<Vec<LogRecord>>,
}

impl Shell for Tasks {
    fn wake(&self) {}

    fn spawn(&self, future: BoxFuture<()>) {
        self.spawned.lock().unwrap().push(future);
    }

    fn log(&self, record: LogRecord) {
        self.logs.lock().unwrap().push(record);
    }
}

struct Flag(AtomicBool, Thread);

impl Flag {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true), std::thread::current()))
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
        self.1.unpark();
    }
}

type Task = (BoxFuture<()>, Arc<Flag>);

struct Pair {
    host: Direct,
    plugin: Direct,
    shell: Arc<Tasks>,
    tasks: Mutex<Vec<Task>>,
}

impl Pair {
    fn new(host: RouterOptions, plugin: RouterOptions) -> Self {
        let shell = Arc::new(Tasks::default());
        let side = |name: &str, router| {
            let router = Router::new(router).unwrap();
            Side { name: name.into(), version: "1.2.3".into(), router, limits: LimitOptions::default() }
        };
        let (host, plugin) = connect(side("test-host", host), side("test-plugin", plugin), shell.clone());
        Self { host, plugin, shell, tasks: Mutex::default() }
    }

    fn of_plugin<H: GreeterHandler>(handler: H) -> Self {
        let services = vec![Greeter::implement(handler)];
        Self::new(RouterOptions::default(), RouterOptions { services, grants: Grants::All, ..Default::default() })
    }

    fn greeter(&self) -> GreeterClient {
        GreeterClient::new(&self.host)
    }

    /// Runs tasks that were woken; false when there was none.
    fn step(&self) -> bool {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        let spawned = std::mem::take(&mut *self.shell.spawned.lock().unwrap());
        tasks.extend(spawned.into_iter().map(|future| (future, Flag::new())));
        let mut did = false;
        tasks.retain_mut(|(future, flag)| {
            if !flag.take() {
                return true;
            }
            did = true;
            future.as_mut().poll(&mut TaskContext::from_waker(&flag.clone().into())).is_pending()
        });
        self.tasks.lock().unwrap().append(&mut tasks);
        did
    }

    fn settle(&self) {
        while self.step() {}
    }

    /// Runs the tasks to their ends, also those that another thread is about to wake.
    fn finish(&self) {
        let before = std::time::Instant::now();
        self.settle();
        while !self.tasks.lock().unwrap().is_empty() {
            std::thread::park_timeout(Duration::from_secs(300));
            assert!(before.elapsed() < Duration::from_secs(300), "nobody woke the tasks that are left");
            self.settle();
        }
    }

    fn run<F: Future>(&self, future: F) -> F::Output {
        let (mut future, flag) = (pin!(future), Flag::new());
        loop {
            if flag.take()
                && let Poll::Ready(output) = future.as_mut().poll(&mut TaskContext::from_waker(&flag.clone().into()))
            {
                return output;
            }
            if !self.step() && !flag.0.load(Ordering::SeqCst) {
                let before = std::time::Instant::now();
                std::thread::park_timeout(Duration::from_secs(300));
                assert!(before.elapsed() < Duration::from_secs(300), "nobody woke the future");
            }
        }
    }

    /// Polls a future once, and does everything that comes of it.
    fn poll<F: Future + Unpin>(&self, future: &mut F) -> Option<F::Output> {
        let polled = pin!(future).poll(&mut TaskContext::from_waker(&Flag::new().into()));
        self.settle();
        match polled {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    fn is_quiet(&self) -> bool {
        (self.host.open_calls(), self.tasks.lock().unwrap().len()) == (0, 0)
    }
}

// --- the kinds of call ---------------------------------------------------------------------------

#[test]
fn the_four_kinds_of_call() {
    let pair = Pair::of_plugin(Plain);
    let greeter = pair.greeter();
    assert_eq!(pair.run(greeter.greet(text("Ada"))).unwrap(), text("Hello, Ada!"));
    let numbers = pair.run(async {
        greeter.count(text("100")).await.unwrap().map(|message| message.unwrap().text).collect::<Vec<_>>().await
    });
    assert_eq!(numbers, (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(pair.run(greeter.join(stream::iter(["to", "be"].map(text)))).unwrap(), text("to be"));
    let words = (0..100).map(|number| text(format!("a{number}")));
    let chat = pair.run(async {
        greeter.chat(stream::iter(words)).await.unwrap().map(|message| message.unwrap().text).collect::<Vec<_>>().await
    });
    assert_eq!(chat.len(), 100);
    assert_eq!((&*chat[0], &*chat[99]), ("A0", "A99"));
    pair.settle();
    assert!(pair.is_quiet());
}

#[test]
fn nothing_is_encoded() {
    #[derive(Default)]
    struct Address(Mutex<Vec<usize>>);
    impl GreeterHandler for Arc<Address> {
        async fn greet(&self, request: Text, _: Context) -> Answer<Text> {
            self.0.lock().unwrap().push(request.data.as_ptr().addr());
            Ok(request)
        }
    }
    let seen = Arc::new(Address::default());
    let pair = Pair::of_plugin(seen.clone());
    let request = Text { text: String::new(), data: vec![1; 10_000] };
    let address = request.data.as_ptr().addr();
    let answer = pair.run(pair.greeter().greet(request)).unwrap();
    assert_eq!(seen.0.lock().unwrap()[0], address);
    assert_eq!(answer.data.as_ptr().addr(), address);
}

#[test]
fn metadata_goes_both_ways_and_failures_arrive_whole() {
    let pair = Pair::of_plugin(Greets(|request: Text, context: Context| async move {
        context.set_header("seen", context.metadata().get("user").unwrap_or("nobody"))?;
        context.set_trailer("cost", "3")?;
        if request.text == "fail" { Err(Error::aborted("no")) } else { Ok(request) }
    }));
    let response = pair.run(pair.greeter().greet(text("x")).metadata("user", "ada").response()).unwrap();
    assert_eq!(
        (response.header, response.trailer),
        (Metadata::from([("seen", "ada")]), Metadata::from([("cost", "3")]))
    );
    let error = pair.run(pair.greeter().greet(text("fail"))).unwrap_err();
    assert_eq!((error.code(), error.metadata()), (Code::Aborted, &Metadata::from([("seen", "nobody"), ("cost", "3")])));
    assert_eq!(
        pair.run(pair.greeter().greet(text("x")).metadata("Bad", "")).unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[test]
fn a_panic_ends_its_call_and_nothing_else() {
    let pair = Pair::of_plugin(Greets(|request: Text, _| async move {
        assert!(request.text != "panic", "the handler's own words");
        Ok(request)
    }));
    let error = pair.run(pair.greeter().greet(text("panic"))).unwrap_err();
    assert!(error.code() == Code::Internal && error.message().contains("panicked"), "{error}");
    assert!(pair.shell.logs.lock().unwrap()[0].message.contains("the handler's own words"));
    assert_eq!(pair.run(pair.greeter().greet(text("x"))).unwrap(), text("x"));
}

#[test]
fn a_slow_reader_holds_its_sender_up() {
    struct Counts(Arc<AtomicUsize>);
    impl GreeterHandler for Counts {
        async fn count(&self, _: Text, responses: Sender<Text>, _: Context) -> Answer<()> {
            for _ in 0..1_000 {
                responses.send(text("")).await?;
                self.0.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        }
    }
    let sent = Arc::new(AtomicUsize::new(0));
    let pair = Pair::of_plugin(Counts(sent.clone()));
    let mut stream = pair.run(pair.greeter().count(text(""))).unwrap();
    for read in 1..=1_000 {
        assert!(pair.run(stream.message()).unwrap().is_some());
        pair.settle();
        assert!(sent.load(Ordering::SeqCst) - read <= 16);
    }
    assert!(pair.run(stream.message()).unwrap().is_none());
}

// --- ends ----------------------------------------------------------------------------------------

type Reasons = Arc<Mutex<Vec<Code>>>;

struct Waits(Reasons);

impl GreeterHandler for Waits {
    async fn greet(&self, _: Text, context: Context) -> Answer<Text> {
        let reason = context.cancelled().await;
        self.0.lock().unwrap().push(reason.code());
        Err(reason)
    }

    async fn join(&self, _: Streaming<Text>, _: Context) -> Answer<Text> {
        Ok(text("enough"))
    }
}

#[test]
fn a_deadline_ends_the_call_at_both_ends() {
    let reasons = Reasons::default();
    let pair = Pair::of_plugin(Waits(reasons.clone()));
    let call = pair.greeter().greet(text("x")).timeout(Duration::from_millis(20));
    let error = pair.run(call).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(error.message().contains("20 ms"), "{error}");
    pair.finish();
    assert_eq!(*reasons.lock().unwrap(), [Code::DeadlineExceeded]);
    assert!(pair.is_quiet());
    let error = pair.run(pair.greeter().greet(text("x")).timeout(Duration::ZERO)).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[test]
fn a_deadline_does_not_end_the_calls_whose_own_is_later() {
    let pair = Pair::of_plugin(Waits(Reasons::default()));
    let greeter = pair.greeter();
    let mut later = greeter.greet(text("x")).timeout(Duration::from_secs(600));
    assert!(pair.poll(&mut later).is_none());
    let error = pair.run(greeter.greet(text("x")).timeout(Duration::from_millis(10))).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(pair.poll(&mut later).is_none());
    drop(later);
    pair.settle();
    assert!(pair.is_quiet());
}

#[test]
fn dropping_a_call_cancels_it_and_a_handler_may_end_early() {
    let reasons = Reasons::default();
    let pair = Pair::of_plugin(Waits(reasons.clone()));
    let mut call = pair.greeter().greet(text("x"));
    assert!(pair.poll(&mut call).is_none());
    assert_eq!(pair.host.open_calls(), 1);
    drop(call);
    pair.settle();
    assert_eq!(*reasons.lock().unwrap(), [Code::Cancelled]);
    assert_eq!(pair.run(pair.greeter().join(stream::pending())).unwrap(), text("enough"));
    pair.settle();
    assert!(pair.is_quiet());
}

#[test]
fn a_drain_waits_for_calls_and_refuses_new_ones() {
    let pair = Pair::of_plugin(Waits(Reasons::default()));
    let mut call = pair.greeter().greet(text("x"));
    assert!(pair.poll(&mut call).is_none());
    let mut drained = pair.host.drain();
    assert!(pair.poll(&mut drained).is_none());
    let error = pair.run(pair.greeter().greet(text("y"))).unwrap_err();
    assert!(error.code() == Code::Unavailable && error.message().contains("drain"), "{error}");
    drop(call);
    pair.run(drained);
    pair.run(pair.plugin.drain());
}

#[test]
fn closing_ends_every_call_with_the_reason() {
    let reasons = Reasons::default();
    let pair = Pair::of_plugin(Waits(reasons.clone()));
    let mut call = pair.greeter().greet(text("x"));
    assert!(pair.poll(&mut call).is_none());
    let mut closed = pair.plugin.wait_closed();
    assert!(pair.poll(&mut closed).is_none());
    pair.host.close(Error::unavailable("the host closed it"));
    let error = pair.run(call).unwrap_err();
    assert!(error.code() == Code::Unavailable && error.message().contains("the host closed it"), "{error}");
    assert_eq!(pair.run(closed).message(), "the host closed it");
    pair.settle();
    assert_eq!(*reasons.lock().unwrap(), [Code::Unavailable]);
    let error = pair.run(pair.greeter().greet(text("x"))).unwrap_err();
    assert!(error.message().contains("the host closed it"), "{error}");
    assert!(pair.run(pair.host.wait_opened()).is_err() && pair.is_quiet());
}

// --- the other direction -------------------------------------------------------------------------

fn asks_back() -> impl GreeterHandler {
    Greets(|request: Text, context: Context| async move {
        let depth: u32 = request.text.parse().unwrap();
        context.log(LogLevel::Debug, format!("depth {depth}"));
        match depth {
            0 => Ok(text(context.origin().join(","))),
            _ => GreeterClient::new(&context).greet(text((depth - 1).to_string())).await,
        }
    })
}

#[test]
fn a_plugin_calls_its_host_within_a_call() {
    let both = || RouterOptions { services: vec![Greeter::implement(asks_back())], ..Default::default() };
    let pair = Pair::new(both(), both());
    assert_eq!(pair.run(pair.greeter().greet(text("2"))).unwrap().text, "test-host,test-plugin");
    let error = pair.run(pair.greeter().greet(text("100"))).unwrap_err();
    assert!(error.code() == Code::FailedPrecondition && error.message().contains("16"), "{error}");
    assert!(pair.is_quiet());
    assert!(pair.shell.logs.lock().unwrap().iter().all(|record| record.time_ms > 0));
}

#[test]
fn a_capability_has_to_be_granted() {
    let host = |grants| RouterOptions { services: vec![Greeter::implement(Plain)], grants, ..Default::default() };
    let secret = |grants| {
        let pair = Pair::new(host(grants), RouterOptions::default());
        pair.run(GreeterClient::new(&pair.plugin).secret(text("x")))
    };
    assert_eq!(secret(Grants::default()).unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(secret(Grants::Only(vec!["greeter.secret".into()])).unwrap(), text("x"));
}

#[test]
fn who_is_there_and_what_is_served() {
    let pair = Pair::of_plugin(Plain);
    let plugin = pair.host.peer_info().unwrap();
    assert_eq!((&*plugin.name, &*plugin.version), ("test-plugin", "1.2.3"));
    pair.run(pair.host.negotiate(Arc::new(ServiceEntry::from(&GREETER)))).unwrap();
    pair.run(pair.host.negotiate_uses()).unwrap();
    let error = pair.run(GreeterClient::new(&pair.plugin).greet(text("x"))).unwrap_err();
    assert!(error.code() == Code::Unimplemented && error.message().contains("it serves nothing"), "{error}");
}

#[test]
fn a_handler_of_bytes_can_be_called_too() {
    struct Echo;
    impl anyplug_core::ServeRaw for Echo {
        fn serve(&self, _: usize, mut call: anyplug_core::ServerCall) -> Option<BoxFuture<()>> {
            let request = call.take_request().unwrap().into_bytes();
            call.send(anyplug_core::Payload::Bytes(request), true).unwrap();
            None
        }
    }
    let service = anyplug_core::Implementation::raw(ServiceEntry::from(&GREETER), Arc::new(Echo));
    let plugin = RouterOptions { services: vec![service], ..Default::default() };
    let pair = Pair::new(RouterOptions::default(), plugin);
    assert_eq!(pair.run(pair.greeter().greet(text("as bytes"))).unwrap(), text("as bytes"));
}
