//! Calls that the peer makes of this side.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyplug_core::hello::REFLECTION_SERVICE;
use anyplug_core::{BoxFuture, CallOptions, Connection, Error, Metadata, RawCall, RawRequest, Result};
use anyplug_json::{Json, JsonTypes};
use anyplug_protocol::anyplug::reflection::v1::GetDescriptorsResponse;
use futures_util::future::{Either, select};
use prost::Message as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::error::{INVALID_REQUEST, failure_text};
use crate::message::{id_text, quoted, request_text, result_text};
use crate::output::Output;
use crate::types::{Method, only_param};

/// What the peer may call: what is at the other end of a connection.
pub(crate) struct Served {
    name: String,
    version: String,
    /// By the names of services, in their order.
    services: Vec<(String, Vec<Arc<Method>>)>,
    connection: Connection,
}

impl Served {
    /// Asks the other end what it has.
    ///
    /// # Errors
    /// Why the connection ended before it was open; INTERNAL when its descriptors cannot be used.
    pub(crate) async fn learn(connection: &Connection) -> Result<Self> {
        let peer = connection.ready().await?;
        let (name, version) = (peer.name.clone(), peer.version.clone());
        let mut services = Vec::new();
        if peer.services.len() > 1 {
            let method = peer.method_index(REFLECTION_SERVICE, "GetDescriptors")?;
            let request = RawRequest { method, end: true, default_timeout_ms: 10_000, ..RawRequest::default() };
            let response = connection.unary(request)?.await?;
            let response = GetDescriptorsResponse::decode(response.message)
                .map_err(|error| Error::internal(format!("the descriptors of {name:?}: {error}")))?;
            let types = Arc::new(JsonTypes::new([response.file_descriptor_set]));
            for service in &peer.services[1..] {
                let methods = service.methods.iter().enumerate();
                let methods = methods.map(|(at, method)| {
                    Method::new(&types, &service.name, method, service.first_index + at).map(Arc::new)
                });
                services.push((service.name.clone(), methods.collect::<Result<_>>()?));
            }
        }
        Ok(Self { name, version, services, connection: connection.clone() })
    }

    fn find(&self, path: &str) -> Result<&Arc<Method>> {
        let all = self.services.iter().flat_map(|(_, methods)| methods);
        if let Some(found) = all.into_iter().find(|method| method.path == path) {
            return Ok(found);
        }
        let (name, service) = (&self.name, path.split('/').next().unwrap_or_default());
        Err(Error::unimplemented(match self.services.iter().find(|(name, _)| name == service) {
            Some((service, methods)) => {
                let methods: Vec<_> = methods.iter().map(|method| &method.path[service.len() + 1..]).collect();
                format!("{name:?} has no method {path}; it has {}", methods.join(", "))
            }
            None => {
                let offered: Vec<_> = self.services.iter().map(|(name, _)| name.as_str()).collect();
                let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
                format!("{name:?} does not serve {path}; it serves {offered}")
            }
        }))
    }

    fn described(&self) -> String {
        let method = |method: &Arc<Method>| {
            let [path, input, output] = [&method.path, &method.input, &method.output].map(|text| quoted(text));
            let kind = method.kind_name();
            format!("{{\"name\":{path},\"kind\":\"{kind}\",\"input\":{input},\"output\":{output}}}")
        };
        let service = |(name, methods): &(String, Vec<Arc<Method>>)| {
            let methods: Vec<_> = methods.iter().map(method).collect();
            format!("{{\"name\":{},\"methods\":[{}]}}", quoted(name), methods.join(","))
        };
        let services: Vec<_> = self.services.iter().map(service).collect();
        let (name, version) = (quoted(&self.name), quoted(&self.version));
        format!("{{\"name\":{name},\"version\":{version},\"services\":[{}]}}", services.join(","))
    }
}

/// The calls that are handled.
pub(crate) struct Incoming {
    output: Arc<Output>,
    max_pending: usize,
    max_buffer_bytes: usize,
    served: OnceLock<Served>,
    calls: Mutex<HashMap<String, Active>>,
    notifications: AtomicU64,
}

/// A call that is handled.
struct Active {
    method: Arc<Method>,
    cancel: Option<oneshot::Sender<Error>>,
    /// What the peer streams.
    requests: Option<UnboundedSender<(Vec<u8>, usize)>>,
    buffered: Arc<AtomicUsize>,
}

