//! HTTP requests of a plugin, to the hosts that it was granted.

use std::io::Read;
use std::sync::OnceLock;
use std::time::Duration;

use anyplug_core::{Error, Instant, Result};
use serde_json::{Map, Value};
use ureq::http::header::{HeaderName, HeaderValue, LOCATION};
use ureq::http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use ureq::{Agent, Body};

use crate::data::Data;
use crate::extism::functions::{check, fail, give};
use crate::extism::hosts::is_allowed;
use crate::extism::options::Terms;

/// How often a request is redirected at most.
const MAX_REDIRECTS: usize = 10;
/// What is the client's own business.
const OWN_HEADERS: [&str; 8] =
    ["host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade"];
/// What is not for another host than the one that it was for.
const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// The last answer of a call.
#[derive(Debug, Default)]
pub(crate) struct Http {
    /// 0: there was none.
    pub(crate) status: u16,
    headers: Option<HeaderMap>,
    agent: OnceLock<Agent>,
}

impl Http {
    /// The headers in JSON, by names in lower case; none before the first answer.
    pub(crate) fn headers(&self) -> Option<Vec<u8>> {
        let headers = self.headers.as_ref()?;
        let mut object = Map::new();
        for name in headers.keys() {
            let values =
                headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            object.insert(name.as_str().to_owned(), Value::String(values.collect::<Vec<_>>().join(", ")));
        }
        Some(Value::Object(object).to_string().into_bytes())
    }

    /// The call has ended.
    pub(crate) fn end(&mut self) {
        (self.status, self.headers) = (0, None);
    }

    fn agent(&self) -> Agent {
        let make = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .allow_non_standard_methods(true)
                // Each is looked at before it is followed.
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(None)
                .build()
                .into()
        };
        self.agent.get_or_init(make).clone()
    }
}

/// Sends the request in one block with the body in another, and waits for the answer, whose body it gives in a block.
///
/// # Errors
/// When it is refused or fails, which ends the guest.
pub(crate) fn request(data: &mut Data, request: u64, body: u64) -> wasmtime::Result<u64> {
    check(data, "http_request", request)?;
    check(data, "http_request", body)?;
    let kernel = &data.kernel;
    let (json, body) = (kernel.blocks.text(request), kernel.blocks.text(body));
    let sent = Asked::new(json, data.name()).and_then(|asked| {
        Sending { name: data.name(), terms: &kernel.terms, until: kernel.until, agent: kernel.http.agent() }
            .send(asked, body)
    });
    match sent {
        Ok((status, headers, body)) => {
            data.kernel.http.status = status;
            data.kernel.http.headers = Some(headers);
            give(data, body)
        }
        Err(error) => Err(fail(data, error)),
    }
}

/// A request as a plugin says it.
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Asked {
    fn new(json: &[u8], plugin: &str) -> Result<Self> {
        let wrong = |what: String| Error::invalid_argument(format!("plugin \"{plugin}\" gave http_request {what}"));
        let none = |why: String| wrong(format!("no request in JSON: {why}"));
        let value: Value = serde_json::from_slice(json).map_err(|error| none(error.to_string()))?;
        let Some(url) = value.get("url").and_then(Value::as_str) else { return Err(none("it has no url".to_owned())) };
        let uri = uri(url).map_err(wrong)?;
        let method = match value.get("method") {
            None | Some(Value::Null) => "GET",
            Some(Value::String(method)) => method,
            Some(_) => return Err(none("its method is no string".to_owned())),
        };
        let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
            .ok()
            .filter(|method| ![Method::CONNECT, Method::TRACE].contains(method))
            .ok_or_else(|| wrong(format!("a method that is none, or not for plugins: {method:?}")))?;
        let mut headers = HeaderMap::new();
        let given = value.get("headers").or_else(|| value.get("header")).and_then(Value::as_object);
        for (name, value) in given.into_iter().flatten() {
            let text = value.as_str().ok_or_else(|| none(format!("its header {name:?} is no string")))?;
            let key = HeaderName::try_from(name.as_str()).ok();
            let pair = key.zip(HeaderValue::try_from(text).ok());
            let (key, value) = pair.ok_or_else(|| wrong(format!("a header that is none: {name:?}")))?;
            if !OWN_HEADERS.contains(&key.as_str()) {
                headers.insert(key, value);
            }
        }
        Ok(Self { method, uri, headers })
    }
}

