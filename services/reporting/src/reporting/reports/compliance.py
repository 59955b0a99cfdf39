"""The compliance document: GET /v1/compliance as JSON. Its schema is beside the route, in `api.compliance`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.compliance import RULE_EN, RULE_VERSION, RULE_VI
from reporting.domain.instants import format_instant, millis, seconds
from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES, DeliveryDurations, Durations
from reporting.domain.percentages import percentages
from reporting.domain.scope import Absence, Camera, Delivery, Facility, Named
from reporting.domain.segments import Segment
from reporting.reports.accounts import CameraAccount, Question, StateNow
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.figures import totals_of
from reporting.reports.notes import Note, load_notes
from reporting.reports.totals import CameraCounts, Group, Totals
from reporting.reports.waiting_centres import note_waiting_centres
from reporting.storage import plan
from vonggac.telemetry.garbage_collection import rarely_collected

SCHEMA_VERSION = "vonggac.compliance/2"


@dataclass(frozen=True, slots=True)
class AppliedFilters:
    """The filters as the caller gave them, and what they mean."""

    scope: plan.Scope
    shown: dict[str, str | None]


async def document(session: AsyncSession, question: Question, asked: AppliedFilters) -> list[bytes]:
    """Write the JSON document in parts: totals first, so each camera is accounted before the first byte leaves."""
    places = await plan.places(session, asked.scope, question.period)
    totals, cameras = Totals(places), await _cameras(session, places)
    lines = [line async for line in ledgered_accounts(session, question, cameras, partial(_encode, totals))]
    notes = await load_notes(session, question.period) + await note_waiting_centres(session, question, asked.scope)
    head = to_json(_head(question, asked, totals, notes))
    return [head[:-1], b',"cameras":[', b",".join(lines), b"]}"]


async def summary(session: AsyncSession, question: Question, scope: plan.Scope) -> Group:
    """Only the totals."""
    return (await totals_of(session, question, scope)).total


async def _cameras(session: AsyncSession, places: plan.Places) -> list[Camera]:
    with rarely_collected():
        return await plan.cameras(session, places)


def _encode(totals: Totals, portion: Sequence[CameraAccount]) -> bytes:
    totals.add(portion)
    places = _Places()
    return to_json([_camera(one, places) for one in portion])[1:-1]


def _head(question: Question, asked: AppliedFilters, totals: Totals, notes: Sequence[Note]) -> dict[str, Any]:
    period = question.period
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": format_instant(question.now),
        "period": {
            "from": format_instant(period.start),
            "to": format_instant(period.end),
            "seconds": seconds(period.length),
            "time_zone": question.time_zone,
            "current": question.current,
        },
        "rule": {"version": RULE_VERSION, "text_vi": RULE_VI, "text_en": RULE_EN},
        "notes": [one.to_json() for one in notes],
        "filters": asked.shown,
        "totals": figures(totals.total, question),
        "by_unit": [_group(one, question) for one in totals.by_unit],
        "by_agency": [_group(one, question) for one in totals.by_agency],
        "by_type": [_group(one, question) for one in totals.by_type],
        "by_facility": [_group(one, question) for one in totals.by_facility],
    }


def _group(group: Group, question: Question) -> dict[str, Any]:
    return {"id": group.id, "code": group.code, "name": group.name, **figures(group, question)}


def figures(group: Group, question: Question) -> dict[str, Any]:
    """Build counts, seconds and percentages of a group. How many cameras stand how now is null for a past period."""
    counts = {name: getattr(group.cameras, name) for name in CameraCounts.__dataclass_fields__}
    if not question.current:
        counts = {name: count if name == "total" else None for name, count in counts.items()}
    return {
        "facilities": {
            "total": group.facilities,
            "with_cameras": group.facilities_with_cameras,
            "without_cameras": group.facilities - group.facilities_with_cameras,
        },
        "cameras": counts,
        **_time(group.durations),
    }


def _time(durations: Durations) -> dict[str, Any]:
    """Seconds and the two sets of percentages."""
    availability = percentages(durations.up, durations.down, durations.unknown)
    compliance = percentages(durations.compliant, durations.non_compliant, durations.compliance_unknown)
    return {
        "seconds": {name: length / 1000 for name, length in zip(DURATION_NAMES, durations.lengths, strict=True)},
        "availability": availability._asdict(),
        "compliance": compliance._asdict(),
    }


class _Places:
    """The parts that many cameras share, built once per portion."""

    def __init__(self) -> None:
        self._facilities: dict[int, dict[str, Any]] = {}
        self._destinations: dict[int, dict[str, Any]] = {}

    def of(self, facility: Facility) -> dict[str, Any]:
        """Facility, unit and agency of a camera."""
        known = self._facilities.get(id(facility))
        if known is None:
            unit, agency = _describe_named(facility.unit), _describe_named(facility.agency)
            known = {"facility": _facility(facility), "unit": unit, "agency": agency}
            self._facilities[id(facility)] = known
        return known

    def destination(self, planned: Delivery) -> dict[str, Any]:
        """Describe the destination of a delivery."""
        known = self._destinations.get(id(planned.destination))
        if known is None:
            known = {**_describe_named(planned.destination), "role": planned.role}
            self._destinations[id(planned.destination)] = known
        return known


def _camera(one: CameraAccount, places: _Places) -> dict[str, Any]:
    camera, now = one.camera, one.now
    nothing = (None,) * len(camera.deliveries)
    return {
        "id": camera.id,
        "code": camera.code,
        "name": camera.name,
        **places.of(camera.facility),
        **_now(now.camera if now is not None else None),
        "confirmed_state": now.confirmed.state if now is not None else None,
        "confirmed_since": format_instant(now.confirmed.since) if now is not None else None,
        "compliant": now.compliant if now is not None else None,
        "shared_device_reason": camera.shared_device_reason,
        "out_of_scope": [_absence(absence) for absence in camera.out_of_scope]
        if one.account.camera.out_of_scope
        else [],
        "register_unknown": [
            {"from": format_instant(start), "to": format_instant(end)} for start, end, _ in camera.not_known
        ],
        "deliveries": [
            _delivery(planned, places, state, connected, durations)
            for planned, state, connected, durations in zip(
                camera.deliveries,
                now.deliveries if now is not None else nothing,
                now.connected if now is not None else nothing,
                one.account.deliveries,
                strict=True,
            )
        ],
        **_time(one.account.camera),
    }


def _absence(absence: Segment[Absence]) -> dict[str, Any]:
    start, end, (reason, by, why) = absence
    return {"from": format_instant(start), "to": format_instant(end), "reason": reason.value, "by": by, "why": why}


def _delivery(
    planned: Delivery, places: _Places, now: StateNow | None, connected: bool | None, durations: DeliveryDurations
) -> dict[str, Any]:
    # The newest proof is all that is kept: a past period would show it until the next one comes.
    verified_at, delay_s = (planned.verified_at, planned.delay_s) if now is not None else (None, None)
    return {
        "id": planned.id,
        "enabled": planned.enabled,
        "required_proof": planned.required_proof,
        "plan": planned.plan,
        "plan_exception": planned.plan_exception,
        "destination": places.destination(planned),
        **_now(now),
        "connected": connected,
        "seconds": {name: getattr(durations, name) / 1000 for name in LEDGER_NAMES},
        "verified_at": format_instant(millis(verified_at)) if verified_at is not None else None,
        "delay_s": delay_s,
        "not_connected_by_cause": {cause: length / 1000 for cause, length in sorted(durations.by_cause.items())},
    }


def _now(now: StateNow | None) -> dict[str, Any]:
    if now is None:
        return {"state": None, "cause": None, "since": None}
    return {"state": now.state, "cause": now.cause, "since": format_instant(now.since)}


def _describe_named(thing: Named) -> dict[str, Any]:
    return {"id": str(thing.id), "code": thing.code, "name": thing.name}


def _facility(facility: Facility) -> dict[str, Any]:
    return {
        "id": str(facility.id),
        "code": facility.code,
        "name": facility.name,
        "type": facility.type,
        "restricted": facility.restricted,
    }
