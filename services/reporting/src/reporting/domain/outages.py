"""Outages of a camera (R08): start, end, cause, duration. Out of scope and maintenance are none, unknown ends one."""

from collections.abc import Sequence
from dataclasses import dataclass

from reporting.domain.instants import Millis
from reporting.domain.partition import Seen
from reporting.domain.scope import Absence
from reporting.domain.segments import Period, Segment, overlay
from reporting.domain.timeline import CameraState


@dataclass(frozen=True, slots=True)
class Outage:
    """The camera was down in [start, end); `causes` in order of appearance, `began_before` when the period cuts it."""

    start: Millis
    end: Millis
    causes: tuple[str, ...]
    began_before: bool
    ongoing: bool


def accounted(
    period: Period,
    camera: Sequence[Segment[Seen]],
    maintenance: Sequence[Segment[bool]],
    absences: Sequence[Segment[Absence]] = (),
) -> list[Segment[Seen]]:
    """The camera's line over `period` without gaps: out of scope, then maintenance; what nobody saw is unknown."""
    result: list[Segment[Seen]] = []
    for start, end, (absence, agreed, seen) in overlay(period, [absences, maintenance, camera]):
        if absence is not None:
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
    """Each unbroken stretch of down time, whatever its causes. `ongoing` when it reaches up to `now`."""
    down_before = {segment.start for segment in camera if segment.value.since < period.start}
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
            began_before = start == period.start and bool(down_before)
            result.append(Outage(start, end, cause, began_before, end >= now))
    return result
