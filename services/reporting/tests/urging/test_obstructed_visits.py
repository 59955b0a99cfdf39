"""A visit that was obstructed is urged about, and escalates by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from services.reporting.tests.stage.urging import NOW, SET_BY_RECORDS, Urging
from sqlalchemy import NullPool, create_engine, select

from reporting.storage.sending.urging_tables import urge_rule
from vonggac.events.inventory import (
    AgencyRole,
    AgencyV1,
    BlockedKind,
    BlockedReasonV1,
)

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.embedded import PostgresServer


async def test_an_obstructed_visit_is_urged_about_and_escalates_by_itself(
    urging: Urging, ingest: Ingest, province: Province
) -> None:
    state = {"revision": 1, "changed_at": NOW - timedelta(days=9), "created_at": NOW - timedelta(days=9)}
    reason = BlockedReasonV1(
        id=uuid4(),
        facility_id=province.facility,
        kind=BlockedKind.NON_COOPERATION,
        text="Cản trở lượt làm việc ngày 17/11/2026: cổng khóa, gọi 0912 345 678",
        valid_from=(NOW - timedelta(days=3)).date(),
        changed_by="lead",
        **state,
    )
    await province.feed(ingest, province.stated("blocked_reason", reason))
    await urging.rule(hours=24)
    await urging.rule(name="Quá hạn lâu", level=2, hours=96)
    assert await urging.urger.check() == 1
    urging.now += timedelta(days=2)
    assert await urging.urger.check() == 1
    (first, _), (second, _) = await urging.log()
    assert (first.agency_code, first.level, second.level) == ("SYT", 1, 2)
    assert first.items[0]["title"] == "Cản trở lượt làm việc ngày 17/11/2026: cổng khóa, gọi ***"


async def test_a_new_installation_escalates_an_obstructed_visit_to_the_committee_by_itself(
    urging: Urging, ingest: Ingest, province: Province, postgres_server: PostgresServer, reporting_template: str
) -> None:
    made = create_engine(postgres_server.url(reporting_template, "reporting"), poolclass=NullPool)
    with made.connect() as connection:
        rules = [dict(row) for row in connection.execute(select(urge_rule)).mappings()]
    assert sorted((row["level"], row["hours"], row["party"]) for row in rules) == [
        (1, 0, "managing"), (2, 48, "managing"), (3, 120, "peoples_committee"),
    ]  # fmt: skip
    for row in rules:
        await urging.rule(**{name: row[name] for name in row if name not in SET_BY_RECORDS})
    state = {"revision": 1, "changed_at": NOW - timedelta(days=9), "created_at": NOW - timedelta(days=9)}
    committee = AgencyV1(id=uuid4(), code="UBND", name="UBND tỉnh", role=AgencyRole.PEOPLES_COMMITTEE, **state)
    reason = BlockedReasonV1(
        id=uuid4(),
        facility_id=province.facility,
        kind=BlockedKind.NON_COOPERATION,
        text="Cổng khóa",
        valid_from=NOW.date(),
        changed_by="lead",
        **state,
    )
    await province.feed(ingest, province.stated("agency", committee), province.stated("blocked_reason", reason))
    urging.owe("NV-1", 3)
    for days in (0, 2, 5):
        urging.now = NOW + timedelta(days=days)
        await urging.urger.check()
    found = [
        (entry.agency_code, entry.level, [item["title"] for item in entry.items]) for entry, _ in await urging.log()
    ]
    assert [(code, level) for code, level, _ in found] == [("SYT", 1), ("SYT", 2), ("SYT", 2), ("UBND", 3)]
    assert all(titles == ["Cổng khóa"] for _, _, titles in found)
