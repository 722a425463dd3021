//! Plugins in shared libraries.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod fixture;

use anyplug_core::{Code, Error};
use anyplug_host::{Load, load_plugin};
use fixture::{Folder, block_on};
use serde_json::json;

fn failure(load: Load) -> Error {
    block_on(load).map(|plugin| plugin.name()).expect_err("a failure")
}

#[test]
fn a_manifest_without_a_library() {
    let folder = Folder::new(json!({ "interop": { "ipcCommand": "true" } }));
    let file = folder.path.join("plugin.json");
    let error = failure(folder.load().transport("ffi"));
    let message =
        format!("{}: interop.sharedLibPath is missing, and transport \"ffi\" needs a library", file.display());
    assert_eq!((error.code(), error.message()), (Code::FailedPrecondition, &*message));
}

#[test]
fn a_library_is_chosen_when_it_is_asked_for_or_all_there_is() {
    let chosen = |manifest| {
        let folder = Folder::new(manifest);
        let plan = anyplug_host::plan(&folder.path, &Default::default());
        plan.map(|plan| plan.transport).map_err(|error| error.message().replace(&*folder.path.to_string_lossy(), "."))
    };
    let both = json!({ "ipcCommand": "true", "sharedLibPath": "x" });
    assert_eq!(chosen(json!({ "interop": both })), Ok("process"));
    assert_eq!(chosen(json!({ "interop": both, "transports": ["ffi", "process"] })), Ok("ffi"));
    for protocol in ["ffi", "native"] {
        let native = json!({ "ipcCommand": "true", "sharedLibPath": "x", "protocol": protocol });
        assert_eq!(chosen(json!({ "interop": native })), Ok("ffi"));
    }
    assert_eq!(chosen(json!({ "interop": { "sharedLibPath": "x" } })), Ok("ffi"));
    assert_eq!(chosen(json!({ "interop": { "wasmPath": "x.wasm", "sharedLibPath": "x" } })), Ok("wasm"));
    let leaving = chosen(json!({ "interop": { "sharedLibPath": "../x" } }));
    assert_eq!(leaving, Err("./plugin.json: interop.sharedLibPath: \"../x\" leaves the plugin's folder".to_owned()));
}

