"""Reports of a regime: frozen by themselves at their cut-off, once, beside the last one, laid before who approves them,
and sent after approval."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from services.reporting.tests.stage.freezing import DAY, NEXT, approve, once_more
from services.reporting.tests.stage.receivers import taking_mail

from reporting.documents.letter.blocks import Grid, Text
from reporting.documents.letter.content import paper
from reporting.documents.render import FORMS, rendered
from reporting.documents.verifying.verify import verify
from reporting.domain.instants import start_of
from reporting.feeds.sealing import Seal
from reporting.reports.snapshot import chain
from reporting.reports.snapshot.report import Report
from reporting.storage.sending import notices, regimes
from reporting.urging.regimes import RegimeKeeper
from vonggac.auth import Role
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings
    from vonggac.bus import Bus
    from vonggac.database import Database

HORIZON = timedelta(hours=6)
FIRST = date(2026, 11, 21)
"""The day of the facts."""
BODY: dict[str, Any] = {
    "name": "Báo cáo ngày",
    "rhythm": "days",
    "every_days": 1,
    "starts_on": FIRST.isoformat(),
    "ends_on": FIRST.isoformat(),
}
KEY = bytes(range(32))


class Keeping:
    """A keeper whose clock the test sets, and its regime."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings, self.now = database, settings, NEXT
        self.id = uuid4()
        self.keeper = self.replica()

    def replica(self, **given: Any) -> RegimeKeeper:
        return RegimeKeeper(self.database, self.settings, Seal(KEY), clock=lambda: self.now, **given)

    async def enter(self, **given: Any) -> None:
        known: dict[str, Any] = {
            "id": self.id,
            "name": "Báo cáo ngày",
            "rhythm": "days",
            "cut_off_day": 15,
            "every_days": 1,
            "starts_on": FIRST,
            "ends_on": None,
            "unit": None,
            "agency": None,
            "type": None,
            "facility": None,
            "directive_id": None,
            "letterhead": {},
            "approver_agency_id": None,
            "recipient_agency_ids": [],
            "enabled": True,
            "counts_from": datetime.fromtimestamp(start_of(FIRST) / 1000, DAY.tzinfo),
        }
        async with self.database.transaction() as session:
            await regimes.REGIMES.add(session, known | given, DAY, "lead")

    async def reports(self) -> list[tuple[Any, Report]]:
        async with self.database.transaction() as session:
            rows = await regimes.made_reports(session, self.id)
            found = [(row, await chain.read(session, row.report_id)) for row in rows]
        return [(row, report) for row, report in found if report is not None]


@pytest.fixture
async def keeping(database: Database, settings: Settings, fed: Province) -> Keeping:
    assert fed.facility
    return Keeping(database, settings)


async def test_a_report_is_frozen_when_its_evidence_is_complete_and_not_before(keeping: Keeping) -> None:
    await keeping.enter()
    keeping.now = NEXT + HORIZON - timedelta(milliseconds=1)
    assert await keeping.keeper.check() == 0
    keeping.now = NEXT + HORIZON
    assert await keeping.keeper.check() == 1
    assert await keeping.keeper.check() == 0
    ((row, report),) = await keeping.reports()
    assert (row.cut_off_at, row.starts_at, row.late, row.compared_with) == (NEXT, DAY, False, None)
    assert report.header.cut_off_ms == report.header.period.to_ms
    assert report.header.author == "Vọng Gác, theo chế độ báo cáo «Báo cáo ngày»"
    assert report.header.letterhead.subject.endswith("từ ngày 21/11/2026 đến ngày 21/11/2026")
    assert report.tables["comparison"] == []
    words = [block.text for block in paper(report).body if isinstance(block, Text)]
    assert any("báo cáo đầu tiên" in one for one in words)


async def test_several_replicas_freeze_a_cut_off_once(keeping: Keeping) -> None:
    await keeping.enter()
    keeping.now = NEXT + HORIZON
    replicas = [keeping.keeper, keeping.replica(), keeping.replica()]
    assert sum(await asyncio.gather(*(one.check() for one in replicas))) == 1
    assert len(await keeping.reports()) == 1


