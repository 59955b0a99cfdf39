"""What a phone sends is taken once, and what is refused comes back with its sentences by the inputs."""

import hashlib
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from console.tests.conftest import Browser
from console.tests.survey.conftest import FINDINGS, Sites
from fastapi import FastAPI

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(240)]
PHOTO = b"\xff\xd8\xff\xdb\x00\x04\x00\x01\xff\xda\x00\x04\x00\x01" + b"\x01" * 5000 + b"\xff\xd9"
SHA256 = hashlib.sha256(PHOTO).hexdigest()
OURS = {"Sec-Fetch-Site": "same-origin"}


def typed(*, photo: bool = False, **changed: str) -> dict[str, list[str]]:
    """A whole form, with some of its inputs changed."""
    declared = {"sha256": SHA256, "name": "anh-1.jpg", "media_type": "image/jpeg", "size_bytes": str(len(PHOTO))}
    given = {f"attachments.0.{name}": text for name, text in declared.items()} if photo else {}
    every = FINDINGS | given | {name.replace("__", "."): text for name, text in changed.items()}
    return {name: [text] for name, text in every.items()}


class Phone:
    """Sends as the page's script does."""

    def __init__(self, browser: Browser, owner: str) -> None:
        self.browser, self.owner = browser, owner

    async def put(self, survey: str, submission: str, inputs: dict[str, list[str]], **more: str) -> httpx.Response:
        body = {"owner": self.owner, "language": "vi", "typed": inputs} | more
        path = f"/survey/submissions/{survey}/{submission}"
        return await self.browser.console.put(path, json=body, headers=OURS)

    async def put_photo(self, survey: str, content: bytes) -> httpx.Response:
        path = f"/survey/photos/{survey}/{SHA256}"
        return await self.browser.console.put(path, content=content, params={"owner": self.owner}, headers=OURS)


async def sheets_of(browser: Browser) -> dict[str, Any]:
    answer = await browser.get("/survey/sheets")
    assert answer.status_code == httpx.codes.OK, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_page_says_nothing_about_anybody(technician: Browser, sites: Sites, app: FastAPI) -> None:
    await sites.survey()
    stranger = Browser(app)
    pages = [(await browser.get("/survey/vi/")) for browser in (technician, stranger)]
    await stranger.close()
    assert pages[0].text == pages[1].text
    assert pages[0].headers["permissions-policy"] == "camera=(), microphone=(), geolocation=(self), payment=()"
    assert "geolocation=()" in (await technician.get("/register")).headers["permissions-policy"]


async def test_who_is_not_signed_in_gets_no_survey(app: FastAPI, sites: Sites) -> None:
    survey, stranger = (await sites.survey())["id"], Browser(app)
    phone = Phone(stranger, "")
    assert (await stranger.get("/survey/sheets")).status_code == 401
    assert (await phone.put(survey, str(uuid4()), typed())).status_code == 401
    assert (await phone.put_photo(survey, PHOTO)).status_code == 401
    await stranger.close()


async def test_the_phone_takes_along_the_form_and_the_surveys_under_way(technician: Browser, sites: Sites) -> None:
    survey = await sites.survey()
    found = await sheets_of(technician)
    [sheet] = found["sheets"]
    assert (sheet["id"], sheet["code"], sheet["facility"]) == (survey["id"], "KS-01", "KCL-KS-01 — Khu cách ly KS-01")
    assert set(found["fields"]) == {"vi", "en"}
    assert "Kết luận" in {each["label"] for each in found["fields"]["vi"]}
    assert "attachments" not in {each["name"] for each in found["fields"]["vi"]}
    assert '"version"' not in json.dumps(found["fields"])
    assert "SYT" in found["options"]["agencies"]


