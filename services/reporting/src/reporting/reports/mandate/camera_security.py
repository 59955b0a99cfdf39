"""The security of every camera in scope at an instant: each item, with where it is known from and since when."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis
from reporting.domain.mandate.camera_security import (
    Basis,
    Known,
    KnownSecurity,
    SecurityFinding,
    SecurityItem,
    SecurityVerdict,
    find_security,
)
from reporting.domain.scope import Camera, Facility
from reporting.domain.segments import Period
from reporting.reports.mandate.situation import situation_of_record
from reporting.reports.snapshot.canonical import Row
from reporting.storage import plan
from reporting.storage.mandate import security
from reporting.storage.mandate.records import Record
from vonggac.telemetry.garbage_collection import rarely_collected

_NOUNS = ("agency", "camera", "unit")
_NAMED = ("facility_code", "camera_id", "camera_code", "camera_name")
_ENCRYPTED = frozenset({"rtsps", "rtmps", "https"})


class CameraSecurity(NamedTuple):
    """One camera and every item of it."""

    facility: Facility
    camera: Camera
    findings: tuple[SecurityFinding, ...]

    @property
    def is_insecure(self) -> bool:
        return any(one.verdict is SecurityVerdict.INSECURE for one in self.findings)


async def camera_security(
    session: AsyncSession, at: Millis, presumed_alive_ms: Millis, scope: plan.Scope
) -> list[CameraSecurity]:
    """Every camera in scope at the instant, in the order of the reports."""
    with rarely_collected():
        then = await situation_of_record(session, at, presumed_alive_ms, scope, _NOUNS)
        named = {one.facility.id: one.facility for one in then.facilities}
        places = await plan.places(session, scope, Period(at, at + 1))
        cameras = [one for one in await plan.cameras(session, places) if one.pieces[-1].value.absence is None]
        declared = {versions[-1].id: versions for versions in _until(then.records.versions("camera"), at)}
        observed = await security.at(session, at)
        return [
            CameraSecurity(
                named.get(one.facility.id, one.facility),
                one,
                tuple(find_security(_gather_security(declared.get(UUID(one.id), ()), observed.get(one.id, {})), at)),
            )
            for one in cameras
        ]


def count_verdicts(found: Iterable[CameraSecurity]) -> Mapping[tuple[SecurityItem, SecurityVerdict], int]:
    """How many cameras have which verdict of which item."""
    return Counter((each.item, each.verdict) for one in found for each in one.findings)


def security_rows(found: Iterable[CameraSecurity], cameras: Sequence[Row]) -> dict[str, list[Row]]:
    """Build the tables `security` and `security_findings` of a frozen report, in the order of its `cameras`: of each
    camera which items stand how and where that is known from, and of what is not in order the value and its time."""
    of_camera = {one.camera.id: one for one in found}
    listed = [(row, of_camera[str(row["camera_id"])]) for row in cameras if row["camera_id"] in of_camera]
    named = [({name: row[name] for name in _NAMED}, one.findings) for row, one in listed]
    return {
        "security": [
            {
                **camera,
                **{
                    f"items_{each.value}": _items(one for one in of_it if one.verdict is each)
                    for each in SecurityVerdict
                },
                **{f"items_{each.value}": _items(one for one in of_it if one.basis is each) for each in Basis},
            }
            for camera, of_it in named
        ],
        "security_findings": [
            {
                **camera,
                "security_item": one.item.value,
                "security_value": one.value,
                "security_basis": None if one.basis is None else one.basis.value,
                "known_at_ms": one.at,
                "security_detail": one.detail_vi,
            }
            for camera, of_it in named
            for one in of_it
            if one.verdict is SecurityVerdict.INSECURE
        ],
    }


def _items(findings: Iterable[SecurityFinding]) -> str | None:
    return " ".join(one.item.value for one in findings) or None


def _until(things: Iterable[list[Record]], at: Millis) -> Iterable[list[Record]]:
    """Yield the revisions of each thing that had begun, of things with any."""
    begun = ([one for one in versions if one.start <= at] for versions in things)
    return (versions for versions in begun if versions)


def _gather_security(versions: Sequence[Record], observed: Mapping[str, Known]) -> KnownSecurity:
    declared: dict[str, Known] = {}
    for version in versions:
        now: Mapping[str, Any] = version.state.get("security") or {}
        declared = {
            name: declared[name] if name in declared and declared[name].value == value else Known(value, version.start)
            for name, value in now.items()
            if value is not None
        }
    scheme = versions[-1].state.get("scheme") if versions else None
    return KnownSecurity(declared, observed, scheme in _ENCRYPTED)
