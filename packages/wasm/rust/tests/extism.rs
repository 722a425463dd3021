//! Extism plugins: what all hosts hold to, requests, and functions of the host's own.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a failing test says where by a panic")]

mod server;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyplug_core::{Code, Error, Instant, LogLevel, Result};
use anyplug_wasm::{CacheFolder, Extism, ExtismOptions, HostFunction, WasiDirectory, WasmLimits};
use serde_json::Value;
use server::Server;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../test/extism").join(name)
}

fn module(name: &str) -> Vec<u8> {
    wat::parse_file(file(name).with_extension("wat")).unwrap()
}

fn options(name: &str) -> ExtismOptions {
    let wasm = WasmLimits { cache: CacheFolder::Off, ..WasmLimits::default() };
    ExtismOptions { name: Some(name.to_owned()), wasm, ..ExtismOptions::default() }
}

fn plugin(name: &str) -> Extism {
    Extism::new(&module(name), options(name)).unwrap()
}

fn call(plugin: &Extism, function: &str, input: &str) -> Result<String> {
    plugin.call(function, input.as_bytes(), None).map(|output| String::from_utf8(output).unwrap())
}

/// The options of a case, whose names are those of TypeScript.
fn options_of(case: &Value) -> ExtismOptions {
    let mut own = options(case["module"].as_str().unwrap());
    for (name, value) in case["options"].as_object().into_iter().flatten() {
        let number = || value.as_u64().unwrap();
        match name.as_str() {
            "config" => {
                let pairs = value.as_object().unwrap().iter();
                own.config = pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect();
            }
            "allowedHosts" => own.allowed_hosts = serde_json::from_value(value.clone()).unwrap(),
            "maxVarBytes" => own.max_var_bytes = number(),
            "callTimeoutMs" => own.wasm.call_timeout = Duration::from_millis(number()),
            "maxMemoryBytes" => own.wasm.max_memory_bytes = number(),
            other => panic!("there is no option {other}"),
        }
    }
    own
}

#[track_caller]
fn check(error: &Error, expected: &Value, what: &str) {
    let code = expected["code"].as_str().unwrap_or_else(|| panic!("{what}: {error}"));
    assert_eq!(error.code().name(), code, "{what}: {error}");
    if let Some(message) = expected["message"].as_str() {
        assert_eq!(error.message(), message, "{what}");
    }
    for says in expected["says"].as_array().into_iter().flatten() {
        assert!(error.message().contains(says.as_str().unwrap()), "{what}: {error}");
    }
}

#[test]
fn what_all_hosts_hold_to() {
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(file("cases.json")).unwrap()).unwrap();
    assert!(cases.len() > 15);
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let logs: Arc<Mutex<Vec<String>>> = Arc::default();
        let taken = logs.clone();
        let mut options = options_of(case);
        options.on_log = Some(Arc::new(move |record| {
            taken.lock().unwrap().push(format!("{}: {}", record.level.to_string().to_lowercase(), record.message));
        }));
        let loaded = Extism::new(&module(case["module"].as_str().unwrap()), options);
        let Some(calls) = case["calls"].as_array() else {
            check(&loaded.unwrap_err(), case, name);
            continue;
        };
        let plugin = loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Some(functions) = case["functions"].as_array() {
            assert_eq!(functions, plugin.functions(), "{name}");
        }
        for call in calls {
            let function = call["function"].as_str().unwrap();
            let what = format!("{name}: {function}");
            let called = plugin.call(function, call["input"].as_str().unwrap().as_bytes(), None);
            let expected = match (call["output"].as_str(), call["outputHex"].as_str()) {
                (Some(text), _) => Some(text.as_bytes().to_vec()),
                (_, Some(hex)) => Some(
                    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect(),
                ),
                _ => None,
            };
            match (called, expected) {
                (Ok(output), Some(expected)) => assert_eq!(output, expected, "{what}"),
                (Err(error), None) => check(&error, call, &what),
                (called, expected) => panic!("{what}: {called:?}, expected {expected:?}"),
            }
        }
        if let Some(expected) = case["logs"].as_array() {
            assert_eq!(expected, &*logs.lock().unwrap(), "{name}");
        }
    }
}

