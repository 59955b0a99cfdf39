"""Urging as its users see it: rules under If-Match, addresses that are never shown, the log, answers and the letter."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars
import pytest
import pytest_asyncio
from docx import Document
from services.reporting.tests.stage.receivers import taking_mail
from services.reporting.tests.urging.test_letter import paragraphs
from sqlalchemy import text

from reporting.domain.instants import VIETNAM
from vonggac.auth import Role
from vonggac.events.inventory import AgencyRole, AgencyV1
from vonggac.testing.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.settings import Settings
    from vonggac.bus import Bus
    from vonggac.database import Database

SECRET = "MatKhau99"
PAPER = {"document": "15/SYT-NVY", "document_day": "2021-05-08", "document_file": "van-thu/15.pdf"}
"""On which somebody else's word is recorded."""


@pytest.fixture
def sealed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for constant in ("feeds.watcher.WATCH_EVERY_S", "urging.urger.URGE_EVERY_S", "urging.obligations.URGE_EVERY_S"):
        monkeypatch.setattr(f"reporting.{constant}", 0.1)
    (tmp_path / "seal.key").write_text(base64.b64encode(bytes(range(32))).decode())
    given = {
        "secrets_key_file": tmp_path / "seal.key",
        "allowed_networks": ("127.0.0.0/8",),
    }
    return settings.model_copy(update=given)


@pytest_asyncio.fixture
async def lead(start: Start, sealed: Settings, bus: Bus, province: Province) -> AsyncIterator[Client]:
    """A lead's client of a running service that knows an agency, a lead and a committee."""
    state = {"revision": 1, "changed_at": province.now, "created_at": province.now}
    others = [
        AgencyV1(id=uuid4(), code="STTTT", name="Sở Thông tin và Truyền thông", role=AgencyRole.LEAD, **state),
        AgencyV1(id=uuid4(), code="UBND", name="UBND tỉnh Quảng Trị", role=AgencyRole.PEOPLES_COMMITTEE, **state),
    ]
    async with start(sealed) as client:
        await province.publish(bus, *province.base(), *(province.stated("agency", one) for one in others))

        async def known() -> bool:
            answer = await client.post("/v1/urging/rules", json=rule(party="agency", agency_id=str(others[1].id)))
            if answer.status_code != 201:
                return False
            await client.delete(answer.headers["location"], headers={"If-Match": "*"})
            return True

        await eventually(known, what="agencies")
        yield client


def rule(**given: Any) -> dict[str, Any]:
    known = {"name": "Mất quá 4 giờ", "about": "outage", "party": "managing", "level": 1, "hours": 4, "every_hours": 24}
    return known | given


def channel(province: Province, port: int = 25, **given: Any) -> dict[str, Any]:
    address = f"mailto://127.0.0.1:{port}?from=vonggac@example.vn&to=vanthu@example.vn"
    return {"agency_id": str(province.agency), "name": "Văn thư", "kind": "mailto", "address": address, **given}


async def outage(client: Client, bus: Bus, province: Province) -> None:
    """A camera that is down, noticed."""
    camera = province.camera()
    times = [province.now - timedelta(hours=ago) for ago in (6, 4, 2)] + [province.now - timedelta(seconds=1)]
    probes = [province.probe(camera, at, "down", cause="timeout", every_s=7200) for at in times]
    await province.publish(bus, province.stated("camera", camera), *probes, *province.watched(province.now))

    async def noticed() -> Any:
        return (await client.get("/v1/notices")).json()["items"]

    await eventually(noticed)


async def test_letters_count_what_was_declared_afterwards_as_down(lead: Client, bus: Bus, province: Province) -> None:
    await outage(lead, bus, province)
    begin = province.now - timedelta(hours=8)
    window = province.window(begin, begin + timedelta(days=2), facility_id=province.facility, agreed=False)
    await province.publish(bus, province.stated("maintenance_window", window))
    body = {"agency_id": str(province.agency), "level": 2, "reason": "Mất lâu", "again": True}

    async def declared() -> Any:
        urged = await lead.post("/v1/urges", json=body)
        text = "\n".join(paragraphs((await lead.get(f"{urged.headers['location']}/letter.docx")).content))
        return "Trong đó 1 camera có bảo trì được khai báo mà không được thống nhất trước" in text

    await eventually(declared, what="the window")


