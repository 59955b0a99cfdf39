"""What the register said at the cut-off is frozen with the figures, and nothing that it says later (R05, R12, R13)."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from services.reporting.tests.api.mandate.test_progress import Story
from services.reporting.tests.stage import freezing
from services.reporting.tests.stage.earlier import EARLIER, FILES, earlier
from services.reporting.tests.stage.letter import DEADLINE, Letter, may

from reporting.documents.letter.blocks import Grid, Picture, Text
from reporting.documents.letter.content import paper
from reporting.documents.render import FORMS
from reporting.documents.verifying.carried import carried
from reporting.documents.verifying.verify import verify
from reporting.reports.mandate.progress import board
from reporting.reports.snapshot import chain
from reporting.reports.snapshot.register import before_paper_days
from reporting.reports.snapshot.report import Report, parsed
from reporting.storage import plan
from vonggac.events.inventory import DeadlineV1, SurveyStatus

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database

CUT_OFF = may(10, 1)
BODY = {"from": may(3).isoformat(), "to": may(10).isoformat(), "cut_off": CUT_OFF.isoformat()}
HIDDEN = ("Người Ví Dụ", "0900000000", "dau-moi@example.org", "0912", "345.678", "thau@example.org")


@pytest_asyncio.fixture
async def story(province: Province, ingest: Ingest, client: Client) -> Story:
    """The board's province, with an address, a survey's day and a reason that names a phone."""
    made = Story.of(province)
    made.a = made.a.model_copy(update={"address": "68 Lê Duẩn (ĐT 0912.345.678), thị trấn Lao Bảo"})
    made.b = made.b.model_copy(update={"address": "Nơi hạn chế", "restricted": True})
    made.survey_b = made.survey_b.model_copy(update={"surveyed_on": date(2021, 5, 7)})
    reason = made.letter.blocked(made.b, date(2021, 5, 9))
    why = {"text": "nhà thầu giữ mật khẩu, gọi 0912.345.678 hoặc thau@example.org"}
    exception = made.letter.stated("blocked_reason", reason.model_copy(update=why))
    await province.feed(ingest, *made.events(), exception)
    return made


async def frozen(client: Client, **more: Any) -> tuple[dict[str, Any], Report]:
    answer = await client.post("/v1/reports", json={**BODY, **more})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body, parsed((await client.get(f"/v1/reports/{body['id']}.json")).content)


def draft(name: str) -> Report:
    """An earlier report without its approval, which the register keeps beside it."""
    report = earlier(name)
    return Report(report.header, report.tables)


def texts(report: Report) -> list[str]:
    return [one.text for one in paper(report).body if isinstance(one, Text)]


def row_of(report: Report, code: str) -> dict[str, Any]:
    (found,) = (row for row in report.tables["progress"] if row["facility_code"] == code)
    return dict(found)


async def test_a_report_holds_what_the_register_said_of_each_facility(client: Client, story: Story) -> None:
    _, report = await frozen(client)
    assert report.header.rule_version == "6"
    a, b, c = (row_of(report, code) for code in "ABC")
    asked = (
        "address", "focal_point", "focal_point_from", "cameras", "cameras_needed", "sufficient", "survey_status",
        "surveyed", "plan_code", "plan_agreed", "plan_transports", "plan_destinations", "connected_both",
        "due_obligation", "due_state", "due_before_ms", "overdue", "blocked",
    )  # fmt: skip
    due = round(DEADLINE.timestamp() * 1000)
    assert [a[name] for name in asked] == [
        "68 Lê Duẩn (ĐT ***), thị trấn Lao Bảo, Huyện Hướng Hóa",
        True, "2021-05-08", 1, 0, True, "approved", True, "PA-A", True,
        "tcp", "D1 D2", True, "NV-1742-A", "done", due, 0, None,
    ]  # fmt: skip
    assert [b[name] for name in asked] == [
        "Huyện Hướng Hóa", False, None, 1, 0, None, "submitted", False, None, False, None, None, False, "NV-1742-A",
        "overdue", due, 2, "security_lock",
    ]  # fmt: skip
    assert (b["surveyed_on"], b["connected_national"], b["connected_provincial"]) == ("2021-05-07", True, False)
    assert b["blocked_why"] == "nhà thầu giữ mật khẩu, gọi *** hoặc ***"
    assert (c["status"], c["cameras"], c["survey_status"], c["overdue"]) == ("approved", 0, None, 1)
    assert {row["as_of_ms"] for row in report.tables["progress"]} == {round(CUT_OFF.timestamp() * 1000)}
    owed = {(row["obligation_code"], row["facility_code"]): row["state"] for row in report.tables["obligations"]}
    assert owed == {
        ("NV-1742-A", "A"): "done", ("NV-1742-B", "A"): "done", ("NV-1742-A", "B"): "overdue",
        ("NV-1742-B", "B"): "overdue", ("NV-1742-B", "C"): "overdue",
    }  # fmt: skip


async def test_a_facility_that_came_between_the_period_and_the_cut_off_is_in_no_table(
    client: Client, story: Story, ingest: Ingest
) -> None:
    """What is owed is of the facilities that the list has, so that both have one number (R13)."""
    came = story.letter.facility("N", may(10, 0.5))
    await story.letter.province.feed(ingest, story.letter.stated("facility", came))
    owed = (await client.get("/v1/obligations", params={"as_of": CUT_OFF.isoformat()})).json()["items"]
    assert "N" in {one["facility"]["code"] for one in owed}
    _, report = await frozen(client)
    assert {row["facility_code"] for row in report.tables["progress"]} == set("ABC")
    assert {row["facility_code"] for row in report.tables["obligations"]} == set("ABC")


async def test_every_form_has_it_and_verifies_without_a_name_a_phone_or_an_address_of_mail(
    client: Client, story: Story
) -> None:
    body, report = await frozen(client)
    for form in FORMS:
        content = (await client.get(f"/v1/reports/{body['id']}.{form}")).content
        found = verify(content, report)
        assert found.unaltered, (form, found.differences)
        held = carried(content, form)
        assert held.tables["progress"] == report.tables["progress"], form
        assert not [one for one in HIDDEN if one in str(held.tables)], form
        again = (await client.get(f"/v1/reports/{body['id']}.{form}")).content
        assert again == content, form


async def test_the_list_of_facilities_has_the_columns_that_officials_expect(client: Client, story: Story) -> None:
    _, report = await frozen(client)
    first, *others = paper(report).appendices
    assert [one.number for one in others] == ["II", "III", "IV", "V", "VI", "VII"]
    (grid,) = first.blocks
    assert isinstance(grid, Grid)
    assert list(grid.columns) == [
        "TT", "Tên cơ sở", "Địa chỉ (xã, huyện)", "Cơ quan quản lý", "Loại hình", "Đầu mối", "Có/chưa có camera",
        "Số camera hiện có / cần bổ sung", "Ngày khảo sát", "Phương án kết nối", "Kết nối Bộ TT&TT", "Kết nối IOC",
        "Tỷ lệ hoạt động 24/24h", "Vướng mắc", "Thời hạn", "Ghi chú",
    ]  # fmt: skip
    head, a, b, c, whole = (list(row) for row in grid.rows)
    assert head[1:2] + head[5:9] == ["Huyện Hướng Hóa", "1/3", "2/3", "2 / 0", "1/3"]
    assert a[5:9] == ["Có, từ 08/5/2021", "Có", "1 / 0 (đủ)", "Đã khảo sát"]
    assert a[9] == "Đã thống nhất 08/5/2021; 1 luồng từ camera, TCP; tới D1, D2"
    assert b[5:12] == ["Chưa có", "Có", "1 / 0 (chưa đánh giá)", "07/5/2021 (chờ duyệt)", "Chưa có", "Có", "Chưa"]
    assert b[13].startswith("Hệ thống bị khóa bảo mật: nhà thầu giữ mật khẩu")
    assert b[14] == "Trước 10/5/2021: khảo sát và phương án, kết nối (quá hạn, Sở Thông tin và Truyền thông)"
    assert a[14] == "Trước 10/5/2021: khảo sát và phương án, kết nối (xong)"
    assert c[6:7] + c[10:12] == ["Chưa", "-", "-"]
    assert whole[1] == "Tổng cộng: 3 cơ sở"


async def test_the_deadline_is_that_of_the_obligations_known_at_the_cut_off(
    client: Client, story: Story, ingest: Ingest
) -> None:
    _, report = await frozen(client)
    assert report.header.deadline_ms is None
    assert any("Thời hạn kết nối theo sổ theo dõi: trước ngày 10/5/2021." in one for one in texts(report))
    drawn = [one.svg for one in paper(report).body if isinstance(one, Picture)]
    assert sum("Thời hạn: trước 10/5/2021" in one for one in drawn) == 2
    assert any("Kết nối: 1 trên 3 cơ sở" in one for one in drawn)
    _, named = await frozen(client, deadline="2021-05-08T00:00:00+07:00")
    said = "Thời hạn kết nối do người lập báo cáo nêu, thay thời hạn trong sổ theo dõi: trước ngày 08/5/2021."
    assert any(said in one for one in texts(named))
    drawn = [one.svg for one in paper(named).body if isinstance(one, Picture)]
    assert sum("Thời hạn người lập nêu: trước 08/5/2021" in one for one in drawn) == 2


async def test_paper_day_stands_in_a_frozen_report_with_what_was_entered_after_the_deadline(
    client: Client, story: Story, ingest: Ingest
) -> None:
    """Signed on 08/5 and typed an hour before the cut-off, after the deadline: in time, counted, and said."""
    letter, typed = story.letter, DEADLINE + timedelta(minutes=10)
    signed: dict[str, Any] = {"signed_on": date(2021, 5, 8), "document_number": "03/TTr"}
    proposal = letter.proposal(story.b, typed, "submitted", **signed)
    duty = letter.obligation("NV-1742-C", "proposal", facility_ids=(story.b.id,))
    await ingest_all(letter, ingest, ("installation_proposal", proposal), ("obligation", duty))
    _, report = await frozen(client)
    (row,) = (one for one in report.tables["obligations"] if one["obligation_code"] == "NV-1742-C")
    assert (row["state"], row["recorded_late"], row["own_deadline"]) == ("done", True, False)
    assert row["recorded_at_ms"] == round(typed.timestamp() * 1000)
    assert row["done_at_ms"] == round(may(8).timestamp() * 1000)
    assert any("có 1 việc ghi nhận sau hạn, hoàn thành đúng hạn" in one for one in texts(report))


async def test_paper_day_changes_no_report_that_was_frozen_by_an_earlier_rule(
    client: Client, story: Story, ingest: Ingest, database: Database
) -> None:
    letter, typed = story.letter, DEADLINE + timedelta(minutes=10)
    proposal = letter.proposal(story.b, typed, "submitted", signed_on=date(2021, 5, 8), document_number="03/TTr")
    duty = letter.obligation("NV-1742-C", "proposal", facility_ids=(story.b.id,))
    await ingest_all(letter, ingest, ("installation_proposal", proposal), ("obligation", duty))
    async with database.transaction() as session:
        at, scope = round(CUT_OFF.timestamp() * 1000), plan.Scope()
        then = await board(session, at, 60_000, scope, by_entry=True)
    (found,) = (one for one in then.duties.items if one.obligation.code == "NV-1742-C")
    assert (found.due.state.value, found.due.done_at) == ("done_late", round(typed.timestamp() * 1000))
    assert set(before_paper_days({"state": "done", "recorded_late": True, "own_deadline": False})) == {"state"}


async def ingest_all(letter: Letter, ingest: Ingest, *things: tuple[str, Any]) -> None:
    await letter.province.feed(ingest, *(letter.stated(noun, thing) for noun, thing in things))


async def test_what_the_register_says_after_the_cut_off_is_in_no_version(
    client: Client, story: Story, ingest: Ingest
) -> None:
    body, report = await frozen(client)
    letter = story.letter
    (b,) = (
        one
        for one in report.tables["obligations"]
        if one["obligation_code"] == "NV-1742-B" and one["facility_code"] == "B"
    )
    obligation = letter.obligation("NV-1742-B", "connection", id=b["obligation_id"])
    longer = DeadlineV1(due_before=may(43), set_at=may(11), set_by="lead", directive_id=letter.directive_id)
    later: list[tuple[str, Any]] = [
        (
            "survey",
            letter.later(
                story.survey_b, may(11), status=SurveyStatus.APPROVED, status_since=may(11), approved_at=may(11)
            ),
        ),
        (
            "obligation",
            letter.later(obligation, may(11), due_before=may(43), deadlines=(*obligation.deadlines, longer)),
        ),
        ("facility", letter.later(story.a, may(11), address="Nơi khác")),
        ("focal_point", letter.focal_point(story.b, date(2021, 5, 11))),
    ]
    await letter.province.feed(ingest, *(letter.stated(noun, thing) for noun, thing in later))
    address = f"/v1/reports/{body['id']}"
    assert (await client.get(f"{address}/difference")).json()["changes"] == []
    refused = await client.post(f"{address}/versions?version=1", json={"reason": "sổ theo dõi đổi"})
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_changed")
    _, again = await frozen(client)
    assert again.tables["progress"] == report.tables["progress"]
    assert again.tables["obligations"] == report.tables["obligations"]
    _, now = await frozen(client, cut_off=may(12).isoformat())
    assert (row_of(now, "B")["survey_status"], row_of(now, "A")["address"]) == ("approved", "Nơi khác, Huyện Hướng Hóa")
    assert any("Thời hạn kết nối theo sổ theo dõi: trước ngày 12/6/2021." in one for one in texts(now))


async def test_late_evidence_changes_the_register_s_rows_by_a_version_alone(
    client: Client, story: Story, ingest: Ingest
) -> None:
    body, report = await frozen(client)
    camera = story.cameras["B"]
    came = story.letter.province.change(
        camera.deliveries[1], camera, 4, may(9, 22), "acknowledged", held_since=may(9, 22)
    )
    await story.letter.province.feed(ingest, came)
    answer = await client.post(f"/v1/reports/{body['id']}/versions?version=1", json={"reason": "số liệu đến muộn"})
    assert answer.status_code == 201, answer.text
    second = parsed((await client.get(f"/v1/reports/{body['id']}.json")).content)
    assert (second.header.version, second.header.rule_version) == (2, "6")
    changed = {(row["table"], row["column"]) for row in second.tables["changes"]}
    assert ("obligations", "state") in changed
    assert row_of(second, "B")["as_of_ms"] == row_of(report, "B")["as_of_ms"]
    assert row_of(second, "B")["connected_both"] is True


async def test_evidence_between_the_period_and_the_cut_off_flags_the_report(
    client: Client, story: Story, ingest: Ingest
) -> None:
    """It changes what the register's rows say; of after the cut-off it changes nothing."""
    letter = story.letter
    new = letter.camera(story.b, "B-C02", may(10, 0.2))
    await letter.province.feed(ingest, letter.stated("camera", new))
    body, _ = await frozen(client)
    address = f"/v1/reports/{body['id']}"

    async def flag() -> Any:
        return (await client.get(address)).json()["late_evidence"]

    await letter.province.feed(ingest, letter.province.probe(new, may(10, 1.5), awake_since=letter.begin))
    assert await flag() is None
    await letter.province.feed(ingest, letter.province.probe(new, may(10, 0.9), awake_since=letter.begin))
    found = await flag()
    assert (found["what"], found["cameras"]) == (["probe"], 1)
    camera, at = story.cameras["B"], may(10, 0.3)
    came = letter.province.change(camera.deliveries[1], camera, 4, at, "acknowledged", held_since=at)
    await letter.province.feed(ingest, came)
    found = await flag()
    assert (found["what"], found["cameras"]) == (["claim", "probe"], 2)
    changed = (await client.get(f"{address}/difference")).json()
    assert changed["late_evidence"] == found
    assert {one["table"] for one in changed["changes"]} == {"progress"}


