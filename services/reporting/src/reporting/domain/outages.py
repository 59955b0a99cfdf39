"""Outages of a camera (R08): start, end, cause, duration. Out of scope and maintenance are none, unknown ends one."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reporting.domain.evidence.media import joined
from reporting.domain.evidence.proven import NO_CAUSE
from reporting.domain.instants import Millis
from reporting.domain.partition import Seen
from reporting.domain.scope import Absence, Reason
from reporting.domain.segments import Period, Segment, overlay
from reporting.domain.timeline import CameraState


@dataclass(frozen=True, slots=True)
class Outage:
    """The camera was down in [start, end); `causes` in order of appearance, `began_before` when the period cuts it.

    `confirmed`: a second probe failed too. One that a single probe saw counts as down time all the same.
    """

    start: Millis
    end: Millis
    causes: tuple[str, ...]
    began_before: bool
    ongoing: bool
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class OutageFigures:
    """What outages come to. `count`: confirmed ones, those of one site fault are one. Milliseconds.

    `mttr`: mean length of the counted ones that began and ended in the period; `mtbf`: up time per counted outage.
    """

    count: int
    unconfirmed: int
    site_faults: int
    down: Millis
    mttr: float | None
    mtbf: float | None
    longest: Millis | None
    by_cause: Mapping[str, Millis]


def outage_figures[Fault: Hashable](
    period: Period, found: Sequence[tuple[Outage, Fault | None]], up: Millis
) -> OutageFigures:
    """Sum up the outages within `period`, each with its whole site's fault, and the up time of the same cameras."""
    sure = [(outage, fault) for outage, fault in found if outage.confirmed]
    whole = counted(sure)
    repaired = repairs(period, whole)
    by_cause: dict[str, Millis] = {}
    for outage, _ in found:
        cause = outage.causes[0] if outage.causes else NO_CAUSE
        by_cause[cause] = by_cause.get(cause, 0) + outage.end - outage.start
    return OutageFigures(
        count=len(whole),
        unconfirmed=len(found) - len(sure),
        site_faults=len({fault for _, fault in sure if fault is not None}),
        down=sum(outage.end - outage.start for outage, _ in found),
        mttr=sum(repaired) / len(repaired) if repaired else None,
        mtbf=up / len(whole) if whole else None,
        longest=max((outage.end - outage.start for outage, _ in sure), default=None),
        by_cause=by_cause,
    )


def counted[Fault: Hashable](sure: Iterable[tuple[Outage, Fault | None]]) -> list[list[Outage]]:
    """Group confirmed outages as they are counted: each by itself, those of one site fault together."""
    alone: list[list[Outage]] = []
    together: dict[Fault, list[Outage]] = {}
    for outage, fault in sure:
        if fault is None:
            alone.append([outage])
        else:
            together.setdefault(fault, []).append(outage)
    return [*alone, *together.values()]


def repairs(period: Period, whole: Iterable[Sequence[Outage]]) -> list[Millis]:
    """How long each that began and ended in the period took: one of a site until its last camera was back."""
    return [
        max(one.end for one in each) - min(one.start for one in each)
        for each in whole
        if not any(one.began_before or one.ongoing or one.end >= period.end for one in each)
    ]


def confirmed(camera: Sequence[Segment[Seen]]) -> list[Segment[Seen]]:
    """Compute the confirmed states behind the raw ones (design 6).

    `down` is confirmed by a second failed probe, and then dated back to the beginning of the first one. A picture
    proves `up` at once. Until a `down` is confirmed, what was confirmed before it still stands.
    """
    result: list[Segment[Seen]] = []
    for stretch in _stretches(camera):
        if stretch[0].value.state is not CameraState.DOWN or _is_confirmed(stretch):
            result += stretch
            continue
        start, end = stretch[0].start, stretch[-1].end
        before = result[-1] if result and result[-1].end == start else None
        if before is not None and before.value.state is CameraState.UP:
            result[-1] = Segment(before.start, end, before.value)
        else:
            result.append(Segment(start, end, Seen(CameraState.UNKNOWN, None, start)))
    return joined(result)


def _stretches(camera: Sequence[Segment[Seen]]) -> list[list[Segment[Seen]]]:
    """Segments of one state, whatever its causes, that follow each other without a gap."""
    result: list[list[Segment[Seen]]] = []
    for segment in camera:
        before = result[-1][-1] if result else None
        if before is not None and before.end == segment.start and before.value.state is segment.value.state:
            result[-1].append(segment)
        else:
            result.append([segment])
    return result


def _is_confirmed(stretch: Sequence[Segment[Seen]]) -> bool:
    return len(stretch) > 1 or stretch[0].value.repeated


def accounted(
    period: Period,
    camera: Sequence[Segment[Seen]],
    maintenance: Sequence[Segment[bool]],
    absences: Sequence[Segment[Absence]] = (),
) -> list[Segment[Seen]]:
    """Account the camera's line over `period` gapless: out of scope, then maintenance; what nobody saw is unknown."""
    result: list[Segment[Seen]] = []
    for start, end, (absence, agreed, seen) in overlay(period, [absences, maintenance, camera]):
        value: tuple[CameraState, str | None]
        if absence is not None and absence.reason is Reason.REVISION_MISSING:
            value = (CameraState.UNKNOWN, absence.reason.value)
        elif absence is not None:
            value = (CameraState.OUT_OF_SCOPE, absence.reason.value)
        elif agreed:
            value = (CameraState.MAINTENANCE, None)
        else:
            value = (seen.state, seen.cause) if seen is not None else (CameraState.UNKNOWN, None)
        if result and result[-1].value[:2] == value:
            result[-1] = Segment(result[-1].start, end, result[-1].value)
        else:
            result.append(Segment(start, end, Seen(value[0], value[1], start)))
    return result


def outages(
    period: Period,
    camera: Sequence[Segment[Seen]],
    maintenance: Sequence[Segment[bool]],
    now: Millis,
    absences: Sequence[Segment[Absence]] = (),
) -> list[Outage]:
    """Each unbroken stretch of down time, whatever its causes. `ongoing` when it reaches up to `now`.

    It began before the period where it was one a moment earlier: the lines hold that moment, too.
    """
    (earlier,) = accounted(Period(period.start - 1, period.start), camera, maintenance, absences)
    unconfirmed = [
        stretch[0]
        for stretch in _stretches(camera)
        if stretch[0].value.state is CameraState.DOWN and not _is_confirmed(stretch)
    ]
    result: list[Outage] = []
    for start, end, seen in accounted(period, camera, maintenance, absences):
        if seen.state is not CameraState.DOWN:
            continue
        cause = () if seen.cause is None else (seen.cause,)
        if result and result[-1].end == start:
            before = result[-1]
            causes = before.causes + tuple(one for one in cause if one not in before.causes)
            result[-1] = Outage(before.start, end, causes, before.began_before, end >= now)
        else:
            began_before = start == period.start and earlier.value.state is CameraState.DOWN
            alone = any(one.start <= start and end <= one.end for one in unconfirmed)
            result.append(Outage(start, end, cause, began_before, end >= now, not alone))
    return result