/// Reads a URL of http or https.
fn uri(url: &str) -> std::result::Result<Uri, String> {
    let Some((scheme, rest)) = url.split_once("://") else { return Err(format!("no URL: {url:?}")) };
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(format!("a URL that is not http or https: {url:?}"));
    }
    // What is behind the number sign is not sent.
    let rest = rest.split('#').next().unwrap_or_default();
    let uri: Option<Uri> = format!("{scheme}://{rest}").parse().ok();
    uri.filter(|uri| uri.host().is_some_and(|host| !host.is_empty())).ok_or_else(|| format!("no URL: {url:?}"))
}

struct Sending<'a> {
    name: &'a str,
    terms: &'a Terms,
    until: Instant,
    agent: Agent,
}

impl Sending<'_> {
    /// The status, the headers and the body of the answer.
    fn send(&self, asked: Asked, body: &[u8]) -> Result<(u16, HeaderMap, Vec<u8>)> {
        let Asked { mut method, mut uri, mut headers } = asked;
        let mut body = body;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send_once(&method, &uri, &headers, body)?;
            let Some(next) = self.redirection(&response, &uri)? else { return self.read(response, &uri) };
            let status = response.status();
            let is_post =
                method == Method::POST && [StatusCode::MOVED_PERMANENTLY, StatusCode::FOUND].contains(&status);
            if is_post || (status == StatusCode::SEE_OTHER && method != Method::HEAD) {
                (method, body) = (Method::GET, &[]);
                let about_body = |name: &&HeaderName| name.as_str().starts_with("content-");
                let gone: Vec<_> = headers.keys().filter(about_body).cloned().collect();
                gone.iter().for_each(|name| drop(headers.remove(name)));
            }
            if (next.scheme(), next.authority()) != (uri.scheme(), uri.authority()) {
                SECRET_HEADERS.iter().for_each(|name| drop(headers.remove(*name)));
            }
            uri = next;
        }
        let name = self.name;
        Err(Error::unavailable(format!("plugin \"{name}\" was redirected more than {MAX_REDIRECTS} times")))
    }

    fn send_once(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Response<Body>> {
        let host = uri.host().unwrap_or_default();
        if !is_allowed(&self.terms.allowed_hosts, host.trim_matches(['[', ']'])) {
            let name = self.name;
            let message = format!("plugin \"{name}\" may not send requests to \"{host}\"; grant it by allowed_hosts");
            return Err(Error::permission_denied(message));
        }
        let left = self.left()?;
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(own) = request.headers_mut() {
            own.clone_from(headers);
        }
        let sent = if body.is_empty() && method != Method::POST && method != Method::PUT && method != Method::PATCH {
            request.body(()).map_err(ureq::Error::from).and_then(|request| {
                let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
                self.agent.run(request)
            })
        } else {
            request.body(body).map_err(ureq::Error::from).and_then(|request| {
                let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
                self.agent.run(request)
            })
        };
        sent.map_err(|error| self.explain(uri, &error))
    }

    /// Where the answer says to go on, if it does.
    fn redirection(&self, response: &Response<Body>, uri: &Uri) -> Result<Option<Uri>> {
        let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = response.headers().get(LOCATION).filter(|_| redirects) else { return Ok(None) };
        let location = String::from_utf8_lossy(location.as_bytes());
        let wrong = |what| Error::invalid_argument(format!("plugin \"{}\" gave http_request {what}", self.name));
        self::uri(&resolve(uri, &location)).map(Some).map_err(wrong)
    }

    fn read(&self, response: Response<Body>, uri: &Uri) -> Result<(u16, HeaderMap, Vec<u8>)> {
        let limit = self.terms.max_http_response_bytes;
        let (parts, body) = response.into_parts();
        let mut bytes = Vec::new();
        let reader = body.into_with_config().limit(u64::MAX).reader();
        reader
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| self.explain(uri, &error.into()))?;
        if bytes.len() as u64 > limit {
            let name = self.name;
            let message =
                format!("plugin \"{name}\" got a response of more than {limit} bytes; raise max_http_response_bytes");
            return Err(Error::resource_exhausted(message));
        }
        Ok((parts.status.as_u16(), parts.headers, bytes))
    }

    /// How long it may still take.
    fn left(&self) -> Result<Duration> {
        let left = self.until.saturating_since(Instant::now());
        if left.is_zero() { Err(self.late()) } else { Ok(left) }
    }

    fn late(&self) -> Error {
        Error::deadline_exceeded(format!("plugin \"{}\" was stopped: it waited for an HTTP request", self.name))
    }

    fn explain(&self, uri: &Uri, error: &ureq::Error) -> Error {
        let is_late = match error {
            ureq::Error::Timeout(_) => true,
            ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::TimedOut,
            _ => false,
        };
        if is_late || self.until <= Instant::now() { self.late() } else { self.failed(uri, &error.to_string()) }
    }

    fn failed(&self, uri: &Uri, why: &str) -> Error {
        let host = uri.host().unwrap_or_default();
        Error::unavailable(format!("plugin \"{}\": the request to \"{host}\" failed: {why}", self.name))
    }
}