async def test_cut_offs_that_passed_while_reporting_was_away_are_made_up_once_and_marked_late(
    keeping: Keeping, database: Database
) -> None:
    await keeping.enter()
    keeping.now = NEXT + HORIZON + timedelta(days=2, minutes=1)
    assert await keeping.keeper.check() == 3
    assert await keeping.replica().check() == 0
    made = await keeping.reports()
    assert [(row.cut_off_at - NEXT, row.late) for row, _ in made] == [
        (timedelta(0), True),
        (timedelta(days=1), True),
        (timedelta(days=2), False),
    ]
    notes = [[note["note_kind"] for note in report.tables["notes"]] for _, report in made]
    assert ["made_late" in one for one in notes] == [True, True, False]
    assert [row.compared_with for row, _ in made] == [None, made[0][1].id, made[1][1].id]
    async with database.transaction() as session:
        rows, _ = await notices.page(session, "vn.vonggac.reporting.report_laid_before.v1", [], None, 9, count=False)
    assert len(rows) == 3


async def test_nothing_is_frozen_by_a_regime_that_is_switched_off_or_before_it_counts(keeping: Keeping) -> None:
    await keeping.enter(enabled=False)
    keeping.now = NEXT + HORIZON
    assert await keeping.keeper.check() == 0
    keeping.id = uuid4()
    await keeping.enter(counts_from=NEXT)
    assert await keeping.keeper.check() == 0


async def test_a_regime_of_what_is_no_longer_known_says_so_and_keeps_no_other_waiting(keeping: Keeping) -> None:
    await keeping.enter(unit="nowhere")
    wrong = keeping.id
    keeping.id = uuid4()
    await keeping.enter()
    keeping.now = NEXT + HORIZON
    assert await keeping.keeper.check() == 1
    async with keeping.database.transaction() as session:
        row = await regimes.REGIMES.get(session, wrong)
    assert "'nowhere'" in row.problem
    assert len(await keeping.reports()) == 1


async def test_the_second_report_stands_beside_the_first_in_every_form_and_is_verified(
    keeping: Keeping, fed: Province, ingest: Ingest
) -> None:
    await keeping.enter()
    camera = fed.facts  # type: ignore[attr-defined]
    whole = fed.probes(camera, NEXT, NEXT + timedelta(hours=20), every_s=300)
    await fed.feed(ingest, *whole, *fed.watched(NEXT + timedelta(days=1, hours=1)))
    keeping.now = NEXT + timedelta(days=1) + HORIZON
    assert await keeping.keeper.check() == 2
    _, (_, report) = await keeping.reports()
    rows = {str(row["figure"]): row for row in report.tables["comparison"]}
    assert (rows["availability_ppm"]["last"], rows["availability_ppm"]["current"]) == (962_656, 1_000_000)
    assert (rows["outages"]["last"], rows["outages"]["current"]) == (1, 0)
    (grid,) = [one for one in paper(report).body if isinstance(one, Grid) and "kỳ báo cáo trước" in (one.caption or "")]
    assert ["Tỷ lệ hoạt động đo được của các camera", "96,27%", "100,00%", "+3,73 điểm %"] in grid.rows
    assert ["Số lượt camera gián đoạn", "1", "0", "-1"] in grid.rows

    for form in FORMS:
        assert verify(rendered(report, form), report).unaltered, form


async def test_a_late_fact_changes_no_report_and_a_further_version_keeps_the_comparison(
    client: Client, feeding: None, keeping: Keeping, fed: Province, ingest: Ingest
) -> None:
    await keeping.enter(ends_on=date(2026, 11, 22))
    keeping.now = NEXT + timedelta(days=2, hours=6)
    await keeping.keeper.check()
    _, (_, before) = await keeping.reports()
    late = fed.probes(fed.facts, NEXT + timedelta(hours=1), NEXT + timedelta(hours=2), every_s=300)  # type: ignore[attr-defined]
    await fed.feed(ingest, *late)
    assert await keeping.keeper.check() == 0
    _, (_, after) = await keeping.reports()
    assert after.sha256 == before.sha256
    made = await once_more(client, before.header.id, "số liệu đến muộn")
    assert made.status_code == 201, made.text
    _, (_, further) = await keeping.reports()
    assert further.header.version == 2
    columns = {(row["figure"], row["last"]) for row in before.tables["comparison"]}
    assert {(row["figure"], row["last"]) for row in further.tables["comparison"]} == columns
    assert [row["note_kind"] for row in further.tables["notes"]] == [row["note_kind"] for row in before.tables["notes"]]


