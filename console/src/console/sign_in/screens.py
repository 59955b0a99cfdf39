"""Wall screens: browsers that may read the wall alone, for a month, for the person who made them so.

A record is a session of its own, sealed with the screen's cookie; before it stands in the clear who made it, what it is
called, since when and when it was seen: so screens are listed and ended without their cookies.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from console.sign_in.sessions import Session, Sessions, seal, unseal
from vonggac.bus import Bucket

LASTS_S = 30 * 86_400.0
MOST_OF_ONE = 20
"""Screens of one person."""
_END = b"\n"


@dataclass(frozen=True, slots=True)
class Screen:
    """One wall screen as it is listed. Times in Unix seconds."""

    key: str
    """Of its record: it opens nothing."""
    name: str
    subject: str
    made_by: str
    made_at_s: float
    seen_at_s: float

    @property
    def ends_at_s(self) -> float:
        return self.made_at_s + LASTS_S


class Screens(Sessions):
    """The wall screens of all replicas, kept like sessions."""

    def __init__(self, bucket: Bucket, unix_s: Callable[[], float]) -> None:
        super().__init__(bucket, unix_s, longest_s=LASTS_S, idle_s=LASTS_S)

    async def list_all(self) -> list[Screen]:
        """Those that are not over, the newest first. Raises NatsError or TimeoutError when NATS is away."""
        found = [_read(key, record) for key, record in (await self._bucket.all()).items()]
        valid = [each for each in found if each is not None and each.ends_at_s > self._unix_s()]
        return sorted(valid, key=lambda each: each.made_at_s, reverse=True)

    async def revoke(self, key: str) -> None:
        """End the screen of a record. Raises NatsError or TimeoutError when NATS is away."""
        await self._bucket.delete(key)

    def _to_record(self, session: Session, cookie: str) -> bytes:
        head = {
            "name": session.screen,
            "subject": session.subject,
            "made_by": session.name,
            "made_at_s": session.began_at_s,
            "seen_at_s": session.seen_at_s,
        }
        return json.dumps(head).encode() + _END + seal(session, cookie)

    def _from_record(self, record: bytes, cookie: str) -> Session | None:
        return unseal(record.partition(_END)[2], cookie)


def _read(key: str, record: bytes) -> Screen | None:
    """None for a record that is none of ours."""
    try:
        head: dict[str, Any] = json.loads(record.partition(_END)[0])
        return Screen(key, **head)
    except (ValueError, TypeError):
        return None
