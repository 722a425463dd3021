//! How long calls between two connections in one thread take, without a transport: codec, session, router and client alone.
//! `cargo run --profile fast -p anyplug-core --example round_trip [part of a name]`

#[path = "../tests/greeter/mod.rs"]
mod greeter;

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use anyplug_core::{
    BoxFuture, Connection, ConnectionOptions, Error, LimitOptions, RawRequest, Role, Router, RouterOptions, Shell,
};
use greeter::{GREETER, Greeter, GreeterClient, Greets, Text};

#[derive(Default)]
struct Tasks(Mutex<Vec<BoxFuture<()>>>);

impl Shell for Tasks {
    fn wake(&self) {}

    fn spawn(&self, future: BoxFuture<()>) {
        self.0.lock().unwrap_or_else(|error| error.into_inner()).push(future);
    }
}

struct Pair {
    host: Connection,
    plugin: Connection,
    tasks: Arc<Tasks>,
    bytes: Vec<u8>,
}

impl Pair {
    fn new() -> Result<Self, Error> {
        let tasks = Arc::new(Tasks::default());
        let echo = Greeter::implement(Greets(|request: Text, _| async move { Ok(request) }));
        let side = |role, services| {
            let router = Router::new(RouterOptions { services, ..RouterOptions::default() })?;
            let options = ConnectionOptions::new(role, "bench", "1", router, tasks.clone());
            let limits = LimitOptions { initial_credit_bytes: Some(4 << 20), ..LimitOptions::default() };
            Connection::new(ConnectionOptions { limits, ..options })
        };
        let (host, plugin) = (side(Role::Host, vec![])?, side(Role::Plugin, vec![echo])?);
        let mut pair = Self { host, plugin, tasks, bytes: Vec::new() };
        pair.exchange();
        Ok(pair)
    }

    fn exchange(&mut self) {
        for (from, to) in [(&self.host, &self.plugin), (&self.plugin, &self.host)] {
            self.bytes.clear();
            if from.take_output(&mut self.bytes) {
                to.receive(&self.bytes);
            }
        }
        let mut tasks = std::mem::take(&mut *self.tasks.0.lock().unwrap_or_else(|error| error.into_inner()));
        let mut task = TaskContext::from_waker(Waker::noop());
        tasks.retain_mut(|future| future.as_mut().poll(&mut task).is_pending());
        self.tasks.0.lock().unwrap_or_else(|error| error.into_inner()).append(&mut tasks);
    }

    fn run<T>(&mut self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
                return output;
            }
            self.exchange();
        }
    }
}

/// The smallest and the median time per item over rounds of `count` items.
fn measure(name: &str, count: u32, mut round: impl FnMut(u32)) {
    if !std::env::args().nth(1).is_none_or(|wanted| name.contains(&wanted)) {
        return;
    }
    round(count / 10 + 1);
    let mut times: Vec<_> = (0..rounds())
        .map(|_| {
            let start = Instant::now();
            round(count);
            start.elapsed() / count
        })
        .collect();
    times.sort();
    println!("{name:<44} {:>9} ns least {:>9} ns median", times[0].as_nanos(), times[times.len() / 2].as_nanos());
}

/// `ANYPLUG_BENCH_ROUNDS`, for profilers that are slow; 9 without it.
fn rounds() -> usize {
    std::env::var("ANYPLUG_BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(9).max(1)
}

/// `ANYPLUG_BENCH_CALLS`, for those that count instructions; 100,000 without it.
fn calls() -> u32 {
    std::env::var("ANYPLUG_BENCH_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(100_000).max(1)
}

fn main() -> Result<(), Error> {
    let mut pair = Pair::new()?;
    let greeter = GreeterClient::new(&pair.host);
    let request = |bytes| Text { text: "7".repeat(bytes), data: Vec::new() };
    for bytes in [64, 1_024, 65_536, 1 << 20] {
        let request = request(bytes);
        let count = (200_000_000 / (bytes as u32 + 1_000)).min(calls());
        measure(&format!("unary, typed, {bytes} B plain"), count, |count| {
            for _ in 0..count {
                let _ = black_box(pair.run(greeter.greet(request.clone())));
            }
        });
    }
    let timeout = Duration::from_secs(30);
    measure("unary, typed, 64 B, with a deadline", calls(), |count| {
        for _ in 0..count {
            let _ = black_box(pair.run(greeter.greet(request(61)).timeout(timeout)));
        }
    });
    measure("unary, typed, 64 B, 64 in flight", calls(), |count| {
        for _ in 0..count / 64 {
            let calls = (0..64).map(|_| greeter.greet(request(61)));
            black_box(pair.run(futures_util::future::join_all(calls)));
        }
    });
    let method = pair.host.method_index(GREETER.name, "Greet")?;
    let payload = prost::Message::encode_to_vec(&request(62));
    measure("unary, bytes, 64 B", calls(), |count| {
        for _ in 0..count {
            let request = RawRequest { method, payload: &payload, ..RawRequest::default() };
            if let Ok(call) = pair.host.unary(request) {
                let _ = black_box(pair.run(call));
            }
        }
    });
    measure("server stream, a message", calls(), |count| {
        let request = Text { text: count.to_string(), data: Vec::new() };
        let host = greeter.clone();
        pair.run(async move {
            if let Ok(mut stream) = host.count(request).await {
                while let Ok(Some(message)) = stream.message().await {
                    black_box(message);
                }
            }
        });
    });
    Ok(())
}
