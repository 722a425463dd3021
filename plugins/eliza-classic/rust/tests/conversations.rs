//! The shared conversations: what ELIZA answers is the same in every language.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use eliza_classic::{Eliza, parse_script};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Debug, Deserialize, PartialEq)]
struct Exchange {
    r#in: String,
    out: String,
}

#[derive(Deserialize)]
struct Feature {
    name: String,
    script: String,
    greeting: String,
    sessions: Vec<Vec<Exchange>>,
}

#[derive(Deserialize)]
struct Malformed {
    name: String,
    script: Text,
    line: usize,
    column: usize,
    reason: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    Repeated(Vec<(String, usize)>),
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data").join(name)
}

fn shared<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&fs::read(path(name)).unwrap()).unwrap()
}

fn text_of_case(script: Text) -> String {
    match script {
        Text::Whole(text) => text,
        Text::Repeated(pieces) => pieces.iter().map(|(text, times)| text.repeat(*times)).collect(),
    }
}

fn answers(eliza: &Eliza, session: &[Exchange]) -> Vec<Exchange> {
    let mut conversation = eliza.new_session();
    session
        .iter()
        .map(|said| Exchange { r#in: said.r#in.clone(), out: conversation.reply(&said.r#in).unwrap() })
        .collect()
}

#[test]
fn the_conversation_of_the_paper_comes_out_word_for_word() {
    let conversation: Vec<Exchange> = shared("paper-conversation.json");
    assert_eq!(answers(&Eliza::default(), &conversation), conversation);
}

#[test]
fn the_conversations_of_another_implementation_come_out_word_for_word() {
    for session in shared::<Vec<Vec<Exchange>>>("eliza-sessions.json") {
        assert_eq!(answers(&Eliza::default(), &session), session);
    }
}

#[test]
fn the_greeting_is_the_one_of_the_script() {
    assert_eq!(Eliza::default().greeting(), "HOW DO YOU DO. PLEASE TELL ME YOUR PROBLEM");
}

#[test]
fn scripts_can_use_every_feature() {
    for Feature { name, script, greeting, sessions } in shared::<Vec<Feature>>("features.json") {
        let eliza = Eliza::new(parse_script(&script).unwrap_or_else(|error| panic!("{name}: {error}")));
        assert_eq!(eliza.greeting(), greeting, "{name}");
        for session in sessions {
            assert_eq!(answers(&eliza, &session), session, "{name}");
        }
    }
}

#[test]
fn malformed_scripts_are_refused_with_line_and_reason() {
    for Malformed { name, script, line, column, reason } in shared::<Vec<Malformed>>("malformed-scripts.json") {
        let error = parse_script(&text_of_case(script)).expect_err(&name);
        assert_eq!((error.line(), error.column(), error.reason()), (line, column, reason.as_str()), "{name}");
        assert_eq!(error.to_string(), format!("line {line}, column {column}: {reason}"));
    }
}

#[test]
fn the_script_in_the_crate_is_the_one_that_all_languages_have() {
    // A copy, because a link would not survive npm pack or a checkout on Windows. After a change: copy it to the three.
    let shipped = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/doctor-1966.txt");
    assert!(fs::read(shipped).unwrap() == fs::read(path("doctor-1966.txt")).unwrap());
}
