"""When a delivery was connected as its destination demands it, out of the forwarder's states and the read-backs.

A state in which no media is acknowledged is not connected. While media is acknowledged, a destination that demands
`verified` is connected where read-backs prove it and not connected where they failed or differed; all else is unknown.
One that demands `acknowledged` is connected, but for the time in which read-backs differed.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from reporting.domain.evidence.claims import ACKNOWLEDGED, PROVES, Status
from reporting.domain.evidence.lives import Life, life_at
from reporting.domain.evidence.read_backs import Kind, Stretch, cut_at
from reporting.domain.instants import Millis
from reporting.domain.segments import Segment, value_at
from reporting.domain.timeline import end_before_loss
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import RequiredProof

NO_CAUSE = "none"
"""Key of not-connected time whose state carries no cause, such as `connecting`."""

VERIFIED = RequiredProof.VERIFIED.value

type Code = bool | str
"""A piece of a delivery's line: True connected, a cause not connected. Without a piece it is unknown."""
type Piece = tuple[Millis, Millis, Code]


class Found(NamedTuple):
    """What read-backs say of a stretch of time. `differs`: another or an old picture came back."""

    code: Code
    differs: bool


class Proven(NamedTuple):
    """What read-backs say of a delivery from `since` on, by rule 4; before it, when the last one had `failed`."""

    found: Sequence[Segment[Found]] = ()
    failed: Sequence[Segment[str]] = ()
    since: Millis = 0

    def failed_at(self, at: Millis) -> bool:
        """Whether the last read-back had failed or differed."""
        known = value_at(self.found, at)
        return (known is not None and known.value.code is not True) or value_at(self.failed, at) is not None


NOTHING_PROVEN = Proven()


class Losses(NamedTuple):
    """Facts that are lost: of any prober, and of the forwarder with this digest. `probing`: when a prober watched."""

    probing: Sequence[Life]
    of_probers: Sequence[Life]
    of_forwarders: Mapping[int, Sequence[Life]]


def found_in(stretches: Iterable[Stretch], losses: Losses) -> list[Segment[Found]]:
    """Find what stretches of a delivery, sorted, still say where facts may be missing."""
    result: list[Segment[Found]] = []
    for stretch in stretches:
        if stretch.kind is Kind.MATCHES:
            result += [Segment(part.begins, part.ends, _CONNECTED) for part in _matches(stretch, losses)]
        elif (end := _failures_end(stretch, losses)) > stretch.begins:
            code = Found(stretch.cause or NO_CAUSE, stretch.kind is Kind.DIFFERS)
            result.append(Segment(stretch.begins, end, code))
    return result


_CONNECTED = Found(code=True, differs=False)


def _matches(stretch: Stretch, losses: Losses) -> list[Stretch]:
    by_forwarder = losses.of_forwarders.get(stretch.worker, ())
    if stretch.begins < stretch.firm_at and any(
        gap.start < stretch.firm_at and gap.end > stretch.begins for gap in (*losses.of_probers, *by_forwarder)
    ):
        stretch = stretch._replace(begins=stretch.firm_at)
    parts = [stretch] if stretch.begins < stretch.ends else []
    for gap in by_forwarder:
        # Among what is lost may be that the session ended.
        lost = [one for one in parts if gap.start < one.ends and gap.end > one.losses_from]
        parts = [part for one in parts for part in (cut_at(one, gap.start, gap.end) if one in lost else [one])]
    return parts


def _failures_end(stretch: Stretch, losses: Losses) -> Millis:
    """After its last failure it holds while a prober watches, and while none of its facts is lost."""
    last = stretch.losses_from
    life = life_at(losses.probing, last)
    return last if life is None else min(end_before_loss(stretch.ends, last, losses.of_probers), life.end)


def pieces(proof: str, states: Sequence[Segment[Status]], proven: Proven) -> list[Piece]:
    """When a delivery was connected, and when not and why; both lines are sorted and free of overlap."""
    if not proven.since:
        return _pieces(proof, states, proven.found)
    since = proven.since
    before = _pieces_before(proof, states, proven.failed)
    after = _pieces(proof, states, proven.found)
    return [
        *((start, min(end, since), code) for start, end, code in before if start < since),
        *((max(start, since), end, code) for start, end, code in after if end > since),
    ]


def _pieces(proof: str, states: Sequence[Segment[Status]], found: Sequence[Segment[Found]]) -> list[Piece]:
    if proof == VERIFIED:
        return _by_read_backs(states, found, demanded=True)
    differing = [one for one in found if one.value.differs] if found else ()
    if differing:
        return _by_read_backs(states, differing, demanded=False)
    return [(start, end, True if status[0] in ACKNOWLEDGED else status[1] or NO_CAUSE) for start, end, status in states]


def _by_read_backs(
    states: Sequence[Segment[Status]], found: Sequence[Segment[Found]], *, demanded: bool
) -> list[Piece]:
    """`demanded`: what no read-back speaks for is unknown, and not connected."""
    result: list[Piece] = []
    first = 0
    for start, end, status in states:
        if status[0] not in ACKNOWLEDGED:
            result.append((start, end, status[1] or NO_CAUSE))
            continue
        while first < len(found) and found[first].end <= start:
            first += 1
        at = start
        for left, right, (code, _) in islice(found, first, None):
            if left >= end:
                break
            left, right = max(left, at), min(right, end)
            if left > at and not demanded:
                result.append((at, left, True))
            if right > left:
                result.append((left, right, code))
                at = right
        if at < end and not demanded:
            result.append((at, end, True))
    return result


def _pieces_before(proof: str, states: Sequence[Segment[Status]], failed: Sequence[Segment[str]]) -> list[Piece]:
    """By rules 1 to 3: a proof held while the forwarder said so; where one is demanded and media is only acknowledged,
    it was not connected while the last read-back had failed."""
    proving, result = PROVES[proof], list[Piece]()
    for start, end, status in states:
        if status[0] in proving:
            result.append((start, end, True))
        elif proof != VERIFIED or status[0] != DeliveryState.ACKNOWLEDGED.value:
            result.append((start, end, status[1] or NO_CAUSE))
        else:
            result += [
                (max(start, left), min(end, right), cause)
                for left, right, cause in failed
                if left < end and right > start
            ]
    return result
