//! What `npm run bench` measures in Rust: one contender a process, which runs what it is asked to on standard input and answers a line of JSON on standard output.

mod agent;
mod clock;
mod codecs;
mod derived;
mod host;
mod line;
mod modules;
mod modules_raw;
mod native;
mod native_raw;
mod order;
mod plain;
mod raw;
mod served;
mod starts;

use std::io::{BufRead, Write};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

/// One round that is asked for.
#[derive(Debug, Deserialize)]
struct Request {
    /// What to measure: "latency", "throughput", "bulk", "stream", "streams", "load"; of a codec "encode" or "decode".
    run: String,
    /// How long to measure, in milliseconds.
    ms: u64,
}

/// What a round found.
#[derive(Debug, Default, Serialize)]
struct Answer {
    /// The figure, in the unit of what was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    /// The 99th percentile in the same unit, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<f64>,
    /// Why there is no figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Answer {
    fn of(value: f64) -> Self {
        Self { value: Some(value), ..Self::default() }
    }
}

/// A failure, told to the orchestrator as text.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Something that is measured.
trait Contender {
    /// Measures for one round.
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure>;

    /// Ends what was started.
    async fn close(self) -> Result<(), Failure>;
}

#[tokio::main]
async fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let served = match name.split_once(':').unwrap_or((&name, "")) {
        ("codecs", codec) => serve(codecs::Codecs::new(codec)).await,
        ("process", plugin) => serve(host::Host::process(plugin).await).await,
        ("direct", _) => serve(host::Host::direct().await).await,
        (kind @ ("unix" | "tcp"), plugin) => serve(served::Served::start(kind, plugin).await).await,
        ("agent", plugin) => serve(agent::Agent::start(plugin).await).await,
        ("line", _) => serve(line::Line::start()).await,
        ("wasm", guest) => serve(modules::Modules::load(guest).await).await,
        ("direct-eliza", _) => serve(modules::DirectEliza::load().await).await,
        ("wasm-raw", _) => serve(modules_raw::RawModule::load()).await,
        ("ffi", language) => serve(native::Native::load(language).await).await,
        ("ffi-stream", language) => serve(native::Conversation::begin(language).await).await,
        ("ffi-raw", _) => serve(native_raw::RawCall::load()).await,
        ("plain-copy", _) => serve(Ok(native_raw::PlainCopy)).await,
        ("oneshot", _) => serve(Ok(native_raw::Oneshot::start())).await,
        ("raw", how) => serve(raw::Raw::start(how)).await,
        ("plain", _) => serve(Ok(plain::Plain)).await,
        _ => Err(format!("there is no contender {name:?}").into()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers requests until standard input ends.
async fn serve<C: Contender>(contender: Result<C, Failure>) -> Result<(), Failure> {
    let mut contender = contender?;
    say(&serde_json::json!({ "ready": true }))?;
    for line in std::io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let answer = contender.run(&request.run, request.ms).await;
        say(&answer.unwrap_or_else(|error| Answer { error: Some(error.to_string()), ..Answer::default() }))?;
    }
    contender.close().await
}

fn say(answer: &impl Serialize) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", serde_json::to_string(answer)?)?;
    output.flush()?;
    Ok(())
}