async def test_a_rule_urges_by_mail_and_the_log_shows_it_until_it_is_answered(
    lead: Client, bus: Bus, province: Province, token_for: Callable[[Role], str]
) -> None:
    async with taking_mail() as mailbox:
        assert (await lead.post("/v1/urging/channels", json=channel(province, mailbox.port))).status_code == 201
        await outage(lead, bus, province)
        made = await lead.post("/v1/urging/rules", json=rule(channel_kinds=["mailto"]))
        assert made.status_code == 201, made.text
        await eventually(lambda: mailbox.taken, what="the mail")

        async def sent() -> Any:
            items = (await lead.get("/v1/urges", params={"agency": "SYT"})).json()["items"]
            return items[0] if items and items[0]["sendings"][0]["state"] == "sent" else None

        urge = await eventually(sent)
    assert (urge["agency_name"], urge["level"], urge["decided_by"]) == ("Sở Y tế", 1, "rules")
    assert [(one["code"], one["title"], one["facility_code"]) for one in urge["items"]] == [
        ("CAM-01", "timeout", "KCL-01")
    ]
    assert urge["items"][0]["since"].endswith("+07:00")
    path = f"/v1/urges/{urge['id']}"
    given = {
        "text": "Đã cử người sửa", "document": "15/SYT-NVY", "document_day": "2021-05-08",
        "document_file": "van-thu/15.pdf", "promised_by": "2027-01-01T00:00:00+07:00",
    }  # fmt: skip
    answered = await lead.post(f"{path}/answers", json=given)
    assert answered.status_code == 201, answered.text
    (answer,) = (await lead.get(path)).json()["answers"]
    assert (answer["text"], answer["document"]) == ("Đã cử người sửa", "15/SYT-NVY")
    assert answer["promised_by"] == "2027-01-01T00:00:00+07:00"
    assert answer["recorded_by"] == "test-province_lead"
    assert len(mailbox.taken) == 1
    body = mailbox.taken[0][1].get_body()
    assert body is not None
    assert "CAM-01 (không trả lời trong thời hạn)" in body.get_content()
    (row,) = csv.DictReader(io.StringIO((await lead.get("/v1/urges", params={"format": "csv"})).text, newline=""))
    assert (row["urge_id"], row["agency_name"], row["level"], row["outages"]) == (urge["id"], "Sở Y tế", "1", "1")
    assert (row["codes"], row["channels_sent"], row["outcomes"]) == ("CAM-01", "1", "Văn thư: sent")
    assert (row["answers"], row["answer_text"], row["answer_document"]) == ("1", "Đã cử người sửa", "15/SYT-NVY")
    for form in ("csv", "json"):
        unknown = await lead.get("/v1/urges", params={"format": form, "agency": str(uuid4())})
        assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "agency")
    table = await lead.get("/v1/tables/urges", params={"format": "parquet"})
    assert polars.read_parquet(table.content)["urge_id"].to_list() == [urge["id"]]
    reader = {"Authorization": f"Bearer {token_for(Role.READER)}"}
    refused = await lead.get("/v1/tables/urges", params={"format": "csv"}, headers=reader)
    assert refused.status_code == 403, "it is of restricted facilities too"
    assert (await lead.get(f"{path}/letter.docx")).json()["code"] == "no_letter"


