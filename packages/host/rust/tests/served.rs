//! Plugins that are served at an address: many hosts, hostile ones, lost links, certificates.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyplug_core::{Code, Context, Error, Result, Sender, Streaming};
use anyplug_generated::anyplug::test::v1::{
    AskHostRequest, AskHostResponse, ConverseRequest, ConverseResponse, CountRequest, CountResponse, EchoRequest,
    EchoResponse, FailRequest, FailResponse, HarmRequest, HarmResponse, SumRequest, SumResponse, Test, TestClient,
    TestHandler, WaitReportRequest, WaitReportResponse, WaitRequest, WaitResponse,
};
use anyplug_host::{Load, Pace, ReconnectOptions, TlsOptions, load_plugin};
use anyplug_sdk::{Plugin, PluginServer, ServeOptions, listen};

/// Answers with how often it was called.
#[derive(Default)]
struct Counter {
    prefix: String,
    tone: String,
    calls: AtomicU32,
}

impl TestHandler for Counter {
    async fn echo(&self, request: EchoRequest, _: Context) -> Result<EchoResponse> {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let text = format!("{}{} {calls} {}", self.prefix, request.text, self.tone);
        Ok(EchoResponse { text, ..EchoResponse::default() })
    }

    async fn wait(&self, _: WaitRequest, context: Context) -> Result<WaitResponse> {
        Err(context.cancelled().await)
    }

    async fn fail(&self, _: FailRequest, _: Context) -> Result<FailResponse> {
        Err(Error::unimplemented("not here"))
    }

    async fn count(&self, _: CountRequest, _: Sender<CountResponse>, _: Context) -> Result<()> {
        Ok(())
    }

    async fn sum(&self, _: Streaming<SumRequest>, _: Context) -> Result<SumResponse> {
        Err(Error::unimplemented("not here"))
    }

    async fn converse(&self, _: Streaming<ConverseRequest>, _: Sender<ConverseResponse>, _: Context) -> Result<()> {
        Ok(())
    }

    async fn wait_report(&self, _: WaitReportRequest, _: Context) -> Result<WaitReportResponse> {
        Err(Error::unimplemented("not here"))
    }

    async fn ask_host(&self, _: AskHostRequest, _: Context) -> Result<AskHostResponse> {
        Err(Error::unimplemented("not here"))
    }

    async fn harm(&self, _: HarmRequest, _: Context) -> Result<HarmResponse> {
        Err(Error::unimplemented("not here"))
    }
}

fn counter(name: &str, prefix: &'static str) -> Plugin {
    Plugin::new(name, "1.0.0").configured(move |config| {
        let tone = config.get("tone").and_then(|tone| tone.as_str()).unwrap_or_default().to_owned();
        Ok(vec![Test::implement(Counter { prefix: prefix.to_owned(), tone, calls: AtomicU32::new(0) })])
    })
}

