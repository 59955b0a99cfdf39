"""The compliance document: GET /v1/compliance as JSON. Its schema is beside the route, in `api.compliance`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.compliance import DURATION_NAMES, DeliveryDurations, Durations
from reporting.domain.instants import seconds, shown
from reporting.domain.percentages import percentages
from reporting.domain.rule import RULE_EN, RULE_VERSION, RULE_VI
from reporting.reports.accounts import CameraAccount, Now, Question, accounts
from reporting.reports.totals import CameraCounts, Group, Totals
from reporting.storage import plan
from reporting.storage.plan import Camera, Delivery, Facility, Named

SCHEMA_VERSION = "vonggac.compliance/1"


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as the caller gave them, and what they mean."""

    scope: plan.Scope
    shown: dict[str, str | None]


async def document(session: AsyncSession, question: Question, asked: Asked) -> list[bytes]:
    """The whole JSON document in parts: totals first, so every camera is accounted before the first byte leaves."""
    totals, lines = Totals(await plan.facilities(session, asked.scope)), list[bytes]()
    async for portion in accounts(session, question, await plan.cameras(session, totals.facilities)):
        lines.append(await asyncio.to_thread(_encode, portion, totals))
    head = to_json(_head(question, asked, totals))
    return [head[:-1], b',"cameras":[', b",".join(lines), b"]}"]


async def summary(session: AsyncSession, question: Question, scope: plan.Scope) -> Group:
    """Only the totals."""
    totals = Totals(await plan.facilities(session, scope))
    async for portion in accounts(session, question, await plan.cameras(session, totals.facilities)):
        totals.add(portion)
    return totals.total


async def portions(session: AsyncSession, question: Question, scope: plan.Scope) -> AsyncIterator[list[CameraAccount]]:
    """The same accounts, portion by portion, for exports."""
    facilities = await plan.facilities(session, scope)
    async for portion in accounts(session, question, await plan.cameras(session, facilities)):
        yield portion


def _encode(portion: Sequence[CameraAccount], totals: Totals) -> bytes:
    totals.add(portion)
    return to_json([_camera(one) for one in portion])[1:-1]


def _head(question: Question, asked: Asked, totals: Totals) -> dict[str, Any]:
    period = question.period
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": shown(question.now),
        "period": {"from": shown(period.start), "to": shown(period.end), "seconds": seconds(period.length)},
        "rule": {"version": RULE_VERSION, "text_vi": RULE_VI, "text_en": RULE_EN},
        "filters": asked.shown,
        "totals": figures(totals.total),
        "by_district": [_group(one) for one in totals.by_district],
        "by_agency": [_group(one) for one in totals.by_agency],
        "by_type": [_group(one) for one in totals.by_type],
        "by_facility": [_group(one) for one in totals.by_facility],
    }


def _group(group: Group) -> dict[str, Any]:
    return {"id": group.id, "code": group.code, "name": group.name, **figures(group)}


def figures(group: Group) -> dict[str, Any]:
    """Counts, seconds and percentages of a group."""
    return {
        "facilities": {
            "total": group.facilities,
            "with_cameras": group.facilities_with_cameras,
            "without_cameras": group.facilities - group.facilities_with_cameras,
        },
        "cameras": {name: getattr(group.cameras, name) for name in CameraCounts.__dataclass_fields__},
        **_time(group.durations),
    }


def _time(durations: Durations) -> dict[str, Any]:
    """Seconds and the two sets of percentages."""
    availability = percentages(durations.up, durations.down, durations.unknown)
    compliance = percentages(durations.compliant, durations.non_compliant, durations.compliance_unknown)
    return {
        "seconds": {name: getattr(durations, name) / 1000 for name in DURATION_NAMES},
        "availability": availability._asdict(),
        "compliance": compliance._asdict(),
    }


def _camera(one: CameraAccount) -> dict[str, Any]:
    camera: Camera = one.camera
    facility = camera.facility
    return {
        "id": camera.id,
        "code": camera.code,
        "name": camera.name,
        "facility": _facility(facility),
        "district": _named(facility.district),
        "agency": _named(facility.agency),
        **_now(one.now),
        "compliant": one.compliant_now,
        "deliveries": [
            _delivery(planned, now, connected, durations)
            for planned, now, connected, durations in zip(
                camera.deliveries, one.deliveries_now, one.connected_now, one.account.deliveries, strict=True
            )
        ],
        **_time(one.account.camera),
    }


def _delivery(planned: Delivery, now: Now, connected: bool | None, durations: DeliveryDurations) -> dict[str, Any]:
    return {
        "id": planned.id,
        "enabled": planned.enabled,
        "required_proof": planned.required_proof,
        "destination": {**_named(planned.destination), "role": planned.role},
        **_now(now),
        "connected": connected,
        "seconds": {
            "connected": durations.connected / 1000,
            "not_connected": durations.not_connected / 1000,
            "maintenance": durations.maintenance / 1000,
            "unknown": durations.unknown / 1000,
        },
        "not_connected_by_cause": {cause: length / 1000 for cause, length in sorted(durations.by_cause.items())},
    }


def _now(now: Now) -> dict[str, Any]:
    return {"state": now.state, "cause": now.cause, "since": shown(now.since)}


def _named(thing: Named) -> dict[str, Any]:
    return {"id": thing.id, "code": thing.code, "name": thing.name}


def _facility(facility: Facility) -> dict[str, Any]:
    return {
        "id": facility.id,
        "code": facility.code,
        "name": facility.name,
        "type": facility.type,
        "restricted": facility.restricted,
    }
