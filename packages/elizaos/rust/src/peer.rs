//! The connection to a plugin that speaks one of ElizaOS's line protocols.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use anyplug_contracts::agent::{Agent, AgentPluginDefinition, Json, JsonObject, OnLog};
use anyplug_core::{Code, Error, LogLevel, LogRecord, Result};
use tokio::sync::watch;

use crate::drive::{Ask, Dialect, driven_plugin};
use crate::lines::LineReader;
use crate::methods::{call_of, method_answer};
use crate::requests::Requests;

/// What a peer is made with.
pub struct PeerOptions {
    /// Which of the two protocols.
    pub dialect: Dialect,
    /// The most requests that may wait at once. [`PeerOptions::new`]: 1,000.
    pub max_pending_requests: usize,
    /// Bytes that a line may have, in either direction. [`PeerOptions::new`]: 10 MiB.
    pub max_message_bytes: usize,
    /// Takes lines that are no messages, and errors that are about no request.
    pub on_log: Option<OnLog>,
    /// Writes bytes to the plugin.
    pub write: Box<dyn Fn(Vec<u8>) + Send + Sync>,
    /// The peer broke the protocol; it is of no more use.
    pub on_failure: Box<dyn Fn(Error) + Send + Sync>,
}

impl PeerOptions {
    /// The usual limits, of the protocol of messages.
    pub fn new(
        write: impl Fn(Vec<u8>) + Send + Sync + 'static,
        on_failure: impl Fn(Error) + Send + Sync + 'static,
    ) -> Self {
        Self {
            dialect: Dialect::Messages,
            max_pending_requests: 1000,
            max_message_bytes: 10 << 20,
            on_log: None,
            write: Box::new(write),
            on_failure: Box::new(on_failure),
        }
    }
}

impl fmt::Debug for PeerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerOptions").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// One end of the line, at the host. Give it what the plugin writes. A clone is the same.
#[derive(Clone)]
pub struct LinePeer {
    inner: Arc<Inner>,
}

struct Inner {
    options: PeerOptions,
    requests: Requests,
    reader: Mutex<LineReader>,
    /// The manifest, once it has come, or why it will not.
    manifest: watch::Sender<Option<Result<JsonObject>>>,
}

impl LinePeer {
    /// A peer that has said nothing yet.
    pub fn new(options: PeerOptions) -> Self {
        let requests = Requests::new(options.max_pending_requests);
        let reader = Mutex::new(LineReader::new(options.max_message_bytes));
        Self { inner: Arc::new(Inner { options, requests, reader, manifest: watch::Sender::new(None) }) }
    }

    /// Returns the plugin, once it has said what it is.
    ///
    /// # Errors
    /// Why it ended before; INTERNAL when it answers no manifest.
    pub async fn plugin(&self) -> Result<AgentPluginDefinition> {
        let dialect = self.inner.options.dialect;
        let manifest = match dialect {
            Dialect::Messages => self.manifest().await?,
            Dialect::Methods => match self.call("getManifest", JsonObject::new()).await? {
                Json::Object(manifest) => manifest,
                _ => return Err(Error::internal("getManifest answered no manifest")),
            },
        };
        let inner = self.inner.clone();
        let ask: Ask = Arc::new(move |agent, message_type, members| {
            let inner = inner.clone();
            Box::pin(async move { inner.ask(agent, message_type, members).await })
        });
        Ok(driven_plugin(&manifest, &ask, dialect))
    }

    /// Calls a method of a plugin that has methods, and returns its result: "generateResponse" and "reflect" are such.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when too many requests wait, the plugin's own, and why it ended.
    pub async fn call(&self, method: &str, params: JsonObject) -> Result<Json> {
        let inner = &self.inner;
        let answer = inner.requests.send(|id| inner.write(called(id, method, params)));
        Ok(answer.await?.remove("result").unwrap_or_default())
    }

    /// Takes bytes that the plugin wrote.
    pub fn data(&self, bytes: &[u8]) {
        let mut lines = Vec::new();
        let pushed = self.inner.reader().push(bytes, |line| lines.push(line.to_owned()));
        for line in lines {
            self.inner.line(&line);
        }
        if let Err(error) = pushed {
            (self.inner.options.on_failure)(error);
        }
    }

    /// The plugin has ended, for this reason.
    pub fn ended(&self, reason: Error) {
        let mut lines = Vec::new();
        self.inner.reader().end(|line| lines.push(line.to_owned()));
        for line in lines {
            self.inner.line(&line);
        }
        self.inner.tell_manifest(Err(reason.clone()));
        self.inner.requests.end(reason);
    }

    async fn manifest(&self) -> Result<JsonObject> {
        let mut told = self.inner.manifest.subscribe();
        let told = told.wait_for(Option::is_some).await;
        let manifest = told.ok().and_then(|manifest| manifest.clone());
        manifest.unwrap_or_else(|| Err(Error::internal("the peer is gone")))
    }
}

