"""A facility's link: its own acts by a short-lived token, and nothing else of the API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
from services.inventory.tests.test_messaging import latest
from sqlalchemy import NullPool, create_engine, text

from vonggac.auth import Role
from vonggac.auth.links import digest_link_token
from vonggac.auth.policy import INVENTORY
from vonggac.auth.policy.inventory import OPEN_TO_LINKS
from vonggac.events.inventory import FacilityLinkV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.duties.conftest import Duty

    from inventory.settings import Settings
    from vonggac.bus import Bus

WHOM = {"for_whom": "Trưởng khu cách ly", "valid_for_hours": 24}
SHUT = [entry for entry in INVENTORY if entry.key not in OPEN_TO_LINKS]


class Link:
    """A link of the facility of `duty`, and calls by it."""

    def __init__(self, duty: Duty, made: dict[str, Any]) -> None:
        self.duty, self.made = duty, made
        self.headers = {"Authorization": f"Bearer {made['token']}", "If-Match": "*"}

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        answer: httpx.Response = await self.duty.province.client.request(method, path, json=body, headers=self.headers)
        return answer


def links_of(duty: Duty) -> str:
    return f"/v1/facilities/{duty.facility['id']}/links"


async def link_of(duty: Duty) -> Link:
    made = await duty.call(Role.PROVINCE_LEAD, "POST", links_of(duty), WHOM)
    assert made.status_code == 201, made.text
    return Link(duty, made.json())


async def test_duty_a_link_is_made_by_the_lead_or_the_managing_agency_alone(duty: Duty) -> None:
    path, agency = links_of(duty), duty.facility["managing_agency_id"]
    token = duty.token_for(Role.MANAGING_AGENCY, f"agency:{agency}")
    headers = {"Authorization": f"Bearer {token}"}
    assert (await duty.province.client.post(path, json=WHOM, headers=headers)).status_code == 201
    other = await duty.province.facility()
    elsewhere = await duty.province.client.post(f"/v1/facilities/{other['id']}/links", json=WHOM, headers=headers)
    assert elsewhere.status_code == 404
    for role in (Role.OPERATOR, Role.FACILITY, Role.DECIDER, Role.READER, Role.AUTHORITY, Role.SERVICE):
        for method, body in (("POST", WHOM), ("GET", None)):
            assert (await duty.call(role, method, path, body)).status_code == 403, role


async def test_duty_a_link_does_the_acts_of_its_facility_in_its_own_name(duty: Duty) -> None:
    link = await link_of(duty)
    facility = duty.facility["id"]
    own = await link.call("GET", "/v1/facility-link")
    assert (own.status_code, own.json()["facility_code"]) == (200, duty.facility["code"]), own.text
    officer = {"facility_id": facility, "full_name": "Trần Văn Đầu Mối", "position": "Phó phòng"}
    officer |= {"phone": "0233 3852 123", "valid_from": "2021-05-07"}
    named = await link.call("POST", "/v1/focal-points", officer)
    assert named.status_code == 201, named.text
    agency = duty.letter.operator["id"]
    team = await duty.province.post("/v1/teams", {"code": "VT-01", "name": "Tổ 1", "agency_id": agency})
    times = {"planned_from": "2021-05-08T08:00:00+07:00", "planned_to": "2021-05-08T10:00:00+07:00"}
    visit = {"facility_id": facility, "team_id": team["id"], "purpose": "survey", **times}
    path = f"/v1/visits/{(await duty.province.post('/v1/visits', visit))['id']}"
    assert len((await link.call("GET", "/v1/visits")).json()["items"]) == 1
    briefed = {"briefed_by": "Trạm trưởng", "briefed_at": "2021-05-08T07:30:00+07:00"}
    briefing = await link.call("POST", f"{path}/briefing", briefed)
    assert (briefing.status_code, briefing.json()["briefing_recorded_by"]) == (200, None), briefing.text
    access = {"access_given_by": "Trưởng khu", "access_from": times["planned_from"], "access_to": times["planned_to"]}
    assert (await link.call("POST", f"{path}/access", access)).status_code == 200
    survey = f"/v1/surveys/{(await duty.province.post('/v1/surveys', {'code': 'KS-1', 'facility_id': facility}))['id']}"
    declared = await link.call("POST", f"{survey}/declaration", {"form": {"site": {"rooms": 24}}})
    assert (declared.status_code, declared.json()["form"]["site"]["rooms"]) == (200, 24), declared.text
    questions = [{"key": "dau-ghi", "text": "Đầu ghi?"}]
    asked = {"code": "CCTT-1", "name": "Hiện trạng", "facility_id": facility, "questions": questions}
    request = f"/v1/information-requests/{(await duty.province.post('/v1/information-requests', asked))['id']}"
    assert (await duty.letter.do(f"{request}/transitions", {"to": "sent"})).status_code == 200
    answered = await link.call("POST", f"{request}/answers", {"answers": {"dau-ghi": "8 kênh"}})
    assert answered.status_code == 200, answered.text
    by = f"facility-link:{link.made['id']}"
    assert (answered.json()["answers"][0]["answered_by"], answered.json()["answers"][0]["recorded_by"]) == (by, None)
    changes = await duty.call(Role.PROVINCE_LEAD, "GET", "/v1/changes", changed_by=by)
    assert {one["noun"] for one in changes.json()["items"]} == {"focal_point", "visit", "survey", "information_request"}


async def test_duty_a_link_opens_no_other_route(duty: Duty) -> None:
    link = await link_of(duty)
    assert len(SHUT) > 200
    for entry in SHUT:
        path = re.sub(r"{\w+}", str(uuid4()), entry.path)
        refused = await link.call(entry.method, path, {} if entry.method != "GET" else None)
        answer = (refused.status_code, refused.json().get("code"))
        assert answer == (403, "link_too_narrow"), f"{entry.method} {entry.path}: {refused.text}"
        assert "liên kết của cơ sở" in refused.json()["detail_vi"]


async def test_duty_a_link_reaches_no_other_facility(duty: Duty) -> None:
    link = await link_of(duty)
    other = await duty.province.facility()
    officer = {"facility_id": other["id"], "full_name": "Người Khác", "position": "Phó phòng"}
    officer |= {"phone": "0233 3852 123", "valid_from": "2021-05-07"}
    refused = await link.call("POST", "/v1/focal-points", officer)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "facility_id")
    survey = await duty.province.post("/v1/surveys", {"code": "KS-2", "facility_id": other["id"]})
    assert (await link.call("GET", f"/v1/surveys/{survey['id']}")).status_code == 404
    assert (await link.call("GET", "/v1/surveys")).json()["items"] == []


async def test_duty_a_revoked_link_is_refused_at_once_and_stays_in_the_list(duty: Duty) -> None:
    link = await link_of(duty)
    assert (await link.call("GET", "/v1/visits")).status_code == 200
    path = f"{links_of(duty)}/{link.made['id']}"
    assert (await duty.call(Role.PROVINCE_LEAD, "DELETE", path)).status_code == 422
    gone = await duty.call(Role.PROVINCE_LEAD, "DELETE", path, reason="mất giấy")
    assert gone.status_code == 204, gone.text
    refused = await link.call("GET", "/v1/visits")
    assert (refused.status_code, refused.json()["detail_vi"][:9]) == (401, "liên kết "), refused.text
    (shown,) = (await duty.call(Role.PROVINCE_LEAD, "GET", links_of(duty))).json()["items"]
    assert (shown["revoked_by"], shown["revoked_why"], "token" in shown) == ("test-province_lead", "mất giấy", False)
    changes = await duty.call(Role.PROVINCE_LEAD, "GET", "/v1/changes", thing_id=link.made["id"])
    assert [one["action"] for one in changes.json()["items"]] == ["changed", "created"]
    assert link.made["token"] not in changes.text
    assert (await duty.call(Role.PROVINCE_LEAD, "DELETE", path, reason="lần nữa")).status_code == 404


async def test_duty_a_link_ends_by_itself_and_with_its_facility(duty: Duty, settings: Settings) -> None:
    link = await link_of(duty)
    for wrong in ({"valid_for_hours": 0}, {"valid_for_hours": 745}, {"for_whom": " "}):
        assert (await duty.call(Role.PROVINCE_LEAD, "POST", links_of(duty), WHOM | wrong)).status_code == 422
    closing = f"/v1/facilities/{duty.facility['id']}"
    for to in ("suspended", "closed"):
        moved = await duty.call(Role.PROVINCE_LEAD, "POST", f"{closing}/transitions", {"to": to, "reason": "hết người"})
        assert moved.status_code == 200, moved.text
    assert (await link.call("GET", "/v1/visits")).status_code == 401
    late = await duty.call(Role.PROVINCE_LEAD, "POST", links_of(duty), WHOM)
    assert (late.status_code, late.json()["code"]) == (409, "closed")
    other = await duty.province.facility()
    made = await duty.call(Role.PROVINCE_LEAD, "POST", f"/v1/facilities/{other['id']}/links", WHOM)
    engine = create_engine(settings.database_url.get_secret_value(), poolclass=NullPool)
    with engine.begin() as connection:
        stored = connection.execute(text("select token_sha256 from facility_links")).scalars().all()
        connection.execute(text("update facility_links set expires_at = now() - interval '1 second'"))
    engine.dispose()
    assert made.json()["token"].encode() not in stored
    assert (await Link(duty, made.json()).call("GET", "/v1/visits")).status_code == 401


async def test_duty_a_link_is_printed_with_its_qr(duty: Duty) -> None:
    kinds = {"svg": ("image/svg+xml", b"<svg"), "png": ("image/png", b"\x89PNG"), "html": ("text/html", b"<!doctype")}
    for form, (media, begins) in kinds.items():
        made = await duty.call(Role.PROVINCE_LEAD, "POST", links_of(duty), WHOM, form=form)
        assert (made.status_code, made.headers["content-type"].split(";")[0]) == (201, media), made.text
        assert made.content.startswith(begins)
        assert made.headers["cache-control"] == "no-store"
    assert "LIÊN KẾT CỦA CƠ SỞ" in made.text
    assert "Trưởng khu cách ly" in made.text


async def test_duty_a_link_s_message_has_the_digest_and_neither_token_nor_name(duty: Duty, bus: Bus) -> None:
    link = await link_of(duty)
    said = await eventually(lambda: latest(bus, "facility_link", link.made["id"]))
    assert isinstance(said.data, FacilityLinkV1)
    assert said.data.token_sha256 == digest_link_token(link.made["token"]).hex()
    assert (str(said.data.facility_id), said.data.revoked_at) == (duty.facility["id"], None)
    written = said.model_dump_json()
    assert link.made["token"] not in written
    assert str(WHOM["for_whom"]) not in written
    path = f"{links_of(duty)}/{link.made['id']}"
    revoked = await duty.call(Role.PROVINCE_LEAD, "DELETE", path, reason="Mất tờ giấy")
    assert revoked.status_code == 204, revoked.text

    async def is_revoked() -> bool:
        data = (await latest(bus, "facility_link", link.made["id"])).data
        return isinstance(data, FacilityLinkV1) and data.revoked_at is not None and data.revision == 2

    await eventually(is_revoked)
