//! Two connections in one thread: bytes are moved by hand, time by hand, and a task runs only when it was woken, so that a wake-up
//! that is missing shows as a test that gets stuck.

#![allow(dead_code, reason = "each of its users needs a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::time::Duration;

use anyplug_core::channel::{CallNow, CalledNow};
use anyplug_core::{
    BoxFuture, Connection, ConnectionOptions, Instant, LimitOptions, LogRecord, Role, Router, RouterOptions, Shell,
};

/// How a call is made at once.
pub(crate) type CallsNow = Box<dyn FnMut(&mut CallNow<'_>) -> CalledNow + Send>;

/// What is around one side.
#[derive(Default)]
pub(crate) struct TestShell {
    pub(crate) now_ms: Arc<AtomicU64>,
    pub(crate) wakes: AtomicUsize,
    /// Requests wait for those of other tasks.
    pub(crate) holds_back: AtomicBool,
    pub(crate) logs: Mutex<Vec<LogRecord>>,
    /// Makes calls at once.
    pub(crate) calls_now: Mutex<Option<CallsNow>>,
    spawned: Mutex<Vec<BoxFuture<()>>>,
}

impl Shell for TestShell {
    fn wake(&self) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
    }

    fn called(&self) -> bool {
        let holds_back = self.holds_back.load(Ordering::SeqCst);
        if !holds_back {
            self.wake();
        }
        holds_back
    }

    fn call_now(&self, call: &mut CallNow<'_>) -> CalledNow {
        self.calls_now.lock().unwrap().as_mut().map_or(CalledNow::Not, |make| make(call))
    }

    fn spawn(&self, future: BoxFuture<()>) {
        self.spawned.lock().unwrap().push(future);
    }

    fn now(&self) -> Instant {
        Instant::from_start(Duration::from_millis(self.now_ms.load(Ordering::SeqCst)))
    }

    fn log(&self, record: LogRecord) {
        self.logs.lock().unwrap().push(record);
    }
}

/// Remembers that it was woken.
pub(crate) struct Flag(AtomicBool);

impl Flag {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Task {
    future: BoxFuture<()>,
    flag: Arc<Flag>,
}

/// A host and a plugin, connected.
pub(crate) struct Pair {
    pub(crate) host: Connection,
    pub(crate) plugin: Connection,
    pub(crate) host_shell: Arc<TestShell>,
    pub(crate) plugin_shell: Arc<TestShell>,
    now_ms: Arc<AtomicU64>,
    tasks: Mutex<Vec<Task>>,
    /// Bytes taken from each side, and how much of them is let through.
    moved: AtomicUsize,
    cut: AtomicBool,
}

/// How a pair is made.
#[derive(Default)]
pub(crate) struct PairOptions {
    pub(crate) host: RouterOptions,
    pub(crate) plugin: RouterOptions,
    pub(crate) host_limits: LimitOptions,
    pub(crate) plugin_limits: LimitOptions,
}

impl Pair {
    /// A pair whose hellos have not been exchanged.
    pub(crate) fn silent(options: PairOptions) -> Self {
        let now_ms = Arc::new(AtomicU64::new(1_000_000));
        let shell = || Arc::new(TestShell { now_ms: now_ms.clone(), ..TestShell::default() });
        let (host_shell, plugin_shell) = (shell(), shell());
        let connection = |role, name, router, limits, shell: &Arc<TestShell>| {
            let router = Router::new(router).unwrap();
            let options = ConnectionOptions::new(role, name, "1.2.3", router, shell.clone());
            Connection::new(ConnectionOptions { limits, ..options }).unwrap()
        };
        let host = connection(Role::Host, "test-host", options.host, options.host_limits, &host_shell);
        let plugin = connection(Role::Plugin, "test-plugin", options.plugin, options.plugin_limits, &plugin_shell);
        let (tasks, moved, cut) = (Mutex::default(), AtomicUsize::new(0), AtomicBool::new(false));
        Self { host, plugin, host_shell, plugin_shell, now_ms, tasks, moved, cut }
    }

    /// A pair that is ready.
    pub(crate) fn new(options: PairOptions) -> Self {
        let pair = Self::silent(options);
        pair.run(pair.host.ready()).unwrap();
        pair.run(pair.plugin.ready()).unwrap();
        pair
    }