impl fmt::Debug for LinePeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinePeer").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl Inner {
    fn reader(&self) -> std::sync::MutexGuard<'_, LineReader> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only the first counts.
    fn tell_manifest(&self, manifest: Result<JsonObject>) {
        self.manifest.send_if_modified(|told| {
            let is_first = told.is_none();
            if is_first {
                *told = Some(manifest);
            }
            is_first
        });
    }

    async fn ask(&self, agent: Agent, message_type: &'static str, members: JsonObject) -> Result<JsonObject> {
        let over = agent.context().cancelled();
        let answering = async {
            match self.options.dialect {
                Dialect::Messages => {
                    let message = |id: u64| {
                        let mut message = members;
                        message.insert("type".to_owned(), message_type.into());
                        message.insert("id".to_owned(), id.to_string().into());
                        message
                    };
                    self.requests.send(|id| self.write(message(id))).await
                }
                Dialect::Methods => {
                    let (method, params) = call_of(message_type, members)?;
                    let answer = self.requests.send(|id| self.write(called(id, method, params))).await?;
                    Ok(method_answer(message_type, answer))
                }
            }
        };
        tokio::select! {
            answer = answering => answer,
            reason = over => Err(reason),
        }
    }

    fn write(&self, message: JsonObject) -> Result<()> {
        let mut line = Json::Object(message).to_string().into_bytes();
        line.push(b'\n');
        let limit = self.options.max_message_bytes;
        if line.len() > limit {
            let length = line.len();
            let why = format!("the request takes {length} bytes, and {limit} are the limit; raise maxMessageBytes");
            return Err(Error::resource_exhausted(why));
        }
        (self.options.write)(line);
        Ok(())
    }

    fn line(&self, line: &str) {
        let Some(mut message) = parsed(line) else {
            self.log(LogLevel::Info, line.to_owned());
            return;
        };
        let id = match message.get("id") {
            Some(Json::String(id)) if !id.is_empty() => Some(id.clone()),
            Some(Json::Number(id)) => Some(id.to_string()),
            _ => None,
        };
        let has_error = message.get("error").is_some_and(|error| !error.is_null());
        match message.get("type") {
            Some(Json::String(ready)) if ready == "ready" => match message.remove("manifest") {
                Some(Json::Object(manifest)) => self.tell_manifest(Ok(manifest)),
                _ => self.tell_manifest(Ok(JsonObject::new())),
            },
            Some(Json::String(error)) if error == "error" => self.failed(id, &message),
            None if has_error => self.failed(id, &message),
            _ => {
                let id = id.and_then(|id| id.parse().ok());
                if !id.is_some_and(|id| self.requests.settle(id, Ok(message))) {
                    // Its request was given up, or there never was one.
                    let start: String = line.chars().take(200).collect();
                    self.log(LogLevel::Debug, format!("an answer that nothing waits for: {start}"));
                }
            }
        }
    }

    /// An error about no request is about the only one there is; among several nobody can tell.
    fn failed(&self, id: Option<String>, message: &JsonObject) {
        let text = match message.get("error") {
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "no reason was given".to_owned(),
        };
        let details = message.get("details").filter(|details| !details.is_null());
        let more = details.map(|details| format!(" ({details})")).unwrap_or_default();
        let about = match id {
            Some(id) => id.parse().ok(),
            None => self.requests.only(),
        };
        let failure = Error::new(code_of(&text), format!("{text}{more}"));
        if !about.is_some_and(|id| self.requests.settle(id, Err(failure))) {
            self.log(LogLevel::Error, format!("{text}{more}"));
        }
    }

    fn log(&self, level: LogLevel, message: String) {
        if let Some(on_log) = &self.options.on_log {
            on_log(&LogRecord::new(level, "stdout", message).with_time_of_now());
        }
    }
}

fn called(id: u64, method: &str, params: JsonObject) -> JsonObject {
    let members = [("id", id.into()), ("method", method.into()), ("params", Json::Object(params))];
    members.into_iter().map(|(name, member)| (name.to_owned(), member)).collect()
}

/// A message is an object with a type, a method's id, or an error; anything else was printed.
fn parsed(line: &str) -> Option<JsonObject> {
    if !line.starts_with('{') {
        return None;
    }
    match serde_json::from_str(line) {
        Ok(Json::Object(message)) if message.contains_key("type") || message.contains_key("id") => Some(message),
        _ => None,
    }
}

/// "Action not found: X", and such of the others.
fn code_of(message: &str) -> Code {
    let message = message.to_lowercase();
    let is_about = ["action", "provider", "evaluator", "service", "route"].iter().any(|kind| message.starts_with(kind));
    let before = message.split(" not found").next().filter(|before| before.len() < message.len());
    let is_plain = before.is_some_and(|before| before.chars().all(|one| one.is_ascii_lowercase() || one == ' '));
    if is_about && is_plain { Code::NotFound } else { Code::Unknown }
}