/// The requests of a call.
enum Requests {
    One(Vec<u8>),
    All(Vec<Vec<u8>>),
    Stream(UnboundedReceiver<(Vec<u8>, usize)>, Arc<AtomicUsize>),
}

/// Why a request is refused, and the number to tell in place of that of the code.
type Refusal = (Error, Option<i32>);

impl Incoming {
    pub(crate) fn new(output: Arc<Output>, max_pending: usize, max_buffer_bytes: usize) -> Arc<Self> {
        let (served, calls) = (OnceLock::new(), Mutex::default());
        Arc::new(Self { output, max_pending, max_buffer_bytes, served, calls, notifications: AtomicU64::new(0) })
    }

    /// What may be called. Before it is known, nothing is read.
    pub(crate) fn serve(&self, served: Served) {
        let _ = self.served.set(served);
    }

    /// Begins to handle a request; what is returned gives what answers it, none for a notification.
    pub(crate) fn request(
        self: &Arc<Self>,
        id: Option<String>,
        method: &str,
        params: &Json<'_>,
        meta: &Json<'_>,
        bytes: usize,
    ) -> BoxFuture<Option<String>> {
        if id.is_none() && method.starts_with("$/") {
            self.noted(method, params, bytes);
            return Box::pin(std::future::ready(None));
        }
        let begun = self.begin(id.as_deref(), method, params, meta);
        Box::pin(async move {
            let result = match begun {
                Ok(running) => running.await.map_err(|error| (error, None)),
                Err(refusal) => Err(refusal),
            };
            let id = id?;
            Some(match result {
                Ok(result) => result_text(&id, &result),
                Err((error, number)) => failure_text(&id, &error, number),
            })
        })
    }

    /// Cancels all calls.
    pub(crate) fn end(&self, reason: &Error) {
        for active in self.lock().values_mut() {
            active.cancel(reason.clone());
        }
    }

    fn noted(&self, method: &str, params: &Json<'_>, bytes: usize) {
        let Some(id) = params.member("id").and_then(id_text) else { return };
        let mut calls = self.lock();
        let Some(active) = calls.get_mut(&id) else { return };
        match method {
            "$/cancel" | "$/cancelRequest" => active.cancel(Error::cancelled("the caller cancelled the call")),
            "$/end" => active.requests = None,
            "$/message" => active.message(params.member("value").unwrap_or(&Json::Null), bytes, self.max_buffer_bytes),
            _ => {}
        }
    }

