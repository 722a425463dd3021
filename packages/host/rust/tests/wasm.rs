//! Plugins in WebAssembly modules.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod fixture;

use anyplug_core::{Code, Error};
use anyplug_host::{CacheFolder, Load, WasmLimits, load_plugin};
use fixture::{Folder, block_on};
use serde_json::json;

/// The limits of tests: the defaults, with what is compiled kept beside the tests.
fn limits() -> WasmLimits {
    let cache = CacheFolder::At(concat!(env!("CARGO_TARGET_TMPDIR"), "/wasm").into());
    WasmLimits { cache, ..WasmLimits::default() }
}

fn failure(load: Load) -> Error {
    block_on(load.wasm(limits())).map(|plugin| plugin.name()).expect_err("a failure")
}

fn fails(load: Load, code: Code, message: &str) {
    let error = failure(load);
    assert_eq!((error.code(), error.message()), (code, message));
}

#[test]
fn a_manifest_without_a_module() {
    let folder = Folder::new(json!({ "interop": { "ipcCommand": "true" } }));
    let file = folder.path.join("plugin.json");
    let message = format!("{}: interop.wasmPath is missing, and transport \"wasm\" needs a module", file.display());
    fails(folder.load().transport("wasm"), Code::FailedPrecondition, &message);
}

#[test]
fn a_module_that_is_not_there_or_none_is_named() {
    let folder = Folder::new(json!({ "interop": { "wasmPath": "bin/x.wasm" } }));
    let file = folder.path.join("bin/x.wasm");
    let error = failure(folder.load());
    assert_eq!(error.code(), Code::NotFound);
    assert!(error.message().starts_with(&format!("there is no module at {}: ", file.display())), "{error}");
    std::fs::create_dir(folder.path.join("bin")).expect("a folder");
    std::fs::write(&file, "(module)").expect("a file");
    fails(folder.load(), Code::InvalidArgument, &format!("{} is no WebAssembly module", file.display()));
    fails(load_plugin(&file), Code::InvalidArgument, &format!("{} is no WebAssembly module", file.display()));
}

#[test]
fn what_a_manifest_prefers() {
    let chosen = |manifest| {
        let folder = Folder::new(manifest);
        let plan = anyplug_host::plan(&folder.path, &Default::default());
        plan.map(|plan| plan.transport).map_err(|error| error.message().replace(&*folder.path.to_string_lossy(), "."))
    };
    let both = json!({ "ipcCommand": "true", "wasmPath": "x.wasm" });
    assert_eq!(chosen(json!({ "interop": both })), Ok("process"));
    assert_eq!(chosen(json!({ "interop": both, "transports": ["wasm", "process"] })), Ok("wasm"));
    let protocol = json!({ "ipcCommand": "true", "wasmPath": "x.wasm", "protocol": "wasm" });
    assert_eq!(chosen(json!({ "interop": protocol })), Ok("wasm"));
    assert_eq!(chosen(json!({ "interop": { "wasmPath": "x.wasm" } })), Ok("wasm"));
    let without = chosen(json!({ "transports": ["wasm"] }));
    let message = "./plugin.json: transports names wasm, and this host has process, stdio for it";
    assert_eq!(without, Err(message.to_owned()));
    let leaving = chosen(json!({ "interop": { "wasmPath": "../x.wasm" } }));
    let message = "./plugin.json: interop.wasmPath: \"../x.wasm\" leaves the plugin's folder";
    assert_eq!(leaving, Err(message.to_owned()));
}

/// With the module of the test plugin, which is built apart.
mod between_languages {
    use std::path::PathBuf;
    use std::time::Duration;

    use anyplug_generated::anyplug::test::v1::harm_request::Kind;
    use anyplug_generated::anyplug::test::v1::{CountRequest, TestClient, WaitRequest};
    use anyplug_host::Plugin;

    use super::*;
    use crate::fixture::{Logs, echo, harm};

