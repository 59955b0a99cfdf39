"""Plan against fact (R15): each camera as it was agreed beside as it was observed, at an instant."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.mandate.deviations import Agreed, Compared, Observed, compare
from reporting.domain.scope import Facility
from reporting.reports.accounts import CameraMoment
from reporting.reports.mandate.findings import Facts
from reporting.reports.mandate.situation import Situation
from reporting.storage.mandate import formats
from reporting.storage.mandate.formats import SeenFormat
from reporting.storage.mandate.records import Record
from vonggac.events.inventory import SurveyStatus
from vonggac.telemetry.garbage_collection import rarely_collected

NOUNS = ("agency", "camera", "connection_plan", "plan_exception", "survey", "unit")
"""Of the register, what the comparison needs of a situation."""


class CameraCompared(NamedTuple):
    """Everything that was compared of one camera. `plan` None: no agreed plan of its facility names it."""

    facility: Facility
    camera: CameraMoment
    plan: Record | None
    seen: SeenFormat | None
    compared: tuple[Compared, ...]


async def compared_cameras(session: AsyncSession, situation: Situation) -> list[CameraCompared]:
    """Every camera in scope at the instant, in the order of the reports."""
    with rarely_collected():
        return await _compared(session, situation)


async def _compared(session: AsyncSession, situation: Situation) -> list[CameraCompared]:
    facts = Facts.gather(situation, {})
    seen = await formats.at(session, situation.at)
    recorded = {str(one.id): one for one in situation.records.at("camera", situation.at)}
    result: list[CameraCompared] = []
    for then in situation.facilities:
        agreed_plan = facts.agreed_plan(then.facility.id)
        surveyed = _surveyed(facts.surveys.get(then.facility.id, ()))
        excepted = bool(facts.exceptions.get(then.facility.id))
        for one in then.cameras:
            piece = one.camera.pieces[-1].value
            if piece.absence is not None:
                continue
            connection = _connection(agreed_plan, one.camera.code)
            known = recorded.get(one.camera.id)
            agreed = _agreed(known, connection, surveyed.get(one.camera.code, {}), excepted=excepted)
            format_seen = seen.get(one.camera.id)
            make = None if known is None else known.state.get("vendor")
            compared = tuple(compare(agreed, _observed(one, format_seen, make)))
            result.append(
                CameraCompared(
                    then.facility, one, agreed_plan if connection is not None else None, format_seen, compared
                )
            )
    return result


def _connection(plan: Record | None, camera_code: str) -> dict[str, Any] | None:
    if plan is None:
        return None
    return next((one for one in plan.state["connections"] if one["camera_code"] == camera_code), None)


def _surveyed(surveys: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Return what the form of the newest approved survey says of each camera, by its code."""
    approved = [one for one in surveys if one.state["status"] == SurveyStatus.APPROVED.value]
    newest = max(approved, key=lambda one: (one.state["approved_at"] or "", str(one.id)), default=None)
    return {} if newest is None else {one["code"]: one for one in newest.state.get("cameras", ())}


def _agreed(
    camera: Record | None, connection: dict[str, Any] | None, surveyed: dict[str, Any], *, excepted: bool
) -> Agreed:
    """Take how the stream is set that the plan takes from the survey's form; where it is silent, from the register."""
    expected: dict[str, Any] = (camera.state["expected"] if camera is not None else None) or {}
    stream = surveyed.get("main" if connection is None else connection["stream"]) or {}
    expected = {name: value for name, value in expected.items() if stream.get(name) is None} | {
        name: value for name, value in stream.items() if value is not None
    }
    agreed = Agreed(
        connection is not None,
        excepted,
        expected.get("codec"),
        expected.get("width"),
        expected.get("height"),
        expected.get("fps"),
        make=surveyed.get("make"),
    )
    if connection is None:
        return agreed
    return Agreed(
        True,
        excepted,
        agreed.codec,
        agreed.width,
        agreed.height,
        agreed.fps,
        connection["bandwidth_kbps"],
        connection["transport"],
        frozenset(connection["destination_codes"]),
        agreed.make,
    )


def _observed(one: CameraMoment, seen: SeenFormat | None, make: str | None) -> Observed:
    demanded = {planned.id for planned in one.camera.pieces[-1].value.deliveries}
    delivered, connected, failed = set[str](), set[str](), set[str]()
    for planned, connection in zip(one.camera.deliveries, one.now.connected, strict=True):
        if planned.id not in demanded or not planned.enabled:
            continue
        code = planned.destination.code or str(planned.destination.id)
        delivered.add(code)
        if connection is not None:
            (connected if connection else failed).add(code)
    destinations = frozenset(delivered), frozenset(connected), frozenset(failed)
    if seen is None:
        return Observed(None, None, None, None, None, None, *destinations, make)
    sent = (seen.codec, seen.width, seen.height, seen.fps, seen.bitrate_kbps, seen.transport)
    return Observed(*sent, *destinations, make)
