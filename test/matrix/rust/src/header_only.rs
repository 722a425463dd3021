//! A host in Rust and plugins in languages that there is no SDK of ours for: what they have of test/matrix/behaviours.json.

use crate::cell::Language;
use crate::list::{self, Wanted};
use crate::run_some;

fn behaviours() -> Vec<Wanted> {
    let list: serde_json::Value = serde_json::from_str(include_str!("../../header-only.json")).expect("a list");
    let wanted = list["behaviours"].as_array().expect("behaviours").clone();
    let chosen: Vec<_> =
        list::behaviours().into_iter().filter(|one| wanted.iter().any(|name| *name == *one.name)).collect();
    assert_eq!(chosen.len(), wanted.len());
    chosen
}

mod between_languages {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    #[test]
    fn c_over_ffi() {
        run_some(Language::C, "ffi", behaviours());
    }

    #[test]
    fn go_over_ffi() {
        let is_built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../plugins/test-plugin/go/bin").exists();
        let has_go = ["go", "/usr/local/go/bin/go"].iter().any(|go| Command::new(go).arg("version").output().is_ok());
        if !is_built && !has_go {
            println!("there is no Go on this machine");
            return;
        }
        run_some(Language::Go, "ffi", behaviours());
    }
}
