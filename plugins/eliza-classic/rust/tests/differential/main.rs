//! The three implementations give the same answers to any input, and the same errors for any script.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod conversations;
mod engines;

use std::cell::RefCell;

use engines::{Answer, Engines, Request};
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};

/// Runs a property over random values. On failure it prints the smallest value that fails, and keeps the seed.
fn check<S: proptest::strategy::Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value)) {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential/seeds.txt");
    let failure_persistence = Some(Box::new(FileFailurePersistence::Direct(seeds)) as Box<_>);
    let config = Config { cases, failure_persistence, max_shrink_time: 20_000, ..Config::default() };
    let result = TestRunner::new(config).run(strategy, |value| {
        test(value);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Tests that a change in any language can break.
mod between_languages {
    use super::*;

    #[test]
    fn any_conversation_gets_the_same_answers() {
        let engines = RefCell::new(Engines::start());
        check(400, &conversations::requests(), |request| {
            let answer = engines.borrow_mut().agreed(&request);
            assert!(matches!(answer, Answer::Replies { .. }), "{answer:?}");
        });
    }

    #[test]
    fn any_script_is_taken_or_refused_for_the_same_reason() {
        let engines = RefCell::new(Engines::start());
        let (refused, taken) = (RefCell::new(0), RefCell::new(0));
        check(1500, &conversations::damaged_scripts(), |request| {
            let count = match engines.borrow_mut().agreed(&request) {
                Answer::Error { .. } => &refused,
                Answer::Replies { .. } => &taken,
            };
            *count.borrow_mut() += 1;
        });
        // Otherwise this test would say nothing.
        assert!(refused.into_inner() > 100 && taken.into_inner() > 50);
    }

    #[test]
    fn every_character_counts_as_the_same() {
        let mut engines = Engines::start();
        let script = Some("(HI) START (NONE ((0) (1)))".to_owned());
        let listed = (0..0x2_0000).chain(0xE_0000..0xE_2000);
        let others = (0x2_0000..0x11_0000).step_by(0x101);
        let lines: Vec<_> = listed.chain(others).filter_map(char::from_u32).map(|each| format!("x{each}y")).collect();
        let sizes: Vec<_> = lines
            .chunks(10_000)
            .map(|lines| match engines.agreed(&Request { script: script.clone(), lines: lines.to_vec() }) {
                Answer::Replies { replies, .. } => replies.len(),
                Answer::Error { error } => panic!("{error}"),
            })
            .collect();
        assert_eq!(sizes.iter().sum::<usize>(), lines.len());
    }

    #[test]
    fn lines_of_the_greatest_length_get_the_same_answers() {
        let mut engines = Engines::start();
        for piece in
            ["my ", "i you ", "i feel i ", "you are ", "remember ", "a", "'", "- ", ",", "é ", "😀", "dream dreams "]
        {
            let times = eliza_classic::MAX_LINE_CHARACTERS / piece.chars().count();
            let lines = vec![piece.repeat(times), piece.repeat(times), "my hat".to_owned(), piece.repeat(times)];
            engines.agreed(&Request { script: None, lines });
        }
        let lines = vec!["x".repeat(eliza_classic::MAX_LINE_CHARACTERS + 1)];
        assert!(matches!(engines.agreed(&Request { script: None, lines }), Answer::Error { .. }));
    }

    #[test]
    fn the_bounds_on_links_are_the_same() {
        let mut engines = Engines::start();
        let script = "(HI) START (COUNT ((COUNT X 0) (PRE (COUNT 3) (=COUNT))) ((0) (COUNTED))) (NONE ((0) (GO ON)))";
        // 1,000 links and one more, and 100 links that carry a little less and a little more than a million words.
        let lines = [(0, 0), (1_000, 0), (1_001, 0), (100, 9_949), (100, 9_950), (30_000, 0)]
            .map(|(links, more)| "count".to_owned() + &" x".repeat(links) + &" y".repeat(more));
        match engines.agreed(&Request { script: Some(script.to_owned()), lines: lines.to_vec() }) {
            Answer::Replies { replies, .. } => {
                assert_eq!(replies, ["COUNTED", "COUNTED", "I SEE", "COUNTED", "HMMM", "GO ON, PLEASE"]);
            }
            Answer::Error { error } => panic!("{error}"),
        }
    }
}
