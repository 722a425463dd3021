//! Round trips to a child process: `cargo bench -p anyplug-host --profile fast`. This program is the plugin as well.

#![allow(clippy::expect_used, missing_docs, reason = "a failure ends the benchmark")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyplug_core::{Context, Result, Sender};
use anyplug_generated::anyplug::test::v1::{CountRequest, TestClient};
use anyplug_generated::greeter::v1::{
    GreetAllRequest, GreetAllResponse, GreetRequest, GreetResponse, Greeter, GreeterClient, GreeterHandler,
};
use anyplug_host::{Plugin, load_plugin};
use futures_util::future::join_all;

const CALLS: usize = 20_000;

/// Returns the name: a message of 64 bytes each way.
struct Echo;

impl GreeterHandler for Echo {
    async fn greet(&self, request: GreetRequest, _: Context) -> Result<GreetResponse> {
        Ok(GreetResponse { text: request.name })
    }

    async fn greet_all(&self, _: GreetAllRequest, _: Sender<GreetAllResponse>, _: Context) -> Result<()> {
        Ok(())
    }
}

fn main() -> ExitCode {
    if std::env::var_os("ANYPLUG_CHANNEL").is_some() {
        return anyplug_sdk::serve(anyplug_test_plugin::plugin().service(Greeter::implement(Echo)));
    }
    let folder = std::env::temp_dir().join(format!("anyplug-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let program = std::env::current_exe().expect("this program");
    let manifest = format!(
        r#"{{"name":"test-plugin","version":"0.1.0","language":"rust","interop":{{"ipcCommand":"{}"}}}}"#,
        program.display()
    );
    std::fs::write(folder.join("plugin.json"), manifest).expect("a manifest");

    println!("{:<48} {:>9} {:>9} {:>12}", "", "p50 us", "p99 us", "calls/s");
    futures_executor(|| run("block_on without a runtime", &folder));
    let current = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    current.block_on(run("tokio, current thread", &folder));
    let multi = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    multi.block_on(run("tokio, threads", &folder));
    let _ = std::fs::remove_dir_all(folder);
    ExitCode::SUCCESS
}

fn futures_executor<F: Future<Output = ()>>(work: impl FnOnce() -> F) {
    block_on(work());
}

/// The simplest executor there is.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = std::pin::pin!(future);
    let waker = std::task::Waker::from(std::sync::Arc::new(Unpark(std::thread::current())));
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            return value;
        }
        std::thread::park();
    }
}

/// Whether the lines whose name holds the program's argument are to be measured, and this is one.
fn wanted(name: &str) -> bool {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    filter.is_none_or(|filter| name.contains(&filter))
}

async fn run(runtime: &str, folder: &std::path::Path) {
    let started = Instant::now();
    let plugin = load_plugin(folder).await.expect("a plugin");
    let loaded = started.elapsed();
    let client = GreeterClient::new(&plugin);
    let name = "n".repeat(62);
    let request = || GreetRequest { name: name.clone() };

    let line = format!("{runtime}, one after the other");
    if wanted(&line) {
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let start = Instant::now();
            client.greet(request()).await.expect("an answer");
            times.push(start.elapsed());
        }
        report(&line, &mut times[CALLS / 4..], None);
    }

    let line = format!("{runtime}, 64 joined");
    if wanted(&line) {
        let start = Instant::now();
        let mut times = Vec::new();
        for _ in 0..CALLS / 64 {
            let start = Instant::now();
            for answer in join_all((0..64).map(|_| client.greet(request()))).await {
                answer.expect("an answer");
            }
            times.push(start.elapsed());
        }
        report(&line, &mut times, Some(rate(CALLS / 64 * 64, start)));
    }

    let line = format!("{runtime}, 64 tasks");
    if wanted(&line) && tokio::runtime::Handle::try_current().is_ok() {
        let start = Instant::now();
        let tasks = (0..64).map(|_| {
            let (client, name) = (client.clone(), name.clone());
            tokio::spawn(async move {
                for _ in 0..CALLS / 16 {
                    client.greet(GreetRequest { name: name.clone() }).await.expect("an answer");
                }
            })
        });
        for task in join_all(tasks).await {
            task.expect("a task");
        }
        report(&line, &mut [], Some(rate(CALLS / 16 * 64, start)));
    }

    for (size, count) in [(1 << 20, 1000), (1024, 100_000)] {
        let line = format!("{runtime}, stream of {size} B");
        if !wanted(&line) {
            continue;
        }
        let start = Instant::now();
        let request = CountRequest { count, size, ..CountRequest::default() };
        let mut stream = TestClient::new(&plugin).count(request).await.expect("a stream");
        while stream.message().await.expect("a message").is_some() {}
        let megabytes = f64::from(size) * f64::from(count) / 1e6 / start.elapsed().as_secs_f64();
        let rate = rate(count as usize, start);
        println!("{line:<48} {megabytes:>9.0} MB/s {rate:>12.0} messages/s");
    }
    let line = format!("{runtime}, idle");
    if wanted(&line) {
        println!("{line:<48} {:>9} ms of processor time in 2 s", idle(&plugin));
        println!("{:<48} {:>9.1} ms", format!("{runtime}, load"), loaded.as_secs_f64() * 1e3);
    }
    plugin.close().await.expect("an end");
}

fn rate(calls: usize, start: Instant) -> f64 {
    calls as f64 / start.elapsed().as_secs_f64()
}

fn report(name: &str, times: &mut [Duration], rate: Option<f64>) {
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).map_or(0.0, |time| time.as_secs_f64() * 1e6);
    let rate = rate.unwrap_or_else(|| times.len() as f64 / times.iter().sum::<Duration>().as_secs_f64());
    println!("{name:<48} {:>9.1} {:>9.1} {rate:>12.0}", at(0.5), at(0.99));
}

/// The processor time that host and plugin use while nothing happens.
fn idle(plugin: &Plugin) -> u64 {
    let pid = plugin.instance().expect("a process").process().pid().as_raw_nonzero();
    let ticks = || -> u64 {
        ["self".to_owned(), pid.to_string()]
            .iter()
            .map(|process| {
                let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
                let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
                fields.get(11..13).map_or(0, |times| times.iter().filter_map(|time| time.parse::<u64>().ok()).sum())
            })
            .sum()
    };
    let before = ticks();
    std::thread::sleep(Duration::from_secs(2));
    (ticks() - before) * 10
}