#[test]
fn a_plugin_is_called_as_its_file_is() {
    let folder = std::env::temp_dir().join(format!("anyplug-extism-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("some.echo.wasm");
    std::fs::write(&path, module("echo")).unwrap();
    let own = || ExtismOptions { name: None, ..options("") };
    let plugin = Extism::read(&path, own());
    let small = WasmLimits { max_wasm_bytes: 10, ..own().wasm };
    let refused = Extism::read(&path, ExtismOptions { wasm: small, ..own() });
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(plugin.unwrap().name(), "some.echo");
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(Extism::new(&module("echo"), own()).unwrap().name(), "extism");
    let error = Extism::read(&path, own()).unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    for bytes in [&b""[..], b"nonsense", b"\0asm\x0d\0\x01\0"] {
        assert_eq!(Extism::new(bytes, own()).unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn lines_of_the_log_say_whose_they_are() {
    let lines: Arc<Mutex<Vec<(LogLevel, String)>>> = Arc::default();
    let taken = lines.clone();
    let mut own = options("log");
    own.on_log = Some(Arc::new(move |record| taken.lock().unwrap().push((record.level, record.logger.clone()))));
    let plugin = Extism::new(&module("log"), own).unwrap();
    plugin.call("log", b"x", None).unwrap();
    assert_eq!(lines.lock().unwrap()[2], (LogLevel::Info, "log".to_owned()));
    plugin.call("level", b"", None).expect("all levels are wanted");
    // Nobody takes them.
    let error = self::plugin("log").call("level", b"", None).unwrap_err();
    assert_eq!(error.message(), "plugin \"log\" returned 7 from \"level\", and set no error");
}

fn functions(
    shout: impl Fn(&[u8]) -> Result<Vec<u8>> + Send + Sync + 'static,
) -> (ExtismOptions, Arc<Mutex<Vec<String>>>) {
    let notes: Arc<Mutex<Vec<String>>> = Arc::default();
    let taken = notes.clone();
    let mut own = options("user");
    let note: HostFunction = Arc::new(move |input| {
        taken.lock().unwrap().push(String::from_utf8_lossy(input).into_owned());
        Ok(Vec::new())
    });
    own.functions = [("note".to_owned(), note), ("shout".to_owned(), Arc::new(shout) as HostFunction)].into();
    (own, notes)
}

#[test]
fn functions_of_the_hosts_own_take_and_give_bytes() {
    let (own, notes) = functions(|input| Ok(input.to_ascii_uppercase()));
    let plugin = Extism::new(&module("user"), own).unwrap();
    assert_eq!(call(&plugin, "run", "hello").unwrap(), "HELLO");
    assert_eq!(call(&plugin, "run", "").unwrap(), "");
    assert_eq!(*notes.lock().unwrap(), ["hello", ""]);
}

#[test]
fn an_error_of_the_hosts_own_function_is_that_of_the_call() {
    let (own, _) = functions(|_| Err(Error::not_found("no such word")));
    let plugin = Extism::new(&module("user"), own).unwrap();
    let error = call(&plugin, "run", "x").unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "no such word"));
}

#[test]
fn a_plugin_may_be_called_from_within_if_it_has_another_instance() {
    for instances in [1, 2] {
        let own: Arc<Mutex<Option<Extism>>> = Arc::default();
        let inner = own.clone();
        let (mut options, notes) = functions(move |input| {
            let plugin = inner.lock().unwrap().clone().unwrap();
            if input == b"outer" { plugin.call("run", b"inner", None) } else { Ok(input.to_ascii_uppercase()) }
        });
        options.wasm.instances = instances;
        let plugin = Extism::new(&module("user"), options).unwrap();
        *own.lock().unwrap() = Some(plugin.clone());
        let called = call(&plugin, "run", "outer");
        if instances == 2 {
            assert_eq!(called.unwrap(), "INNER");
            assert_eq!(*notes.lock().unwrap(), ["outer", "inner"]);
        } else {
            assert_eq!(called.unwrap_err().code(), Code::FailedPrecondition);
            assert_eq!(call(&plugin, "run", "x").unwrap(), "X");
        }
        *own.lock().unwrap() = None;
    }
}

#[test]
fn a_call_has_the_time_that_it_is_given() {
    let plugin = plugin("loop");
    let until = Instant::now().saturating_add(Duration::from_millis(200));
    let error = plugin.call("forever", b"", Some(until)).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(call(&plugin, "nothing", "").unwrap(), "");
}

#[test]
fn calls_of_many_threads_share_the_instances() {
    for instances in [1, 3] {
        let mut own = options("count_vowels");
        own.wasm.instances = instances;
        let plugin = Extism::new(&module("count_vowels"), own).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let plugin = &plugin;
                scope.spawn(move || {
                    let text = "a".repeat(thread);
                    for _ in 0..200 {
                        assert_eq!(call(plugin, "count_vowels", &text).unwrap(), format!("{{\"count\":{thread}}}"));
                    }
                });
            }
        });
    }
}