    fn module() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../plugins/test-plugin/rust/bin/test-plugin.wasm")
    }

    fn plugin(limits: WasmLimits) -> Plugin {
        block_on(load_plugin(module()).wasm(limits)).expect("a plugin")
    }

    fn close(plugin: &Plugin) {
        block_on(plugin.close()).expect("an end");
    }

    fn works(client: &TestClient) {
        let answer = block_on(client.echo(echo("again"))).expect("an answer");
        assert_eq!(answer.text, "again");
    }

    #[test]
    fn a_module_needs_no_manifest() {
        let plugin = plugin(limits());
        assert_eq!((&*plugin.name(), plugin.transport()), ("test-plugin", "wasm"));
        assert_eq!(plugin.manifest().map(|manifest| &*manifest.language), Some("rust"));
        assert!(plugin.enforced().contains(&"call_timeout: epochs".to_owned()));
        works(&TestClient::new(&plugin));
        close(&plugin);
        let error = block_on(TestClient::new(&plugin).echo(echo("x"))).expect_err("an end");
        assert_eq!(
            (error.code(), error.message()),
            (Code::Unavailable, "the connection ended: plugin \"test-plugin\" was closed")
        );
    }

    #[test]
    fn a_plugin_that_traps_is_replaced_when_the_next_call_comes() {
        let logs = Logs::default();
        let load = load_plugin(module()).wasm(limits()).on_log(logs.taker());
        let plugin = block_on(load).expect("a plugin");
        let client = TestClient::new(&plugin);
        for _ in 0..3 {
            let error = block_on(client.harm(harm(Kind::Kill, "", 0))).expect_err("a trap");
            assert_eq!(error.code(), Code::Internal, "{error}");
            assert!(error.message().starts_with("plugin \"test-plugin\" trapped: "), "{error}");
            works(&client);
        }
        close(&plugin);
    }

    #[test]
    fn a_plugin_that_hangs_is_stopped_at_the_deadline_or_at_its_limit() {
        let quick = plugin(WasmLimits { call_timeout: Duration::from_secs(2), ..limits() });
        let slow = plugin(limits());
        for (plugin, timeout) in [(&quick, None), (&slow, Some(Duration::from_millis(50)))] {
            let client = TestClient::new(plugin);
            let call = client.harm(harm(Kind::Hang, "", 0));
            let call = if let Some(timeout) = timeout { call.timeout(timeout) } else { call };
            let error = block_on(call).map(|_| ()).expect_err("an end");
            assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
            works(&client);
            close(plugin);
        }
    }

    #[test]
    fn fuel_ends_what_takes_too_much_of_it() {
        let plugin = plugin(WasmLimits { fuel: Some(50_000_000), ..limits() });
        let client = TestClient::new(&plugin);
        let error = block_on(client.harm(harm(Kind::Hang, "", 0))).expect_err("an end");
        let message = "plugin \"test-plugin\" used up its 50000000 units of fuel for one call; raise wasm.fuel";
        assert_eq!((error.code(), error.message()), (Code::ResourceExhausted, message));
        works(&client);
        close(&plugin);
    }

    #[test]
    fn instances_of_a_pool_share_the_calls() {
        let plugin = plugin(WasmLimits { instances: 3, ..limits() });
        let client = TestClient::new(&plugin);
        // Each waits in an instance of its own; the trap of one ends none of the others.
        let wait = || client.wait(WaitRequest { ms: 20 });
        let trap = client.harm(harm(Kind::Kill, "", 0));
        let (first, second, trap) = block_on(futures_util::future::join3(wait(), wait(), trap));
        assert_eq!(trap.expect_err("a trap").code(), Code::Internal);
        first.and(second).expect("answers");
        works(&client);
        close(&plugin);
    }

    #[test]
    fn streams_and_timers_work_in_a_module() {
        let plugin = plugin(limits());
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
        });
        close(&plugin);
    }

    #[test]
    fn a_module_over_its_limits_is_refused() {
        let file = module();
        let refused = |limits| block_on(load_plugin(&file).wasm(limits)).map(|_| ()).expect_err("a refusal");
        let error = refused(WasmLimits { max_memory_bytes: 65_536, ..limits() });
        assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
        assert!(error.message().ends_with("and may have 65536; raise wasm.max_memory_bytes"), "{error}");
        let error = refused(WasmLimits { max_wasm_bytes: 1000, ..limits() });
        assert!(error.message().ends_with("and a module may have 1000; raise wasm.max_wasm_bytes"), "{error}");
    }
}
