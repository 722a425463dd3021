//! Loads a plugin that speaks ElizaOS's line protocol: starts it, and connects it to an agent.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use anyplug_contracts::agent::{AgentPluginDefinition, AgentRuntime, OnLog, local_link};
use anyplug_core::{Error, Link, LogLevel, LogRecord, Result};
use anyplug_ipc::{EnvironmentOptions, Pipe, PluginProcess, ProcessOptions, start_process};
use tokio::sync::watch;

use crate::drive::Dialect;
use crate::peer::{LinePeer, PeerOptions};

/// How the plugin is started.
#[derive(Clone)]
pub struct LineLoadOptions {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The working folder. Default: this process's.
    pub cwd: PathBuf,
    /// Default: that of messages.
    pub dialect: Dialect,
    /// How long until the plugin must have said what it is. Default 30 s.
    pub start_timeout: Duration,
    /// The most requests that may wait at once. Default 1,000.
    pub max_pending_requests: usize,
    /// Bytes that a line may have. Default 10 MiB.
    pub max_message_bytes: usize,
    /// What its process gets of the environment.
    pub environment: EnvironmentOptions,
    /// Takes what the plugin prints beside its messages.
    pub on_log: Option<OnLog>,
}

impl LineLoadOptions {
    /// Starts this program, with the defaults.
    pub fn command<S: Into<String>>(command: impl IntoIterator<Item = S>) -> Self {
        Self {
            command: command.into_iter().map(Into::into).collect(),
            cwd: PathBuf::from("."),
            dialect: Dialect::Messages,
            start_timeout: Duration::from_secs(30),
            max_pending_requests: 1000,
            max_message_bytes: 10 << 20,
            environment: EnvironmentOptions::default(),
            on_log: None,
        }
    }
}

impl fmt::Debug for LineLoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment is not shown: it may hold secrets.
        f.debug_struct("LineLoadOptions").field("command", &self.command).finish_non_exhaustive()
    }
}

/// A loaded plugin: register it with an agent. When the last handle is dropped, its process is killed.
#[derive(Clone)]
pub struct LinePlugin {
    definition: AgentPluginDefinition,
    peer: LinePeer,
    process: Arc<PluginProcess>,
    line: Arc<Line>,
}

/// What is to be ended when the process has.
struct Line {
    output: Mutex<Option<Sender<Vec<u8>>>>,
    links: Mutex<Vec<Weak<dyn Link>>>,
    closed: watch::Sender<Option<Error>>,
}

impl LinePlugin {
    /// What it is: its own manifest, with functions that ask it.
    pub fn definition(&self) -> &AgentPluginDefinition {
        &self.definition
    }

    /// The connection to it, for methods that no agent knows.
    pub fn peer(&self) -> &LinePeer {
        &self.peer
    }

    /// Returns the plugin as an agent registers it. The link ends with the process.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when its manifest has a name twice.
    pub fn link(&self, agent: &AgentRuntime) -> Result<Arc<dyn Link>> {
        let link = local_link(self.definition.clone(), agent.name(), agent.services(), |_| {})?;
        lock(&self.line.links).push(Arc::downgrade(&link));
        let ended = self.line.closed.borrow().clone();
        if let Some(reason) = ended {
            link.close(reason);
        }
        Ok(link)
    }

    /// Waits until its process has ended; gives the reason.
    pub async fn closed(&self) -> Error {
        let mut closed = self.line.closed.subscribe();
        let closed = closed.wait_for(Option::is_some).await;
        closed.ok().and_then(|reason| reason.clone()).unwrap_or_else(|| Error::internal("the plugin is gone"))
    }

    /// Ends the process: it is given time to end by itself when its input ends.
    pub async fn close(&self) {
        lock(&self.line.output).take();
        let process = self.process.clone();
        // A runtime that ends meanwhile drops the process, which kills it.
        let _ = tokio::task::spawn_blocking(move || process.stop()).await;
        self.closed().await;
    }
}

impl fmt::Debug for LinePlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinePlugin").field("definition", &self.definition).finish_non_exhaustive()
    }
}

impl Line {
    fn write(&self, bytes: Vec<u8>) {
        if let Some(output) = &*lock(&self.output) {
            // It fails when the plugin reads no more, and then its end is told.
            let _ = output.send(bytes);
        }
    }