#[test]
fn a_library_is_found_by_its_platform_s_name() {
    let folder = Folder::new(json!({ "interop": { "sharedLibPath": "bin/x" } }));
    let plan = anyplug_host::plan(&folder.path, &Default::default()).expect("a plan");
    let name = format!("bin/{}x{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    assert_eq!(plan.library_file().expect("a file"), folder.path.join(name));
    let error = failure(folder.load());
    assert_eq!(error.code(), Code::NotFound, "{error}");
    let folder = Folder::new(json!({ "interop": { "sharedLibPath": "bin/libx.so.1" } }));
    let plan = anyplug_host::plan(&folder.path, &Default::default()).expect("a plan");
    assert_eq!(plan.library_file().expect("a file"), folder.path.join("bin/libx.so.1"));
}

/// With the library of the test plugin, which is installed apart.
mod between_languages {
    use std::path::PathBuf;
    use std::time::Duration;

    use anyplug_generated::anyplug::test::v1::harm_request::Kind;
    use anyplug_generated::anyplug::test::v1::{CountRequest, TestClient, WaitRequest};
    use anyplug_host::{FfiOptions, Isolation, Plugin};

    use super::*;
    use crate::fixture::{echo, harm};

    fn library() -> PathBuf {
        let bin = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../plugins/test-plugin/rust/bin");
        bin.join(format!("{}test-plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
    }

    fn plugin() -> Plugin {
        block_on(load_plugin(library())).expect("a plugin")
    }

    #[test]
    fn a_library_needs_no_manifest() {
        let plugin = plugin();
        assert_eq!((&*plugin.name(), &*plugin.version(), plugin.transport()), ("test-plugin", "0.1.0", "ffi"));
        let manifest = plugin.manifest().expect("a manifest");
        assert_eq!((&*manifest.name, &*manifest.version, &*manifest.language), ("test-plugin", "0.1.0", "rust"));
        assert_eq!(plugin.enforced(), ["isolation: none"]);
        let client = TestClient::new(&plugin);
        assert_eq!(block_on(client.echo(echo("hello"))).expect("an answer").text, "hello");
        block_on(plugin.close()).expect("an end");
        let error = block_on(client.echo(echo("x"))).expect_err("an end");
        assert_eq!(
            (error.code(), error.message()),
            (Code::Unavailable, "the connection ended: plugin \"test-plugin\" was closed")
        );
    }

    /// The cases of test/ffi, which hosts in every language go through.
    #[test]
    fn what_is_no_good_is_refused() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../test/ffi");
        let cases = std::fs::read_to_string(folder.join("cases.json")).expect("cases");
        let cases: serde_json::Value = serde_json::from_str(&cases).expect("JSON");
        let text = |case: &serde_json::Value, name| case[name].as_str().map(str::to_owned);
        for case in cases.as_array().expect("a list") {
            let name = text(case, "name").expect("a name");
            let file = folder.join("bin").join(text(case, "file").unwrap_or_else(|| format!("{name}.so")));
            let loaded = block_on(load_plugin(&file));
            let (expected, error) = match (text(case, "code"), text(case, "call")) {
                (Some(code), _) => (code, loaded.map(|_| ()).expect_err(&name)),
                (None, call) => {
                    let plugin = loaded.expect(&name);
                    let answer = block_on(TestClient::new(&plugin).echo(echo("x")));
                    block_on(plugin.close()).expect("an end");
                    match call {
                        Some(code) => (code, answer.map(|_| ()).expect_err(&name)),
                        None => continue,
                    }
                }
            };
            assert_eq!(error.code().name(), expected, "{name}: {error}");
            for words in case["says"].as_array().expect("words") {
                let words = words.as_str().expect("words");
                assert!(error.message().contains(words), "{name}: {error}: expected {words}");
            }
        }
    }

    #[test]
    fn streams_and_timers_work() {
        let plugin = plugin();
        let client = TestClient::new(&plugin);
        block_on(async {
            let request = CountRequest { count: 1000, ..CountRequest::default() };
            let mut numbers = client.count(request).await.expect("a stream");
            let mut seen = 0;
            while numbers.message().await.expect("a message").is_some() {
                seen += 1;
            }
            assert_eq!(seen, 1000);
            client.wait(WaitRequest { ms: 20 }).await.expect("an answer");
            let late = client.wait(WaitRequest { ms: 60_000 }).timeout(Duration::from_millis(20)).await;
            assert_eq!(late.map(|_| ()).expect_err("an end").code(), Code::DeadlineExceeded);
        });
        block_on(plugin.close()).expect("an end");
    }

    #[test]
    fn a_library_runs_in_a_process_of_its_own() {
        let apart = || FfiOptions { isolation: Isolation::Process, ..FfiOptions::default() };
        let plugin = block_on(load_plugin(library()).ffi(apart())).expect("a plugin");
        assert_eq!((&*plugin.name(), plugin.transport()), ("test-plugin", "ffi"));
        assert_eq!(plugin.enforced(), ["isolation: process"]);
        assert_eq!(plugin.manifest().map(|manifest| &*manifest.language), Some("rust"));
        let client = TestClient::new(&plugin);
        let error = block_on(client.harm(harm(Kind::Kill, "", 0))).expect_err("an end");
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        block_on(plugin.close()).expect("an end");
        let refused = failure(load_plugin(library()).ffi(apart()).config("refuse", "line 7"));
        let message = "plugin \"test-plugin\" refused to start: line 7";
        assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, message));
        let none = FfiOptions { runner: vec!["/there/is/none".to_owned()], ..apart() };
        assert_eq!(failure(load_plugin(library()).ffi(none)).code(), Code::NotFound);
    }

    #[test]
    fn two_of_one_library_share_nothing() {
        let (first, second) = (plugin(), plugin());
        block_on(first.close()).expect("an end");
        let client = TestClient::new(&second);
        assert_eq!(block_on(client.echo(echo("still"))).expect("an answer").text, "still");
        block_on(second.close()).expect("an end");
    }

    #[test]
    fn threads_call_at_once() {
        let plugin = plugin();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let client = TestClient::new(&plugin);
                scope.spawn(move || {
                    for call in 0..500 {
                        let text = format!("{thread} {call}");
                        let answer = block_on(client.echo(echo(&text))).expect("an answer");
                        assert_eq!(answer.text, text);
                        if call % 50 == 0 {
                            block_on(client.wait(WaitRequest { ms: 1 })).expect("an answer");
                        }
                    }
                });
            }
        });
        block_on(plugin.close()).expect("an end");
    }

    /// Moved over the path, and written into the same file, from which one that is mapped would crash.
    #[test]
    fn a_library_that_was_built_anew_at_its_path_is_loaded_anew() {
        let folder = Folder::new(json!({}));
        let library = folder.path.join("plugin.so");
        let builds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../test/ffi/bin");
        let build = |number: usize| builds.join(format!("rebuilt-{number}.so"));
        let load = || block_on(load_plugin(&library)).expect("a plugin");
        std::fs::copy(build(1), &library).expect("a copy");
        let first = load();
        let moved = folder.path.join("new");
        std::fs::copy(build(2), &moved).and_then(|_| std::fs::rename(&moved, &library)).expect("a copy");
        let second = load();
        std::fs::copy(build(3), &library).expect("a copy");
        let plugins = [first, second, load()];
        let versions = ["0.1.1", "0.1.2", "0.1.3"];
        assert_eq!(plugins.each_ref().map(|plugin| plugin.version()), versions);
        for (index, plugin) in plugins.iter().enumerate() {
            // The old ones go on, until they are closed.
            for (plugin, version) in plugins.iter().zip(versions).skip(index) {
                let answer = block_on(TestClient::new(plugin).echo(echo(""))).expect("an answer");
                assert_eq!(answer.text, version);
            }
            block_on(plugin.close()).expect("an end");
        }
    }

    #[test]
    fn closing_ends_calls_in_flight() {
        let load = load_plugin(library()).drain_timeout(Duration::ZERO);
        let plugin = block_on(load).expect("a plugin");
        let client = TestClient::new(&plugin);
        let waiting = std::thread::scope(|scope| {
            let (sent, is_sent) = std::sync::mpsc::channel();
            let waiting = scope.spawn(move || {
                block_on(async {
                    let mut stream = client.count(CountRequest { count: u32::MAX, ..CountRequest::default() }).await?;
                    stream.message().await?;
                    let _ = sent.send(());
                    while stream.message().await?.is_some() {}
                    Ok::<_, Error>(())
                })
            });
            is_sent.recv().expect("a message");
            block_on(plugin.close()).expect("an end");
            waiting.join().expect("a thread")
        });
        let error = waiting.expect_err("an end");
        let message = "the connection ended: plugin \"test-plugin\" was closed";
        assert_eq!((error.code(), error.message()), (Code::Unavailable, message));
    }
}