async def test_what_the_register_says_late_of_before_the_cut_off_flags_the_report(
    client: Client, story: Story, ingest: Ingest
) -> None:
    """An event of before that came late, and a survey of which only its second revision came, after the freezing. A
    revision of after the cut-off changes nothing."""
    letter = story.letter
    body, before = await frozen(client)
    assert row_of(before, "C")["survey_code"] is None
    address = f"/v1/reports/{body['id']}"

    async def flag() -> Any:
        return (await client.get(address)).json()["late_evidence"]

    await letter.province.feed(ingest, letter.stated("focal_point", letter.focal_point(story.c, date(2021, 5, 11))))
    blocked = letter.blocked(story.c, date(2021, 5, 11)).model_copy(
        update={"changed_at": may(11), "created_at": may(11)}
    )
    await letter.province.feed(ingest, letter.stated("blocked_reason", blocked))
    noted = await flag()
    assert (noted["what"], noted["cameras"]) == (["focal_point"], 0), "changed on 01/5, though of 11/5 on"
    survey = letter.later(letter.survey(story.c, may(9)), may(11))
    await letter.province.feed(ingest, letter.stated("survey", survey))
    found = await flag()
    assert (found["what"], found["cameras"]) == (["focal_point", "survey"], 0)
    changed = (await client.get(f"{address}/difference")).json()["changes"]
    assert ("progress", "surveyed", "False", "True") in {
        (one["table"], one["column"], one["before"], one["after"]) for one in changed
    }


