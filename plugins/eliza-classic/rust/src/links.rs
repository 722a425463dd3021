//! The check that links lead somewhere.

use std::collections::HashMap;

use crate::script::{Reassembly, Rule, Script};

/// Returns the first keyword whose links certainly go round for ever, if there is one.
///
/// Certain is what does not depend on the line: rules that consist of a link, or whose first decomposition matches
/// everything and leads to links only. Other rounds may end, and are bounded when a line is answered.
pub(crate) fn endless_link(script: &Script) -> Option<&str> {
    let mut known: HashMap<&str, Known<'_>> = HashMap::new();
    let mut ending = Vec::new();
    for rule in rules(script) {
        match certain_targets(rule) {
            Some(targets) if targets.iter().all(|target| script.rule(target).is_some()) => {
                for target in targets {
                    known.entry(target).or_default().sources.push(&rule.keyword);
                }
            }
            _ => ending.push(&*rule.keyword),
        }
    }
    while let Some(keyword) = ending.pop() {
        let keyword = known.entry(keyword).or_default();
        if !std::mem::replace(&mut keyword.ends, true) {
            ending.append(&mut keyword.sources);
        }
    }
    let ends = |keyword: &&str| known.get(keyword).is_some_and(|keyword| keyword.ends);
    rules(script).map(|rule| &*rule.keyword).find(|keyword| !ends(keyword))
}

/// What is known of a keyword.
#[derive(Default)]
struct Known<'a> {
    /// Its links may come to an end.
    ends: bool,
    /// The keywords that certainly lead to it.
    sources: Vec<&'a str>,
}

fn rules(script: &Script) -> impl Iterator<Item = &Rule> {
    script.rules.iter().chain(std::iter::once(&script.none))
}

/// Returns where a rule leads whatever the line is, or nothing if it can do anything else.
fn certain_targets(rule: &Rule) -> Option<Vec<&str>> {
    let Some(first) = rule.transformations.first() else {
        return rule.link.as_deref().map(|target| vec![target]);
    };
    if !first.decomposition.matches_everything() {
        return None;
    }
    let target = |reassembly| match reassembly {
        &Reassembly::Link(ref keyword) | &Reassembly::Pre(_, ref keyword) => Some(&**keyword),
        Reassembly::Say(_) | Reassembly::NewKey => None,
    };
    first.reassemblies.iter().map(target).collect()
}
