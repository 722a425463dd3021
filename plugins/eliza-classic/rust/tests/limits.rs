//! What is bounded, and that the bounds are told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use eliza_classic::{
    Eliza, MAX_ID_CHARACTERS, MAX_LINE_CHARACTERS, MAX_MEMORIES, MAX_MEMORY_CHARACTERS, MAX_SCRIPT_CHARACTERS, Session,
    Sessions, parse_script,
};

fn remembering() -> Session {
    let rules = "(0 MY 0 = 3)".repeat(4);
    let script = format!("(HI) START (MEMORY MY{rules}) (MY ((0) (OH))) (NONE ((0) (GO ON)))");
    Eliza::new(parse_script(&script).unwrap()).new_session()
}

#[test]
fn a_line_may_be_as_long_as_the_limit_counted_in_characters() {
    let mut session = Eliza::default().new_session();
    assert_eq!(session.reply(&"😀".repeat(MAX_LINE_CHARACTERS)).unwrap(), "I AM NOT SURE I UNDERSTAND YOU FULLY");
    assert!(session.reply(&"my ".repeat(MAX_LINE_CHARACTERS / 3)).unwrap().starts_with("YOUR YOUR YOUR"));
}

#[test]
fn a_longer_line_is_refused_and_the_session_stays_as_it_was() {
    let script = parse_script("(HI) START (A ((B) (C))) (NONE ((0) (GO ON)))").unwrap();
    let mut session = Eliza::new(script).new_session();
    for _ in 0..3 {
        let error = session.reply(&"😀".repeat(MAX_LINE_CHARACTERS + 1)).unwrap_err();
        assert_eq!(error.to_string(), "the line has 65537 characters, and at most 65536 are answered: say it in parts");
    }
    assert_eq!(session.reply("a").unwrap(), "HMMM");
}

#[test]
fn memories_beyond_the_bound_are_not_kept() {
    let mut session = remembering();
    for number in 0..MAX_MEMORIES + 5 {
        session.reply(&format!("my {number}")).unwrap();
    }
    let told = (0..4 * MAX_MEMORIES + 16).map(|_| session.reply("x").unwrap()).filter(|line| line != "GO ON");
    assert!(told.eq((0..MAX_MEMORIES).map(|number| number.to_string())));
}

#[test]
fn memories_that_are_too_long_together_are_not_kept() {
    let mut session = remembering();
    let long = "𝒜".repeat(MAX_LINE_CHARACTERS - 3);
    for said in [long.as_str(), &"A".repeat(MAX_MEMORY_CHARACTERS - 3), "xxxx", "xxx", "x"] {
        session.reply(&format!("my {said}")).unwrap();
    }
    let told: Vec<_> = (0..16).map(|_| session.reply("x").unwrap()).filter(|line| line != "GO ON").collect();
    assert!(told == [long.as_str(), "XXX"]);
}

#[test]
fn sessions_do_not_know_of_each_other() {
    let sessions = Sessions::new(Eliza::default());
    for id in ["0", "1", "2"] {
        assert_eq!(sessions.reply(id, "Men are all alike.").unwrap(), "IN WHAT WAY");
    }
    assert_eq!(sessions.reply("1", "They are alike").unwrap(), "WHAT RESEMBLANCE DO YOU SEE");
    assert_eq!(sessions.reply("2", "They are alike").unwrap(), "WHAT RESEMBLANCE DO YOU SEE");
    assert_eq!(sessions.reply("", "They are alike").unwrap(), "IN WHAT WAY");
}

#[test]
fn the_session_that_was_not_used_for_longest_begins_anew_when_there_are_too_many() {
    let sessions = Sessions::with_max_sessions(Eliza::default(), 2);
    for id in ["a", "b", "a", "c"] {
        sessions.reply(id, "alike").unwrap();
    }
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions.reply("a", "alike").unwrap(), "WHAT DOES THAT SIMILARITY SUGGEST TO YOU");
    assert_eq!(sessions.reply("b", "alike").unwrap(), "IN WHAT WAY");
    assert_eq!(sessions.reply("c", "alike").unwrap(), "IN WHAT WAY");
}

#[test]
fn a_forgotten_session_begins_anew() {
    let sessions = Sessions::new(Eliza::default());
    sessions.reply("a", "alike").unwrap();
    sessions.forget("a");
    sessions.forget("never there");
    assert!(sessions.is_empty());
    assert_eq!(sessions.reply("a", "alike").unwrap(), "IN WHAT WAY");
}

#[test]
fn an_id_that_is_too_long_is_refused() {
    let sessions = Sessions::new(Eliza::default());
    assert_eq!(sessions.reply(&"😀".repeat(MAX_ID_CHARACTERS), "alike").unwrap(), "IN WHAT WAY");
    let error = sessions.reply(&"x".repeat(MAX_ID_CHARACTERS + 1), "alike").unwrap_err();
    assert_eq!(error.to_string(), "the session id has 1025 characters, and at most 1024 serve");
}

#[test]
fn a_script_may_be_as_long_as_the_limit() {
    let script = "(HI) START (NONE ((0) (GO ON)))";
    let script = script.to_owned() + &" ".repeat(MAX_SCRIPT_CHARACTERS - script.len());
    assert_eq!(Eliza::new(parse_script(&script).unwrap()).greeting(), "HI");
}
