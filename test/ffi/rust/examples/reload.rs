//! `reload COUNT LIBRARY…`: moves the libraries over one path in turn, and loads, calls and closes each from there; then says what the process has more than before.

#![allow(clippy::expect_used, reason = "a failure is a failed check")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyplug_generated::anyplug::test::v1::{CountRequest, EchoRequest, TestClient};
use anyplug_host::load_plugin;

/// Loads that come before the counting: what is made once is made then.
const FIRST: usize = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let count = arguments.next().and_then(|count| count.into_string().ok()?.parse().ok()).expect("a number of loads");
    let libraries: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let folder = std::env::temp_dir().join(format!("anyplug-reload-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder");
    let mut versions = BTreeSet::new();
    load(&folder, &libraries, FIRST, &mut versions).await;
    let before = usage();
    load(&folder, &libraries, count, &mut versions).await;
    let after = usage();
    std::fs::remove_dir_all(&folder).expect("no folder");
    println!("{{\"before\":{before},\"after\":{after},\"versions\":{}}}", versions.len());
}

async fn load(folder: &Path, libraries: &[PathBuf], times: usize, versions: &mut BTreeSet<String>) {
    let (path, new) = (folder.join("plugin.so"), folder.join("new"));
    for library in libraries.iter().cycle().take(times) {
        std::fs::copy(library, &new).and_then(|_| std::fs::rename(&new, &path)).expect("a copy");
        let plugin = load_plugin(&path).await.expect("a plugin");
        versions.insert(plugin.version().to_string());
        let client = TestClient::new(&plugin);
        client.echo(EchoRequest::default()).await.expect("an answer");
        let mut counted = client.count(CountRequest { count: 3, ..CountRequest::default() }).await.expect("a stream");
        let mut next = 0;
        while let Some(one) = counted.message().await.expect("a message") {
            assert_eq!(one.index, next);
            next += 1;
        }
        assert_eq!(next, 3);
        plugin.close().await.expect("an end");
    }
}

/// KiB of memory, mappings and descriptors of this process, as JSON.
fn usage() -> String {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).map(|rest| rest.replace("kB", ""));
    let mappings = std::fs::read_to_string("/proc/self/maps").expect("mappings").lines().count();
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("descriptors").count();
    let memory = memory.expect("a number");
    format!("{{\"memory\":{},\"mappings\":{mappings},\"descriptors\":{descriptors}}}", memory.trim())
}
