//! What a script says, after it was read. Nothing here changes in a conversation.

use std::collections::HashMap;

use crate::decompose::{Decomposition, WordLists};

/// The keyword of the rule of last resort. A line cannot say it; a link can.
pub(crate) const NONE: &str = "NONE";

/// A piece of a reassembly.
#[derive(Debug)]
pub(crate) enum Part {
    Word(Box<str>),
    /// The matched part of this number, counted from 1.
    Number(usize),
}

/// What to do when a decomposition matches.
#[derive(Debug)]
pub(crate) enum Reassembly {
    /// Answer with these parts.
    Say(Vec<Part>),
    /// Go on with the rule of another keyword.
    Link(Box<str>),
    /// Rewrite the words, then go on with the rule of another keyword.
    Pre(Vec<Part>, Box<str>),
    /// Go on with the next keyword of the line.
    NewKey,
}

/// A decomposition and its reassemblies, which a session uses in turn.
#[derive(Debug)]
pub(crate) struct Transformation {
    /// The number of this one within the script.
    pub(crate) index: usize,
    pub(crate) decomposition: Decomposition,
    pub(crate) reassemblies: Vec<Reassembly>,
}

/// What is done about a keyword.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) keyword: Box<str>,
    pub(crate) substitute: Option<Box<str>>,
    pub(crate) rank: usize,
    pub(crate) transformations: Vec<Transformation>,
    /// Followed when no transformation matches.
    pub(crate) link: Option<Box<str>>,
}

impl Rule {
    /// Whether the keyword can be the one that is answered.
    pub(crate) fn transforms(&self) -> bool {
        !self.transformations.is_empty() || self.link.is_some()
    }
}

/// How lines with this keyword are remembered: four rules, of which the hash of a line's last word chooses one.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) keyword: Box<str>,
    pub(crate) rules: Vec<(Decomposition, Vec<Part>)>,
}

/// A script of 1966. Make one with [`parse_script`](crate::parse_script).
#[derive(Debug)]
pub struct Script {
    pub(crate) greeting: String,
    /// In the order of the script, without NONE.
    pub(crate) rules: Vec<Rule>,
    pub(crate) places: HashMap<Box<str>, usize>,
    pub(crate) none: Rule,
    pub(crate) memory: Option<Memory>,
    pub(crate) word_lists: WordLists,
    /// How many transformations there are.
    pub(crate) transformations: usize,
}

impl Script {
    /// Returns the rule of a word in a line, if it is a keyword.
    pub(crate) fn keyword_rule(&self, word: &str) -> Option<&Rule> {
        self.rules.get(*self.places.get(word)?)
    }

    /// Returns the rule that a link to the keyword leads to, if there is one.
    pub(crate) fn rule(&self, keyword: &str) -> Option<&Rule> {
        if keyword == NONE { Some(&self.none) } else { self.keyword_rule(keyword) }
    }
}
