//! The grammar of scripts: text in the form of 1966 to a Script, or the first place where it is not in that form.
//!
//! The form is nested four lists deep at most, and each kind of list has a function here: a deeper one is refused where
//! it opens, so no script can exhaust the stack.

use std::collections::{HashMap, HashSet};

use crate::decompose::{Decomposition, Element};
use crate::errors::ScriptError;
use crate::links::endless_link;
use crate::reader::Reader;
use crate::script::{Memory, NONE, Part, Reassembly, Rule, Script, Transformation};
use crate::tokens::Token;
use crate::words::text_of;

const MEMORY: &str = "MEMORY";
const MEMORY_RULES: usize = 4;
const LINK: &str = "a link is = and one keyword, as (=WHAT)";
const PRE: &str = "PRE is followed by a reassembly and a link, as (PRE (I ARE 3) (=YOU))";
const RULE: &str = "a rule is a keyword, then = and a substitute, DLIST and tags, a rank, transformations and a link";

/// Returns the script that the text says.
///
/// # Errors
///
/// The text is not a script; the error says where and why.
pub fn parse_script(text: &str) -> Result<Script, ScriptError> {
    let parser = Parser {
        reader: Reader::new(text)?,
        keywords: HashMap::new(),
        rules: Vec::new(),
        none: None,
        memory: None,
        tags: HashMap::new(),
        lists: Vec::new(),
        transformations: 0,
    };
    parser.script()
}

struct Parser<'s> {
    reader: Reader<'s>,
    keywords: HashMap<String, Token>,
    rules: Vec<Rule>,
    none: Option<Rule>,
    memory: Option<Memory>,
    tags: HashMap<String, HashSet<Box<str>>>,
    lists: Vec<List>,
    transformations: usize,
}

/// A list in a decomposition: its words, or tags, of which the words are known when all rules are.
enum List {
    Words(HashSet<Box<str>>),
    Tags(Vec<String>),
}