/// A folder of the test's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("anyplug-served-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a folder");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("its mode");
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("x.sock")
    }

    fn address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    fn serve(&self, plugins: Vec<Plugin>) -> PluginServer {
        listen(plugins, ServeOptions::at(self.address())).expect("a server")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn text(text: &str) -> EchoRequest {
    EchoRequest { text: text.to_owned(), ..EchoRequest::default() }
}

async fn failure(load: Load) -> Error {
    load.await.expect_err("a failure")
}

#[tokio::test]
async fn many_hosts_at_once_each_have_services_of_their_own() {
    let folder = Folder::new();
    let server = folder.serve(vec![counter("counter", "")]);
    let mut plugins = Vec::new();
    for _ in 0..20 {
        plugins.push(load_plugin(server.address()).await.expect("a plugin"));
    }
    assert_eq!(server.connections(), 20);
    for plugin in &plugins {
        assert_eq!(TestClient::new(plugin).echo(text("first")).await.expect("an answer").text, "first 1 ");
        assert_eq!(plugin.transport(), "unix");
    }
}

#[tokio::test]
async fn a_host_names_one_of_a_set() {
    let folder = Folder::new();
    let server = folder.serve(vec![counter("one", "1:"), counter("two", "2:")]);
    let two = load_plugin(format!("{}#two", server.address())).await.expect("a plugin");
    let answer = TestClient::new(&two).echo(text("x")).await.expect("an answer");
    assert_eq!((two.name().as_str(), answer.text.as_str()), ("two", "2:x 1 "));
    let error = failure(load_plugin(format!("{}#three", server.address()))).await;
    assert_eq!(error.code(), Code::NotFound);
    assert!(error.message().contains("there is no plugin \"three\" at this address; it has one, two"), "{error}");
    assert_eq!(failure(load_plugin(server.address())).await.code(), Code::InvalidArgument);
    let error = listen(vec![counter("one", ""), counter("one", "")], ServeOptions::at("tcp://127.0.0.1:0"));
    assert!(error.expect_err("the same name twice").message().contains("got one"));
}

#[tokio::test]
async fn a_server_has_the_last_word_on_configuration() {
    let folder = Folder::new();
    let mut options = ServeOptions::at(folder.address());
    options.config.insert("tone".to_owned(), "stern".into());
    let stern = listen(vec![counter("counter", "")], options).expect("a server");
    let plugin = load_plugin(stern.address()).config("tone", "mild").await.expect("a plugin");
    assert_eq!(TestClient::new(&plugin).echo(text("x")).await.expect("an answer").text, "x 1 stern");
    let mild = listen(vec![counter("counter", "")], ServeOptions::at("tcp://127.0.0.1:0")).expect("a server");
    let plugin = load_plugin(mild.address()).config("tone", "mild").await.expect("a plugin");
    assert_eq!(TestClient::new(&plugin).echo(text("x")).await.expect("an answer").text, "x 1 mild");
}

#[tokio::test]
async fn a_socket_is_for_this_user_alone_and_goes_with_its_server() {
    let folder = Folder::new();
    let server = folder.serve(vec![counter("counter", "")]);
    let mode = std::fs::metadata(folder.socket()).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.close();
    assert!(!folder.socket().exists());
}

#[test]
fn a_dead_servers_socket_is_replaced_and_nothing_else() {
    let folder = Folder::new();
    // Dropped, it leaves its file.
    drop(UnixListener::bind(folder.socket()).expect("a socket"));
    let server = folder.serve(vec![counter("counter", "")]);
    let taken = listen(vec![counter("counter", "")], ServeOptions::at(folder.address())).expect_err("a live one");
    assert_eq!(taken.code(), Code::AlreadyExists);
    assert!(taken.message().contains("something listens on"), "{taken}");
    server.close();
    std::fs::write(folder.socket(), "precious").expect("a file");
    let file = listen(vec![counter("counter", "")], ServeOptions::at(folder.address())).expect_err("a file");
    assert!(file.message().contains("exists and is no socket; it is left alone"), "{file}");
}

#[tokio::test]
async fn one_host_too_many_is_told_so() {
    let folder = Folder::new();
    let options = ServeOptions { max_connections: 1, ..ServeOptions::at(folder.address()) };
    let server = listen(vec![counter("counter", "")], options).expect("a server");
    let first = load_plugin(server.address()).await.expect("a plugin");
    let error = failure(load_plugin(server.address())).await;
    assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
    first.close().await.expect("an end");
    while server.connections() > 0 {
        tokio::task::yield_now().await;
    }
    load_plugin(server.address()).await.expect("a plugin");
}

#[tokio::test]
async fn hostile_hosts_harm_no_other() {
    let folder = Folder::new();
    let server = folder.serve(vec![counter("counter", "")]);
    // One of its own for hosts that say nothing more: a good one may be as slow as they are.
    let path = folder.0.join("impatient.sock");
    let options = ServeOptions::at(format!("unix:{}", path.display()));
    let options = ServeOptions { hello_timeout: Duration::from_millis(100), ..options };
    let _impatient = listen(vec![counter("counter", "")], options).expect("a server");
    let plugin = load_plugin(server.address()).await.expect("a plugin");
    let header = |length: u32| [b"anyplug\n", &length.to_le_bytes()[..], &[1, 0, 0, 0, 0, 0, 0, 0][..]].concat();
    let hostile = [
        (folder.socket(), b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        (folder.socket(), header(u32::MAX)),
        (folder.socket(), [header(5), vec![0xff; 5]].concat()),
        (path.clone(), header(100)),
        (path, Vec::new()),
    ];
    for (path, bytes) in hostile {
        let mut socket = UnixStream::connect(path).expect("a connection");
        socket.write_all(&bytes).expect("room");
        let mut answer = Vec::new();
        // Its end may come as a reset.
        let _ = socket.read_to_end(&mut answer);
        assert!(answer.starts_with(b"anyplug\n"), "{bytes:?} was answered by {answer:?}");
    }
    assert_eq!(TestClient::new(&plugin).echo(text("unharmed")).await.expect("an answer").text, "unharmed 1 ");
}

#[tokio::test]
async fn why_there_is_no_plugin_is_told() {
    let folder = Folder::new();
    let missing = failure(load_plugin(folder.address())).await;
    assert_eq!(missing.code(), Code::Unavailable);
    assert!(
        missing.message().starts_with(&format!("cannot connect to {}: there is no", folder.address())),
        "{missing}"
    );
    assert_eq!(failure(load_plugin("tcp://127.0.0.1:1")).await.code(), Code::Unavailable);
    assert_eq!(failure(load_plugin("tcp://192.0.2.1:9")).await.code(), Code::FailedPrecondition);
    assert_eq!(failure(load_plugin("tcp:x")).await.code(), Code::InvalidArgument);
    let other = failure(load_plugin(folder.address()).transport("tcp")).await;
    assert!(other.message().contains("reached by \"unix\", not by \"tcp\""), "{other}");
    assert!(failure(load_plugin(folder.address()).env("A", "b")).await.message().contains("env"));
}

#[tokio::test]
async fn a_folder_that_others_write_to_is_not_trusted() {
    let folder = Folder::new();
    let server = folder.serve(vec![counter("counter", "")]);
    std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o777)).expect("a mode");
    assert_eq!(failure(load_plugin(server.address())).await.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_not_waited_for_for_ever() {
    let folder = Folder::new();
    let _silent = UnixListener::bind(folder.socket()).expect("a socket");
    let error = failure(load_plugin(folder.address()).start_timeout(Duration::from_millis(50))).await;
    assert!(error.message().contains("was not ready within 50 ms"), "{error}");
}

fn soon() -> ReconnectOptions {
    ReconnectOptions { initial_delay: Duration::from_millis(1), ..ReconnectOptions::default() }
}

#[tokio::test]
async fn idempotent_calls_are_made_again_when_the_link_is_back_and_no_others() {
    let folder = Folder::new();
    let server = folder.serve(vec![counter("counter", "")]);
    let plugin = load_plugin(server.address()).reconnect(Some(soon())).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    client.echo(text("before")).await.expect("an answer");
    let waiting = tokio::spawn(client.wait(WaitRequest::default()).into_future());
    client.echo(text("begun")).await.expect("an answer");
    drop(server);
    assert_eq!(waiting.await.expect("an end").expect_err("a lost link").code(), Code::Unavailable);
    assert_eq!(client.wait(WaitRequest::default()).await.expect_err("no link").code(), Code::Unavailable);
    // Idempotent by its schema: it waits.
    let again = tokio::spawn(client.echo(text("after")).into_future());
    let _server = folder.serve(vec![counter("counter", "")]);
    assert_eq!(again.await.expect("an end").expect("an answer").text, "after 1 ");
    let timed = client.echo(text("after")).timeout(Duration::from_secs(30)).await;
    assert_eq!(timed.expect("an answer").text, "after 2 ");
    plugin.close().await.expect("an end");
    assert_eq!(plugin.closed().await.message(), "plugin \"counter\" was closed");
}

#[tokio::test]
async fn a_deadline_ends_the_wait_for_a_link() {
    let folder = Folder::new();
    let server = folder.serve(vec![counter("counter", "")]);
    let plugin = load_plugin(server.address()).reconnect(Some(soon())).await.expect("a plugin");
    let client = TestClient::new(&plugin);
    client.echo(text("before")).await.expect("an answer");
    drop(server);
    assert!(client.wait(WaitRequest::default()).await.is_err());
    let error = client.echo(text("never")).timeout(Duration::from_millis(50)).await.expect_err("no link");
    assert!(matches!(error.code(), Code::DeadlineExceeded | Code::Unavailable), "{error}");
}

static DELAYS: Mutex<Vec<Duration>> = Mutex::new(Vec::new());

fn note(delay: Duration) -> Duration {
    DELAYS.lock().expect("delays").push(delay);
    Duration::ZERO
}

#[tokio::test]
async fn attempts_are_further_and_further_apart_and_end() {
    let folder = Folder::new();
    let server = folder.serve(vec![counter("counter", "")]);
    let options = ReconnectOptions {
        initial_delay: Duration::from_millis(100),
        max_delay: Duration::from_millis(300),
        max_attempts: Some(4),
        pace: Pace { random: || 0.0, wait: note },
        ..ReconnectOptions::default()
    };
    let plugin = load_plugin(server.address()).reconnect(Some(options)).await.expect("a plugin");
    drop(server);
    assert_eq!(plugin.closed().await.code(), Code::Unavailable);
    let delays = DELAYS.lock().expect("delays").clone();
    assert_eq!(delays, [50, 100, 150, 150].map(Duration::from_millis));
}

#[tokio::test]
async fn another_plugin_at_the_address_is_noticed() {
    let folder = Folder::new();
    let server = folder.serve(vec![counter("counter", "")]);
    let plugin = load_plugin(server.address()).reconnect(Some(soon())).await.expect("a plugin");
    drop(server);
    let _server = folder.serve(vec![counter("impostor", "")]);
    let reason = plugin.closed().await;
    assert_eq!(reason.code(), Code::FailedPrecondition);
    assert!(reason.message().contains("has plugin \"impostor\" now, and had \"counter\""), "{reason}");
}

fn certificates(name: &str, ca: &str) -> TlsOptions {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../test/certificates");
    let path = |name: String| folder.join(name).display().to_string();
    TlsOptions {
        certificate: path(format!("{name}.pem")),
        key: path(format!("{name}.key")),
        ca: path(format!("{ca}.pem")),
        server_name: None,
    }
}

fn serve_tls() -> PluginServer {
    let tls = Some(certificates("plugin", "authority"));
    let options = ServeOptions { tls, ..ServeOptions::at("tls://127.0.0.1:0") };
    listen(vec![counter("counter", "")], options).expect("a server")
}

#[tokio::test]
async fn tls_carries_calls_between_two_of_one_authority() {
    let server = serve_tls();
    let plugin = load_plugin(server.address()).tls(certificates("host", "authority")).await.expect("a plugin");
    let long = "x".repeat(1_000_000);
    let answer = TestClient::new(&plugin).echo(text(&long)).await.expect("an answer");
    assert_eq!(answer.text, format!("{long} 1 "));
    assert_eq!(plugin.transport(), "tls");
    plugin.close().await.expect("an end");
}

#[tokio::test]
async fn tls_refuses_another_authority() {
    let server = serve_tls();
    let stranger = failure(load_plugin(server.address()).tls(certificates("stranger", "authority"))).await;
    // The server tells why and closes; the close may arrive first.
    assert!([Code::Unauthenticated, Code::Unavailable].contains(&stranger.code()), "{stranger}");
    let misled = failure(load_plugin(server.address()).tls(certificates("host", "stranger-authority"))).await;
    assert_eq!(misled.code(), Code::Unauthenticated, "{misled}");
    assert!(failure(load_plugin(server.address())).await.message().contains("tls:// needs certificates"));
    let missing = TlsOptions { key: "/no.key".to_owned(), ..certificates("host", "authority") };
    assert!(failure(load_plugin(server.address()).tls(missing)).await.message().contains("tls.key"));
    load_plugin(server.address()).tls(certificates("host", "authority")).await.expect("a plugin");
}
