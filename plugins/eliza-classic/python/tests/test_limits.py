"""What is bounded, and that the bounds are told."""

import re

import pytest
from eliza_classic import (
    MAX_ID_CHARACTERS,
    MAX_LINE_CHARACTERS,
    MAX_MEMORIES,
    MAX_MEMORY_CHARACTERS,
    MAX_SCRIPT_CHARACTERS,
    Eliza,
    InputError,
    Sessions,
    parse_script,
)

REMEMBERING = parse_script(
    "(HI) START (MEMORY MY" + "(0 MY 0 = 3)" * 4 + ") (MY ((0) (OH))) (NONE ((0) (GO ON)))",
)


def test_a_line_may_be_as_long_as_the_limit_counted_in_characters() -> None:
    session = Eliza().new_session()
    assert session.reply("\U0001f600" * MAX_LINE_CHARACTERS) == "I AM NOT SURE I UNDERSTAND YOU FULLY"
    assert session.reply("my " * (MAX_LINE_CHARACTERS // 3)).startswith("YOUR YOUR YOUR")


def test_a_longer_line_is_refused_and_the_session_stays_as_it_was() -> None:
    session = Eliza(parse_script("(HI) START (A ((B) (C))) (NONE ((0) (GO ON)))")).new_session()
    message = f"the line has {MAX_LINE_CHARACTERS + 1} characters, and at most {MAX_LINE_CHARACTERS} are answered"
    for _ in range(3):
        with pytest.raises(InputError, match=re.escape(message)):
            session.reply("\U0001f600" * (MAX_LINE_CHARACTERS + 1))
    assert session.reply("a") == "HMMM", "the counter went on"


def test_surrogates_without_their_other_half_separate_words() -> None:
    assert Eliza().new_session().reply("my\ud83dhat\ude00!") == "YOUR HAT"


def test_memories_beyond_the_bound_are_not_kept() -> None:
    session = Eliza(REMEMBERING).new_session()
    for number in range(MAX_MEMORIES + 5):
        session.reply(f"my {number}")
    told = [session.reply("x") for _ in range(4 * MAX_MEMORIES + 16)]
    assert [int(line) for line in told if line != "GO ON"] == list(range(MAX_MEMORIES))


def test_memories_that_are_too_long_together_are_not_kept() -> None:
    session = Eliza(REMEMBERING).new_session()
    long = "A" * (MAX_MEMORY_CHARACTERS - 3)
    for said in ("my " + "\U0001d49c" * (MAX_LINE_CHARACTERS - 3), f"my {long}", "my xxxx", "my xxx", "my x"):
        session.reply(said)
    told = [session.reply("x") for _ in range(16)]
    assert [line for line in told if line != "GO ON"] == ["\U0001d49c" * (MAX_LINE_CHARACTERS - 3), "XXX"]


def test_sessions_do_not_know_of_each_other() -> None:
    sessions = Sessions(Eliza())
    first = [sessions.reply(f"{number}", "Men are all alike.") for number in range(3)]
    assert first == ["IN WHAT WAY"] * 3
    assert sessions.reply("1", "They are alike") == "WHAT RESEMBLANCE DO YOU SEE"
    assert sessions.reply("2", "They are alike") == "WHAT RESEMBLANCE DO YOU SEE"
    assert sessions.reply("", "They are alike") == "IN WHAT WAY"


def test_the_session_that_was_not_used_for_longest_begins_anew_when_there_are_too_many() -> None:
    sessions = Sessions(Eliza(), max_sessions=2)
    for session_id in ("a", "b", "a", "c"):
        sessions.reply(session_id, "alike")
    assert len(sessions) == 2
    assert sessions.reply("a", "alike") == "WHAT DOES THAT SIMILARITY SUGGEST TO YOU"
    assert sessions.reply("b", "alike") == "IN WHAT WAY"
    assert sessions.reply("c", "alike") == "IN WHAT WAY"


def test_a_forgotten_session_begins_anew() -> None:
    sessions = Sessions(Eliza())
    sessions.reply("a", "alike")
    sessions.forget("a")
    sessions.forget("never there")
    assert len(sessions) == 0
    assert sessions.reply("a", "alike") == "IN WHAT WAY"


def test_an_id_that_is_too_long_is_refused() -> None:
    sessions = Sessions(Eliza())
    assert sessions.reply("\U0001f600" * MAX_ID_CHARACTERS, "alike") == "IN WHAT WAY"
    with pytest.raises(InputError, match=f"the session id has 1025 characters, and at most {MAX_ID_CHARACTERS} serve"):
        sessions.reply("x" * (MAX_ID_CHARACTERS + 1), "alike")


def test_a_script_may_be_as_long_as_the_limit() -> None:
    script = "(HI) START (NONE ((0) (GO ON)))"
    assert parse_script(script.ljust(MAX_SCRIPT_CHARACTERS)).greeting == "HI"
