"""Maintenance is agreed by somebody who is not the operator, before it begins; else it is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import NullPool, create_engine, text

from vonggac.auth import Role

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.duties.conftest import Duty

    from inventory.settings import Settings

LEAD, OPERATOR = Role.PROVINCE_LEAD, Role.OPERATOR


async def declare(duty: Duty, role: Role, start: str, end: str, **given: Any) -> dict[str, Any]:
    body = {"facility_id": duty.facility["id"], "starts_at": start, "ends_at": end, "purpose": "thay nguồn"} | given
    answer = await duty.call(role, "POST", "/v1/maintenance-windows", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def shown(duty: Duty, window: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await duty.call(LEAD, "GET", f"/v1/maintenance-windows/{window['id']}")).json()
    return found


async def waiting(duty: Duty) -> list[dict[str, Any]]:
    answer = await duty.call(LEAD, "GET", "/v1/decision-requests", status="waiting", act="maintenance")
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_duty_maintenance_of_the_operator_is_declared_and_waits(duty: Duty, soon: Any) -> None:
    made = await declare(duty, OPERATOR, soon(1), soon(720))
    assert (made["agreed"], made["agreed_by"], made["declared_by"]) == (False, None, "test-operator")
    [request] = await waiting(duty)
    assert (request["window_id"], request["facility_id"]) == (made["id"], duty.facility["id"])
    own = await duty.decide(OPERATOR, request, "granted")
    assert own.status_code == 403
    assert (await duty.decide(LEAD, request, "granted")).status_code == 200
    agreed = await shown(duty, made)
    assert (agreed["agreed"], agreed["agreed_by"], agreed["declared_by"]) == (
        True, "test-province_lead", "test-operator",
    )  # fmt: skip
    assert agreed["confirmed_at"] < agreed["starts_at"]


async def test_duty_maintenance_of_the_lead_is_agreed_if_it_lies_ahead(duty: Duty, soon: Any) -> None:
    ahead = await declare(duty, LEAD, soon(1), soon(2))
    assert (ahead["agreed"], ahead["agreed_by"]) == (True, "test-province_lead")
    past = await declare(duty, LEAD, soon(-5), soon(-4))
    assert (past["agreed"], past["agreed_by"], past["declared_by"]) == (False, None, "test-province_lead")
    assert await waiting(duty) == []


async def test_duty_maintenance_that_began_is_not_agreed_any_more(duty: Duty, soon: Any, settings: Settings) -> None:
    made = await declare(duty, OPERATOR, soon(1), soon(3))
    [request] = await waiting(duty)
    engine = create_engine(settings.database_url.get_secret_value(), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("update maintenance_windows set starts_at = now() - interval '1 second'"))
    engine.dispose()
    late = await duty.decide(LEAD, request, "granted")
    assert (late.status_code, late.json()["code"]) == (409, "maintenance_began"), late.text
    assert "trước khi bắt đầu" in late.json()["detail_vi"]
    assert (await shown(duty, made))["agreed"] is False


async def test_duty_maintenance_that_is_agreed_is_not_lengthened_by_the_operator(duty: Duty, soon: Any) -> None:
    made = await declare(duty, LEAD, soon(1), soon(2))
    path = f"/v1/maintenance-windows/{made['id']}"
    shorter = await duty.call(OPERATOR, "PATCH", path, {"ends_at": soon(1.5)})
    assert (shorter.status_code, shorter.json()["agreed"]) == (200, True)
    longer = await duty.call(OPERATOR, "PATCH", path, {"ends_at": soon(700)})
    assert (longer.json()["agreed"], longer.json()["agreed_by"]) == (False, None)
    assert [one["window_id"] for one in await waiting(duty)] == [made["id"]]


async def test_duty_maintenance_in_bulk_is_declared_too(duty: Duty, soon: Any) -> None:
    window = {"camera_id": duty.camera["id"], "starts_at": soon(1), "ends_at": soon(2), "purpose": "thay nguồn"}
    made = await duty.call(OPERATOR, "POST", "/v1/maintenance-windows/bulk", [window])
    assert [one["agreed"] for one in made.json()["items"]] == [False]
    assert [one["facility_id"] for one in await waiting(duty)] == [duty.facility["id"]]


async def test_duty_maintenance_is_asked_for_by_the_facility(duty: Duty, soon: Any) -> None:
    asked = await duty.ask(
        Role.FACILITY, act="maintenance", facility_id=duty.facility["id"], starts_at=soon(2), ends_at=soon(3)
    )
    assert asked.status_code == 201, asked.text
    assert (await duty.decide(LEAD, asked.json(), "granted")).status_code == 200
    [window] = (await duty.call(LEAD, "GET", "/v1/maintenance-windows")).json()["items"]
    assert (window["agreed"], window["agreed_by"]) == (True, "test-province_lead")
