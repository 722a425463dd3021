//! A peer that speaks JSON-RPC 2.0.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use anyplug_core::{BoxFuture, Error};
use anyplug_ipc::spawn_task;
use anyplug_json::{Json, parse_json};
use futures_util::future::join_all;

use crate::error::{INVALID_REQUEST, PARSE_ERROR, failure_text};
use crate::incoming::Incoming;
use crate::message::{Message, id_text, message_of};
use crate::outgoing::Outgoing;
use crate::output::Output;
use crate::reader::Framing;

/// Takes a line that the peer's program printed.
pub type OnPrinted = Box<dyn Fn(&str) + Send + Sync>;

/// One end of a JSON-RPC connection: it calls, and is called. Who reads gives it the messages.
pub(crate) struct Peer {
    /// The calls of this side.
    pub(crate) calls: Arc<Outgoing>,
    pub(crate) incoming: Arc<Incoming>,
    pub(crate) output: Arc<Output>,
    /// What is being answered, in either direction.
    pub(crate) busy: Arc<Busy>,
    /// What comes may be printed by the peer's program: what is no message goes there, and is not answered.
    pub(crate) on_printed: Option<OnPrinted>,
    /// Why the peer is of no more use.
    failure: Mutex<Option<Error>>,
    on_failure: Box<dyn Fn() + Send + Sync>,
}

impl Peer {
    pub(crate) fn new(
        max_pending: usize,
        max_buffer_bytes: usize,
        on_printed: Option<OnPrinted>,
        on_failure: Box<dyn Fn() + Send + Sync>,
    ) -> Arc<Self> {
        let output = Arc::<Output>::default();
        Arc::new(Self {
            calls: Outgoing::new(output.clone(), max_pending, max_buffer_bytes),
            incoming: Incoming::new(output.clone(), max_pending, max_buffer_bytes),
            output,
            busy: Arc::default(),
            on_printed,
            failure: Mutex::default(),
            on_failure,
        })
    }

    /// Why the peer was given up, if it was.
    pub(crate) fn failure(&self) -> Option<Error> {
        lock(&self.failure).clone()
    }

    /// A message was too long. It may have been an answer: nobody knows to which call.
    pub(crate) fn refused(&self, reason: Error) {
        if self.calls.is_empty() {
            self.output.write(&failure_text("null", &reason, None));
        } else {
            self.fail(reason);
        }
    }

    /// Takes a message.
    pub(crate) fn text(self: &Arc<Self>, text: &str, framing: Framing) {
        let json = match parse_json(text) {
            Ok(json) => json,
            Err(error) => return self.no_message(text, &format!("Parse error: {}", error.message())),
        };
        if let Some(on_printed) = self.on_printed.as_ref().filter(|_| !is_message(&json)) {
            return on_printed(text);
        }
        self.output.set_framing(framing);
        let answering = match &json {
            Json::Array(all) => self.batch(all, text.len()),
            one => self.message(one, text.len()),
        };
        let (output, busy) = (self.output.clone(), self.busy.enter());
        spawn_task(Box::pin(async move {
            if let Some(answer) = answering.await {
                output.write(&answer);
            }
            drop(busy);
        }));
    }

    fn batch(&self, all: &[Json<'_>], bytes: usize) -> BoxFuture<Option<String>> {
        if all.is_empty() {
            let error = Error::invalid_argument("Invalid Request: an empty batch");
            return ready(Some(failure_text("null", &error, Some(INVALID_REQUEST))));
        }
        let each: Vec<_> = all.iter().map(|one| self.message(one, bytes.div_ceil(all.len()))).collect();
        Box::pin(async move {
            let answers: Vec<_> = join_all(each).await.into_iter().flatten().collect();
            (!answers.is_empty()).then(|| format!("[{}]", answers.join(",")))
        })
    }

    fn message(&self, json: &Json<'_>, bytes: usize) -> BoxFuture<Option<String>> {
        match message_of(json) {
            Message::Invalid { id, why } => {
                let error = Error::invalid_argument(format!("Invalid Request: {why}"));
                ready(Some(failure_text(&id, &error, Some(INVALID_REQUEST))))
            }
            Message::Answer { id, result, error } => {
                // One that nothing waits for does no harm.
                self.calls.answer(&id, result, error);
                ready(None)
            }
            Message::Request { id, method, params, meta } => {
                if id.is_none() && method == "$/message" {
                    let about = params.member("id").and_then(id_text);
                    let value = params.member("value").unwrap_or(&Json::Null);
                    if about.is_some_and(|about| self.calls.message(&about, value, bytes)) {
                        return ready(None);
                    }
                }
                self.incoming.request(id, method, params, meta, bytes)
            }
        }
    }

    fn no_message(&self, text: &str, why: &str) {
        let Some(on_printed) = &self.on_printed else {
            return self.output.write(&failure_text(
                "null",
                &Error::invalid_argument(why.to_owned()),
                Some(PARSE_ERROR),
            ));
        };
        if text.starts_with(['{', '[']) && text.contains("\"jsonrpc\"") {
            let short: String = text.chars().take(200).collect();
            self.fail(Error::internal(format!("what came is not JSON: {why}: {short}")));
        } else {
            on_printed(text);
        }
    }

    fn fail(&self, reason: Error) {
        lock(&self.failure).get_or_insert_with(|| reason.clone());
        self.calls.end(&reason);
        (self.on_failure)();
    }
}

fn ready(answer: Option<String>) -> BoxFuture<Option<String>> {
    Box::pin(std::future::ready(answer))
}

/// What a program prints is hardly ever this.
fn is_message(json: &Json<'_>) -> bool {
    let one = match json {
        Json::Array(all) => all.first(),
        one => Some(one),
    };
    one.is_some_and(|one| one.member("jsonrpc").is_some())
}

/// Counts what is being done.
#[derive(Default)]
pub(crate) struct Busy {
    count: Mutex<usize>,
    changed: Condvar,
}

/// One thing that is being done.
pub(crate) struct Doing(Arc<Busy>);

impl Busy {
    pub(crate) fn enter(self: &Arc<Self>) -> Doing {
        *lock(&self.count) += 1;
        Doing(self.clone())
    }

    /// Waits until nothing is being done.
    pub(crate) fn wait_idle(&self) {
        let waiting = self.changed.wait_while(lock(&self.count), |count| *count > 0);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Doing {
    fn drop(&mut self) {
        *lock(&self.0.count) -= 1;
        self.0.changed.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
