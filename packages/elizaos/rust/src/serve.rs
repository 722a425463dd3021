//! A plugin of an agent, served by ElizaOS's line protocols to a host that speaks one of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyplug_contracts::agent::{
    ActionResult, HandleRouteRequest, HttpField, InvokeArguments, Json, JsonObject, ProviderResult, Registration,
};
use anyplug_core::{CallOptions, Error, Link, Result};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::drive::body_from;
use crate::lines::LineReader;
use crate::manifest::manifest_of;
use crate::methods::{message_of, result_in};
use crate::values::{memory_from, state_from};

/// How a plugin is served.
pub struct ServeOptions {
    /// Writes bytes to the host.
    pub write: Box<dyn Fn(Vec<u8>) + Send + Sync>,
    /// Bytes that a line of the host may have. [`ServeOptions::new`]: 10 MiB.
    pub max_message_bytes: usize,
    /// How long the plugin may take for one answer. [`ServeOptions::new`]: 30 s.
    pub timeout: Duration,
}

impl ServeOptions {
    /// The usual limits.
    pub fn new(write: impl Fn(Vec<u8>) + Send + Sync + 'static) -> Self {
        Self { write: Box::new(write), max_message_bytes: 10 << 20, timeout: Duration::from_secs(30) }
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// A plugin at the end of a line. Requests are answered as they are done, many at once. A clone is the same.
#[derive(Clone)]
pub struct LineServer {
    inner: Arc<Inner>,
}

struct Inner {
    plugin: Registration,
    options: ServeOptions,
    reader: Mutex<LineReader>,
    runtime: Handle,
    running: Mutex<JoinSet<()>>,
}

impl LineServer {
    /// Tells the host that the plugin is ready, and what it has. Give what the host writes to [`data`](Self::data). Answers are made in the tokio runtime in which this is called.
    ///
    /// # Errors
    /// FAILED_PRECONDITION without a tokio runtime; as calls of the plugin fail.
    pub async fn start(plugin: &Arc<dyn Link>, options: ServeOptions) -> Result<Self> {
        let runtime = Handle::try_current().map_err(|error| {
            Error::failed_precondition("a plugin is served in a tokio runtime: enter one").with_source(error)
        })?;
        let plugin = Registration::of_link(plugin, CallOptions::new().with_timeout(options.timeout)).await?;
        let reader = Mutex::new(LineReader::new(options.max_message_bytes));
        let server = Self { inner: Arc::new(Inner { plugin, options, reader, runtime, running: Mutex::default() }) };
        server.inner.write(json!({ "type": "ready", "manifest": server.inner.manifest() }));
        Ok(server)
    }

    /// Takes bytes that the host wrote.
    pub fn data(&self, bytes: &[u8]) {
        let mut lines = Vec::new();
        let reader = &self.inner.reader;
        let pushed = lock(reader).push(bytes, |line| lines.push(line.to_owned()));
        let mut running = lock(&self.inner.running);
        while running.try_join_next().is_some() {}
        for line in lines {
            let inner = Arc::downgrade(&self.inner);
            let answer = async move {
                if let Some(inner) = inner.upgrade() {
                    inner.line(&line).await;
                }
            };
            running.spawn_on(answer, &self.inner.runtime);
        }
        drop(running);
        if let Err(error) = pushed {
            self.inner.write(json!({ "type": "error", "id": "", "error": error.message() }));
        }
    }

    /// Waits until all requests that came are answered.
    pub async fn drain(&self) {
        let running = std::mem::take(&mut *lock(&self.inner.running));
        running.join_all().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for LineServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineServer").field("plugin", &self.inner.plugin.name()).finish_non_exhaustive()
    }
}

impl Inner {
    async fn line(&self, line: &str) {
        let request = match serde_json::from_str(line) {
            Ok(Json::Object(request)) => request,
            Ok(_) => {
                self.write(json!({ "type": "error", "id": "", "error": "Invalid request: expected an object" }));
                return;
            }
            Err(error) => {
                let details = error.to_string();
                self.write(json!({ "type": "error", "id": "", "error": "Parse error", "details": details }));
                return;
            }
        };
        match (request.get("method"), request.get("type")) {
            (Some(Json::String(method)), None) => self.called(&method.clone(), request).await,
            _ => self.asked(request).await,
        }
    }

    async fn asked(&self, request: JsonObject) {
        let id = request.get("id").filter(|id| !id.is_null()).cloned().unwrap_or_else(|| "".into());
        match self.answer(&request).await {
            Ok(mut answer) => {
                answer.insert("id".to_owned(), id);
                self.write(answer.into());
            }
            Err(error) => self.write(json!({ "type": "error", "id": id, "error": error.message() })),
        }
    }

    async fn called(&self, method: &str, mut request: JsonObject) {
        let id = request.remove("id").unwrap_or_default();
        let params = request.remove("params").and_then(|params| params.as_object().cloned()).unwrap_or_default();
        match self.result(method, params).await {
            Ok(result) => self.write(json!({ "id": id, "result": result })),
            Err(error) => self.write(json!({ "id": id, "error": error.message() })),
        }
    }

    async fn result(&self, method: &str, mut params: JsonObject) -> Result<Json> {
        match method {
            "getManifest" => Ok(self.manifest().into()),
            "generateResponse" => {
                let input = params.remove("input").unwrap_or_default();
                self.plugin.generate("TEXT_LARGE", &input, drop, CallOptions::new()).await
            }
            _ => match message_of(method, params) {
                Some(message) => Ok(result_in(method, self.answer(&message).await?)),
                None => Err(Error::unimplemented(format!("Unknown method: {method}"))),
            },
        }
    }

    fn manifest(&self) -> JsonObject {
        manifest_of(self.plugin.description(), "rust")
    }

    fn write(&self, message: Json) {
        let mut line = message.to_string().into_bytes();
        line.push(b'\n');
        (self.options.write)(line);
    }

    async fn answer(&self, request: &JsonObject) -> Result<JsonObject> {
        let (plugin, options) = (&self.plugin, CallOptions::new().with_timeout(self.options.timeout));
        let description = plugin.description();
        let answer = match request.get("type").and_then(Json::as_str).unwrap_or_default() {
            "plugin.init" => match plugin.init("", "elizaos", object(request, "config"), options).await {
                Ok(()) => json!({ "type": "plugin.init.result", "success": true }),
                Err(error) => json!({ "type": "plugin.init.result", "success": false, "error": error.message() }),
            },
            "action.validate" => {
                let (name, InvokeArguments { message, state, .. }) = about(request, "action")?;
                let found = description.actions.iter().any(|one| one.name == name);
                let valid = found && plugin.validate_action(&name, &message, &state, options).await?;
                json!({ "type": "validate.result", "valid": valid })
            }
            "action.invoke" => {
                let (name, arguments) = about(request, "action")?;
                let result = if description.actions.iter().any(|one| one.name == name) {
                    let invoked = plugin.invoke_action(&name, arguments, drop, options).await;
                    invoked.unwrap_or_else(|error| ActionResult::failure(error.message()))
                } else {
                    ActionResult::failure(format!("Action not found: {name}"))
                };
                json!({ "type": "action.result", "result": result.into_json() })
            }
            "provider.get" => {
                let (name, InvokeArguments { message, state, .. }) = about(request, "provider")?;
                let found = description.providers.iter().any(|one| one.name == name);
                let told = match found {
                    true => plugin.get_provider(&name, &message, &state, options).await?,
                    false => ProviderResult::default(),
                };
                let ProviderResult { text, values, data } = told;
                json!({ "type": "provider.result", "result": { "text": text, "values": values, "data": data } })
            }
            "evaluator.validate" => {
                let (name, InvokeArguments { message, state, .. }) = about(request, "evaluator")?;
                let found = description.evaluators.iter().any(|one| one.name == name);
                let valid = found && plugin.validate_evaluator(&name, &message, &state, options).await?;
                json!({ "type": "validate.result", "valid": valid })
            }
            "evaluator.invoke" => {
                let (name, arguments) = about(request, "evaluator")?;
                let found = description.evaluators.iter().any(|one| one.name == name);
                let result = match found {
                    true => Some(plugin.invoke_evaluator(&name, arguments, drop, options).await?.into_json()),
                    false => None,
                };
                json!({ "type": "action.result", "result": result })
            }
            "service.start" => {
                let service = service_of(request);
                plugin.start_service(&service, options).await?;
                served(&service)
            }
            "service.stop" => {
                let service = service_of(request);
                plugin.stop_service(&service, options).await?;
                served(&service)
            }
            "route.handle" => {
                let answer = plugin.handle_route(route_request(request), options).await?;
                let headers: BTreeMap<_, _> = answer.headers.into_iter().map(|one| (one.name, one.value)).collect();
                let body = body_from(&answer.body);
                let told = json!({ "status": answer.status, "headers": headers, "body": body });
                // `result` for peers of the other spelling.
                let mut flat = told.clone();
                flat["type"] = "route.response".into();
                flat["result"] = told;
                flat
            }
            _ => {
                let shown = match request.get("type") {
                    Some(Json::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                    None => "undefined".to_owned(),
                };
                return Err(Error::unimplemented(format!("Unknown request type: {shown}")));
            }
        };
        match answer {
            Json::Object(answer) => Ok(answer),
            _ => Err(Error::internal("an answer is an object")),
        }
    }
}

fn object(request: &JsonObject, name: &str) -> JsonObject {
    request.get(name).and_then(Json::as_object).cloned().unwrap_or_default()
}

/// The name of what is asked, and what it is asked with.
fn about(request: &JsonObject, key: &str) -> Result<(String, InvokeArguments)> {
    let name = match request.get(key) {
        Some(Json::String(name)) => name.clone(),
        other => {
            let shown = other.map_or_else(|| "undefined".to_owned(), Json::to_string);
            return Err(Error::invalid_argument(format!("{key}: expected text, got {shown}")));
        }
    };
    let (message, state) = (memory_from(request.get("memory"))?, state_from(request.get("state"))?);
    Ok((name, InvokeArguments { message, state, options: Some(object(request, "options")), responses: Vec::new() }))
}

fn service_of(request: &JsonObject) -> String {
    let spelled =
        ["serviceType", "service"].into_iter().find_map(|name| request.get(name).filter(|one| !one.is_null()));
    spelled.map(shown).unwrap_or_default()
}

fn served(service: &str) -> Json {
    json!({ "type": "service.response", "service": service, "serviceType": service, "success": true })
}

fn shown(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn route_request(request: &JsonObject) -> HandleRouteRequest {
    let mut inner = request.clone();
    inner.extend(object(request, "request"));
    let text = |name: &str, default: &str| inner.get(name).map_or_else(|| default.to_owned(), shown);
    HandleRouteRequest {
        path: text("path", ""),
        method: text("method", "GET").to_uppercase(),
        params: fields(inner.get("params")).into_iter().map(|one| (one.name, one.value)).collect(),
        query: fields(inner.get("query")),
        headers: fields(inner.get("headers")),
        body: match inner.get("body") {
            None | Some(Json::Null) => Vec::new(),
            Some(body) => shown(body).into_bytes(),
        },
    }
}

/// An object of texts, or of lists of them, as fields.
fn fields(value: Option<&Json>) -> Vec<HttpField> {
    let Some(Json::Object(object)) = value else {
        return Vec::new();
    };
    let field = |name: &str, value: &Json| HttpField { name: name.to_owned(), value: shown(value) };
    let of = |(name, member): (&String, &Json)| match member {
        Json::Array(all) => all.iter().map(|one| field(name, one)).collect::<Vec<_>>(),
        one => vec![field(name, one)],
    };
    object.iter().flat_map(of).collect()
}
