"""Wrong logins at the server: too many from one address rest that account there, and nobody else."""

from collections import OrderedDict
from dataclasses import dataclass, field

MOST_FAILURES = 5
WITHIN_S = 30.0
REST_S = 300.0
MOST_PAIRS = 10_000
"""Of account and address; beyond them the one that failed longest ago is forgotten."""


@dataclass(slots=True)
class _Pair:
    failures: list[float] = field(default_factory=list)
    rests_until_s: float = 0.0


class RefusedLogins:
    """By account and address, never by account alone: a hostile address must not lock a centre out."""

    def __init__(self) -> None:
        self._pairs: OrderedDict[tuple[str, str], _Pair] = OrderedDict()

    def rest_s(self, username: str, peer: str, now_s: float) -> float:
        """How long this address is still refused as this account, whatever it sends; 0 when it may try."""
        pair = self._pairs.get((username, peer))
        return max(0.0, pair.rests_until_s - now_s) if pair is not None else 0.0

    def forget_account(self, username: str) -> None:
        """Forget what the centre of an account was refused before: the account is served here from now on."""
        for pair in [pair for pair in self._pairs if pair[0] == username]:
            del self._pairs[pair]

    def count_failure(self, username: str, peer: str, now_s: float) -> None:
        """Count a wrong login that came."""
        pair = self._pairs.setdefault((username, peer), _Pair())
        self._pairs.move_to_end((username, peer))
        pair.failures = [at for at in pair.failures if now_s - at < WITHIN_S] + [now_s]
        if len(pair.failures) >= MOST_FAILURES:
            pair.failures, pair.rests_until_s = [], now_s + REST_S
        while len(self._pairs) > MOST_PAIRS:
            self._pairs.popitem(last=False)