async def test_findings_sent_again_are_taken_once(technician: Browser, sites: Sites) -> None:
    survey, submission = (await sites.survey())["id"], str(uuid4())
    phone = Phone(technician, (await sheets_of(technician))["owner"])
    for _ in range(3):
        answer = await phone.put(survey, submission, typed(photo=True))
        assert answer.json() == {"missing": [SHA256], "status": "in_progress"}, answer.text
    for _ in range(2):
        answer = await phone.put_photo(survey, PHOTO)
        assert answer.json() == {"missing": [], "status": "submitted"}, answer.text
    assert (await phone.put(survey, submission, typed(photo=True))).json()["status"] == "submitted"
    history = (await sites.read(survey, "/history"))["items"]
    assert sum(each["after"]["status"] == "submitted" for each in history) == 1
    assert (await sites.read(survey))["form"]["site"]["rooms"] == 24


async def test_a_refusal_stands_at_its_input_in_the_phones_language(technician: Browser, sites: Sites) -> None:
    survey = (await sites.survey())["id"]
    phone = Phone(technician, (await sheets_of(technician))["owner"])
    refused = await phone.put(survey, str(uuid4()), typed(form__site__rooms="-3"))
    assert (refused.status_code, list(refused.json()["at"])) == (422, ["form.site.rooms"])
    unreadable = await phone.put(survey, str(uuid4()), typed(form__site__rooms="nhiều"))
    assert unreadable.json()["at"] == {"form.site.rooms": "Ghi một số, ví dụ 12."}
    english = await phone.put(survey, str(uuid4()), typed(form__site__rooms="nhiều"), language="en")
    assert english.json()["at"] == {"form.site.rooms": "Write a number, such as 12."}
    await sites.move(survey, "scheduled")
    not_there = await phone.put(survey, str(uuid4()), typed())
    assert (not_there.status_code, not_there.json()["at"], len(not_there.json()["general"])) == (409, {}, 1)


async def test_nothing_is_sent_under_another_persons_name(technician: Browser, sites: Sites, app: FastAPI) -> None:
    survey, submission, lead = (await sites.survey())["id"], str(uuid4()), Browser(app)
    await lead.sign_in("chủ trì", to="/register")
    owner = (await sheets_of(technician))["owner"]
    for answer in (
        await Phone(lead, owner).put(survey, submission, typed()),
        await Phone(lead, owner).put_photo(survey, PHOTO),
    ):
        assert (answer.status_code, answer.json()) == (403, {"other_person": True})
    await lead.close()
    assert (await sites.read(survey))["status"] == "in_progress"


async def test_what_is_no_photo_is_refused_with_a_sentence(technician: Browser, sites: Sites) -> None:
    survey = (await sites.survey())["id"]
    phone = Phone(technician, (await sheets_of(technician))["owner"])
    assert (await phone.put_photo(survey, b"hello")).json()["general"] == ["Đây không phải ảnh JPEG hoặc PNG."]
    assert (await phone.put_photo(survey, PHOTO)).status_code == 404
    await phone.put(survey, str(uuid4()), typed(photo=True))
    cut = await phone.put_photo(survey, PHOTO[:-10])
    assert (cut.status_code, cut.json()["refused"]) == (422, True)


async def test_who_may_not_survey_is_offered_nothing(app: FastAPI, sites: Sites) -> None:
    reader = Browser(app)
    await reader.sign_in("tiến độ", to="/register")
    assert (await reader.get("/survey/sheets")).json() == {"not_yours": True}
    assert "/survey/" not in (await reader.get("/register")).text
    await reader.close()


async def test_the_worker_keeps_the_page_and_its_files_alone(technician: Browser) -> None:
    worker = await technician.get("/survey/worker.js")
    [kept] = [json.loads(line[13:-1]) for line in worker.text.splitlines() if line.startswith("const KEPT")]
    assert {"/survey/vi/", "/survey/en/", "/static/console.css", "/static/survey/queue.js"} <= set(kept)
    for path in kept:
        assert (await technician.get(path)).status_code == 200, path
    assert all(each.startswith(("/static/", "/survey/vi/", "/survey/en/")) for each in kept)
