"""The newest entries of a delivery, and its session, as bytes: a read-back 18, a change 33, little endian."""

import struct
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from reporting.domain.evidence.read_backs import Claimed, Entry, Kind, ReadBack, Run, Session
from reporting.storage.availability.cause_codes import CAUSE_CODES

_READ_BACK = struct.Struct("<BqIIB")
_CLAIMED = struct.Struct("<Bqqqq")
_SESSION = struct.Struct("<qq??")
_FLOOR = struct.Struct("<q")
_RUN = struct.Struct("<BBqqqqqqq")
_MOST = 2**32 - 1
_CLAIMS = frozenset({Kind.LEFT, Kind.INTERRUPTED, Kind.ACKNOWLEDGED, Kind.STALLED, Kind.CLOCK_SET})
_KINDS: Mapping[int, Kind] = MappingProxyType({kind.value: kind for kind in Kind})
CAUSES: Mapping[int, str | None] = MappingProxyType({0: None, **{code: str(one) for one, code in CAUSE_CODES.items()}})


def pack_entries(entries: Iterable[Entry]) -> bytes:
    """Pack entries. Raises KeyError for a cause without a number."""
    return b"".join(map(_pack_entry, entries))


def _pack_entry(entry: Entry) -> bytes:
    if isinstance(entry, Claimed):
        return _CLAIMED.pack(entry.kind, entry.at, entry.worker, entry.held_since, entry.sequence)
    return _READ_BACK.pack(
        entry.kind, entry.at, min(entry.found_at - entry.at, _MOST), min(entry.interval, _MOST), _code(entry.cause)
    )


def unpack_entries(tail: bytes) -> tuple[Entry, ...]:
    """Unpack entries. Raises struct.error or KeyError when the bytes are none of ours."""
    entries: list[Entry] = []
    place = 0
    while place < len(tail):
        kind = _KINDS[tail[place]]
        if kind in _CLAIMS:
            _, at, worker, held_since, sequence = _CLAIMED.unpack_from(tail, place)
            entries.append(Claimed(at, kind, worker, held_since, sequence))
            place += _CLAIMED.size
        else:
            _, at, took, interval, cause = _READ_BACK.unpack_from(tail, place)
            entries.append(ReadBack(at, kind, at + took, interval, CAUSES[cause]))
            place += _READ_BACK.size
    return tuple(entries)


def pack_session(session: Session) -> bytes:
    """Pack a session. Raises KeyError for a cause without a number."""
    run = session.run
    packed = _SESSION.pack(session.held_since, session.worker, session.acknowledged, run is not None)
    if run is None:
        return packed + _FLOOR.pack(session.floor) if session.floor else packed
    kind, cause, *rest = run
    return packed + _RUN.pack(kind, _code(cause), *rest)


def unpack_session(packed: bytes) -> Session:
    """Unpack a session. Raises struct.error or KeyError when the bytes are none of ours."""
    held_since, worker, acknowledged, runs = _SESSION.unpack_from(packed)
    if not runs:
        (floor,) = _FLOOR.unpack_from(packed, _SESSION.size) if len(packed) > _SESSION.size else (0,)
        return Session(held_since, worker, acknowledged, None, floor)
    kind, cause, *rest = _RUN.unpack_from(packed, _SESSION.size)
    return Session(held_since, worker, acknowledged, Run(_KINDS[kind], CAUSES[cause], *rest))


def _code(cause: str | None) -> int:
    return CAUSE_CODES[cause] if cause else 0
