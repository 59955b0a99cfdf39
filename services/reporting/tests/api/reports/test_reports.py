"""Freezing over HTTP on the real PostgreSQL: rules, chain, approval, versions, files, verification."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from alembic import command
from services.reporting.tests.stage.freezing import BODY, DAY, NEXT, approve, frozen, once_more
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from reporting.documents.letter.blocks import Grid, Text
from reporting.documents.letter.content import paper
from reporting.documents.render import FORMS
from reporting.documents.verifying.verify import verify
from reporting.migrations import SCRIPTS
from reporting.reports.snapshot.report import parsed
from vonggac.auth import Role
from vonggac.database.migrations import config
from vonggac.events import Cause, new_event
from vonggac.events.inventory import RemovedV1, UnitV1
from vonggac.events.prober import SiteObservedV1, SiteState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database

pytestmark = pytest.mark.usefixtures("feeding")


async def test_a_frozen_report_has_its_figures_in_every_form(client: Client, fed: Province) -> None:
    report = await frozen(client)
    for form, described in FORMS.items():
        answer = await client.get(f"/v1/reports/{report['id']}.{form}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].partition(";")[0] == described.media_type
        assert f"report-{report['id']}-v1.{form}" in answer.headers["content-disposition"]
        same = await client.get(f"/v1/reports/{report['id']}", params={"format": form})
        assert same.content == answer.content
        found = verify(answer.content)
        assert found.unaltered, found.differences
        assert found.report is not None
        assert found.report.sha256 == report["sha256"]
        said = await client.post("/v1/reports/verify", content=answer.content)
        known = {"report_id": report["id"], "version": 1, "sha256": report["sha256"]}
        assert {"unaltered": True, "form": form, **known}.items() <= said.json().items()
    document = (await client.get(f"/v1/reports/{report['id']}.json")).json()
    (row,) = document["tables"]["cameras"]
    minutes = 60_000
    assert (row["period_ms"], row["down_ms"], row["up_ms"]) == (1440 * minutes, 45 * minutes, (1200 - 45 + 5) * minutes)
    (outage,) = document["tables"]["outages"]
    assert (outage["length_ms"], outage["cause"]) == (45 * minutes, "timeout")


async def test_reports_are_chained_and_listed_newest_first(client: Client, fed: Province) -> None:
    first = await frozen(client)
    second = await frozen(client)
    assert (first["number"], first["previous_sha256"]) == (1, None)
    assert (second["number"], second["previous_sha256"]) == (2, first["sha256"])
    listed = (await client.get("/v1/reports", params={"limit": 1, "total": True})).json()
    assert [one["id"] for one in listed["items"]] == [second["id"]]
    assert listed["total"] == 2
    rest = (await client.get("/v1/reports", params={"limit": 1, "total": True, "cursor": listed["next"]})).json()
    assert [one["id"] for one in rest["items"]] == [first["id"]]


async def test_reports_frozen_at_once_do_not_fork_the_chain(client: Client, fed: Province) -> None:
    made = await asyncio.gather(*(frozen(client) for _ in range(4)))
    by_number = sorted(made, key=lambda one: one["number"])
    assert [one["number"] for one in by_number] == [1, 2, 3, 4]
    assert [one["previous_sha256"] for one in by_number] == [None, *(one["sha256"] for one in by_number[:-1])]


async def test_an_approval_is_given_once_by_the_lead_and_stands_in_the_files(
    client: Client, fed: Province, token_for: Callable[[Role], str], second: dict[str, str]
) -> None:
    report = await frozen(client)
    draft = (await client.get(f"/v1/reports/{report['id']}.pdf")).content
    operator = {"Authorization": f"Bearer {token_for(Role.OPERATOR)}"}
    refused = await approve(client, report["id"], headers=operator)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    approved = (await approve(client, report["id"], headers=second)).json()
    assert approved["approved_by"] == "test-decider"
    assert approved["sha256"] == report["sha256"]
    again = await approve(client, report["id"], headers=second)
    assert (again.status_code, again.json()["code"]) == (409, "approved_already")
    signed = (await client.get(f"/v1/reports/{report['id']}.pdf")).content
    assert signed != draft
    for content in (draft, signed):
        assert (await client.post("/v1/reports/verify", content=content)).json()["unaltered"]


async def test_late_evidence_makes_a_further_version_and_the_first_one_stays(
    client: Client, fed: Province, ingest: Ingest
) -> None:
    first = await frozen(client)
    address = f"/v1/reports/{first['id']}"
    before = (await client.get(f"{address}.json")).content
    same = await once_more(client, first["id"], "nothing came")
    assert (same.status_code, same.json()["code"]) == (409, "nothing_changed")

    assert first["late_evidence"] is None

    camera = fed.facts  # type: ignore[attr-defined]
    late = fed.probes(camera, DAY + timedelta(hours=21), DAY + timedelta(hours=22), every_s=300)
    await fed.feed(ingest, *late)
    (listed,) = (await client.get("/v1/reports")).json()["items"]
    flag = listed["late_evidence"]
    assert (flag["cameras"], flag["what"]) == (1, ["probe"])
    assert datetime.fromisoformat(flag["since"]) == DAY + timedelta(hours=21)
    assert (await client.get(address)).json()["late_evidence"] == flag
    preview = (await client.get(f"{address}/difference")).json()
    assert preview["late_evidence"] == flag
    up = next(one for one in preview["changes"] if (one["table"], one["column"]) == ("totals", "up_ms"))
    assert int(up["after"]) - int(up["before"]) == 65 * 60_000, "an hour of probes, the last of which holds on"
    assert (await client.get("/v1/reports", params={"total": True})).json()["total"] == 1, "a look keeps nothing"
    made = await once_more(client, first["id"], "số liệu đến muộn")
    assert made.status_code == 201, made.text
    second = made.json()
    assert (second["version"], second["number"], second["reason"]) == (2, 2, "số liệu đến muộn")
    assert second["previous_sha256"] == first["sha256"]
    assert second["versions"] == [1, 2]
    assert second["changed_figures"] == preview["changed_figures"]
    flags = [one["late_evidence"] for one in (await client.get("/v1/reports")).json()["items"]]
    assert flags == [None, None], "the new version has it, and the old one is replaced"
    assert second["changed_figures"] > 0
    document = (await client.get(f"{address}.json")).json()
    figures = {
        (row["table"], row["column"]): (int(row["before"]), int(row["after"])) for row in document["tables"]["changes"]
    }
    was, now = figures["cameras", "up_ms"]
    assert now - was > 3_600_000
    assert (await client.get(f"{address}.json", params={"version": 1})).content == before
    assert (await client.get(address, params={"version": 1})).json()["versions"] == [1, 2]


async def test_a_further_version_is_of_the_places_that_had_their_codes_when_it_was_frozen(
    client: Client, fed: Province, ingest: Ingest
) -> None:
    first = await frozen(client, facility="KCL-01", unit="465")
    now = datetime.now(UTC)
    new = fed.facility_state(id=uuid4(), changed_at=now, created_at=now)
    gone = RemovedV1(noun="facility", id=fed.facility, revision=2, removed_at=now)
    renamed = UnitV1(id=fed.unit, revision=2, changed_at=now, created_at=now, code="999", name="Xã Lao Bảo")
    await fed.feed(ingest, fed.stated("facility", gone), fed.stated("facility", new), fed.stated("unit", renamed))
    preview = await client.get(f"/v1/reports/{first['id']}/difference")
    assert preview.status_code == 200, preview.text
    assert {one["column"] for one in preview.json()["changes"]} == {"*", "unit_code", "unit_name"}, "only names differ"
    asked = await client.get("/v1/availability", params={"facility": "KCL-01", "by": "facility"})
    assert [one["id"] for one in asked.json()["items"]] == [str(new.id)]


async def test_reports_of_an_earlier_release_are_flagged_with_what_the_ledger_noted_and_with_what_comes(
    client: Client, fed: Province, database: Database, ingest: Ingest, reporting_url: str
) -> None:
    first, second = await frozen(client), await frozen(client)
    await asyncio.to_thread(command.downgrade, config(SCRIPTS, reporting_url), "0017")
    camera = fed.facts  # type: ignore[attr-defined]
    async with database.transaction() as session:
        await session.execute(text("delete from report_evidence"))
        frozen_at = await session.scalar(text("select frozen_at from frozen_report where number = 2"))
        note = text(
            "insert into late_evidence (camera_id, day, what, noticed_at, written_at, change) "
            "values (:camera, :day, :what, :at, :at, '{}')"
        )
        for at, what in ((frozen_at, "change, probe"), (frozen_at - timedelta(days=1), "media")):
            await session.execute(note, {"camera": camera.id, "day": DAY.date(), "what": what, "at": at})
    await asyncio.to_thread(command.upgrade, config(SCRIPTS, reporting_url), "head")

    async def flags() -> list[Any]:
        return [one["late_evidence"] for one in (await client.get("/v1/reports")).json()["items"]]

    newest, oldest = await flags()
    assert newest is None, "it was frozen when that had come"
    assert (oldest["cameras"], oldest["what"]) == (1, ["change", "probe"])
    third = await frozen(client)
    assert (await flags())[0] is None
    late = fed.probes(camera, DAY + timedelta(hours=21), DAY + timedelta(hours=22), every_s=300)
    await fed.feed(ingest, *late)
    assert [flag["cameras"] for flag in await flags()] == [1, 1, 1]
    assert third["number"] == second["number"] + 1 == first["number"] + 2


async def test_a_correction_that_was_agreed_makes_a_further_version(
    client: Client, fed: Province, ingest: Ingest
) -> None:
    first = await frozen(client)
    camera = fed.facts  # type: ignore[attr-defined]
    since = DAY + timedelta(hours=2)
    agreed = fed.window(since, since + timedelta(minutes=20), camera_id=camera.id)
    await fed.feed(ingest, fed.stated("maintenance_window", agreed))
    answer = await once_more(client, first["id"], "bảo trì đã thống nhất")
    assert answer.status_code == 201, answer.text
    document = (await client.get(f"/v1/reports/{first['id']}.json")).json()
    (row,) = document["tables"]["cameras"]
    assert (row["down_ms"], row["maintenance_ms"]) == (25 * 60_000, 20 * 60_000)
    assert document["header"]["reason"] == "bảo trì đã thống nhất"
    assert document["header"]["replaces_sha256"] == first["sha256"]


async def test_no_statement_changes_a_frozen_report(
    client: Client, fed: Province, database: Database, second: dict[str, str]
) -> None:
    report = await frozen(client)
    assert (await approve(client, report["id"], headers=second)).status_code == 200
    for statement in (
        "update frozen_report set author = 'other'",
        "delete from frozen_report",
        "truncate frozen_report cascade",
        "update report_approval set approved_by = 'other'",
        "delete from report_approval",
    ):
        with pytest.raises(DBAPIError, match="never changed"):
            async with database.transaction() as session:
                await session.execute(text(statement))
    assert (await client.get(f"/v1/reports/{report['id']}")).json()["author"] == report["author"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": DAY.isoformat()}, "from"),
        ({"from": (DAY - timedelta(days=500)).isoformat()}, "from"),
        ({"from": "2998-12-31T00:00:00Z", "to": "2999-01-01T00:00:00Z"}, "to"),
        ({"cut_off": DAY.isoformat()}, "cut_off"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"unit": "999"}, "unit"),
        ({"target_ppm": -1}, "target_ppm"),
        ({"colour": "red"}, "colour"),
        ({"from": "2026-11-20T00:00:00"}, "from"),
        ({"letterhead": {"place": "Quảng\x07 Trị"}}, "letterhead.place"),
        ({"letterhead": {"issuer": " "}}, "letterhead.issuer"),
        ({"letterhead": {"subject": ""}}, "letterhead.subject"),
        ({"letterhead": {"copies": ["Như trên", "Lưu:\u202e VT"]}}, "letterhead.copies"),
    ],
)
async def test_what_cannot_be_frozen_is_refused_by_name(client: Client, change: dict[str, Any], field: str) -> None:
    answer = await client.post("/v1/reports", json={**BODY, **change})
    assert answer.status_code == 422, answer.text
    assert any(field in one["field"] for one in answer.json()["errors"]), answer.text


async def test_what_may_still_change_is_not_frozen(client: Client, fed: Province) -> None:
    soon = datetime.now(UTC) - timedelta(minutes=1)
    answer = await client.post(
        "/v1/reports", json={**BODY, "from": (soon - timedelta(days=1)).isoformat(), "to": soon.isoformat()}
    )
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("to: evidence may still come for that time; the latest possible is ")


async def test_an_unknown_report_is_not_found(client: Client) -> None:
    unknown = "3f2b1c7e-5a0d-4c8e-9b1a-2d6f0e4a7c31"
    for method, address in (
        ("GET", f"/v1/reports/{unknown}"),
        ("GET", f"/v1/reports/{unknown}.pdf"),
        ("POST", f"/v1/reports/{unknown}/approve?version=1"),
    ):
        assert (await client.request(method, address)).status_code == 404
    assert (await client.get(f"/v1/reports/{unknown}.exe")).status_code == 422


@pytest.mark.parametrize("name", ["availability", "causes", "obligations", "progress", "strips"])
async def test_a_chart_is_drawn_of_a_period_or_of_a_report(client: Client, fed: Province, name: str) -> None:
    period = {"from": DAY.isoformat(), "to": NEXT.isoformat()}
    open_period = await client.get(f"/v1/charts/{name}.svg", params=period)
    assert open_period.status_code == 200, open_period.text
    assert open_period.headers["content-type"].startswith("image/svg+xml")
    chart = await client.get(f"/v1/charts/{name}.svg", params={**period, "deadline": DAY.date().isoformat()})
    assert chart.status_code == 200, chart.text
    report = await frozen(client)
    of_report = await client.get(f"/v1/charts/{name}.svg", params={"report": report["id"]})
    assert of_report.content == open_period.content
    assert (await client.get(f"/v1/charts/{name}.svg", params={"zone": "UTC"})).status_code == 422


async def test_evidence_of_another_time_or_without_effect_flags_no_report(
    client: Client, fed: Province, ingest: Ingest
) -> None:
    report = await frozen(client, cut_off=NEXT.isoformat())
    camera = fed.facts  # type: ignore[attr-defined]
    await fed.feed(ingest, fed.probe(camera, NEXT + timedelta(hours=1)))
    address = f"/v1/reports/{report['id']}"
    assert (await client.get(address)).json()["late_evidence"] is None
    # A probe that saw what its neighbours saw.
    await fed.feed(ingest, fed.probe(camera, DAY + timedelta(hours=19, minutes=2), every_s=300))
    assert (await client.get(address)).json()["late_evidence"]["what"] == ["probe"]
    assert (await client.get(f"{address}/difference")).json()["changed_figures"] == 0
    refused = await once_more(client, report["id"], "số liệu đến muộn")
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_changed")
    assert (await client.get(address)).json()["late_evidence"] is None, "looked into, and no figure changed"


async def test_evidence_that_touches_every_camera_flags_the_report(
    client: Client, fed: Province, ingest: Ingest
) -> None:
    report = await frozen(client)
    await fed.feed(ingest, fed.alive(DAY + timedelta(hours=3), "forwarder-00000000000f", DAY))
    late = (await client.get(f"/v1/reports/{report['id']}")).json()["late_evidence"]
    assert (late["cameras"], late["what"]) == (None, ["sign_of_life"])


async def flags_published(client: Client, count: int) -> list[dict[str, Any]]:
    """The events about flags, once there are so many."""
    wanted = {"event_type": "vn.vonggac.reporting.report_flagged.v1", "sort": "sequence"}
    found: list[dict[str, Any]] = []

    async def are_there() -> bool:
        found[:] = (await client.get("/v1/notices", params=wanted)).json()["items"]
        return len(found) >= count

    await eventually(are_there, within_s=30)
    assert len(found) == count
    return [one["event"]["data"] for one in found]


async def test_evidence_that_flags_a_report_is_published_once_until_somebody_has_judged_it(
    client: Client, fed: Province, ingest: Ingest
) -> None:
    report = await frozen(client)
    camera = fed.facts  # type: ignore[attr-defined]
    await fed.feed(ingest, fed.probe(camera, DAY + timedelta(hours=19, minutes=2), every_s=300))
    (first,) = await flags_published(client, 1)
    assert (first["report_id"], first["version"]) == (report["id"], 1)
    assert (first["what"], first["cameras"], first["any_camera"]) == (["probe"], 1, False)
    assert datetime.fromisoformat(first["since"]) == DAY + timedelta(hours=19, minutes=2)
    await fed.feed(ingest, fed.probe(camera, DAY + timedelta(hours=18, minutes=2), every_s=300))
    refused = await once_more(client, report["id"], "số liệu đến muộn")
    assert refused.status_code == 409, "no figure changed"
    await fed.feed(ingest, fed.probe(camera, DAY + timedelta(hours=17, minutes=2), every_s=300))
    _, second = await flags_published(client, 2)
    assert datetime.fromisoformat(second["since"]) == DAY + timedelta(hours=17, minutes=2)


async def test_the_target_that_is_set_is_the_one_of_reports_and_charts(client: Client, fed: Province) -> None:
    async def demanded(**more: Any) -> int:
        report = await frozen(client, **more)
        return int((await client.get(f"/v1/reports/{report['id']}.json")).json()["header"]["target_ppm"])

    assert await demanded() == 990_000
    target = {"percent": "95.5", "valid_from": DAY.isoformat(), "reason": "1742/UBND-VX"}
    assert (await client.post("/v1/availability-targets/availability", json=target)).status_code == 201
    assert (await demanded(), await demanded(target_ppm=970_000)) == (955_000, 970_000)
    asked = {**BODY, "target_ppm": "955000"}
    named = await client.get("/v1/charts/availability.svg", params=asked)
    assert (await client.get("/v1/charts/availability.svg", params=BODY)).content == named.content
    other = await client.get("/v1/charts/availability.svg", params={**asked, "target_ppm": "990000"})
    assert other.content != named.content


async def test_letter_and_answers_count_facilities_and_outages_alike(
    client: Client, province: Province, ingest: Ingest
) -> None:
    """A fault of a whole site is one outage; a facility that is planned or closed is none without cameras."""
    cameras = [province.camera(f"CAM-{number}") for number in range(3)]
    others = [
        province.facility_state(id=uuid4(), code=code, name=name, status=status)
        for code, name, status in (("KCL-02", "Chưa lắp", "active"), ("KCL-03", "Đã đóng", "closed"))
    ]
    down, up = DAY + timedelta(hours=2), DAY + timedelta(hours=3)
    facts = [*province.watched(NEXT + timedelta(hours=1))]
    for one in cameras:
        facts += province.probes(one, DAY, down, every_s=300)
        facts += province.probes(one, down, up, "down", cause="route", every_s=300)
        facts += province.probes(one, up, NEXT, every_s=300)
    failing: dict[str, Any] = {"facility_id": province.facility, "state": SiteState.FAILING, "cause": Cause.ROUTE}
    site = SiteObservedV1(**failing, began_at=down, ended_at=up, camera_ids=tuple(one.id for one in cameras))
    facts.append(new_event(site, source="/prober/1", subject="site", time=down))
    register = [province.stated("facility", one) for one in others]
    register += [province.stated("camera", one) for one in cameras]
    await province.feed(ingest, *province.base(), *register, *facts)
    report = parsed((await client.get(f"/v1/reports/{(await frozen(client))['id']}.json")).content)
    written = paper(report)
    texts = [block.text for block in written.body if isinstance(block, Text)]
    outages = (await client.get("/v1/outages", params={name: str(BODY[name]) for name in ("from", "to")})).json()
    assert (outages["count"], len(outages["items"])) == (1, 3)
    assert any("Có 1 lần gián đoạn (trong đó 1 sự cố của cả cơ sở, 3 lượt camera" in one for one in texts)
    assert any("Trong kỳ có 2 cơ sở" in one and "1 cơ sở chưa có;" in one for one in texts)
    assert any("1 cơ sở chưa có camera (Chưa lắp)" in one for one in texts)
    for appendix in written.appendices[:2]:
        (grid,) = appendix.blocks
        assert isinstance(grid, Grid)
        assert [row[:2] for row in grid.rows[1:]] == [
            ["1", "Khu cách ly Lao Bảo"], ["2", "Chưa lắp"], ["", "Đã đóng (ngoài phạm vi trong cả kỳ)"],
            ["", "Tổng cộng: 2 cơ sở"],
        ]  # fmt: skip
