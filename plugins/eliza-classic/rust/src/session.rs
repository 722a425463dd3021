//! One conversation.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::decompose::decompose;
use crate::errors::InputError;
use crate::hash::hash_of;
use crate::reassemble::reassemble;
use crate::script::{Memory, Reassembly, Rule, Script, Transformation};
use crate::words::{plain_of, text_of, words_in};

/// The most memories that wait in a session; while so many wait, nothing more is remembered.
pub const MAX_MEMORIES: usize = 1_000;
/// The most characters in the memories that wait in a session; one that would make it more is not kept.
pub const MAX_MEMORY_CHARACTERS: usize = 65_536;
/// The most links that are followed for one answer.
const MAX_LINKS: usize = 1_000;
/// The most words that the links followed for one answer carry, all together.
const MAX_LINKED_WORDS: usize = 1_000_000;

/// The built-in lines for LIMIT 1 to 4.
const AT_A_LOSS: [&str; 4] = ["PLEASE CONTINUE", "HMMM", "GO ON, PLEASE", "I SEE"];

/// A decomposition that matched, and where its parts begin and end.
struct Match<'a> {
    transformation: &'a Transformation,
    bounds: Vec<usize>,
}

/// A conversation: what was said in it changes later answers in it, and in no other.
#[derive(Debug)]
pub struct Session {
    script: Arc<Script>,
    state: State,
}

/// What a session knows.
#[derive(Debug)]
struct State {
    /// LIMIT less 1.
    limit: usize,
    /// For each transformation, the number of the reassembly that is used next.
    turns: Vec<usize>,
    memories: VecDeque<String>,
    memory_characters: usize,
}

impl Session {
    /// Begins a conversation.
    #[must_use]
    pub fn new(script: Arc<Script>) -> Self {
        let turns = vec![0; script.transformations];
        Self { script, state: State { limit: 0, turns, memories: VecDeque::new(), memory_characters: 0 } }
    }

    /// Returns the answer to a line, in capitals.
    ///
    /// # Errors
    ///
    /// The line is longer than [`MAX_LINE_CHARACTERS`](crate::MAX_LINE_CHARACTERS); the session stays as it was.
    pub fn reply(&mut self, line: &str) -> Result<String, InputError> {
        let plain = plain_of(line)?;
        let mut said = words_in(&plain);
        let state = &mut self.state;
        state.limit = (state.limit + 1) % AT_A_LOSS.len();
        let (keywords, words) = scan(&self.script, &mut said);
        if keywords.is_empty()
            && state.limit + 1 == AT_A_LOSS.len()
            && let Some(memory) = state.memories.pop_front()
        {
            state.memory_characters -= memory.chars().count();
            return Ok(memory);
        }
        Ok(state.answer(&self.script, &keywords, words))
    }
}

/// Returns the rules of the keywords, the first to be tried first, and the words of their clause.
fn scan<'a, 'w>(script: &'a Script, said: &'w mut [&'a str]) -> (Vec<&'a Rule>, &'w [&'a str]) {
    let mut front = Vec::new();
    let mut back = Vec::new();
    let mut highest = 0;
    let mut start = 0;
    let mut end = said.len();
    for (at, word) in said.iter_mut().enumerate() {
        if matches!(*word, "," | "." | "BUT") {
            if !front.is_empty() || !back.is_empty() {
                end = at;
                break;
            }
            start = at + 1;
        } else if let Some(rule) = script.keyword_rule(word) {
            if rule.transforms() && rule.rank > highest {
                highest = rule.rank;
                front.push(rule);
            } else if rule.transforms() {
                back.push(rule);
            }
            if let Some(substitute) = &rule.substitute {
                *word = substitute;
            }
        }
    }
    front.reverse();
    front.append(&mut back);
    (front, said.get(start..end).unwrap_or_default())
}

impl State {
    fn answer<'a>(&mut self, script: &'a Script, keywords: &[&'a Rule], clause: &[&'a str]) -> String {
        let mut words = Cow::Borrowed(clause);
        let mut matches: HashMap<&str, Option<Match<'a>>> = HashMap::new();
        let mut waiting = keywords.iter().copied().chain(std::iter::once(&script.none));
        let mut next = waiting.next();
        let mut links = 0;
        let mut linked_words = 0;
        let mut to_remember = script.memory.as_ref();
        while let Some(rule) = next {
            if let Some(memory) = to_remember.take_if(|memory| memory.keyword == rule.keyword) {
                self.remember(script, memory, &words);
            }
            let found = matches.entry(&rule.keyword).or_insert_with(|| match_of(script, rule, &words));
            let target = match found {
                None => rule.link.as_deref(),
                Some(found) => match self.next_reassembly(found.transformation) {
                    Some(Reassembly::Say(parts)) => return text_of(&reassemble(parts, &words, &found.bounds)),
                    None | Some(Reassembly::NewKey) => {
                        next = waiting.next();
                        continue;
                    }
                    Some(Reassembly::Link(keyword)) => Some(&**keyword),
                    Some(Reassembly::Pre(parts, keyword)) => {
                        words = Cow::Owned(reassemble(parts, &words, &found.bounds));
                        matches.clear();
                        Some(&**keyword)
                    }
                },
            };
            links += 1;
            linked_words += words.len();
            let bounded = links <= MAX_LINKS && linked_words <= MAX_LINKED_WORDS;
            next = target.filter(|_| bounded).and_then(|target| script.rule(target));
        }
        AT_A_LOSS.get(self.limit).copied().unwrap_or_default().to_owned()
    }

    fn next_reassembly<'a>(&mut self, transformation: &'a Transformation) -> Option<&'a Reassembly> {
        let turn = self.turns.get_mut(transformation.index)?;
        let reassembly = transformation.reassemblies.get(*turn);
        *turn = (*turn + 1) % transformation.reassemblies.len();
        reassembly
    }

    fn remember(&mut self, script: &Script, memory: &Memory, words: &[&str]) {
        if self.memories.len() >= MAX_MEMORIES {
            return;
        }
        let Some((decomposition, parts)) = memory.rules.get(hash_of(words.last().copied().unwrap_or_default())) else {
            return;
        };
        let Some(bounds) = decompose(decomposition, words, &script.word_lists) else {
            return;
        };
        let text = text_of(&reassemble(parts, words, &bounds));
        let characters = text.chars().count();
        if self.memory_characters + characters <= MAX_MEMORY_CHARACTERS {
            self.memories.push_back(text);
            self.memory_characters += characters;
        }
    }
}

/// Returns the first decomposition of the rule that the words match.
fn match_of<'a>(script: &Script, rule: &'a Rule, words: &[&str]) -> Option<Match<'a>> {
    rule.transformations.iter().find_map(|transformation| {
        let bounds = decompose(&transformation.decomposition, words, &script.word_lists)?;
        Some(Match { transformation, bounds })
    })
}