    /// Runs a future to its end, moving bytes and running tasks as they are needed.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let flag = Flag::new();
        loop {
            if flag.take()
                && let Poll::Ready(output) = future.as_mut().poll(&mut TaskContext::from_waker(&flag.clone().into()))
            {
                return output;
            }
            assert!(self.step() || flag.0.load(Ordering::SeqCst), "nothing is left to do, and the future is not done");
        }
    }

    /// Polls a future as long as it is woken and there is something to do; gives the output if it is done.
    pub(crate) fn run_until_idle<F: Future + Unpin>(&self, future: &mut F) -> Option<F::Output> {
        let flag = Flag::new();
        loop {
            if flag.take()
                && let Poll::Ready(output) = pin!(&mut *future).poll(&mut TaskContext::from_waker(&flag.clone().into()))
            {
                return Some(output);
            }
            if !self.step() && !flag.0.load(Ordering::SeqCst) {
                return None;
            }
        }
    }

    /// Does everything that there is to do.
    pub(crate) fn settle(&self) {
        while self.step() {}
    }

    /// Moves time, and ends what is due.
    pub(crate) fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
        for (connection, shell) in [(&self.host, &self.host_shell), (&self.plugin, &self.plugin_shell)] {
            if connection.next_deadline().is_some_and(|deadline| deadline <= shell.now()) {
                connection.expire_due(shell.now());
            }
        }
    }

    /// From now on, bytes stay where they are.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Moves bytes again.
    pub(crate) fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }

    /// How many bytes were moved since the beginning.
    pub(crate) fn moved(&self) -> usize {
        self.moved.load(Ordering::SeqCst)
    }

    fn step(&self) -> bool {
        let mut did = false;
        if !self.cut.load(Ordering::SeqCst) {
            did |= self.transfer(&self.host, &self.plugin);
            did |= self.transfer(&self.plugin, &self.host);
        }
        did | self.run_tasks()
    }

    fn transfer(&self, from: &Connection, to: &Connection) -> bool {
        let mut bytes = Vec::new();
        if !from.take_output(&mut bytes) {
            return false;
        }
        self.moved.fetch_add(bytes.len(), Ordering::SeqCst);
        to.receive(&bytes);
        true
    }

    fn run_tasks(&self) -> bool {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        for shell in [&self.host_shell, &self.plugin_shell] {
            let spawned = std::mem::take(&mut *shell.spawned.lock().unwrap());
            tasks.extend(spawned.into_iter().map(|future| Task { future, flag: Flag::new() }));
        }
        let mut did = false;
        tasks.retain_mut(|task| {
            if !task.flag.take() {
                return true;
            }
            did = true;
            let waker: Waker = task.flag.clone().into();
            task.future.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_pending()
        });
        let mut left = self.tasks.lock().unwrap();
        tasks.append(&mut left);
        *left = tasks;
        did
    }

    /// Handlers and request streams that are not done.
    pub(crate) fn tasks_left(&self) -> usize {
        self.tasks.lock().unwrap().len()
    }
}

/// A stream of requests that a test feeds as it goes.
pub(crate) struct Feed<T>(Arc<Mutex<Fed<T>>>);

struct Fed<T> {
    items: std::collections::VecDeque<T>,
    is_closed: bool,
    waker: Option<Waker>,
}

impl<T> Feed<T> {
    pub(crate) fn new() -> (Self, FeedStream<T>) {
        let fed = Fed { items: Default::default(), is_closed: false, waker: None };
        let shared = Arc::new(Mutex::new(fed));
        (Self(shared.clone()), FeedStream(shared))
    }

    pub(crate) fn send(&self, item: T) {
        let mut fed = self.0.lock().unwrap();
        fed.items.push_back(item);
        fed.waker.take().into_iter().for_each(Waker::wake);
    }
}

impl<T> Drop for Feed<T> {
    fn drop(&mut self) {
        let mut fed = self.0.lock().unwrap();
        fed.is_closed = true;
        fed.waker.take().into_iter().for_each(Waker::wake);
    }
}

pub(crate) struct FeedStream<T>(Arc<Mutex<Fed<T>>>);

impl<T> futures_util::Stream for FeedStream<T> {
    type Item = T;

    fn poll_next(self: std::pin::Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<T>> {
        let mut fed = self.0.lock().unwrap();
        match fed.items.pop_front() {
            Some(item) => Poll::Ready(Some(item)),
            None if fed.is_closed => Poll::Ready(None),
            None => {
                fed.waker = Some(task.waker().clone());
                Poll::Pending
            }
        }
    }
}
