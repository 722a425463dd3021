//! How long a direct call takes, beside a plain async call of the same handler.
//! `cargo run --profile fast -p anyplug-direct --example round_trip`
//! With a number of calls and the name of a line, it does that only, to be counted: `valgrind --tool=callgrind .../round_trip 1000 "direct call"`.

#[path = "../../../core/rust/tests/greeter/mod.rs"]
mod greeter;

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use anyplug_core::{BoxFuture, Error, LimitOptions, Router, RouterOptions, Shell};
use anyplug_direct::{Side, connect};
use greeter::{Greeter, GreeterClient, Greets, Text, text};

/// Nothing here waits.
struct NoShell;

impl Shell for NoShell {
    fn wake(&self) {}

    fn spawn(&self, _: BoxFuture<()>) {}
}

fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn measure(name: &str, mut call: impl FnMut()) {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(200_000);
    if arguments.next().is_some_and(|wanted| wanted != name) {
        return;
    }
    let mut times: Vec<_> = (0..9)
        .map(|_| {
            let start = Instant::now();
            (0..count).for_each(|_| call());
            start.elapsed() / count
        })
        .collect();
    times.sort();
    println!("{name:<40} {:>6} ns least {:>6} ns median", times[0].as_nanos(), times[4].as_nanos());
}

async fn handler(request: Text) -> Result<Text, Error> {
    Ok(request)
}

fn main() -> Result<(), Error> {
    let side = |name: &str, services| {
        let router = Router::new(RouterOptions { services, ..RouterOptions::default() })?;
        Ok::<_, Error>(Side { name: name.into(), version: "1".into(), router, limits: LimitOptions::default() })
    };
    let service = Greeter::implement(Greets(|request: Text, _| handler(request)));
    let (host, _plugin) = connect(side("host", vec![])?, side("plugin", vec![service])?, Arc::new(NoShell));
    let greeter = GreeterClient::new(&host);
    let request = text("x".repeat(64));
    measure("plain async call", || drop(black_box(run(handler(black_box(request.clone()))))));
    measure("plain async call, boxed", || {
        let boxed: BoxFuture<_> = Box::pin(handler(black_box(request.clone())));
        drop(black_box(run(boxed)));
    });
    measure("direct call", || drop(black_box(run(greeter.greet(request.clone())))));
    let timeout = Duration::from_secs(30);
    measure("direct call with a deadline", || {
        drop(black_box(run(greeter.greet(request.clone()).timeout(timeout))));
    });
    Ok(())
}