impl Parser<'_> {
    fn script(mut self) -> Result<Script, ScriptError> {
        self.reader.open("a script begins with the greeting, a list")?;
        let mut greeting = Vec::new();
        while let Some(token) = self.reader.plain_token("the greeting is a list of words")? {
            greeting.push(token.text);
        }
        if greeting.is_empty() {
            return Err(self.reader.error_here("the greeting is empty"));
        }
        self.reader.close();
        if !self.reader.at("START") {
            return Err(self.reader.unexpected("START follows the greeting"));
        }
        self.reader.take();
        while !self.reader.at("") && self.rule()? {}
        if !self.reader.at("") {
            return Err(self.reader.unexpected("nothing follows the empty list that ends a script"));
        }
        let Some(none) = self.none else {
            return Err(self.reader.error_here("there is no rule NONE"));
        };
        let words_of = |list| match list {
            List::Words(words) => words,
            List::Tags(tags) => tags.iter().flat_map(|tag| self.tags.get(tag).into_iter().flatten()).cloned().collect(),
        };
        let script = Script {
            greeting: text_of(&greeting.iter().map(String::as_str).collect::<Vec<_>>()),
            places: (0..).zip(&self.rules).map(|(place, rule)| (rule.keyword.clone(), place)).collect(),
            rules: self.rules,
            none,
            memory: self.memory,
            word_lists: self.lists.into_iter().map(words_of).collect(),
            transformations: self.transformations,
        };
        match endless_link(&script).and_then(|keyword| self.keywords.get(keyword)) {
            Some(token) => {
                Err(self.reader.error(format!("the links from {} never lead to an answer", token.text), token))
            }
            None => Ok(script),
        }
    }

    /// Reads a rule, or the empty list that ends the script; then the result is false.
    fn rule(&mut self) -> Result<bool, ScriptError> {
        if self.reader.at(")") {
            return Err(self.reader.error_here("this bracket closes no list"));
        }
        self.reader.open("a rule is a list")?;
        if self.reader.at(")") {
            self.reader.close();
            return Ok(false);
        }
        let keyword = self.reader.word("a rule begins with its keyword")?;
        if let Some(known) = self.keywords.get(&keyword.text) {
            let reason = format!("{} has a rule already, in line {}", keyword.text, known.line);
            return Err(self.reader.error(reason, &keyword));
        }
        self.keywords.insert(keyword.text.clone(), keyword.clone());
        match keyword.text.as_str() {
            MEMORY => self.memory = Some(self.memory_rule()?),
            NONE => self.none = Some(self.keyword_rule(NONE)?),
            text => {
                let rule = self.keyword_rule(text)?;
                self.rules.push(rule);
            }
        }
        self.reader.close();
        Ok(true)
    }

    fn keyword_rule(&mut self, keyword: &str) -> Result<Rule, ScriptError> {
        if keyword == NONE && !matches!(self.reader.next.text.as_str(), "(" | ")" | "") {
            return Err(self.reader.unexpected("NONE has no substitute, tags or rank"));
        }
        let substitute = self.substitute()?;
        self.dlist(keyword, substitute.as_deref())?;
        let mut rank = 0;
        if self.reader.next.is_number() {
            rank = self.number()?;
        }
        let mut transformations = Vec::new();
        let mut link = None;
        while !self.reader.at(")") {
            if link.is_some() {
                return Err(self.reader.unexpected("a link ends its rule"));
            }
            self.reader.open(RULE)?;
            if self.reader.at("=") {
                link = Some(self.link()?);
            } else {
                transformations.push(self.transformation()?);
            }
            self.reader.close();
        }
        if keyword == NONE && transformations.is_empty() && link.is_none() {
            return Err(self.reader.error_here("NONE has no transformation"));
        }
        Ok(Rule { keyword: keyword.into(), substitute, rank, transformations, link })
    }

    fn substitute(&mut self) -> Result<Option<Box<str>>, ScriptError> {
        if !self.reader.at("=") {
            return Ok(None);
        }
        self.reader.take();
        let word = self.reader.word("= is followed by the word that replaces the keyword")?;
        Ok(Some(word.text.into()))
    }

    /// Reads the tags. The substitute has them too: it is what a decomposition meets in place of the keyword.
    fn dlist(&mut self, keyword: &str, substitute: Option<&str>) -> Result<(), ScriptError> {
        if !self.reader.at("DLIST") {
            return Ok(());
        }
        self.reader.take();
        self.reader.open("DLIST is followed by a list of tags, as (/FAMILY)")?;
        if !self.reader.next.text.starts_with('/') {
            return Err(self.reader.unexpected("a list of tags begins with /"));
        }
        for tag in self.words_after_sign()? {
            let words = self.tags.entry(tag).or_default();
            words.insert(keyword.into());
            words.extend(substitute.map(Box::from));
        }
        self.reader.close();
        Ok(())
    }

    fn transformation(&mut self) -> Result<Transformation, ScriptError> {
        self.reader.open("a transformation begins with its decomposition, a list")?;
        let decomposition = self.decomposition(")", "a decomposition is made of words, numbers and lists")?;
        self.reader.close();
        let index = self.transformations;
        self.transformations += 1;
        let mut reassemblies = Vec::new();
        while !self.reader.at(")") {
            self.reader.open("a reassembly is a list")?;
            reassemblies.push(self.reassembly(&decomposition)?);
            self.reader.close();
        }
        if reassemblies.is_empty() {
            return Err(self.reader.error_here("a transformation has at least one reassembly"));
        }
        Ok(Transformation { index, decomposition, reassemblies })
    }

    fn decomposition(&mut self, end: &str, form: &str) -> Result<Decomposition, ScriptError> {
        let mut elements = Vec::new();
        while !self.reader.at(end) {
            elements.push(match self.reader.next.text.as_str() {
                "(" => self.choice(form)?,
                "=" | ")" | "" => return Err(self.reader.unexpected(form)),
                _ if self.reader.next.is_number() => Element::Count(self.number()?),
                _ => Element::Word(self.reader.take().text.into()),
            });
        }
        if elements.is_empty() {
            return Err(self.reader.error_here("a decomposition is not empty"));
        }
        Ok(Decomposition::new(elements))
    }

    fn choice(&mut self, form: &str) -> Result<Element, ScriptError> {
        self.reader.open(form)?;
        let words_follow = self.reader.next.text.starts_with('*');
        if !words_follow && !self.reader.next.text.starts_with('/') {
            return Err(self.reader.unexpected("a list in a decomposition begins with * or /"));
        }
        let words = self.words_after_sign()?;
        self.reader.close();
        self.lists.push(if words_follow {
            List::Words(words.into_iter().map(Box::from).collect())
        } else {
            List::Tags(words)
        });
        Ok(Element::OneOf(self.lists.len() - 1))
    }

    /// Reads the words of a list whose first token begins with * or /, which may be all of that token.
    fn words_after_sign(&mut self) -> Result<Vec<String>, ScriptError> {
        let first = self.reader.take().text.split_off(1);
        let mut words = Vec::new();
        if !first.is_empty() {
            words.push(first);
        }
        while let Some(token) = self.reader.plain_token("a list with * or / is made of words")? {
            words.push(token.text);
        }
        if words.is_empty() {
            return Err(self.reader.error_here("a list with * or / is not empty"));
        }
        Ok(words)
    }

    fn reassembly(&mut self, decomposition: &Decomposition) -> Result<Reassembly, ScriptError> {
        if self.reader.at("=") {
            return Ok(Reassembly::Link(self.link()?));
        }
        if !self.reader.at("NEWKEY") && !self.reader.at("PRE") {
            return Ok(Reassembly::Say(self.parts(decomposition, Vec::new())?));
        }
        let first = self.reader.take().text;
        if first == "NEWKEY" && self.reader.at(")") {
            return Ok(Reassembly::NewKey);
        }
        if first == "PRE" && self.reader.at("(") {
            return self.pre(decomposition);
        }
        Ok(Reassembly::Say(self.parts(decomposition, vec![Part::Word(first.into())])?))
    }

    fn pre(&mut self, decomposition: &Decomposition) -> Result<Reassembly, ScriptError> {
        self.reader.open(PRE)?;
        let parts = self.parts(decomposition, Vec::new())?;
        self.reader.close();
        self.reader.open(PRE)?;
        if !self.reader.at("=") {
            return Err(self.reader.unexpected(PRE));
        }
        let keyword = self.link()?;
        self.reader.close();
        if !self.reader.at(")") {
            return Err(self.reader.unexpected(PRE));
        }
        Ok(Reassembly::Pre(parts, keyword))
    }

    /// Reads the inside of a list (=KEYWORD).
    fn link(&mut self) -> Result<Box<str>, ScriptError> {
        self.reader.take();
        let keyword = self.reader.word(LINK)?;
        if !self.reader.at(")") {
            return Err(self.reader.unexpected(LINK));
        }
        Ok(keyword.text.into())
    }

    fn parts(&mut self, decomposition: &Decomposition, begun: Vec<Part>) -> Result<Vec<Part>, ScriptError> {
        let mut parts = begun;
        while let Some(token) = self.reader.plain_token("a reassembly is made of words and numbers")? {
            if !token.is_number() {
                parts.push(Part::Word(token.text.into()));
                continue;
            }
            let number = self.reader.number(&token)?;
            if !(1..=decomposition.parts).contains(&number) {
                let reason = format!("there is no part {number}, only 1 to {}", decomposition.parts);
                return Err(self.reader.error(reason, &token));
            }
            parts.push(Part::Number(number));
        }
        if parts.is_empty() {
            return Err(self.reader.error_here("a reassembly is not empty"));
        }
        Ok(parts)
    }

    fn memory_rule(&mut self) -> Result<Memory, ScriptError> {
        let keyword = self.reader.word("MEMORY is followed by its keyword")?.text.into();
        let mut rules = Vec::new();
        while !self.reader.at(")") {
            if rules.len() == MEMORY_RULES {
                return Err(self.reader.unexpected("MEMORY has exactly four rules"));
            }
            self.reader.open("a rule of MEMORY is a list")?;
            let decomposition = self.decomposition("=", "a rule of MEMORY is a decomposition, = and a reassembly")?;
            self.reader.take();
            let parts = self.parts(&decomposition, Vec::new())?;
            rules.push((decomposition, parts));
            self.reader.close();
        }
        if rules.len() < MEMORY_RULES {
            return Err(self.reader.unexpected("MEMORY has exactly four rules"));
        }
        Ok(Memory { keyword, rules })
    }

    fn number(&mut self) -> Result<usize, ScriptError> {
        let token = self.reader.take();
        self.reader.number(&token)
    }
}
