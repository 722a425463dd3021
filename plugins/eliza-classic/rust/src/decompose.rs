//! Decompositions: patterns over words, and how a line's words fall into their parts.
//!
//! Leftmost and shortest for each `0`, from the left, is what taking the first place of each run of parts between two
//! zeros gives; so nothing is tried twice, and a match takes time in proportion to the words.

use std::collections::HashSet;

/// The lists of words in the decompositions of a script. They are known when all of the script is: tags say who is in.
pub(crate) type WordLists = Vec<HashSet<Box<str>>>;

/// A piece of a decomposition.
#[derive(Debug)]
pub(crate) enum Element {
    /// This word.
    Word(Box<str>),
    /// A word of the list with this number.
    OneOf(usize),
    /// Exactly so many words, or any number of words if it is 0.
    Count(usize),
}

/// The parts between two zeros: together they take a fixed number of words.
#[derive(Debug, Default)]
struct Run {
    length: usize,
    part_lengths: Vec<usize>,
    /// What stands at an offset: a word, or one of a list.
    tests: Vec<(usize, Element)>,
}

/// A pattern, cut at its zeros. Without a zero there is a first run only.
#[derive(Debug)]
pub(crate) struct Decomposition {
    pub(crate) parts: usize,
    /// The fewest words that can match.
    shortest: usize,
    first: Run,
    middle: Vec<Run>,
    last: Option<Run>,
}

impl Decomposition {
    /// Makes the decomposition that consists of these elements.
    pub(crate) fn new(elements: Vec<Element>) -> Self {
        let parts = elements.len();
        let mut runs = Vec::new();
        let mut run = Run::default();
        for element in elements {
            let length = match element {
                Element::Count(0) => {
                    runs.push(std::mem::take(&mut run));
                    continue;
                }
                Element::Count(words) => words,
                Element::Word(_) | Element::OneOf(_) => {
                    run.tests.push((run.length, element));
                    1
                }
            };
            run.part_lengths.push(length);
            // On a machine of 32 bits a script can ask for more words than there are numbers.
            run.length = run.length.saturating_add(length);
        }
        let shortest = runs.iter().fold(run.length, |sum, run: &Run| sum.saturating_add(run.length));
        if runs.is_empty() {
            return Self { parts, shortest, first: run, middle: runs, last: None };
        }
        let first = runs.remove(0);
        Self { parts, shortest, first, middle: runs, last: Some(run) }
    }

    /// Whether there is nothing but zeros in it.
    pub(crate) fn matches_everything(&self) -> bool {
        self.last.is_some() && self.shortest == 0
    }
}

/// Returns where the parts begin and end, or nothing if the words do not match. Part n, counted from 1, is
/// `words[bounds[n - 1]..bounds[n]]`.
pub(crate) fn decompose(decomposition: &Decomposition, words: &[&str], lists: &WordLists) -> Option<Vec<usize>> {
    let Decomposition { parts, shortest, first, middle, last } = decomposition;
    let room = words.len().checked_sub(*shortest)?;
    if (room > 0 && last.is_none()) || !first.fits(words, 0, lists) {
        return None;
    }
    let mut bounds = Vec::with_capacity(parts + 1);
    bounds.push(0);
    let mut at = first.place(0, &mut bounds);
    for run in middle {
        let start = run.find(words, at, lists)?;
        bounds.push(start);
        at = run.place(start, &mut bounds);
    }
    if let Some(run) = last {
        let start = words.len() - run.length;
        if start < at || !run.fits(words, start, lists) {
            return None;
        }
        bounds.push(start);
        run.place(start, &mut bounds);
    }
    Some(bounds)
}

impl Run {
    fn fits(&self, words: &[&str], start: usize, lists: &WordLists) -> bool {
        self.tests.iter().all(|(offset, accepted)| {
            words.get(start + offset).is_some_and(|word| match accepted {
                Element::Word(text) => **text == **word,
                Element::OneOf(list) => lists.get(*list).is_some_and(|list| list.contains(*word)),
                Element::Count(_) => true,
            })
        })
    }

    /// Returns the first place from `start` on where the run fits.
    fn find(&self, words: &[&str], start: usize, lists: &WordLists) -> Option<usize> {
        (start..=words.len().checked_sub(self.length)?).find(|at| self.fits(words, *at, lists))
    }

    /// Adds where the parts end, and returns where the last one does.
    fn place(&self, start: usize, bounds: &mut Vec<usize>) -> usize {
        self.part_lengths.iter().fold(start, |at, length| {
            bounds.push(at + length);
            at + length
        })
    }
}
