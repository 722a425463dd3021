//! Plugins that a program registers, and loading those that need each other. What is registered is found by the whole program, so this program has one test.
#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod found;

use anyplug_core::{Code, Error};
use anyplug_host::{
    DiscoveryOptions, LoadOptions, discover_plugins, load_plugins, register_builtin, unregister_builtin,
};
use anyplug_sdk::Plugin;
use found::{Folder, assert_reasons, manifest, names};

fn failing() -> Plugin {
    Plugin::new("sql", "1.0.0").configured(|_| Err(Error::unavailable("no database")))
}

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
