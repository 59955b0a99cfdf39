"""What happened to each camera of the example: outages, a night without a prober, a maintenance, two centres that get
connected one after the other. Drawn from a seed; the accounting is the real one."""

from random import Random
from typing import NamedTuple

from reporting.documents.example.places import Site
from reporting.domain.evidence.claims import Status
from reporting.domain.instants import HOUR, Millis
from reporting.domain.partition import Account, DeliveryDurations, DeliveryLine, Durations, Seen, account, out_of_scope
from reporting.domain.scope import Absence, Camera, Reason
from reporting.domain.segments import Period, Segment
from reporting.domain.timeline import CameraState
from vonggac.events import Cause
from vonggac.events.inventory import DestinationRole

DAY: Millis = 24 * HOUR
MINUTE: Millis = 60_000
_CAUSES = (Cause.TIMEOUT, Cause.ROUTE, Cause.TIMEOUT, Cause.NO_MEDIA, Cause.BLACK, Cause.AUTH_FAILED, Cause.FROZEN)
_MAINTAINED = "KCL-07"
_ROLES = {"national": DestinationRole.NATIONAL, "provincial": DestinationRole.PROVINCIAL}


class Line(NamedTuple):
    """A camera's time: absent before `born`, then what was seen, agreed and connected."""

    born: Millis
    seen: list[Segment[Seen]]
    maintenance: list[Segment[bool]]
    deliveries: list[DeliveryLine]

    @property
    def absences(self) -> list[Segment[Absence]]:
        return [Segment(0, self.born, Absence(Reason.NOT_YET))]


def line(period: Period, site: Site, camera: Camera, random: Random, *, blind: bool = True) -> Line:
    """Draw the time of one camera; `blind`: nobody probed in one of the nights."""
    born = period.start + site.installed_on * DAY + (9 * HOUR if site.installed_on else 0)
    outages = _outages(period, born, site, random)
    night = period.start + 3 * DAY + 2 * HOUR
    seen = _observe_period(Period(born, period.end), outages, Period(night, night + 90 * MINUTE if blind else night))
    start = period.start + 2 * DAY + 13 * HOUR
    maintenance = [Segment(start, start + 2 * HOUR, True)] if camera.facility.code == _MAINTAINED else []
    deliveries = []
    for index, planned in enumerate(camera.deliveries):
        since = born + (index + 1) * random.randrange(1, 14) * HOUR
        segments = [Segment(born, since, Status("connecting", None, born))] if since > born else []
        segments += _sent(since, period.end, outages)
        deliveries.append(DeliveryLine(_ROLES[planned.role or ""], planned.required_proof, True, segments))
    return Line(born, seen, maintenance, deliveries)


def accounted(period: Period, found: Line) -> Account:
    """Compute the account of a camera that is out of scope before it exists."""
    count = len(found.deliveries)
    whole = Account(Durations(), tuple(DeliveryDurations() for _ in range(count)))
    born = min(max(found.born, period.start), period.end)
    parts = []
    if born > period.start:
        parts.append(out_of_scope(Period(period.start, born), count))
    if born < period.end:
        parts.append(account(Period(born, period.end), found.seen, found.deliveries, found.maintenance))
    for part in parts:
        whole.camera.add(part.camera)
        for ledger, other in zip(whole.deliveries, part.deliveries, strict=True):
            ledger.add(other)
    return whole


type _Outage = tuple[Millis, Millis, str]


def _outages(period: Period, born: Millis, site: Site, random: Random) -> list[_Outage]:
    found: list[_Outage] = []
    at = born + random.randrange(2 * HOUR, 40 * HOUR)
    while at < period.end:
        length = random.choice((3, 7, 12, 45, 95, 260)) * MINUTE + random.randrange(MINUTE)
        found.append((at, min(at + length, period.end), random.choice(_CAUSES).value))
        at += length + random.randrange(20 * HOUR, 70 * HOUR)
    if site.facility.code == "KCL-05":
        down = period.start + 4 * DAY + 21 * HOUR
        found = [one for one in found if one[1] < down or one[0] > down + 3 * HOUR]
        found.append((down, down + 2 * HOUR + 20 * MINUTE, Cause.ROUTE.value))
    return sorted(found)


def _observe_period(period: Period, outages: list[_Outage], blind: Period) -> list[Segment[Seen]]:
    """Up but for the outages; what lies in the blind hours was seen by nobody."""
    whole: list[Segment[Seen]] = []
    at = period.start
    for start, end, cause in outages:
        whole.append(Segment(at, start, Seen(CameraState.UP, None, at)))
        whole.append(Segment(start, end, Seen(CameraState.DOWN, cause, start)))
        at = end
    whole.append(Segment(at, period.end, Seen(CameraState.UP, None, at)))
    kept: list[Segment[Seen]] = []
    for start, end, value in whole:
        kept += [
            Segment(left, right, value)
            for left, right in ((start, min(end, blind.start)), (max(start, blind.end), end))
            if left < right
        ]
    return kept


def _sent(since: Millis, until: Millis, outages: list[_Outage]) -> list[Segment[Status]]:
    """Acknowledged but for the outages of the camera, for which a destination waits."""
    found: list[Segment[Status]] = []
    at = since
    for start, end, _ in outages:
        if end <= at:
            continue
        if start > at:
            found.append(Segment(at, start, Status("acknowledged", None, at)))
        found.append(Segment(max(start, at), end, Status("waiting_for_camera", None, start)))
        at = end
    if at < until:
        found.append(Segment(at, until, Status("acknowledged", None, at)))
    return found
