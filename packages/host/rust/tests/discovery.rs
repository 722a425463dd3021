//! Finding plugins.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod found;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyplug_core::Code;
use anyplug_host::{DiscoveryOptions, Look, PluginSource, discover_plugins};
use found::{Folder, assert_reasons, manifest, names};
use serde_json::json;

#[test]
fn a_folder_gives_its_plugins_and_a_broken_one_hinders_none() {
    let root = Folder::new();
    root.file("plugins/b/plugin.json", manifest("bee"));
    root.file("plugins/a/plugin.json", manifest("ay"));
    root.file("plugins/broken/plugin.json", "{");
    root.file("plugins/data/readme.txt", "");
    let folders = vec![root.0.join("none"), root.0.join("plugins")];
    let found = discover_plugins(&DiscoveryOptions { folders, ..DiscoveryOptions::default() });
    assert_eq!(names(&found), ["ay", "bee"]);
    assert_eq!(found.plugins[0].source, PluginSource::Folder);
    assert_reasons(&found, &["there is no folder of plugins at", "broken/plugin.json: is not JSON"]);
}

#[test]
fn paths_are_folders_manifests_modules_and_executable_files() {
    let root = Folder::new();
    root.file("one/plugin.json", manifest("one"));
    let paths = vec![
        root.0.join("one"),
        root.file("two.json", manifest("two")),
        root.file("My_Plugin.py", ""),
        root.file("it's.mjs", ""),
        root.file("again.json", manifest("two")),
        root.0.join("one/plugin.json"),
        root.file("notes.txt", ""),
        "python:my_package.weather:it".into(),
        "python:no module".into(),
    ];
    let found = discover_plugins(&DiscoveryOptions { paths, ..DiscoveryOptions::default() });
    assert_eq!(names(&found), ["one", "two", "my-plugin", "it-s", "weather"]);
    let command = |at: usize| found.plugins[at].located.manifest.interop.ipc_command.clone().unwrap_or_default();
    assert_eq!(command(2), "python -m anyplug.run ./My_Plugin.py");
    assert!(command(3).ends_with(r"'./it'\''s.mjs'"), "{}", command(3));
    assert_eq!(command(4), "python -m anyplug.run my_package.weather:it");
    assert_reasons(&found, &["\"two\" was found before: path ", "notes.txt is no plugin", "is no Python module"]);
    assert_eq!(found.failures[0].error.code(), Code::AlreadyExists);
}

#[test]
fn npm_packages_are_plugins_by_keyword() {
    let root = Folder::new();
    root.file("node_modules/plain/package.json", json!({ "keywords": ["plugin"] }));
    root.file("node_modules/loose.txt", "");
    root.file("node_modules/garbled/package.json", "{");
    root.file("packages/weather/package.json", json!({ "keywords": ["anyplug-plugin"] }));
    root.file("packages/weather/plugin.json", manifest("weather"));
    symlink("../packages/weather", root.0.join("node_modules/weather")).expect("a link");
    root.file("node_modules/@scope/notes/package.json", json!({ "anyplug": "dist/plugin.json" }));
    root.file("node_modules/@scope/notes/dist/plugin.json", manifest("notes"));
    root.file("node_modules/empty/package.json", json!({ "keywords": ["anyplug-plugin"] }));
    root.file("node_modules/escapes/package.json", json!({ "anyplug": "../weather/plugin.json" }));
    root.file("node_modules/odd/package.json", json!({ "anyplug": {} }));
    let npm = Look::In(vec![root.0.clone()]);
    let found = discover_plugins(&DiscoveryOptions { npm, ..DiscoveryOptions::default() });
    assert_eq!(names(&found), ["notes", "weather"]);
    assert_eq!(found.plugins[0].from, "@scope/notes");
    assert_reasons(&found, &["plugin.json; add it", "leaves the plugin's folder", "expected the path of the manifest"]);
}

