//! How long a module takes to start, and what a thousand of them take.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::{Answer, Failure, clock};

/// Where the modules are that are written by hand. The working folder is the root of the repository.
pub(crate) const MODULES: &str = ".cache/bench/modules";

const INSTANCES: usize = 1_000;

/// The bytes of an echo, by the name of its run.
pub(crate) fn echo_size(what: &str) -> Option<usize> {
    Some(match what {
        "echo16" => 16,
        "echo1k" => 1 << 10,
        "echo64k" => 64 << 10,
        "echo1m" => 1 << 20,
        _ => return None,
    })
}

/// How many echoes are a sample: a short one takes not much longer than reading the clock.
pub(crate) fn batch_of(size: usize) -> u32 {
    if size > 4096 { 1 } else { 100 }
}

/// Milliseconds of a start: the median of as many as there is time for.
pub(crate) async fn times<T>(
    ms: u64,
    start: impl AsyncFn() -> Result<T, Failure>,
    close: impl AsyncFn(T) -> Result<(), Failure>,
) -> Result<Answer, Failure> {
    let mut samples = Vec::new();
    let end = Instant::now() + Duration::from_millis(ms);
    while samples.is_empty() || Instant::now() < end {
        let begun = Instant::now();
        let started = start().await?;
        samples.push(begun.elapsed().as_secs_f64() * 1e3);
        close(started).await?;
    }
    Ok(clock::percentiles(samples))
}

/// What many starts take: milliseconds for "instances", else kilobytes for each.
pub(crate) async fn many<T>(
    what: &str,
    start: impl AsyncFn() -> Result<T, Failure>,
    close: impl AsyncFn(T) -> Result<(), Failure>,
) -> Result<Answer, Failure> {
    // What those of a round leave behind is taken up by the next.
    static BEFORE: OnceLock<f64> = OnceLock::new();
    let before = *BEFORE.get_or_init(resident_kilobytes);
    let begun = Instant::now();
    let mut all = Vec::with_capacity(INSTANCES);
    for _ in 0..INSTANCES {
        all.push(start().await?);
    }
    let took = begun.elapsed().as_secs_f64() * 1e3;
    let kilobytes = resident_kilobytes() - before;
    for one in all {
        close(one).await?;
    }
    Ok(Answer::of(if what == "instances" { took } else { kilobytes * 1.024 / INSTANCES as f64 }))
}

fn resident_kilobytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    rss.trim().trim_end_matches("kB").trim().parse().unwrap_or_default()
}

/// The same module in other bytes than any before: a custom section says something random.
///
/// # Errors
/// When the system has no random bytes.
pub(crate) fn fresh_module(module: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)?;
    Ok([module, b"\0\x15\x04salt", &salt].concat())
}

/// A file with a module that is new to everything; it is gone when this is dropped.
pub(crate) struct FreshFile(PathBuf);

impl FreshFile {
    pub(crate) fn new(module: &[u8]) -> Result<Self, Failure> {
        let fresh = fresh_module(module)?;
        let salt: String = fresh.iter().rev().take(8).map(|byte| format!("{byte:02x}")).collect();
        let path = std::env::temp_dir().join(format!("anyplug-bench-{salt}.wasm"));
        std::fs::write(&path, fresh)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for FreshFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
