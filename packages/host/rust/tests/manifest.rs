//! plugin.json.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use anyplug_core::{Code, Error};
use anyplug_host::{Interop, Manifest, parse_manifest, read_manifest};
use serde_json::{Value, json};

fn with(members: Value) -> String {
    let mut manifest = json!({ "name": "eliza-classic", "version": "1.0.0", "language": "python" });
    let (Some(all), Value::Object(members)) = (manifest.as_object_mut(), members) else { unreachable!() };
    all.extend(members);
    manifest.to_string()
}

fn parse(members: Value) -> Result<Manifest, Error> {
    parse_manifest(&with(members))
}

fn temporary_folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("anyplug-manifest-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn a_manifest_of_elizaos_is_read_as_it_is() {
    let manifest = parse(json!({
        "description": "Rogerian",
        "interop": { "protocol": "ipc", "ipcCommand": "python3 main.py", "ipcPort": 9000, "cwd": "python" },
        "config": { "LEVEL": { "type": "string", "required": true } },
        "dependencies": ["sql"],
        "events": { "MESSAGE_RECEIVED": ["onMessage"] },
        "actions": [{ "name": "REPLY", "description": "Answers", "similes": ["ANSWER"],
            "examples": [[{ "name": "u", "content": { "text": "hi" } }]] }],
        "providers": [{ "name": "TIME", "description": "now", "dynamic": true, "position": -1, "private": false }],
        "evaluators": [{ "name": "FACTS", "description": "d", "alwaysRun": true, "similes": [] }],
        "services": [{ "type": "db", "description": "d" }],
        "routes": [{ "path": "/x", "method": "GET", "name": "x", "public": true, "isMultipart": false }],
    }))
    .expect("a manifest");
    let command = Some("python3 main.py".to_owned());
    let cwd = Some("python".to_owned());
    let protocol = Some("ipc".to_owned());
    assert_eq!(
        manifest.interop,
        Interop { protocol, ipc_command: command, ipc_port: Some(9000), cwd, ..Interop::default() }
    );
    assert_eq!(manifest.config.expect("config")["LEVEL"], json!({ "type": "string", "required": true }));
    assert_eq!(manifest.dependencies, ["sql"]);
    assert_eq!(manifest.events["MESSAGE_RECEIVED"], [json!("onMessage")]);
    assert_eq!(manifest.actions[0].examples, [json!([{ "name": "u", "content": { "text": "hi" } }])]);
    assert_eq!(manifest.providers[0].position, Some(-1));
    assert_eq!(manifest.evaluators[0].always_run, Some(true));
    assert_eq!(manifest.services[0].r#type, "db");
    assert_eq!(manifest.routes[0].method, "GET");
}

#[test]
fn members_may_be_spelled_as_in_the_schema_and_others_are_ignored() {
    let manifest = parse(json!({ "interop": { "ipc_command": "x" }, "homepage": "https://example.com" }));
    assert_eq!(manifest.expect("a manifest").interop.ipc_command.as_deref(), Some("x"));
}

#[test]
fn what_does_not_fit_is_named_by_its_path() {
    for (members, why) in [
        (json!({ "name": null }), "name is missing"),
        (json!({ "language": null }), "language is missing"),
        (
            json!({ "name": "Eliza" }),
            "name: expected lower-case letters, digits and dashes, beginning with a letter, got \"Eliza\"",
        ),
        (json!({ "language": "cobol" }), "language: expected one of typescript, rust, python, got \"cobol\""),
        (
            json!({ "interop": { "ipcPort": "80" } }),
            "interop.ipcPort: expected a whole number from 1 to 65535, got \"80\"",
        ),
        (
            json!({ "routes": [{ "path": "/", "method": "GET" }, { "path": "/", "method": "get" }] }),
            "routes[1].method: expected one of GET, POST, PUT, PATCH, DELETE, STATIC, got \"get\"",
        ),
        (json!({ "actions": [{ "name": "A", "similes": [1] }] }), "actions[0].similes[0]: expected text, got 1"),
        (json!({ "events": { "M": "x" } }), "events.M: expected a list, got \"x\""),
        (json!({ "providers": [{}] }), "providers[0].name is missing"),
        (
            json!({ "limits": { "maxMessageBytes": -1 } }),
            "limits.maxMessageBytes: expected a whole number from 0 to 4294967295, got -1",
        ),
        (json!({ "config": [] }), "config: expected an object, got []"),
    ] {
        let error = parse(members).expect_err(why);
        assert_eq!((error.code(), error.message()), (Code::InvalidArgument, why));
    }
}

#[test]
fn a_file_that_is_no_json_is_named() {
    let folder = temporary_folder();
    fs::write(folder.join("plugin.json"), "{ name: 1 }").expect("a file");
    let error = read_manifest(&folder).expect_err("no JSON");
    let start = format!("{}: is not JSON: ", folder.join("plugin.json").display());
    assert!(error.message().starts_with(&start), "{error}");
    fs::remove_dir_all(folder).expect("the folder");
}

#[test]
fn what_is_not_there_is_named() {
    let folder = temporary_folder();
    let error = read_manifest(&folder.join("none")).expect_err("no plugin");
    let missing = format!("there is no plugin at {}", folder.join("none").display());
    assert_eq!((error.code(), error.message()), (Code::NotFound, missing.as_str()));
    let error = read_manifest(&folder).expect_err("no plugin.json");
    let missing = format!("the folder {} has no plugin.json", folder.display());
    assert_eq!((error.code(), error.message()), (Code::NotFound, missing.as_str()));
    fs::remove_dir_all(folder).expect("the folder");
}

#[test]
fn paths_stay_in_the_plugins_folder() {
    let folder = temporary_folder();
    for (interop, why) in [
        (json!({ "cwd": "../other" }), Some("interop.cwd: \"../other\" leaves the plugin's folder")),
        (json!({ "wasmPath": "/etc/passwd" }), Some("interop.wasmPath: \"/etc/passwd\" leaves the plugin's folder")),
        (json!({ "sharedLibPath": "a/../../b.so" }), Some("interop.sharedLibPath")),
        (json!({ "module": "./../x.js" }), Some("interop.module")),
        (json!({ "ipcCommand": "../bin/x --flag", "cwd": "." }), Some("interop.ipcCommand")),
        (json!({ "ipcCommand": "../bin/x --flag", "cwd": "sub" }), None),
        (json!({ "ipcCommand": "/usr/bin/env x", "wasmPath": "./a/../b.wasm", "module": "a.b" }), None),
    ] {
        fs::write(folder.join("plugin.json"), with(json!({ "interop": interop }))).expect("a file");
        match (read_manifest(&folder), why) {
            (Ok(_), None) => {}
            (Err(error), Some(why)) => assert!(error.message().contains(why), "{error}"),
            (result, why) => panic!("{interop}: {result:?}, expected {why:?}"),
        }
    }
    fs::remove_dir_all(folder).expect("the folder");
}
