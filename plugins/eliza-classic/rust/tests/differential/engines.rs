//! The three engines: this one, and the others as child processes that speak JSON, a line each way.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use eliza_classic::{Eliza, parse_script};
use serde::{Deserialize, Serialize};

/// A conversation by a script, which is DOCTOR if none is given.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<String>,
    pub(crate) lines: Vec<String>,
}

/// How an engine answers.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Replies { greeting: String, replies: Vec<String> },
    Error { error: String },
}

/// The other two languages.
pub(crate) struct Engines {
    others: Vec<Other>,
}

struct Other {
    name: &'static str,
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Engines {
    pub(crate) fn start() -> Self {
        let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut node = Command::new("node");
        node.arg(plugin.join("ts/test/driver.mjs"));
        let mut python = Command::new(interpreter(plugin));
        python.arg(plugin.join("python/tests/driver.py")).env("PYTHONPATH", plugin.join("python"));
        Self { others: vec![Other::start("TypeScript", node), Other::start("Python", python)] }
    }

    /// Returns the answer that all three give.
    pub(crate) fn agreed(&mut self, request: &Request) -> Answer {
        let asked = serde_json::to_string(request).unwrap() + "\n";
        for other in &mut self.others {
            let sent = other.child.stdin.as_mut().unwrap().write_all(asked.as_bytes());
            assert!(sent.is_ok(), "{} ended: {sent:?}; was it built?", other.name);
        }
        let ours = answer(request);
        for other in &mut self.others {
            let mut line = String::new();
            other.answers.read_line(&mut line).unwrap();
            let theirs: Answer = serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("{} answered {line:?} ({error}); was it built?", other.name));
            assert!(ours == theirs, "Rust:   {ours:?}\n{}: {theirs:?}", other.name);
        }
        ours
    }
}

impl Other {
    fn start(name: &'static str, mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { name, child, answers }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn answer(request: &Request) -> Answer {
    let eliza = match &request.script {
        None => Eliza::default(),
        Some(script) => match parse_script(script) {
            Ok(script) => Eliza::new(script),
            Err(error) => return Answer::Error { error: error.to_string() },
        },
    };
    let mut session = eliza.new_session();
    match request.lines.iter().map(|line| session.reply(line)).collect() {
        Ok(replies) => Answer::Replies { greeting: eliza.greeting().to_owned(), replies },
        Err(error) => Answer::Error { error: error.to_string() },
    }
}

/// The Python of the repository's virtual environment, if there is one.
fn interpreter(plugin: &Path) -> PathBuf {
    let ours = plugin.join("../../.venv/bin/python");
    if ours.exists() { ours } else { "python3".into() }
}