async def test_urging_by_hand_drafts_a_letter_in_the_leads_name(lead: Client, bus: Bus, province: Province) -> None:
    body = {"agency_id": str(province.agency), "level": 2, "reason": "Họp BCĐ"}
    refused = await lead.post("/v1/urges", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_owed")
    await outage(lead, bus, province)
    made = await lead.post("/v1/urges", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["decided_by"] == "test-province_lead"
    again = await lead.post("/v1/urges", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "urged_lately")
    assert "+07:00, within the last hour" in again.json()["detail"]
    assert (await lead.post("/v1/urges", json=body | {"again": True})).status_code == 201
    path = f"{made.headers['location']}/letter.docx"
    first, second = await lead.get(path), await lead.get(path)
    assert first.content == second.content
    text_of = "\n".join(
        paragraph.text
        for table in Document(io.BytesIO(first.content)).tables
        for row in table.rows
        for cell in row.cells
        for paragraph in cell.paragraphs
    )
    assert "SỞ THÔNG TIN VÀ TRUYỀN THÔNG" in text_of
    assert "UBND TỈNH QUẢNG TRỊ" in text_of
    assert "CAM-01" in text_of
    assert "Không trả lời trong thời hạn" in text_of


async def test_who_is_urged_by_hand_twice_at_once_is_urged_once(lead: Client, bus: Bus, province: Province) -> None:
    await outage(lead, bus, province)
    given = {"agency_id": str(province.agency), "level": 1, "reason": "Họp BCĐ"}
    answers = await asyncio.gather(*(lead.post("/v1/urges", json=given) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]


async def test_a_facility_is_urged_about_by_itself_and_found_in_the_log(
    lead: Client, bus: Bus, province: Province
) -> None:
    await outage(lead, bus, province)
    body = {"agency_id": str(province.agency), "level": 1, "reason": "Họp giao ban", "again": True}
    unknown = await lead.post("/v1/urges", json=body | {"facility_id": str(uuid4())})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "facility_id")
    made = await lead.post("/v1/urges", json=body | {"facility_id": str(province.facility)})
    assert made.status_code == 201, made.text
    assert {item["facility_code"] for item in made.json()["items"]} == {"KCL-01"}

    async def listed(**asked: str) -> list[str]:
        answer = await lead.get("/v1/urges", params=asked)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]

    urge = made.json()["id"]
    assert await listed(facility="KCL-01") == await listed(facility=str(province.facility)) == [urge]
    assert await listed(q="hop GIAO ban so y te") == [urge]
    assert await listed(q="cam-02") == []
    other = await lead.get("/v1/urges", params={"facility": "KCL-02"})
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "facility")
    assert (await lead.get("/v1/urges/due", params={"facility": "KCL-01"})).json()["items"] == []


async def test_a_preview_sends_nothing(lead: Client, bus: Bus, province: Province, database: Database) -> None:
    await outage(lead, bus, province)
    quiet = rule(quiet_from="00:00", quiet_to="23:59")
    assert (await lead.post("/v1/urging/rules", json=quiet)).status_code == 201
    assert (await lead.get("/v1/urges/due")).json()["items"] == []
    assert (await lead.get("/v1/urges")).json()["items"] == []


