"""What is granted is carried out: by the rules of its noun, in the name of who granted it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

from inventory.api.mandate.duties.columns import next_deadline, settled_columns
from inventory.api.nouns.rules import make_thing, patch_thing, refuse_to_stay
from inventory.domain.days import day_of
from inventory.domain.mandate.decision_request import RequestFields, reason_of, why_too_late
from inventory.domain.mandate.maintenance_window import MaintenanceWindowFields
from inventory.domain.mandate.obligation import MACHINE
from inventory.domain.mandate.planning.basis import ExceptionFields
from inventory.domain.paper import in_vietnam
from inventory.domain.places.retention import Retention, find_due_day
from inventory.nouns.devices.declared import CAMERA, DELIVERY
from inventory.nouns.mandate.maintenance_windows import MAINTENANCE_WINDOW
from inventory.nouns.mandate.obligations import OBLIGATION
from inventory.nouns.mandate.plans import PLAN_EXCEPTION
from inventory.nouns.places import FACILITY
from inventory.nouns.writer import Write
from inventory.storage.conflicts import unknown_reference
from inventory.storage.queries.sight import sees
from inventory.storage.tables import (
    Camera,
    DecisionRequest,
    Delivery,
    Facility,
    MaintenanceWindow,
    Obligation,
    Purge,
    Thing,
)
from inventory.storage.upkeep.purging import find_closings, purge_facility
from vonggac.events.inventory import Act, FacilityStatus, ObligationStatus
from vonggac.http import ProblemError

_KINDS: Mapping[str, type[Thing]] = {
    "obligation_id": Obligation,
    "facility_id": Facility,
    "camera_id": Camera,
    "delivery_id": Delivery,
}


async def find_facility(writing: Write, asked: RequestFields) -> UUID | None:
    """Find the facility a request is about; None: the province. Raises ProblemError 422 for what does not exist."""
    session = writing.transaction.session
    found: dict[str, Any] = {}
    for name, kind in _KINDS.items():
        thing_id = getattr(asked, name)
        if thing_id is None:
            continue
        found[name] = await session.get(kind, thing_id)
        if found[name] is None or not await sees(session, kind, thing_id):
            raise unknown_reference(name, kind.noun)
    if "delivery_id" in found:
        found["camera_id"] = await session.get_one(Camera, found["delivery_id"].camera_id)
    if "camera_id" in found:
        facility_id: UUID = found["camera_id"].facility_id
        return facility_id
    return asked.facility_id


async def carry_out(writing: Write, request: DecisionRequest, decided: str | None) -> None:
    """Do what was asked. Raises ProblemError as its routes do, and 409 for maintenance that has begun meanwhile."""
    asked = RequestFields.model_validate(request.asked)
    await _CARRIERS[request.act](writing, request, asked, reason_of(request.reason, decided))


async def _settle(writing: Write, _request: DecisionRequest, asked: RequestFields, reason: str) -> None:
    obligation = await writing.transaction.get_thing(Obligation, _require_id(asked.obligation_id))
    to = ObligationStatus(asked.to or "")
    refuse_to_stay(MACHINE, obligation.status, to)
    columns = settled_columns(writing, to, asked.completed_at, reason)
    await patch_thing(writing, OBLIGATION, obligation, columns)


async def _move_deadline(writing: Write, _request: DecisionRequest, asked: RequestFields, reason: str) -> None:
    obligation = await writing.transaction.get_thing(Obligation, _require_id(asked.obligation_id))
    columns = next_deadline(writing, obligation, asked.due_before, reason, asked.directive_id)
    await patch_thing(writing, OBLIGATION, obligation, columns)


async def _except(writing: Write, _request: DecisionRequest, asked: RequestFields, reason: str) -> None:
    transaction = writing.transaction
    fields = ExceptionFields(
        facility_id=_require_id(asked.facility_id),
        why=reason,
        approved_by=transaction.actor.subject,
        decided_on=day_of(transaction.now),
    )
    await make_thing(writing, PLAN_EXCEPTION, fields)


async def _agree(writing: Write, request: DecisionRequest, asked: RequestFields, reason: str) -> None:
    transaction = writing.transaction
    if request.window_id is None:
        assert asked.starts_at is not None
        _refuse_begun(why_too_late(asked.starts_at, transaction.now))
        window = {name: getattr(asked, name) for name in ("camera_id", "facility_id", "starts_at", "ends_at")}
        await make_thing(writing, MAINTENANCE_WINDOW, MaintenanceWindowFields(**window, purpose=reason))
        return
    declared = await transaction.get_thing(MaintenanceWindow, request.window_id)
    if declared.cancelled_at is not None:
        raise ProblemError(
            HTTPStatus.CONFLICT, "maintenance_over", "this maintenance was cancelled: refuse the request"
        )
    _refuse_begun(why_too_late(declared.starts_at, transaction.now))
    agreed = {"agreed": True, "agreed_by": transaction.actor.subject, "confirmed_at": transaction.now}
    await patch_thing(writing, MAINTENANCE_WINDOW, declared, agreed)


async def _close(writing: Write, _request: DecisionRequest, asked: RequestFields, _reason: str) -> None:
    facility = await writing.transaction.get_thing(Facility, _require_id(asked.facility_id))
    await patch_thing(writing, FACILITY, facility, {"status": FacilityStatus(asked.to or "")})


async def _switch_off(writing: Write, _request: DecisionRequest, asked: RequestFields, _reason: str) -> None:
    if asked.camera_id is not None:
        camera = await writing.transaction.get_thing(Camera, asked.camera_id)
        await patch_thing(writing, CAMERA, camera, {"enabled": False})
        return
    delivery = await writing.transaction.get_thing(Delivery, _require_id(asked.delivery_id))
    await patch_thing(writing, DELIVERY, delivery, {"enabled": False})


def _require_id(thing_id: UUID | None) -> UUID:
    assert thing_id is not None, "a request of this act names it"
    return thing_id


def _refuse_begun(why: str | None) -> None:
    if why is not None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "maintenance_began",
            why,
            detail_vi="bảo trì đã bắt đầu: chỉ thống nhất được trước khi bắt đầu; bảo trì khai báo sau được ghi riêng "
            "và không được trừ khỏi tỷ lệ",
        )


async def _purge(writing: Write, request: DecisionRequest, asked: RequestFields, reason: str) -> None:
    """Erase what a closed facility left, once it is due, and keep on record what kinds and how many."""
    transaction, retention = writing.transaction, writing.retention
    facility = await transaction.get_thing(Facility, _require_id(asked.facility_id))
    closed_at = (await find_closings(transaction.session, [facility.id])).get(facility.id)
    today = day_of(transaction.now)
    if closed_at is None or find_due_day(closed_at, retention) > today:
        raise _refuse_early(facility, closed_at, retention)
    counts = await purge_facility(transaction, facility.id)
    purge = Purge(
        id=uuid4(),
        facility_id=facility.id,
        facility_code=facility.code,
        closed_at=closed_at,
        due_on=find_due_day(closed_at, retention),
        retention_days=retention.days,
        retention_source=retention.source,
        purged_at=transaction.now,
        asked_by=request.asked_by,
        decided_by=writing.caller.subject,
        request_id=request.id,
        reason=reason,
        counts={kind.value: count for kind, count in counts.items()},
    )
    transaction.session.add(purge)
    shown = {"facility_id": str(facility.id), "request_id": str(request.id), "counts": purge.counts}
    transaction.log.add(transaction.now, "purge", purge.id, "created", None, shown)


def _refuse_early(facility: Facility, closed_at: datetime | None, retention: Retention) -> ProblemError:
    if closed_at is None:
        msg = f"the facility {facility.code} is {facility.status}: the retention of its data begins when it is closed"
        vietnamese = f"cơ sở {facility.code} chưa đóng: thời hạn lưu dữ liệu tính từ khi đóng"
        return ProblemError(HTTPStatus.CONFLICT, "not_due", msg, detail_vi=vietnamese)
    due_on = find_due_day(closed_at, retention)
    msg = (
        f"the facility {facility.code} was closed on {day_of(closed_at)}, and its data are kept for {retention.days} "
        f"days ({retention.source}): they are due on {due_on}"
    )
    vietnamese = (
        f"cơ sở {facility.code} đóng ngày {in_vietnam(day_of(closed_at))}, dữ liệu lưu {retention.days} ngày "
        f"({retention.source}): đến ngày {in_vietnam(due_on)} mới được xóa"
    )
    return ProblemError(HTTPStatus.CONFLICT, "not_due", msg, detail_vi=vietnamese)


type Carrier = Callable[[Write, DecisionRequest, RequestFields, str], Awaitable[None]]
_CARRIERS: Mapping[Act, Carrier] = {
    Act.SETTLEMENT: _settle,
    Act.DEADLINE: _move_deadline,
    Act.EXCEPTION: _except,
    Act.MAINTENANCE: _agree,
    Act.CLOSING: _close,
    Act.SWITCHING_OFF: _switch_off,
    Act.PURGE: _purge,
}