#[test]
fn one_that_was_closed_takes_no_calls() {
    let plugin = plugin("echo");
    plugin.close();
    let error = plugin.call("echo", b"", None).unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Unavailable, "plugin \"echo\" was closed"));
}

#[test]
fn an_input_over_the_limit_is_refused_and_the_plugin_goes_on() {
    let mut own = options("echo");
    own.wasm.max_memory_bytes = 1 << 20;
    let plugin = Extism::new(&module("echo"), own).unwrap();
    let error = plugin.call("echo", &vec![0; 1 << 20], None).unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.message().ends_with("raise wasm.max_memory_bytes"), "{error}");
    assert_eq!(plugin.call("echo", &vec![7; 1 << 19], None).unwrap(), vec![7; 1 << 19]);
}

#[test]
fn limits_are_told() {
    let enforced = plugin("echo").enforced();
    assert!(enforced.contains(&"call_timeout: epochs".to_owned()), "{enforced:?}");
    assert!(enforced.contains(&"max_var_bytes: by the host".to_owned()), "{enforced:?}");
}

#[test]
fn files_of_a_folder_that_was_granted() {
    let folder = std::env::temp_dir().join(format!("anyplug-extism-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("file"), "hello").unwrap();
    let granted = |directory| {
        let mut own = options("files");
        own.wasm.wasi_directories = vec![directory];
        Extism::new(&module("files"), own).unwrap()
    };
    let reading = granted(WasiDirectory::read_only(&folder, "/data"));
    let read = call(&reading, "read", "file");
    let refused = [call(&reading, "read", "../secret"), call(&reading, "write", "file")];
    let wrote = call(&granted(WasiDirectory::writable(&folder, "/data")), "write", "new");
    let written = std::fs::read_to_string(folder.join("new"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(read.unwrap(), "hello");
    let refused = refused.map(|refused| refused.unwrap_err().message().to_owned());
    let expected = [(76, "read"), (69, "write")]
        .map(|(status, name)| format!("plugin \"files\" returned {status} from \"{name}\", and set no error"));
    assert_eq!(refused, expected);
    assert_eq!((wrote.unwrap(), written.unwrap()), (String::new(), "written".to_owned()));
}

/// A plugin that may ask this machine, and one server.
fn with_server(change: impl FnOnce(&mut ExtismOptions)) -> (Extism, Server) {
    let mut own = options("http");
    own.allowed_hosts = vec!["127.0.0.*".to_owned()];
    change(&mut own);
    (Extism::new(&module("http"), own).unwrap(), Server::new())
}

fn asked(server: &Server, more: &str, path: &str) -> String {
    format!("{{\"url\":\"{}{path}\"{more}}}", server.url)
}

#[test]
fn requests_to_a_host_that_is_granted() {
    let (plugin, server) = with_server(|_| {});
    assert_eq!(call(&plugin, "request", &asked(&server, "", "/hello?a=b#c")).unwrap(), "GET /hello?a=b\n");
    let post = asked(&server, ",\"method\":\"POST\",\"headers\":{\"X-Own\":\"1\",\"Host\":\"evil.test\"}", "/x");
    let answer = call(&plugin, "request", &format!("{post}\nthe body")).unwrap();
    assert_eq!(answer, "POST /x\nx-own: 1\nthe body");
    assert_eq!(call(&plugin, "status", &asked(&server, "", "/status/404")).unwrap(), "404");
    let headers = call(&plugin, "headers", &asked(&server, "", "/x")).unwrap();
    let headers: Value = serde_json::from_str(&headers).unwrap();
    assert_eq!(headers["x-server"], "one, two");
    assert_eq!(call(&plugin, "request", &asked(&server, ",\"method\":\"HEAD\"", "/x")).unwrap(), "");
}

#[test]
fn redirections_stay_with_the_hosts_that_are_granted() {
    let (plugin, server) = with_server(|_| {});
    let secret = ",\"headers\":{\"Authorization\":\"secret\"}";
    let answer = call(&plugin, "request", &asked(&server, secret, "/to/hello")).unwrap();
    assert_eq!(answer, "GET /hello\nauthorization: secret\n");
    // Another server, which is told no secrets.
    let other = Server::new();
    let path = format!("/to/{}/hello", other.url);
    assert_eq!(call(&plugin, "request", &asked(&server, secret, &path)).unwrap(), "GET /hello\n");
    let path = format!("/to/{}/hello", other.url.replace("127.0.0.1", "localhost"));
    let error = call(&plugin, "request", &asked(&server, "", &path)).unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied, "{error}");
    assert!(error.message().contains("may not send requests to \"localhost\""), "{error}");
    let error = call(&plugin, "request", &asked(&server, "", "/to/file:///etc/passwd")).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    let error = call(&plugin, "request", &asked(&server, "", "/again")).unwrap_err();
    assert!(error.message().ends_with("was redirected more than 10 times"), "{error}");
    let post = asked(&server, ",\"method\":\"POST\"", "/to/hello");
    assert_eq!(call(&plugin, "request", &format!("{post}\nbody")).unwrap(), "GET /hello\n");
}

#[test]
fn answers_have_a_limit() {
    let (plugin, server) = with_server(|options| options.max_http_response_bytes = 1000);
    assert_eq!(call(&plugin, "request", &asked(&server, "", "/bytes/1000")).unwrap().len(), 1000);
    let error = call(&plugin, "request", &asked(&server, "", "/bytes/1001")).unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.message().ends_with("of more than 1000 bytes; raise max_http_response_bytes"), "{error}");
    let (plugin, server) = with_server(|options| options.wasm.max_memory_bytes = 100_000);
    let error = call(&plugin, "request", &asked(&server, "", "/bytes/100000")).unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.message().ends_with("raise wasm.max_memory_bytes"), "{error}");
}

#[test]
fn a_request_that_is_never_answered_ends_with_the_call() {
    let (plugin, server) = with_server(|_| {});
    let until = Instant::now().saturating_add(Duration::from_millis(300));
    let error = plugin.call("request", asked(&server, "", "/never").as_bytes(), Some(until)).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
    assert_eq!(call(&plugin, "status", &asked(&server, "", "/x")).unwrap(), "200");
}

#[test]
fn a_server_that_is_not_there_or_speaks_nonsense_is_unavailable() {
    let (plugin, server) = with_server(|_| {});
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    // The last one does not speak TLS.
    let tls = server.url.replace("http:", "https:");
    for url in [format!("http://{gone}/"), format!("{}/nonsense", server.url), tls] {
        let error = call(&plugin, "request", &format!("{{\"url\":\"{url}\"}}")).unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        assert!(error.message().starts_with("plugin \"http\": the request to \"127.0.0.1\" failed: "), "{error}");
    }
    let error = call(&plugin, "request", &asked(&server, ",\"method\":\"CONNECT\"", "/")).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let error = call(&plugin, "request", &asked(&server, ",\"headers\":{\"a\":\"b\\r\\nc: d\"}", "/")).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
}
