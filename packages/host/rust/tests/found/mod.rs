//! What the tests of finding plugins share.
#![allow(unreachable_pub, clippy::expect_used, reason = "a failure is a failed test")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use anyplug_host::Discovery;
use serde_json::{Value, json};

/// A folder for one test, removed when it is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("anyplug-discovery-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    pub fn file(&self, path: &str, content: impl ToString) -> PathBuf {
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

pub fn manifest(name: &str) -> Value {
    json!({ "name": name, "version": "1.0.0", "language": "python" })
}

pub fn names(found: &Discovery) -> Vec<&str> {
    found.plugins.iter().map(|plugin| plugin.name.as_str()).collect()
}

pub fn assert_reasons(found: &Discovery, expected: &[&str]) {
    let reasons: Vec<_> =
        found.failures.iter().map(|failure| format!("{}: {}", failure.from, failure.error.message())).collect();
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.contains(expected), "{reason}: expected {expected}");
    }
}
