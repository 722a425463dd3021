//! The check that links lead somewhere.

use std::collections::{HashMap, HashSet};

use crate::script::{Reassembly, Rule, Script};

/// Returns the first keyword whose links certainly go round for ever, if there is one.
///
/// Certain is what does not depend on the line: rules that consist of a link, or whose first decomposition matches
/// everything and leads to links only. Other rounds may end, and are bounded when a line is answered.
pub(crate) fn endless_link(script: &Script) -> Option<&str> {
    let mut sources: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut ending = Vec::new();
    for rule in rules(script) {
        match certain_targets(rule) {
            Some(targets) if targets.iter().all(|target| script.rule(target).is_some()) => {
                for target in targets {
                    sources.entry(target).or_default().push(&rule.keyword);
                }
            }
            _ => ending.push(&*rule.keyword),
        }
    }
    let mut ends: HashSet<&str> = ending.iter().copied().collect();
    while let Some(keyword) = ending.pop() {
        for source in sources.remove(keyword).unwrap_or_default() {
            if ends.insert(source) {
                ending.push(source);
            }
        }
    }
    rules(script).map(|rule| &*rule.keyword).find(|keyword| !ends.contains(keyword))
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