async def test_an_address_is_never_shown_and_kept_sealed(lead: Client, province: Province, database: Database) -> None:
    address = f"mailtos://nguoidung:{SECRET}@127.0.0.1:587?from=a@example.vn&to=vanthu@example.vn"
    made = await lead.post("/v1/urging/channels", json=channel(province, address=address))
    assert made.status_code == 201, made.text
    listed = await lead.get("/v1/urging/channels")
    changed = await lead.patch(
        made.headers["location"],
        json={"address": f"mailtos://127.0.0.1?user=x&pass={SECRET}&from=a@example.vn&to=b@example.vn"},
        headers={"If-Match": made.headers["etag"]},
    )
    assert (changed.status_code, changed.json()["revision"]) == (200, 2)
    async with database.transaction() as session:
        stored = str((await session.execute(text("select urge_channel::text from urge_channel"))).scalar_one())
    for shown in (made.text, listed.text, changed.text, stored):
        assert SECRET not in shown
        assert "example.vn" not in shown


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"kind": "sms"}, "kind"),
        ({"address": f"json://127.0.0.1/{SECRET}"}, "begins with mailto"),
        ({"address": f"mailto://user:{SECRET}@192.0.2.9?from=a@example.vn&to=b@example.vn"}, "allowed networks"),
        ({"address": f"mailto://127.0.0.1?to=b@example.vn&pgpkey={SECRET}"}, "option pgpkey"),
        ({"agency_id": str(uuid4())}, "no agency"),
        ({"agency_id": None}, "agency_id"),
    ],
)
async def test_a_channel_that_cannot_work_is_refused_without_its_address(
    lead: Client, province: Province, given: dict[str, Any], named: str
) -> None:
    answer = await lead.post("/v1/urging/channels", json=channel(province) | given)
    assert answer.status_code == 422
    assert named in answer.text
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"party": None}, "party"),
        ({"party": "agency"}, "needs agency_id"),
        ({"party": "responsible"}, "an outage has no responsible agency"),
        ({"party": "agency", "agency_id": str(uuid4())}, "no agency"),
        ({"level": 4}, "level"),
        ({"every_hours": 0}, "every_hours"),
        ({"channel_kinds": ["sms"]}, "channel_kinds"),
        ({"quiet_from": "22:00"}, "quiet"),
        ({"quiet_from": "25:00", "quiet_to": "07:00"}, "time of day"),
        ({"about": "weather"}, "about"),
        ({"obligation_kinds": ["connection"]}, "nothing of an outage"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_rule_that_cannot_work_is_refused_by_what_is_wrong(
    lead: Client, given: dict[str, Any], named: str
) -> None:
    answer = await lead.post("/v1/urging/rules", json=rule() | given)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in answer.text


async def test_a_rule_is_replaced_only_as_it_was_read(lead: Client) -> None:
    made = await lead.post("/v1/urging/rules", json=rule())
    path, etag = made.headers["location"], made.headers["etag"]
    assert (await lead.put(path, json=rule(level=2))).status_code == 428
    replaced = await lead.put(path, json=rule(level=2), headers={"If-Match": etag})
    assert (replaced.status_code, replaced.json()["level"], replaced.headers["etag"]) == (200, 2, '"2"')
    assert (await lead.put(path, json=rule(), headers={"If-Match": etag})).status_code == 412
    assert (await lead.get(path)).json()["level"] == 2
    assert (await lead.delete(path, headers={"If-Match": '"2"'})).status_code == 204
    assert (await lead.get(path)).status_code == 404


async def test_an_answer_that_cannot_be_is_refused(lead: Client, bus: Bus, province: Province) -> None:
    await outage(lead, bus, province)
    made = await lead.post("/v1/urges", json={"agency_id": str(province.agency), "level": 1, "reason": "Họp BCĐ"})
    path = f"{made.headers['location']}/answers"
    for given, named in (
        ({"text": "x", "answered_at": "2099-01-01T00:00:00+07:00"}, "future"),
        (PAPER | {"text": "x", "answered_at": "2021-01-01T00:00:00+07:00"}, "before the party was urged"),
        (PAPER | {"text": "x", "document_day": "2099-01-01"}, "is 2099-01-01, a day to come, and it is 20"),
        ({"text": "x", "promised_by": "9999-12-31T23:59:59Z"}, "has a year that is not between"),
        ({"text": ""}, "text"),
    ):
        answer = await lead.post(path, json=given)
        assert answer.status_code == 422
        assert named in answer.text
    assert (await lead.post(f"/v1/urges/{uuid4()}/answers", json={"text": "x"})).status_code == 404
    here = datetime.now(VIETNAM)
    local = await lead.post(path, json=PAPER | {"text": "x", "answered_at": here.replace(tzinfo=None).isoformat()})
    assert local.status_code == 201, local.text
    assert datetime.fromisoformat(local.json()["answered_at"]) == here
    of_today = await lead.post(path, json=PAPER | {"text": "x", "answered_at": here.date().isoformat()})
    assert of_today.status_code == 201, "a plain day, that of the urge"


@pytest.mark.parametrize("role", [Role.AUTHORITY, Role.SERVICE])
async def test_who_only_reads_urges_nobody(
    start: Start, sealed: Settings, bus: Bus, province: Province, role: Role
) -> None:
    async with start(sealed, role) as reader:
        for path in ("/v1/urging/rules", "/v1/urging/channels", "/v1/urges", "/v1/urges/due"):
            assert (await reader.get(path)).status_code == 200
        refused = [
            await reader.post("/v1/urging/rules", json=rule()),
            await reader.put(f"/v1/urging/rules/{uuid4()}", json=rule(), headers={"If-Match": "*"}),
            await reader.delete(f"/v1/urging/rules/{uuid4()}", headers={"If-Match": "*"}),
            await reader.post("/v1/urging/channels", json=channel(province)),
            await reader.patch(f"/v1/urging/channels/{uuid4()}", json={}, headers={"If-Match": "*"}),
            await reader.post("/v1/urges", json={"agency_id": str(uuid4()), "level": 1, "reason": "Họp BCĐ"}),
            await reader.post(f"/v1/urges/{uuid4()}/answers", json={"text": "x"}),
        ]
    assert {answer.status_code for answer in refused} == {403}


async def test_an_agency_reads_what_it_was_urged_about_and_nothing_of_others(
    lead: Client, start: Start, sealed: Settings, bus: Bus, province: Province
) -> None:
    await outage(lead, bus, province)
    made = await lead.post("/v1/urges", json={"agency_id": str(province.agency), "level": 2, "reason": "Họp BCĐ"})
    assert made.status_code == 201, made.text
    path = f"/v1/urges/{made.json()['id']}"
    scopes = {f"agency:{province.agency}": 1, f"agency:{uuid4()}": 0, f"facility:{province.facility}": 0}
    for scope, seen in scopes.items():
        async with start(sealed, Role.MANAGING_AGENCY, scope=(scope,)) as agency:
            listed = (await agency.get("/v1/urges", params={"total": "true"})).json()
            assert (len(listed["items"]), listed["total"]) == (seen, seen)
            item, letter = await agency.get(path), await agency.get(f"{path}/letter.docx")
            assert [item.status_code, letter.status_code] == ([200, 200] if seen else [404, 404])
            assert (await agency.get("/v1/urges/due")).status_code == 200
            refused = await agency.get("/v1/urges", params={"format": "csv"})
            assert (refused.status_code, refused.json()["code"]) == (403, "scope_too_narrow")
            answered = await agency.post(f"{path}/answers", json={"text": "x"})
            assert answered.status_code == (201 if seen else 404), answered.text


@pytest.mark.parametrize("role", [Role.PROVINCE_LEAD, Role.OPERATOR, Role.MANAGING_AGENCY, Role.FACILITY])
async def test_duty_to_answer_an_urge_is_of_the_party_and_anothers_word_needs_its_document(
    lead: Client, start: Start, sealed: Settings, bus: Bus, province: Province, role: Role
) -> None:
    await outage(lead, bus, province)
    body = {"agency_id": str(province.agency), "level": 2, "reason": "Họp BCĐ"}
    made = await lead.post("/v1/urges", json=body)
    assert made.json()["reason"] == "Họp BCĐ"
    path = f"/v1/urges/{made.json()['id']}"
    scopes = {Role.MANAGING_AGENCY: (f"agency:{province.agency}",), Role.FACILITY: (f"facility:{province.facility}",)}
    async with start(sealed, role, scope=scopes.get(role, ())) as party:
        answer = await party.post(f"{path}/answers", json={"text": "Đã cử người sửa"})
        if role is Role.FACILITY:
            assert answer.status_code == 404
            return
        if role is Role.MANAGING_AGENCY:
            assert (answer.status_code, answer.json()["own_word"], answer.json()["recorded"]) == (201, True, None)
            return
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (403, "not_your_word"), answer.text
        assert "Sở Y tế" in problem["detail_vi"]
        assert "document_day" in problem["detail"]
        for missing in PAPER:
            some = {name: value for name, value in PAPER.items() if name != missing}
            assert (await party.post(f"{path}/answers", json={"text": "x"} | some)).status_code == 403
        recorded = await party.post(f"{path}/answers", json={"text": "Đã cử người sửa"} | PAPER)
    shown = recorded.json()
    assert (recorded.status_code, shown["own_word"]) == (201, False), recorded.text
    assert (shown["recorded"], shown["recorded_vi"]) == (f"recorded by test-{role}", f"ghi nhận bởi test-{role}")
    assert [shown[name] for name in PAPER] == list(PAPER.values())
