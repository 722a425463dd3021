//! Calls that this side makes of its peer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyplug_core::{Error, Metadata, Result};
use anyplug_json::Json;
use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::error_from;
use crate::message::{quoted, request_text};
use crate::output::Output;
use crate::types::Method;

/// The calls in flight.
pub(crate) struct Outgoing {
    output: Arc<Output>,
    /// The most that may be open at once.
    max_pending: usize,
    /// Bytes of messages of one call that may wait unread.
    max_buffer_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: BTreeMap<u64, Call>,
    last: u64,
    ended: Option<Error>,
}

/// A call that waits for its answer.
struct Call {
    method: Arc<Method>,
    events: UnboundedSender<Event>,
    buffered: Arc<AtomicUsize>,
}

/// What becomes of a call.
pub(crate) enum Event {
    /// A message, and the bytes that it took.
    Message(Bytes, usize),
    /// Its end, with the response where it has one.
    Ended(Result<Option<Bytes>>),
}

/// A call in flight. Dropped, it is given up, and the peer is told.
pub(crate) struct Running {
    outgoing: Arc<Outgoing>,
    pub(crate) id: u64,
    events: UnboundedReceiver<Event>,
    buffered: Arc<AtomicUsize>,
}

impl Running {
    /// Waits for what comes next.
    pub(crate) async fn next(&mut self) -> Event {
        let event = self.events.recv().await;
        if let Some(Event::Message(_, bytes)) = &event {
            self.buffered.fetch_sub(*bytes, Ordering::Relaxed);
        }
        event.unwrap_or_else(|| Event::Ended(Err(Error::internal("a call was dropped without an answer"))))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.outgoing.cancel(self.id, Error::cancelled("the caller gave the call up"));
    }
}

impl Outgoing {
    pub(crate) fn new(output: Arc<Output>, max_pending: usize, max_buffer_bytes: usize) -> Arc<Self> {
        Arc::new(Self { output, max_pending, max_buffer_bytes, state: Mutex::default() })
    }

    /// Whether no call is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().calls.is_empty()
    }

    /// Makes a call. `params` and `meta` are JSON, or empty.
    ///
    /// # Errors
    /// Why the peer has ended; RESOURCE_EXHAUSTED when too many wait.
    pub(crate) fn call(self: &Arc<Self>, method: &Arc<Method>, params: &str, meta: &str) -> Result<Running> {
        let (events, received) = unbounded_channel();
        let buffered = Arc::<AtomicUsize>::default();
        let id = {
            let mut state = self.lock();
            if let Some(ended) = &state.ended {
                return Err(ended.clone());
            }
            if state.calls.len() >= self.max_pending {
                let message = format!("{} requests are pending; wait for some", self.max_pending);
                return Err(Error::resource_exhausted(message));
            }
            state.last += 1;
            let id = state.last;
            state.calls.insert(id, Call { method: method.clone(), events, buffered: buffered.clone() });
            // Under the lock: ids go out in their order.
            self.output.write(&request_text(Some(&id.to_string()), &method.path, params, meta));
            id
        };
        Ok(Running { outgoing: self.clone(), id, events: received, buffered })
    }

    /// Sends a message of a call whose requests are streamed, or the end of them. False when the call has ended.
    pub(crate) fn send(&self, id: u64, message: Option<&str>) -> bool {
        if !self.lock().calls.contains_key(&id) {
            return false;
        }
        let text = match message {
            Some(message) => request_text(None, "$/message", &format!("{{\"id\":{id},\"value\":{message}}}"), ""),
            None => request_text(None, "$/end", &format!("{{\"id\":{id}}}"), ""),
        };
        self.output.write(&text);
        true
    }

    /// Gives a call up, and tells the peer.
    pub(crate) fn cancel(&self, id: u64, reason: Error) {
        let Some(call) = self.lock().calls.remove(&id) else { return };
        // Whoever waited may be gone.
        let _ = call.events.send(Event::Ended(Err(reason)));
        self.output.write(&request_text(None, "$/cancel", &format!("{{\"id\":{id}}}"), ""));
    }

    /// A message of call `id` came, of so many bytes. False when there is no such call.
    pub(crate) fn message(&self, id: &str, value: &Json<'_>, bytes: usize) -> bool {
        let Ok(id) = id.parse() else { return false };
        let failed = {
            let state = self.lock();
            let Some(call) = state.calls.get(&id) else { return false };
            if !call.method.kind.streams_responses() {
                return true;
            }
            let held = call.buffered.fetch_add(bytes, Ordering::Relaxed) + bytes;
            if held > self.max_buffer_bytes {
                let (path, most) = (&call.method.path, self.max_buffer_bytes);
                Err(Error::resource_exhausted(format!(
                    "{path} sent {held} bytes that wait to be read, over the limit of {most}"
                )))
            } else {
                call.method.response(value).map(|message| {
                    let _ = call.events.send(Event::Message(message.into(), bytes));
                })
            }
        };
        if let Err(error) = failed {
            self.cancel(id, error);
        }
        true
    }

    /// The answer to call `id` came. False when nothing waits for it.
    pub(crate) fn answer(&self, id: &str, result: &Json<'_>, error: &Json<'_>) -> bool {
        let call = {
            let mut state = self.lock();
            let Some(id) = self.id_of(&state, id, error) else { return false };
            state.calls.remove(&id)
        };
        let Some(call) = call else { return false };
        let _ = call.events.send(Event::Ended(match error {
            Json::Null => call.ended(result),
            error => Err(error_from(error)),
        }));
        true
    }

    /// Some answer with the number as a string; and an error without an id is about the only call there is.
    fn id_of(&self, state: &State, id: &str, error: &Json<'_>) -> Option<u64> {
        if id == "null" && *error != Json::Null && state.calls.len() == 1 {
            return state.calls.keys().next().copied();
        }
        id.trim_matches('"').parse().ok()
    }

    /// The peer has ended.
    pub(crate) fn end(&self, reason: &Error) {
        let calls = {
            let mut state = self.lock();
            state.ended.get_or_insert_with(|| reason.clone());
            std::mem::take(&mut state.calls)
        };
        for call in calls.into_values() {
            let _ = call.events.send(Event::Ended(Err(reason.clone())));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    /// What a result says of the end.
    fn ended(&self, result: &Json<'_>) -> Result<Option<Bytes>> {
        if !self.method.kind.streams_responses() {
            return self.method.response(result).map(|response| Some(response.into()));
        }
        // A peer that has all of them at once may answer with a list.
        if let Json::Array(all) = result {
            for one in all {
                let _ = self.events.send(Event::Message(self.method.response(one)?.into(), 0));
            }
        }
        Ok(None)
    }
}

/// Metadata as `$meta` has it; empty when there is none. Of a key that comes more than once the last value counts.
pub(crate) fn meta_text(metadata: &Metadata) -> String {
    let mut last: BTreeMap<&str, &str> = BTreeMap::new();
    last.extend(metadata.iter());
    if last.is_empty() {
        return String::new();
    }
    let members: Vec<_> = last.into_iter().map(|(key, value)| format!("{}:{}", quoted(key), quoted(value))).collect();
    format!("{{\"metadata\":{{{}}}}}", members.join(","))
}
