//! Finding plugins, and loading those that need each other.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyplug_core::{Code, Error};
use anyplug_host::{
    Discovery, DiscoveryOptions, LoadOptions, Look, PluginSource, discover_plugins, load_plugins, register_builtin,
    unregister_builtin,
};
use anyplug_sdk::Plugin;
use serde_json::{Value, json};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("anyplug-discovery-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn file(&self, path: &str, content: impl ToString) -> PathBuf {
        let full = self.0.join(path);
        fs::create_dir_all(full.parent().expect("a folder")).expect("a folder");
        fs::write(&full, content.to_string()).expect("a file");
        full
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn manifest(name: &str) -> Value {
    json!({ "name": name, "version": "1.0.0", "language": "python" })
}

fn names(found: &Discovery) -> Vec<&str> {
    found.plugins.iter().map(|plugin| plugin.name.as_str()).collect()
}

fn assert_reasons(found: &Discovery, expected: &[&str]) {
    let reasons: Vec<_> =
        found.failures.iter().map(|failure| format!("{}: {}", failure.from, failure.error.message())).collect();
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.contains(expected), "{reason}: expected {expected}");
    }
}

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

fn failing() -> Plugin {
    Plugin::new("sql", "1.0.0").configured(|_| Err(Error::unavailable("no database")))
}

/// Registered plugins are the whole program's: one test has them all.
#[tokio::test]
async fn registered_plugins_are_loaded_in_the_order_of_their_dependencies() {
    for name in ["a", "b", "c", "d", "e", "f"] {
        register_builtin(move || Plugin::new(name, "1.0.0")).expect("registered");
    }
    register_builtin(failing).expect("registered");
    let again = register_builtin(|| Plugin::new("a", "2.0.0")).expect_err("twice");
    assert_eq!(again.code(), Code::AlreadyExists);
    let root = Folder::new();
    let paths = vec![root.file("a.json", manifest("a"))];
    let found = discover_plugins(&DiscoveryOptions { paths, ..DiscoveryOptions::default() });
    assert_eq!(names(&found), ["a", "b", "c", "d", "e", "f", "sql"]);
    assert_reasons(&found, &["plugin \"a\" was found before: builtin a"]);

    let with = |all: &[(&str, &[&str])]| {
        let mut plugins = found.plugins.clone();
        for plugin in &mut plugins {
            let own = all.iter().find(|(name, _)| *name == plugin.name);
            plugin.located.manifest.dependencies =
                own.map(|(_, names)| names.iter().map(|name| (*name).to_owned()).collect()).unwrap_or_default();
        }
        plugins
    };
    let plugins = with(&[("a", &["c", "b"]), ("b", &["c"]), ("d", &["sql"]), ("e", &["d"])]);
    let set = load_plugins(&plugins, |_| LoadOptions::default()).await;
    let order: Vec<_> = set.plugins.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(order, ["c", "f", "b", "a"]);
    let why = "plugin \"sql\" refused to start: no database";
    let failures: Vec<_> = set.failures.iter().map(|failure| failure.error.message().to_owned()).collect();
    let needs_sql = format!("plugin \"d\" needs \"sql\", which failed: {why}");
    let needs_d = format!("plugin \"e\" needs \"d\", which failed: {needs_sql}");
    assert_eq!(failures, [why.to_owned(), needs_sql, needs_d]);
    assert_eq!(set.get("b").expect("loaded").transport(), "direct");
    assert_eq!(set.get("sql").expect_err("failed").message(), why);
    let last = set.get("c").expect("loaded").closed();
    set.close().await.expect("closed");
    assert_eq!(last.await.message(), "plugin \"c\" was closed");

    let plugins =
        with(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["d"]), ("e", &["c"]), ("f", &["nowhere"])]);
    let set = load_plugins(&plugins[..6], |_| LoadOptions::default()).await;
    let reason = |name: &str| set.get(name).expect_err("failed").message().to_owned();
    let cycle = "plugins need each other in a cycle: a → b → c → a";
    for name in ["a", "b", "c"] {
        assert_eq!(reason(name), cycle);
    }
    assert_eq!(reason("d"), "plugins need each other in a cycle: d → d");
    assert_eq!(reason("e"), format!("plugin \"e\" needs \"c\", which failed: {cycle}"));
    assert_eq!(reason("f"), "plugin \"f\" needs \"nowhere\", which was not found; add it to what is discovered");

    for name in ["a", "b", "c", "d", "e", "f", "sql"] {
        assert!(unregister_builtin(name));
    }
    assert!(!unregister_builtin("a"));
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
