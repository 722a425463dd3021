//! ElizaOS's line protocol: an action that a plain loop in Python answers.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::host::{IN_FLIGHT, SMALL};
use crate::{Answer, Contender, Failure, clock};

/// The loop, and the line to it.
pub(crate) struct Line {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    text: String,
    last: u64,
}

impl Line {
    /// Starts the loop. The working folder is the root of the repository.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn start() -> Result<Self, Failure> {
        let mut command = Command::new(".venv/bin/python");
        let mut child =
            command.arg("tools/bench/python/line.py").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the child has no pipes".into());
        };
        let mut line = Self { child, requests, answers: BufReader::new(answers), text: "m".repeat(SMALL), last: 0 };
        line.read()?;
        Ok(line)
    }

    fn ask(&mut self) -> Result<(), Failure> {
        self.last += 1;
        let request = json!({
            "type": "action.invoke",
            "id": self.last.to_string(),
            "action": "UMBRELLA",
            "memory": { "content": { "text": self.text } },
            "state": { "text": "", "values": { "rain": true }, "data": {} },
            "options": null,
        });
        Ok(self.requests.write_all(format!("{request}\n").as_bytes())?)
    }

    fn read(&mut self) -> Result<Value, Failure> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    fn answered(&mut self) -> Result<(), Failure> {
        if self.read()?["result"]["success"] == true { Ok(()) } else { Err("the action failed".into()) }
    }
}

impl Contender for Line {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        let end = Instant::now() + Duration::from_millis(ms);
        match what {
            "latency" => {
                let mut samples = Vec::new();
                while samples.is_empty() || Instant::now() < end {
                    let start = Instant::now();
                    self.ask()?;
                    self.answered()?;
                    samples.push(start.elapsed().as_secs_f64() * 1e6);
                }
                Ok(clock::percentiles(samples))
            }
            "throughput" => {
                let start = Instant::now();
                for _ in 0..IN_FLIGHT {
                    self.ask()?;
                }
                let (mut calls, mut open) = (0_u32, IN_FLIGHT);
                while open > 0 {
                    self.answered()?;
                    calls += 1;
                    if Instant::now() < end {
                        self.ask()?;
                    } else {
                        open -= 1;
                    }
                }
                Ok(Answer::of(f64::from(calls) / start.elapsed().as_secs_f64()))
            }
            _ => Err(format!("a line cannot run {what:?}").into()),
        }
    }

    async fn close(mut self) -> Result<(), Failure> {
        drop(self.requests);
        self.child.wait()?;
        Ok(())
    }
}
