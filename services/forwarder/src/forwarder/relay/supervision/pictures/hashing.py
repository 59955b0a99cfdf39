"""Which keyframes of a camera are hashed for others, and the last that were: by them its deliveries are proven."""

from collections.abc import Callable

from forwarder.domain.picture.keyframes import HASH_AT_MOST_S, HISTORY
from forwarder.relay.supervision.context import RelayContext
from vonggac.events.forwarder import KeyframeNote

type History = tuple[KeyframeNote, ...]


class KeyframeHashes:
    """One per held camera. `on_history` is called with the last hashed keyframes, oldest first, with each new one."""

    def __init__(self, context: RelayContext) -> None:
        self.on_history: Callable[[History], None] | None = None
        self.history: History = ()
        self._context = context
        self._due_s = 0.0
        self._all_until_s: dict[str, float] = {}
        """By who asked."""

    def begin_session(self, now_s: float) -> None:
        """Hash the first keyframe of the session."""
        self._due_s = now_s

    def want_all(self, now_s: float, seconds: float, asker: str) -> None:
        """Hash every keyframe for the next `seconds`, 30 at most; 0 when this asker has seen enough."""
        others = {name: until_s for name, until_s in self._all_until_s.items() if until_s > now_s and name != asker}
        self._all_until_s = others
        if seconds > 0:
            others[asker] = now_s + min(seconds, HASH_AT_MOST_S)

    def want_next(self, now_s: float) -> bool:
        """Whether a keyframe that comes now shall be hashed."""
        return now_s >= self._due_s or any(now_s < until_s for until_s in self._all_until_s.values())

    def add(self, note: KeyframeNote, now_s: float) -> None:
        """Keep a hashed keyframe, and hand the history on."""
        self._due_s = now_s + self._context.keyframes.next_hash_in_s(self._context.chance())
        self.history = (*self.history, note)[-HISTORY:]
        if self.on_history is not None:
            self.on_history(self.history)
