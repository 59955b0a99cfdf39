"""A camera's deliveries within its row of the ledger, packed: a row of their own each would cost twice as much.

Of each delivery: its id (16 bytes); a byte whose lower half says which sums are there, its upper half the kind; the
kind's cause; how many causes follow; the sums; each cause with its length. Lengths are 6 bytes, causes one (the numbers
of `CAUSE_CODES`, 0 for none). What was connected follows from the rest.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from reporting.domain.evidence.proven import NO_CAUSE
from reporting.domain.instants import Millis
from reporting.domain.ledger import DAY, ORIGIN, Day
from reporting.domain.partition import LEDGER_NAMES, DeliveryKind
from reporting.storage.availability.cause_codes import CAUSE_CODES

_ID, _LENGTH = 16, 6
_CODES = {NO_CAUSE: 0, **{str(cause): code for cause, code in CAUSE_CODES.items()}}
_CAUSES = {code: cause for cause, code in _CODES.items()}
_PLACES = {name: place for place, name in enumerate(LEDGER_NAMES)}
_NO_CODE = 254
"""Of a kind without a cause."""
_NOTHING = (0,) * (len(LEDGER_NAMES) - 1)
_PRESENT = [[place for place in range(1, len(LEDGER_NAMES)) if present >> place - 1 & 1] for present in range(16)]
"""By the lower half of the byte: which sums are there; the first one follows from the rest."""


class DeliveryRow(NamedTuple):
    """A delivery's sums at its row's midnight, in the order of LEDGER_NAMES; all later time is of `kind`.

    `by_cause` divides what was not connected.
    """

    kind: DeliveryKind
    sums: Sequence[Millis]
    by_cause: Mapping[str, Millis]

    def after(self, more: Millis) -> "DeliveryRow":
        """So much later, if no row stands between."""
        name, cause = self.kind
        sums, causes = list(self.sums), dict(self.by_cause)
        sums[_PLACES[name]] += more
        if cause is not None and more:
            causes[cause] = causes.get(cause, 0) + more
        return DeliveryRow(self.kind, sums, causes)


NEVER = DeliveryRow(("out_of_scope", None), (0,) * len(LEDGER_NAMES), {})
"""At the ledger's origin."""


def pack(day: Day, deliveries: Mapping[str, DeliveryRow]) -> bytes | None:
    """Pack the deliveries of a row; None for none."""
    made = bytearray()
    for id_, row in sorted(deliveries.items()):
        name, cause = row.kind
        assert sum(row.sums) == (day - ORIGIN) * DAY, "a delivery's sums add up to the time since the origin"
        present = sum(1 << place for place, length in enumerate(row.sums[1:]) if length)
        causes = {cause: length for cause, length in row.by_cause.items() if length}
        made += UUID(id_).bytes
        made += bytes((present | _PLACES[name] << 4, _NO_CODE if cause is None else _CODES[cause], len(causes)))
        for length in row.sums[1:]:
            if length:
                made += length.to_bytes(_LENGTH, "little")
        for known, length in sorted(causes.items()):
            made += bytes((_CODES[known],)) + length.to_bytes(_LENGTH, "little")
    return bytes(made) or None


def unpack(day: Day, packed: bytes | None) -> dict[str, DeliveryRow]:
    """Unpack what `pack` was given."""
    found: dict[str, DeliveryRow] = {}
    if packed is None:
        return found
    since = (day - ORIGIN) * DAY
    at, end = 0, len(packed)
    while at < end:
        id_ = _text(packed[at : at + _ID])
        present, code, count = packed[at + _ID : at + _ID + 3]
        at += _ID + 3
        sums = [since, *_NOTHING]
        for place in _PRESENT[present & 15]:
            length = int.from_bytes(packed[at : at + _LENGTH], "little")
            sums[place] = length
            sums[0] -= length
            at += _LENGTH
        causes: dict[str, Millis] = {}
        for _ in range(count):
            causes[_CAUSES[packed[at]]] = int.from_bytes(packed[at + 1 : at + 1 + _LENGTH], "little")
            at += 1 + _LENGTH
        kind = LEDGER_NAMES[present >> 4], None if code == _NO_CODE else _CAUSES[code]
        found[id_] = DeliveryRow(kind, sums, causes)
    return found


@lru_cache(maxsize=10_000)
def _text(id_: bytes) -> str:
    """As `str(UUID(bytes=id_))`, three times as fast. The same id stands in row after row."""
    one = id_.hex()
    return f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}"
