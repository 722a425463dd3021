"""The check that links lead somewhere."""

from __future__ import annotations

from ._script import Link, Pre, Rule, Script

__all__ = ["endless_link"]


def endless_link(script: Script) -> str | None:
    """Return the first keyword whose links certainly go round for ever, if there is one.

    Certain is what does not depend on the line: rules that consist of a link, or whose first decomposition matches
    everything and leads to links only. Other rounds may end, and are bounded when a line is answered.
    """
    rules = [*script.rules.values(), script.none]
    sources: dict[str, list[str]] = {}
    ending: list[str] = []
    for rule in rules:
        targets = _certain_targets(rule)
        if targets is None or any(script.rule(target) is None for target in targets):
            ending.append(rule.keyword)
        else:
            for target in targets:
                sources.setdefault(target, []).append(rule.keyword)
    ends = set(ending)
    for keyword in ending:  # grows while it is read
        for source in sources.get(keyword, ()):
            if source not in ends:
                ends.add(source)
                ending.append(source)
    return next((rule.keyword for rule in rules if rule.keyword not in ends), None)


def _certain_targets(rule: Rule) -> list[str] | None:
    """Return where a rule leads whatever the line is, or None if it can do anything else."""
    if not rule.transformations:
        return None if rule.link is None else [rule.link]
    first = rule.transformations[0]
    if not first.decomposition.matches_everything:
        return None
    targets = [each.keyword for each in first.reassemblies if isinstance(each, Link | Pre)]
    return targets if len(targets) == len(first.reassemblies) else None