/// The URL that a redirection means.
fn resolve(base: &Uri, location: &str) -> String {
    let scheme = base.scheme_str().unwrap_or_default();
    let origin = format!("{scheme}://{}", base.authority().map_or("", |authority| authority.as_str()));
    let has_scheme = location.split_once(':').is_some_and(|(before, _)| {
        before.starts_with(|first: char| first.is_ascii_alphabetic())
            && before.chars().all(|one| one.is_ascii_alphanumeric() || "+-.".contains(one))
    });
    if has_scheme {
        return location.to_owned();
    }
    if location.starts_with("//") {
        return format!("{scheme}:{location}");
    }
    if location.starts_with('/') {
        return format!("{origin}{location}");
    }
    let path = base.path();
    match location.starts_with('?') {
        true => format!("{origin}{path}{location}"),
        false => format!("{origin}{}{location}", &path[..=path.rfind('/').unwrap_or_default()]),
    }
}

#[cfg(test)]
mod tests {
    use super::{resolve, uri};

    #[test]
    fn redirections_are_read_as_links_are() {
        let base = uri("http://example.org:81/a/b?c=d").expect("a URL");
        for (location, expected) in [
            ("https://other.test/x", "https://other.test/x"),
            ("//other.test/x", "http://other.test/x"),
            ("/x?y", "http://example.org:81/x?y"),
            ("x", "http://example.org:81/a/x"),
            ("?x", "http://example.org:81/a/b?x"),
            ("file:///etc/passwd", "file:///etc/passwd"),
        ] {
            assert_eq!(resolve(&base, location), expected);
        }
    }

    #[test]
    fn the_host_is_the_one_that_is_asked() {
        let host = |url: &str| uri(url).map(|uri| uri.host().unwrap_or_default().to_owned());
        assert_eq!(host("http://example.org@evil.test/").as_deref(), Ok("evil.test"));
        assert_eq!(host("HTTPS://evil.test#@example.org").as_deref(), Ok("evil.test"));
        assert_eq!(host("http://[::1]:80/").as_deref(), Ok("[::1]"));
        for url in
            ["nowhere", "http://", "http:///x", "http://a b/", "http://a\\@b/", "http://é.test/", "javascript:alert(1)"]
        {
            assert!(host(url).is_err(), "{url}: {:?}", host(url));
        }
        assert_eq!(
            host("file:///etc/passwd"),
            Err("a URL that is not http or https: \"file:///etc/passwd\"".to_owned())
        );
    }
}
