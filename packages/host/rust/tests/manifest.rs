//! plugin.json.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use anyplug_core::Code;
use anyplug_host::{Manifest, parse_manifest, read_manifest};
use serde_json::{Value, json};

fn vectors(file: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../test/vectors/manifest/").to_owned() + file;
    let cases: Vec<Value> = serde_json::from_slice(&fs::read(path).expect("the vectors")).expect("a list");
    assert!(!cases.is_empty());
    cases
}

fn temporary_folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("anyplug-manifest-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn what_the_vectors_accept_is_read() {
    for case in vectors("accepted.json") {
        let manifest = parse_manifest(&case["manifest"].to_string()).unwrap_or_else(|error| panic!("{case}: {error}"));
        let mut expected = json!({
            "dependencies": [], "capabilities": [], "transports": [], "actions": [], "providers": [], "evaluators": [],
            "services": [], "routes": [], "events": [], "ipcCommand": null, "ipcPort": null,
        });
        let (Some(all), Some(members)) = (expected.as_object_mut(), case["expected"].as_object()) else {
            unreachable!()
        };
        all.extend(members.clone());
        assert_eq!(summary(&manifest), expected, "{}", case["name"]);
    }
}

/// What the vectors say of a manifest.
fn summary(manifest: &Manifest) -> Value {
    let routes: Vec<_> = manifest.routes.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    json!({
        "name": manifest.name,
        "language": manifest.language,
        "dependencies": manifest.dependencies,
        "capabilities": manifest.capabilities,
        "transports": manifest.transports.clone().unwrap_or_default(),
        "ipcCommand": manifest.interop.ipc_command,
        "ipcPort": manifest.interop.ipc_port,
        "actions": manifest.actions.iter().map(|action| &action.name).collect::<Vec<_>>(),
        "providers": manifest.providers.iter().map(|provider| &provider.name).collect::<Vec<_>>(),
        "evaluators": manifest.evaluators.iter().map(|evaluator| &evaluator.name).collect::<Vec<_>>(),
        "services": manifest.services.iter().map(|service| &service.r#type).collect::<Vec<_>>(),
        "routes": routes,
        "events": manifest.events.keys().collect::<Vec<_>>(),
    })
}

#[test]
fn what_does_not_fit_is_named_by_its_path() {
    for case in vectors("refused.json") {
        let error = parse_manifest(&case["manifest"].to_string()).expect_err("refused");
        assert_eq!((error.code(), error.message()), (Code::InvalidArgument, case["error"].as_str().expect("text")));
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
    for case in vectors("paths.json") {
        let outside = temporary_folder();
        let folder = outside.join("plugin");
        for each in [&folder, &outside.join("elsewhere")] {
            fs::create_dir(each).expect("a folder");
        }
        fs::write(outside.join("elsewhere/x.js"), "").expect("a file");
        let manifest = json!({ "name": "x", "version": "1", "language": "python", "interop": case["interop"] });
        fs::write(folder.join("plugin.json"), manifest.to_string()).expect("a file");
        for (name, content) in case["files"].as_object().expect("files") {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            match content["link"].as_str() {
                Some(target) => symlink(target, path).expect("a link"),
                None => fs::write(path, content.as_str().expect("text")).expect("a file"),
            }
        }
        let expected = case["error"].as_str().map(|why| format!("{}: {why}", folder.join("plugin.json").display()));
        let error = read_manifest(&folder).err().map(|error| error.message().to_owned());
        assert_eq!(error, expected, "{}", case["name"]);
        fs::remove_dir_all(outside).expect("the folder");
    }
}