@pytest.mark.parametrize("name", EARLIER)
async def test_a_report_of_an_earlier_release_renders_as_it_did_and_its_versions_are_by_its_rule(
    client: Client, database: Database, name: str
) -> None:
    report = earlier(name)
    header = report.header
    async with database.transaction() as session:
        for one in dict.fromkeys((EARLIER[0], name)):
            await chain.append(session, lambda _number, _before, one=one: draft(one))  # type: ignore[misc]
            if (approval := earlier(one).approval) is not None:
                await chain.approve(session, earlier(one), approval)
    for form in FORMS:
        content = (await client.get(f"/v1/reports/{header.id}.{form}")).content
        assert sha256(content).hexdigest() == FILES[name][form], form
        said = (await client.post("/v1/reports/verify", content=content)).json()
        assert (said["unaltered"], said["version"]) == (True, header.version), form
    made = await client.post(
        f"/v1/reports/{header.id}/versions?version={header.version}", json={"reason": "cơ sở đã gỡ"}
    )
    assert made.status_code == 201, made.text
    further = parsed((await client.get(f"/v1/reports/{header.id}.json")).content)
    assert (further.header.version, further.header.rule_version) == (header.version + 1, "2")
    assert not further.has_register


async def test_a_register_that_is_published_again_flags_no_report(
    client: Client, fed: Province, ingest: Ingest
) -> None:
    """`inventory republish` after a lost bus says what reporting knows, in messages of new ids."""
    camera = fed.facts  # type: ignore[attr-defined]
    agreed = fed.window(freezing.DAY + timedelta(hours=20), freezing.DAY + timedelta(hours=21), camera_id=camera.id)
    await fed.feed(ingest, fed.stated("maintenance_window", agreed))
    first = await freezing.frozen(client)

    async def flag() -> Any:
        return (await client.get(f"/v1/reports/{first['id']}")).json()["late_evidence"]

    await fed.feed(ingest, *fed.base(), fed.stated("camera", camera), fed.stated("maintenance_window", agreed))
    assert await flag() is None
    later = {"revision": 2, "changed_at": freezing.DAY + timedelta(hours=1)}
    await fed.feed(ingest, fed.stated("camera", camera.model_copy(update=later)))
    await fed.feed(ingest, fed.stated("maintenance_window", agreed.model_copy(update=later)))
    found = await flag()
    assert (found["what"], found["cameras"]) == (["camera", "maintenance"], 1)
