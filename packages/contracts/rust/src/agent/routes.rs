//! The routes of an agent's plugins, served over HTTP.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use anyplug_core::{CallOptions, Code, Error, Result};
use anyplug_generated::anyplug::agent::v1::{HandleRouteRequest, HttpField, RouteDescription};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::registration::{Owned, RouteAnswer};
use super::runtime::AgentRuntime;

/// How routes are served. All of it is optional.
#[derive(Clone, Debug)]
pub struct RouteServerOptions {
    /// The address to listen on. Default: 127.0.0.1, this machine alone.
    pub host: String,
    /// Default: 0, one that is free.
    pub port: u16,
    /// Bytes that the body of a request may have; more is answered 413. Default 4 MiB.
    pub max_body_bytes: usize,
    /// How long a plugin may take for an answer. Default 30 s.
    pub timeout: Duration,
}

impl Default for RouteServerOptions {
    fn default() -> Self {
        Self { host: "127.0.0.1".to_owned(), port: 0, max_body_bytes: 4 << 20, timeout: Duration::from_secs(30) }
    }
}

/// A running server. Dropped, it takes no more requests.
pub struct RouteServer {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<std::io::Result<()>>>,
}

impl RouteServer {
    /// For one "http://127.0.0.1:49152".
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets requests end, and then ends the server.
    pub async fn close(mut self) {
        self.stop = None;
        if let Some(running) = self.running.take() {
            // It cannot fail: errors of connections end these alone.
            let _ = running.await;
        }
    }
}

impl fmt::Debug for RouteServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteServer").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Serves the routes of the plugins that are registered, now and later, in the tokio runtime in which it is called: a plugin's route "/status" is "/NAME/status". An error of a plugin is answered with
/// the HTTP status of its code and `{"code","message"}`.
///
/// # Errors
/// UNAVAILABLE when the address cannot be listened on.
pub async fn serve_routes(agent: &AgentRuntime, options: RouteServerOptions) -> Result<RouteServer> {
    let refused =
        |error: std::io::Error| Error::unavailable(format!("the routes cannot be served: {error}")).with_source(error);
    let listener = TcpListener::bind((options.host.as_str(), options.port)).await.map_err(refused)?;
    let address: SocketAddr = listener.local_addr().map_err(refused)?;
    let agent = agent.clone();
    let app = Router::new().fallback(move |request: Request| {
        let (agent, options) = (agent.clone(), options.clone());
        async move { answer(&agent, &options, request).await.unwrap_or_else(|failure| failure.response()) }
    });
    let (stop, stopped) = oneshot::channel::<()>();
    // An end is told by dropping the sender.
    let server = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) });
    let running = tokio::spawn(server.into_future());
    Ok(RouteServer { url: format!("http://{address}"), stop: Some(stop), running: Some(running) })
}

/// What is answered in place of a plugin's answer.
struct Failure {
    status: u16,
    code: Code,
    message: String,
}

impl Failure {
    fn response(self) -> Response<Body> {
        let body = serde_json::json!({ "code": self.code.name(), "message": self.message }).to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { status: http_status(error.code()), code: error.code(), message: error.message().to_owned() }
    }
}

async fn answer(
    agent: &AgentRuntime,
    options: &RouteServerOptions,
    request: Request,
) -> std::result::Result<Response<Body>, Failure> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let too_large = || Failure {
        status: 413,
        code: Code::ResourceExhausted,
        message: format!("the body is over {} bytes", options.max_body_bytes),
    };
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > options.max_body_bytes) {
        return Err(too_large());
    }
    let routes = agent.routes();
    let found = routes.iter().find_map(|route| Some((route, params_of(route, &parts.method, path)?)));
    let Some((Owned { plugin, description }, params)) = found else {
        let message = format!("there is no route {} {path}", parts.method);
        return Err(Failure { status: 404, code: Code::NotFound, message });
    };
    // It fails for a body that is too large, or with the connection, and then nobody reads the answer.
    let body = to_bytes(body, options.max_body_bytes).await.map_err(|_| too_large())?;
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let request = HandleRouteRequest {
        path: description.path.clone(),
        method: description.method.clone(),
        params,
        query: query.map(|(name, value)| HttpField { name: name.into_owned(), value: value.into_owned() }).collect(),
        headers: fields(&parts.headers),
        body: body.into(),
    };
    // When its client goes away, this is dropped, and with it the call.
    let call = CallOptions::new().with_timeout(options.timeout);
    response(plugin.handle_route(request, call).await?)
}

fn fields(headers: &HeaderMap) -> Vec<HttpField> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| HttpField { name: name.to_string(), value: text(value) }).collect()
}

fn response(answer: RouteAnswer) -> std::result::Result<Response<Body>, Failure> {
    let wrong = |what: String| Failure::from(Error::internal(format!("the route answered with {what}")));
    let status = u16::try_from(answer.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.ok_or_else(|| wrong(format!("the status {}", answer.status)))?;
    // These statuses have no body.
    let has_body = !matches!(answer.status, 101 | 204 | 205 | 304);
    let mut response = Response::new(if has_body { Body::from(answer.body) } else { Body::empty() });
    *response.status_mut() = status;
    for HttpField { name, value } in answer.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(&name), HeaderValue::try_from(&value)) else {
            return Err(wrong(format!("the header {name:?}: {value:?}")));
        };
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

/// The segments that stand for the parameters of a route; none when it is another route.
fn params_of(route: &Owned<RouteDescription>, method: &Method, path: &str) -> Option<BTreeMap<String, String>> {
    let Owned { plugin, description } = route;
    let is_static = description.method == "STATIC";
    let wanted = if is_static { "GET" } else { description.method.as_str() };
    // A GET is answered to a HEAD too, which leaves the body away.
    if method.as_str() != wanted && !(wanted == "GET" && *method == Method::HEAD) {
        return None;
    }
    let below = path.strip_prefix('/')?;
    let (name, below) = below.split_once('/').unwrap_or((below, ""));
    if decoded(name) != plugin.name() {
        return None;
    }
    let mut params = BTreeMap::new();
    let mut rest = Some(below);
    for segment in description.path.trim_start_matches('/').split('/') {
        let left = rest?;
        let (given, left) = left.split_once('/').map_or((left, None), |(given, left)| (given, Some(left)));
        rest = left;
        match segment.strip_prefix(':') {
            Some(_) if given.is_empty() => return None,
            Some(name) => drop(params.insert(name.to_owned(), decoded(given))),
            None if decoded(given) != segment => return None,
            None => {}
        }
    }
    match (is_static, rest) {
        // What is below a static path is told by the parameter "*".
        (true, rest) => drop(params.insert("*".to_owned(), decoded(rest.unwrap_or_default()))),
        (false, None) => {}
        (false, Some(_)) => return None,
    }
    Some(params)
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// As gRPC gateways and Connect have them.
fn http_status(code: Code) -> u16 {
    match code {
        Code::Cancelled => 499,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::DeadlineExceeded => 504,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::PermissionDenied => 403,
        Code::ResourceExhausted => 429,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::Unauthenticated => 401,
        Code::Unknown | Code::Internal | Code::DataLoss => 500,
    }
}