    fn begin(
        self: &Arc<Self>,
        id: Option<&str>,
        path: &str,
        params: &Json<'_>,
        meta: &Json<'_>,
    ) -> Result<BoxFuture<Result<String>>, Refusal> {
        let plain = |error| (error, None);
        let served = self.served.get().ok_or_else(|| plain(Error::unimplemented("nothing is served")))?;
        if path == "rpc.discover" {
            return Ok(Box::pin(std::future::ready(Ok(served.described()))));
        }
        let method = served.find(path).map_err(plain)?.clone();
        let key = id.map_or_else(
            || format!("notification {}", self.notifications.fetch_add(1, Ordering::Relaxed)),
            str::to_owned,
        );
        let mut calls = self.lock();
        if calls.contains_key(&key) {
            let message = format!("id {key} is that of a call that has not ended");
            return Err((Error::invalid_argument(message), Some(INVALID_REQUEST)));
        }
        if calls.len() >= self.max_pending {
            let message = format!("{} requests are pending; wait for some", self.max_pending);
            return Err(plain(Error::resource_exhausted(message)));
        }
        let (requests, sender, buffered) = requests_of(&method, params).map_err(plain)?;
        let options = options_of(meta);
        let (cancel, cancelled) = oneshot::channel();
        let active = Active { method: method.clone(), cancel: Some(cancel), requests: sender, buffered };
        calls.insert(key.clone(), active);
        drop(calls);
        let (incoming, connection) = (self.clone(), served.connection.clone());
        let id = id.map(str::to_owned);
        Ok(Box::pin(async move {
            let _listed = Listed { incoming: &incoming, key };
            let running = pin!(run(&incoming.output, &connection, &method, id.as_deref(), requests, options));
            match select(cancelled, running).await {
                Either::Left((reason, _)) => Err(reason.unwrap_or_else(|_| Error::internal("the call was dropped"))),
                Either::Right((result, _)) => result,
            }
        }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Active>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in the list of those that are handled.
struct Listed<'a> {
    incoming: &'a Incoming,
    key: String,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.incoming.lock().remove(&self.key);
    }
}

impl Active {
    fn cancel(&mut self, reason: Error) {
        if let Some(cancel) = self.cancel.take() {
            // It may have ended meanwhile.
            let _ = cancel.send(reason);
        }
    }

    fn message(&mut self, value: &Json<'_>, bytes: usize, most: usize) {
        let Some(requests) = &self.requests else { return };
        let held = self.buffered.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if held > most {
            let message = format!("{held} bytes of requests wait to be read, over the limit of {most}");
            return self.cancel(Error::resource_exhausted(message));
        }
        match self.method.request(value) {
            Ok(request) => drop(requests.send((request, bytes))),
            Err(error) => self.cancel(error),
        }
    }
}

type Begun = (Requests, Option<UnboundedSender<(Vec<u8>, usize)>>, Arc<AtomicUsize>);

fn requests_of(method: &Method, params: &Json<'_>) -> Result<Begun> {
    let buffered = Arc::<AtomicUsize>::default();
    if !method.kind.streams_requests() {
        return Ok((Requests::One(method.request(only_param(params)?)?), None, buffered));
    }
    match params {
        Json::Null => {
            let (sender, received) = unbounded_channel();
            Ok((Requests::Stream(received, buffered.clone()), Some(sender), buffered))
        }
        // All of them at once, for callers that have no more.
        Json::Array(all) => {
            let all = all.iter().map(|one| method.request(one)).collect::<Result<_>>()?;
            Ok((Requests::All(all), None, buffered))
        }
        _ => Err(Error::invalid_argument(format!(
            "params: {} takes a stream: give all requests as an array in params, or none and send each by $/message",
            method.path
        ))),
    }
}

/// What the peer said of a call beside its parameters.
fn options_of(meta: &Json<'_>) -> CallOptions {
    let mut options = CallOptions::default();
    if let Some(Json::Number(ms)) = meta.member("timeoutMs") {
        let ms = ms.parse().unwrap_or(f64::NAN);
        options.timeout = Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    if let Some(Json::Object(members)) = meta.member("metadata") {
        let text = |value: &Json<'_>| match value {
            Json::String(text) => text.clone().into_owned(),
            _ => String::new(),
        };
        options.metadata = members.iter().map(|(key, value)| (key.clone(), text(value))).collect::<Metadata>();
    }
    options
}

/// Makes the call of the other end, and gives its result in JSON.
async fn run(
    output: &Output,
    connection: &Connection,
    method: &Method,
    id: Option<&str>,
    requests: Requests,
    options: CallOptions,
) -> Result<String> {
    let (payload, end) = match &requests {
        Requests::One(request) => (&request[..], true),
        _ => (&[][..], false),
    };
    let call = connection.start(RawRequest { method: method.index, payload, end, options, default_timeout_ms: 0 })?;
    let receiving = pin!(receive(output, &call, method, id));
    match select(receiving, pin!(send_all(&call, requests))).await {
        Either::Left((result, _)) => result,
        Either::Right((_, receiving)) => receiving.await,
    }
}

async fn receive(output: &Output, call: &RawCall, method: &Method, id: Option<&str>) -> Result<String> {
    let mut only = None;
    while let Some(response) = poll_fn(|task| call.poll_receive_bytes(task)).await? {
        let text = method.response_text(&response)?;
        if !method.kind.streams_responses() {
            only = Some(text);
        } else if let Some(id) = id {
            output.write(&request_text(None, "$/message", &format!("{{\"id\":{id},\"value\":{text}}}"), ""));
            output.room().await;
        }
    }
    Ok(only.unwrap_or_else(|| "null".to_owned()))
}

/// Sends the requests. That the call has ended meanwhile is told to whoever receives.
async fn send_all(call: &RawCall, requests: Requests) -> Result<()> {
    match requests {
        Requests::One(_) => return Ok(()),
        Requests::All(all) => {
            for request in all {
                poll_fn(|task| call.poll_writable(task)).await?;
                call.send_bytes(&request, false)?;
            }
        }
        Requests::Stream(mut received, buffered) => {
            while let Some((request, bytes)) = received.recv().await {
                poll_fn(|task| call.poll_writable(task)).await?;
                buffered.fetch_sub(bytes, Ordering::Relaxed);
                call.send_bytes(&request, false)?;
            }
        }
    }
    anyplug_core::CallStream::end(call, Ok(()));
    Ok(())
}
