"""Conversations by their ids."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from ._eliza import Eliza
from ._errors import InputError
from ._session import Session

__all__ = ["DEFAULT_MAX_SESSIONS", "MAX_ID_CHARACTERS", "Sessions"]

#: How many conversations are kept if nothing else is said.
DEFAULT_MAX_SESSIONS = 10_000
#: The longest id, in characters (Unicode code points).
MAX_ID_CHARACTERS = 1_024


class Sessions:
    """Keeps the conversations that were spoken in last, and forgets the others: their ids begin anew."""

    __slots__ = ("_eliza", "_lock", "_max_sessions", "_sessions")

    def __init__(self, eliza: Eliza, *, max_sessions: int = DEFAULT_MAX_SESSIONS) -> None:
        """Keep up to `max_sessions` conversations, which is at least 1."""
        self._eliza = eliza
        self._max_sessions = max(1, max_sessions)
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        """Return how many conversations are kept."""
        return len(self._sessions)

    def reply(self, session_id: str, line: str) -> str:
        """Return the answer to a line of the conversation with this id, which any string can be, the empty one too.

        Raises:
            InputError: the line or the id is too long.

        """
        if len(session_id) > MAX_ID_CHARACTERS:
            raise InputError(f"the session id has {len(session_id)} characters, and at most {MAX_ID_CHARACTERS} serve")
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None:
                session = self._sessions[session_id] = self._eliza.new_session()
                if len(self._sessions) > self._max_sessions:
                    self._sessions.popitem(last=False)
            else:
                self._sessions.move_to_end(session_id)
            return session.reply(line)

    def forget(self, session_id: str) -> None:
        """Forget a conversation, if there is one with this id."""
        with self._lock:
            self._sessions.pop(session_id, None)
