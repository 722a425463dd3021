"""The shared conversations: what ELIZA answers is the same in every language."""

import json
from pathlib import Path
from typing import Any

import pytest
from eliza_classic import Eliza, ScriptError, parse_script
from eliza_classic._hash import hash_of
from eliza_classic._words import words_of

DATA = Path(__file__).resolve().parents[2] / "data"


def shared(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def text_of_case(script: str | list[tuple[str, int]]) -> str:
    return script if isinstance(script, str) else "".join(text * times for text, times in script)


FEATURES = shared("features.json")
MALFORMED = shared("malformed-scripts.json")


def answers(eliza: Eliza, session: list[dict[str, str]]) -> list[dict[str, str]]:
    conversation = eliza.new_session()
    return [{"in": said["in"], "out": conversation.reply(said["in"])} for said in session]


def test_the_conversation_of_the_paper_comes_out_word_for_word() -> None:
    conversation = shared("paper-conversation.json")
    assert answers(Eliza(), conversation) == conversation


def test_the_conversations_of_another_implementation_come_out_word_for_word() -> None:
    eliza = Eliza()
    sessions = shared("eliza-sessions.json")
    assert [answers(eliza, session) for session in sessions] == sessions


def test_the_greeting_is_the_one_of_the_script() -> None:
    assert Eliza().greeting == "HOW DO YOU DO. PLEASE TELL ME YOUR PROBLEM"


@pytest.mark.parametrize("feature", FEATURES, ids=[feature["name"] for feature in FEATURES])
def test_scripts_can_use(feature: dict[str, Any]) -> None:
    eliza = Eliza(parse_script(feature["script"]))
    assert eliza.greeting == feature["greeting"]
    assert [answers(eliza, session) for session in feature["sessions"]] == feature["sessions"]


@pytest.mark.parametrize("case", MALFORMED, ids=[case["name"] for case in MALFORMED])
def test_a_script_is_refused_for(case: dict[str, Any]) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script(text_of_case(case["script"]))
    error = caught.value
    assert (error.line, error.column, error.reason) == (case["line"], case["column"], case["reason"])
    assert str(error) == f"line {error.line}, column {error.column}: {error.reason}"


def test_lines_are_cut_into_words() -> None:
    cases = shared("words.json")
    assert [{"line": case["line"], "words": words_of(case["line"])} for case in cases] == cases


def test_words_have_the_hash_of_the_ibm_7094() -> None:
    cases = shared("hash.json")
    assert [{"word": case["word"], "hash": hash_of(case["word"])} for case in cases] == cases