#[test]
fn python_packages_are_plugins_by_their_entry_points() {
    let root = Folder::new();
    let site = "venv/lib/python3.11/site-packages";
    let python = root.file("venv/bin/python", "");
    let points = "[console_scripts]\nx = x:main\n\n[anyplug.plugins]\nweather = weather.main:plugin [extra]\n";
    root.file(&format!("{site}/weather-1.0.dist-info/entry_points.txt"), points);
    root.file(&format!("{site}/weather/plugin.json"), manifest("weather"));
    let points = "[jusu.plugins]\nLoose_One=loose : it\nbad = not a module\n";
    root.file(&format!("{site}/loose-1.0.dist-info/entry_points.txt"), points);
    let environments = Look::In(vec![root.0.join("venv"), root.0.clone()]);
    let found = discover_plugins(&DiscoveryOptions { python: environments, ..DiscoveryOptions::default() });
    assert_eq!(names(&found), ["loose-one", "weather"]);
    let located = &found.plugins[0].located;
    assert_eq!(located.manifest.interop.ipc_command.as_deref(), Some("python -m anyplug.run loose:it"));
    assert_eq!(located.python.as_deref().map(Path::new), Some(python.as_path()));
    assert_eq!(found.plugins[1].located.folder, root.0.join(site).join("weather"));
    assert_reasons(&found, &["is no Python module", "there is no Python environment"]);
}

/// Plugins without a plugin.json.
mod between_languages {
    use super::*;
    use anyplug_generated::greeter::v1::{GreetRequest, GreeterClient};
    use anyplug_host::{Load, PythonPluginLoader, TypeScriptPluginLoader, load_plugin};

    const TYPESCRIPT: &str = r#"
import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { definePlugin, implement } from "@anyplug/sdk";
const greeter = implement(Greeter, { greet: ({ name }) => ({ text: "Hello, " + name }), async *greetAll() {} });
export const plugin = definePlugin({ name: "greeter", version: "2.0.0", services: [greeter] });
"#;
    const PYTHON: &str = r#"
from anyplug import define_plugin, implement
from anyplug_generated.greeter.v1 import GreetResponse
from anyplug_generated.greeter.v1.greeter_anyplug import Greeter, GreeterHandler

class Polite(GreeterHandler):
    def greet(self, request, context):
        return GreetResponse(text=f"Hello, {request.name}")

plugin = define_plugin(name="greeter", version="2.0.0", services=[implement(Greeter, Polite())])
"#;

    async fn greets(load: Load) {
        let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");
        let load = load.start_timeout(Duration::from_secs(60)).python(format!("{repository}/.venv/bin/python"));
        let plugin = load.await.expect("a plugin");
        let greeter = GreeterClient::new(&plugin);
        let greeting = greeter.greet(GreetRequest { name: "Ada".into() }).await.expect("a greeting");
        assert_eq!((plugin.name().as_str(), greeting.text.as_str()), ("greeter", "Hello, Ada"));
        plugin.close().await.expect("closed");
    }

    #[tokio::test]
    async fn are_loaded_as_they_are() {
        let root = Folder::new();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().expect("the repository");
        symlink(repository.join("node_modules"), root.0.join("node_modules")).expect("a link");
        let module = root.file("plugin.mjs", TYPESCRIPT);
        let file = root.file("my_plugin.py", PYTHON);
        let path = root.0.to_string_lossy().into_owned();
        greets(load_plugin(&module)).await;
        greets(TypeScriptPluginLoader::default().load(&module)).await;
        greets(load_plugin(&file)).await;
        greets(PythonPluginLoader::default().load(&file.to_string_lossy())).await;
        greets(PythonPluginLoader::default().load("my_plugin").env("PYTHONPATH", path.clone())).await;
        greets(PythonPluginLoader::default().load("my_plugin:plugin").env("PYTHONPATH", path)).await;
        let error = TypeScriptPluginLoader::default().load(&file).await.expect_err("Python");
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.message().contains("expected a plugin in typescript"), "{error}");
    }
}