async def test_a_regime_freezes_by_itself_lays_before_and_sends_after_approval(
    start: Start, settings: Settings, bus: Bus, fed: Province, second: dict[str, str], tmp_path: Path
) -> None:
    assert bus
    (tmp_path / "key").write_bytes(b64encode(KEY))
    given = settings.model_copy(update={"secrets_key_file": tmp_path / "key", "allowed_networks": ("127.0.0.0/8",)})
    async with taking_mail() as mailbox, start(given) as client:
        address = f"mailto://127.0.0.1:{mailbox.port}?from=vonggac@example.vn&to=vanthu@example.vn"
        channel = {"agency_id": str(fed.agency), "name": "Văn thư", "kind": "mailto", "address": address}
        assert (await client.post("/v1/urging/channels", json=channel)).status_code == 201
        other = uuid4()
        parties = {"approver_agency_id": str(fed.agency), "recipient_agency_ids": [str(fed.agency)]}
        refused = await client.post("/v1/report-regimes", json=BODY | {"approver_agency_id": str(other)})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "approver_agency_id")
        made = await client.post("/v1/report-regimes", json=BODY | parties)
        assert made.status_code == 201, made.text

        async def waiting() -> list[dict[str, Any]]:
            answer = await client.get("/v1/regime-reports", params={"awaiting_approval": "true"})
            items: list[dict[str, Any]] = answer.json()["items"]
            return items

        (one,) = await eventually(waiting, within_s=60)
        assert (one["period_name"], one["late"], one["without_channel"]) == (
            "từ ngày 21/11/2026 đến ngày 21/11/2026", True, [],
        )  # fmt: skip
        assert (await approve(client, one["report_id"], headers=second)).status_code == 200
        assert await waiting() == []

        async def sent() -> bool:
            return len(mailbox.taken) == 2

        await eventually(sent, within_s=60)
        asked, copy = (mail for _, mail in mailbox.taken)
        assert str(asked["subject"]).startswith("[Vọng Gác] Chờ phê duyệt: Báo cáo ngày")
        (attached,) = copy.iter_attachments()
        assert attached.get_content().startswith(b"%PDF")
        assert attached.get_filename() == f"report-{one['report_id']}-v1.pdf"
        (done,) = (await client.get("/v1/regime-reports")).json()["items"]
        assert {(each["purpose"], each["state"]) for each in done["sendings"]} == {
            ("approval", "sent"),
            ("copy", "sent"),
        }
        types = [each["event"]["type"].split(".")[-2] for each in (await client.get("/v1/notices")).json()["items"]]
        assert {"report_frozen", "report_laid_before", "report_approved"} <= set(types)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"every_days": None}, "every_days"),
        ({"rhythm": "month"}, "every_days"),
        ({"ends_on": "2026-11-01"}, "ends_on"),
        ({"starts_on": "2020-01-01"}, "starts_on"),
        ({"ends_on": "9999-12-31"}, "ends_on"),
        ({"unit": "nowhere"}, "nowhere"),
        ({"directive_id": str(uuid4())}, "directive"),
    ],
)
async def test_a_regime_that_cannot_be_is_refused_in_both_languages(
    client: Client, fed: Province, wrong: dict[str, Any], field: str
) -> None:
    assert fed.facility
    refused = await client.post("/v1/report-regimes", json=BODY | wrong)
    assert refused.status_code == 422, refused.text
    problem = refused.json()
    (error,) = problem["errors"]
    assert field in f"{error['field']} {error['message']}"
    assert error["message_vi"] != error["message"]


async def test_only_who_decides_enters_a_regime_and_its_calendar_stays_once_it_has_a_report(
    client: Client, fed: Province, keeping: Keeping, token_for: Callable[..., str]
) -> None:
    assert fed.facility
    monthly = {"name": "Báo cáo tháng", "rhythm": "month"}
    for role in (Role.OPERATOR, Role.READER):
        headers = {"Authorization": f"Bearer {token_for(role)}"}
        refused = await client.post("/v1/report-regimes", json=monthly, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    decider = {"Authorization": f"Bearer {token_for(Role.DECIDER)}"}
    made = await client.post("/v1/report-regimes", json=monthly, headers=decider)
    assert made.status_code == 201, made.text
    assert made.json()["next_period"]["from"].endswith("-15T00:00:00+07:00")
    await keeping.enter()
    keeping.now = NEXT + HORIZON
    assert await keeping.keeper.check() == 1
    path = f"/v1/report-regimes/{keeping.id}"
    found = await client.get(path)
    changed = BODY | {"every_days": 2, "ends_on": None}
    refused = await client.put(path, json=changed, headers={"If-Match": found.headers["etag"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "regime_has_reports")
    assert "every_days" in refused.json()["detail_vi"]
    ended = BODY | {"ends_on": "2026-12-31", "enabled": False}
    changed_ = await client.put(path, json=ended, headers={"If-Match": found.headers["etag"]})
    assert (changed_.status_code, changed_.json()["next_period"]) == (200, None)