    fn ended(&self, reason: &Error) {
        self.closed.send_replace(Some(reason.clone()));
        for link in lock(&self.links).drain(..).filter_map(|link| link.upgrade()) {
            link.close(reason.clone());
        }
    }
}

/// Starts a plugin that speaks ElizaOS's line protocol on its standard streams.
///
/// # Errors
/// NOT_FOUND when there is no such program; UNAVAILABLE at once when it ends before it is ready, DEADLINE_EXCEEDED when it is not in time.
pub async fn load_line_plugin(options: LineLoadOptions) -> Result<LinePlugin> {
    let name = options.command.join(" ");
    let on_log = options.on_log.clone();
    let told = options.on_log.clone();
    let started = ProcessOptions {
        name: name.clone(),
        command: options.command,
        cwd: options.cwd,
        environment: options.environment,
        stdio: true,
        json_rpc: false,
        on_line: Arc::new(move |_, line| {
            if let Some(on_log) = &told {
                on_log(&LogRecord::new(LogLevel::Warn, "stderr", line).with_time_of_now());
            }
        }),
    };
    let (process, pipe) = tokio::task::spawn_blocking(move || start_process(&started))
        .await
        .map_err(|error| Error::unavailable("the runtime ended").with_source(error))??;
    let process = Arc::new(process);
    let (output, to_write) = channel();
    let line =
        Arc::new(Line { output: Mutex::new(Some(output)), links: Mutex::default(), closed: watch::Sender::new(None) });
    let (writer, killed) = (line.clone(), Arc::downgrade(&process));
    let kill = move |_: Error| {
        if let Some(process) = killed.upgrade() {
            process.kill_now();
        }
    };
    let peer = LinePeer::new(PeerOptions {
        dialect: options.dialect,
        max_pending_requests: options.max_pending_requests,
        max_message_bytes: options.max_message_bytes,
        on_log,
        ..PeerOptions::new(move |bytes| writer.write(bytes), kill)
    });
    let read = move_bytes(pipe, to_write, peer.clone())?;
    let (ended, watched) = (line.clone(), Arc::downgrade(&process));
    let (of_peer, described) = (peer.clone(), name.clone());
    process.on_exit(move || {
        // What it wrote before its end is read first; a child of its own may hold its output open.
        let _ = read.recv_timeout(Duration::from_secs(1));
        let how = watched.upgrade().map_or_else(|| "was dropped".to_owned(), |process| process.describe(""));
        let reason = Error::unavailable(format!("plugin \"{described}\" {how}"));
        of_peer.ended(reason.clone());
        ended.ended(&reason);
    });
    let late = || {
        let ms = options.start_timeout.as_millis();
        Error::deadline_exceeded(format!("plugin \"{name}\" was not ready within {ms} ms"))
    };
    match tokio::time::timeout(options.start_timeout, peer.plugin()).await.unwrap_or_else(|_| Err(late())) {
        Ok(definition) => Ok(LinePlugin { definition, peer, process, line }),
        Err(error) => {
            process.kill_now();
            Err(error)
        }
    }
}

/// Moves the bytes of the plugin's streams, in a thread each: nothing waits for a plugin that does not read. What is returned tells the end of what it writes.
fn move_bytes(pipe: Pipe, to_write: Receiver<Vec<u8>>, peer: LinePeer) -> Result<Receiver<()>> {
    let refused = |error: std::io::Error| Error::resource_exhausted("no thread could be started").with_source(error);
    let (read, write) = pipe.into_ends();
    for end in [&read, &write] {
        rustix::io::ioctl_fionbio(end, false).map_err(|error| Error::unavailable(error.to_string()))?;
    }
    let (over, is_over) = channel();
    let mut input = std::fs::File::from(read);
    let reading = move || {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => peer.data(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        // Whoever waits for it may be gone.
        let _ = over.send(());
    };
    std::thread::Builder::new().name("anyplug-line-in".to_owned()).spawn(reading).map_err(refused)?;
    let mut output = std::fs::File::from(write);
    let writing = move || {
        for bytes in to_write {
            if output.write_all(&bytes).is_err() {
                break;
            }
        }
    };
    std::thread::Builder::new().name("anyplug-line-out".to_owned()).spawn(writing).map_err(refused)?;
    Ok(is_over)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
