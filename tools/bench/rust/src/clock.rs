//! Rounds of a given time, and what they come to.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::{Answer, Failure};

/// Calls are made before the first that counts, so that what is set up by the first call is not measured.
const WARM_UP: usize = 20;

/// Calls one after the other for `ms`: the median and the 99th percentile of a call, in microseconds. A sample is the mean of `batch` calls, for calls that take less than reading the clock does.
pub(crate) async fn latency<F, T>(ms: u64, batch: u32, mut call: impl FnMut() -> F) -> Result<Answer, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    for _ in 0..WARM_UP {
        call().await?;
    }
    let mut samples = Vec::with_capacity(1 << 16);
    let end = Instant::now() + Duration::from_millis(ms);
    loop {
        let start = Instant::now();
        for _ in 0..batch {
            call().await?;
        }
        let now = Instant::now();
        samples.push((now - start).as_secs_f64() * 1e6 / f64::from(batch));
        if now >= end {
            return Ok(percentiles(samples));
        }
    }
}

/// The median and the 99th percentile of samples.
pub(crate) fn percentiles(mut samples: Vec<f64>) -> Answer {
    samples.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| samples.get((samples.len() as f64 * share) as usize).copied();
    Answer { value: at(0.5), p99: at(0.99), error: None }
}

/// Keeps `in_flight` calls going for `ms`, in one task: how many end in a second.
pub(crate) async fn throughput<F, T>(ms: u64, in_flight: usize, call: impl Fn() -> F) -> Result<f64, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let start = Instant::now();
    let end = start + Duration::from_millis(ms);
    let lanes = (0..in_flight).map(|_| async {
        let mut calls = 0_u64;
        while Instant::now() < end {
            call().await?;
            calls += 1;
        }
        Ok::<_, Failure>(calls)
    });
    let calls: u64 = futures_util::future::try_join_all(lanes).await?.into_iter().sum();
    Ok(calls as f64 / start.elapsed().as_secs_f64())
}

/// Runs `operation` in batches of about 0.5 ms for `ms`: the median of the batches, in microseconds an operation.
pub(crate) fn operation<T>(ms: u64, mut operation: impl FnMut() -> T) -> Answer {
    let mut time = |count: u32| {
        let start = Instant::now();
        for _ in 0..count {
            std::hint::black_box(operation());
        }
        start.elapsed().as_secs_f64() * 1e6 / f64::from(count)
    };
    let batch = (500.0 / time(64).max(0.001)).clamp(1.0, 1e6) as u32;
    let end = Instant::now() + Duration::from_millis(ms);
    let mut samples = Vec::new();
    while samples.is_empty() || Instant::now() < end {
        samples.push(time(batch));
    }
    percentiles(samples)
}
