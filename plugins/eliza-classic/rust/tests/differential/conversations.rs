//! Random conversations and scripts: words of the script itself, punctuation, any Unicode, and endless repetition.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::Deserialize;

use crate::engines::Request;

#[derive(Deserialize)]
struct Feature {
    script: String,
}

const SEPARATORS: &[&str] =
    &[" ", " ", " ", " ", " ", "  ", ", ", ". ", "? ", "; ", " but ", " - ", "-", "'", "\t", "\u{2028}", ""];

/// The scripts to talk by: DOCTOR first, then one for each feature.
fn scripts() -> Vec<String> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let doctor = fs::read_to_string(data.join("doctor-1966.txt")).unwrap();
    let features: Vec<Feature> = serde_json::from_slice(&fs::read(data.join("features.json")).unwrap()).unwrap();
    std::iter::once(doctor).chain(features.into_iter().map(|feature| feature.script)).collect()
}

/// The words of a script, which are what a line must have to get anywhere.
fn vocabulary(script: &str) -> Vec<String> {
    let words = script.split(|character: char| character.is_whitespace() || "()=*/,.".contains(character));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A conversation by one of the scripts, half of them by DOCTOR.
pub(crate) fn requests() -> impl Strategy<Value = Request> {
    let scripts = scripts();
    prop_oneof![Just(0), 0..scripts.len()].prop_flat_map(move |chosen| {
        let script = scripts.get(chosen).cloned().unwrap();
        let line = line(vocabulary(&script));
        vec(line, 1..40).prop_map(move |lines| Request { script: (chosen > 0).then(|| script.clone()), lines })
    })
}

fn line(vocabulary: Vec<String>) -> impl Strategy<Value = String> {
    let short = vec((word(vocabulary.clone()), select(SEPARATORS)), 0..14);
    let short = short.prop_map(|pieces| pieces.into_iter().map(|(word, separator)| word + separator).collect());
    let endless = (vec(word(vocabulary), 1..4), select(SEPARATORS), 1_usize..800);
    let endless = endless.prop_map(|(words, separator, times)| (words.join(" ") + separator).repeat(times));
    prop_oneof![60 => short, 1 => endless, 3 => any::<String>()]
}

fn word(vocabulary: Vec<String>) -> impl Strategy<Value = String> {
    let known = (select(vocabulary), 0..4).prop_map(|(word, style)| match style {
        0 => word,
        1 => format!("'{word}'"),
        _ => word.to_lowercase(),
    });
    let punctuation = "[ -/:-@\\[-`{-~¡-¿‐-⁞、-〿！-／]{1,3}";
    prop_oneof![20 => known, 2 => "[a-z']{1,9}", 1 => any::<String>(), 1 => punctuation, 1 => "[a-zß-ÿΆ-ώА-џĀ-ɏ]{1,5}"]
}

/// One of the scripts, in which some characters are left out, doubled or replaced, and a line said to it.
pub(crate) fn damaged_scripts() -> impl Strategy<Value = Request> {
    let replacements = vec![
        "", "", "(", ")", "((", "))", "=", " ", "\n", "0", "9", "7654321", "*", "/", "NONE", "DLIST", "PRE", "é",
        "\u{0}",
    ];
    let damage = vec((any::<Index>(), 0_usize..3, select(replacements)), 1..4);
    (select(scripts()), damage, vec("[A-Z ]{0,20}", 0..3)).prop_map(|(script, damage, lines)| {
        let mut script: Vec<String> = script.chars().map(String::from).collect();
        for (place, length, replacement) in damage {
            let start = place.index(script.len());
            let end = (start + length).min(script.len());
            script.splice(start..end, [replacement.to_owned()]);
        }
        Request { script: Some(script.concat()), lines }
    })
}
