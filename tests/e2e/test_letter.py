"""Letter 1742 on the whole platform: from the directive to pictures that both centres have; a suspended site stops."""

import asyncio
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import docx
import httpx
import pytest
import pytest_asyncio
from tests.architecture.modules import ROOT
from tests.e2e.platform import RunningPlatform

from inventory.domain.places.areas import REQUIRED_AREAS
from local.demo import content
from vonggac.testing import eventually
from vonggac.testing.waiting import running_beside

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

type Json = dict[str, Any]

CODE = "QT-1742"
CAMERA = f"{CODE}-C01"
CENTRES = [one.simulator_id for one in content.destinations()]
BRIEFING = {
    "briefed_by": "Trạm Y tế",
    "briefed_at": "2021-05-08T08:00:00+07:00",
    "briefing_document": "12/TYT",
    "briefing_signed_on": "2021-05-08",
    "briefing_file": "12-TYT.pdf",
    "rules_version": "Quyết định 878/QĐ-BYT ngày 12/3/2020",
    "acknowledged_by": "Tổ khảo sát 1",
    "acknowledged_at": "2021-05-08T08:05:00+07:00",
}


class Register:
    """What the officials do, each with the ETag that they read."""

    def __init__(self, client: httpx.AsyncClient, approver: str) -> None:
        self.client, self.approver = client, approver

    async def get(self, path: str) -> Json:
        return await self._call("GET", path)

    async def first(self, path: str) -> Json:
        """The first item of a list."""
        item: Json = (await self.get(path))["items"][0]
        return item

    async def add(self, path: str, body: Json) -> Json:
        return await self._call("POST", path, body)

    async def change(self, path: str, body: Json) -> Json:
        return await self._call("PATCH", path, body, if_match=(await self.get(path))["etag"])

    async def do(self, path: str, verb: str, body: Json) -> Json:
        return await self._call("POST", f"{path}/{verb}", body, if_match=(await self.get(path))["etag"])

    async def move(self, path: str, *states: str, reason: str | None = None) -> None:
        """Who wrote does not approve: somebody else does."""
        for state in states:
            body = {"to": state} | ({"reason": reason} if reason else {})
            by = self.approver if state in {"approved", "agreed"} else None
            etag = (await self.get(path))["etag"]
            await self._call("POST", f"{path}/transitions", body, if_match=etag, by=by)

    async def _call(
        self, method: str, path: str, body: Json | None = None, *, if_match: str | None = None, by: str | None = None
    ) -> Json:
        headers = {"If-Match": if_match} if if_match is not None else {}
        headers |= {"Authorization": f"Bearer {by}"} if by is not None else {}
        answer = await self.client.request(method, f"/v1/{path}", json=body, headers=headers)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        shown: Json = answer.json()
        return shown


@pytest_asyncio.fixture(loop_scope="module")
async def register(running: RunningPlatform) -> AsyncIterator[Register]:
    headers = {"Authorization": f"Bearer {running.token}"}
    address = running.platform.addresses.inventory
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=20, trust_env=False) as client:
        yield Register(client, running.approver)


async def open_the_facility(register: Register, managing: Json) -> Json:
    """A facility with its decision and its focal point (R17, R23)."""
    unit = await register.first("units?q=19603&limit=1")
    body = {
        "code": CODE,
        "name": "Trường Tiểu học Cam An",
        "type": "school",
        "status": "planned",
        "unit_id": unit["id"],
        "managing_agency_id": managing["id"],
        "decision_number": "805/QĐ-UBND",
        "decision_date": "2020-03-29",
    }
    facility = await register.add("facilities", body)
    path = f"facilities/{facility['id']}"
    await register.move(path, "approved")
    officer = {"full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng", "phone": "0233 3852 123"}
    await register.add("focal-points", officer | {"facility_id": facility["id"], "valid_from": "2021-05-07"})
    await register.move(path, "active")
    return await register.get(path)


async def survey_it(register: Register, facility: Json, agencies: dict[str, Json]) -> None:
    """The survey of both parties (R03, R16, R19), until it is approved."""
    body = {
        "code": f"KS-{CODE}",
        "facility_id": facility["id"],
        "lead_name": "Tổ khảo sát 1",
        "lead_agency_id": agencies["lead"]["id"],
    }
    path = f"surveys/{(await register.add('surveys', body))['id']}"
    await register.move(path, "assigned")
    await register.change(path, {"scheduled_on": "2021-05-08"})
    await register.move(path, "scheduled")
    await register.change(path, BRIEFING)
    await register.move(path, "in_progress")
    parties = [
        {"full_name": f"Đại diện {agency['name']}"[:60], "agency_id": agency["id"], "present_on": "2021-05-08"}
        for agency in agencies.values()
    ]
    findings: Json = {
        "surveyed_on": "2021-05-08",
        "participants": parties,
        "verdict": "connectable",
        "verdict_reason": "RTSP sẵn sàng",
        "form": {
            "site": {"rooms": 24},
            "areas": [{"area": area, "coverage": "not_covered", "cameras_needed": 1} for area in REQUIRED_AREAS],
            "system": {"kind": "ip", "cameras": [{"code": CAMERA}]},
            "infrastructure": {"up_mbps": 20},
            "notice_board": True,
            "access": {"entry_rule": "Không vào khu phòng cách ly"},
        },
    }
    await register.change(path, findings)
    await register.move(path, "submitted", "approved")


async def check_sufficiency_one(running: RunningPlatform, register: Register, facility: Json) -> None:
    """The register, the minutes and the board say the same of the facility (R07)."""
    found = await register.get(f"facilities/{facility['id']}/sufficiency")
    assert (found["sufficient"], found["cameras_needed"]) == (False, len(REQUIRED_AREAS))
    survey = await register.first(f"surveys?facility_id={facility['id']}&limit=1")
    answer = await register.client.get(f"/v1/surveys/{survey['id']}/minutes.docx")
    text = " ".join(one.text for one in docx.Document(io.BytesIO(answer.content)).paragraphs)
    assert f"cần bổ sung {found['cameras_needed']} camera." in text

    async def is_on_the_board() -> bool:
        row = await running.get("reporting", f"/v1/progress/facilities/{CODE}")
        names = ("sufficient", "cameras_needed", "missing_areas", "unassessed_areas")
        return [row[name] for name in names] == [False, found["cameras_needed"], found["missing"], []]

    await eventually(is_on_the_board, within_s=60, poll_s=0.25)


async def agree_on_its_plan(register: Register, facility: Json, agencies: dict[str, Json]) -> None:
    """The plan that lead and operator agree on, the managing agency consulted (R04)."""
    codes = [one.code for one in content.destinations()]
    connection = {"camera_code": CAMERA, "address": "127.0.0.1", "bandwidth_kbps": 2048, "destination_codes": codes}
    body = {
        "facility_id": facility["id"],
        "connections": [connection],
        "connect_by": "2021-05-09",
        "responsible_lead": "Phòng CNTT",
        "responsible_operator": "Tổ kết nối 1",
    }
    path = f"connection-plans/{(await register.add('connection-plans', body))['id']}"
    await register.move(path, "proposed")
    for role, agency in agencies.items():
        kind = "consulted" if role == "managing" else "agreed"
        consent = {"agency_id": agency["id"], "kind": kind, "given_by": "Lãnh đạo", "given_on": "2021-05-08"}
        consent |= {"document": "12/BB", "document_file": "van-thu/12-BB.pdf"}
        await register.do(path, "consents", consent)
    await register.move(path, "agreed")


async def test_letter_1742_ends_with_pictures_at_both_centres(running: RunningPlatform, register: Register) -> None:
    directive = await register.first("directives?q=1742&limit=1")
    chain = (await register.get(f"directives/{directive['id']}/chain"))["items"]
    assert [each["number"].partition("/")[0] for each in chain] == ["1742", "1407", "597"]
    agencies = {
        role: await register.first(f"agencies?role={role}&limit=1") for role in ("lead", "operator", "managing")
    }
    facility = await open_the_facility(register, agencies["managing"])
    document = await running.truth()
    good = next(camera for camera in document["cameras"] if camera["compliant"])
    camera = await register.add(
        "cameras",
        {
            "code": CAMERA,
            "name": "Cổng chính",
            "facility_id": facility["id"],
            "area": "gate",
            "url": with_login((await register.get(f"cameras/{good['id']}"))["url"], good["code"]),
            "probe_interval_s": 5,
            "shared_device_reason": "thử trên thiết bị giả lập",
        },
    )

    async def is_seen() -> bool:
        seen = await running.get("prober", f"/v1/cameras/{camera['id']}")
        return bool(seen["verdict"] == "up")

    await eventually(is_seen, within_s=60, poll_s=0.25)
    # Registered and probed, and nothing goes out: there is no plan.
    for centre in CENTRES:
        assert CAMERA not in await running.streams(centre)
    await survey_it(register, facility, agencies)
    await check_sufficiency_one(running, register, facility)
    await agree_on_its_plan(register, facility, agencies)
    await running.give_addresses()

    async def is_proven() -> bool:
        items = (await running.get("forwarder", f"/v1/cameras/{camera['id']}/deliveries"))["items"]
        return [item["state"] for item in items] == ["verified", "verified"]

    await eventually(is_proven, within_s=60, poll_s=0.25)
    for centre in CENTRES:
        assert (await running.streams(centre))[CAMERA].live
    await eventually(lambda: is_reported(running, camera["id"], compliant=True), within_s=60, poll_s=0.25)

    # R23: a facility that is suspended stops at once, at both centres.
    await register.move(f"facilities/{facility['id']}", "suspended", reason="chuyển người cách ly")

    async def has_stopped() -> bool:
        streams = [(await running.streams(centre)).get(CAMERA) for centre in CENTRES]
        return not any(stream is not None and stream.live for stream in streams)

    await eventually(has_stopped, within_s=30, poll_s=0.25)


def with_login(url: str, code: str) -> str:
    """The address of a demo camera with the login that it knows."""
    row = next(row for row in content.rows("cameras") if row["code"] == code)
    scheme, _, rest = url.partition("://")
    login = f"{quote(row['username'], safe='')}:{quote(row['password'], safe='')}@" if "username" in row else ""
    return f"{scheme}://{login}{rest}"


async def is_reported(running: RunningPlatform, camera_id: str, *, compliant: bool) -> bool:
    document = await running.compliance()
    [shown] = [camera for camera in document["cameras"] if camera["id"] == camera_id]
    assert shown["compliant"] is compliant, {name: shown[name] for name in shown if name not in ("name", "facility")}
    return True


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_commands_of_the_page_lead_from_the_directive_to_a_signed_report(
    running: RunningPlatform, tmp_path: Path
) -> None:
    page = (ROOT / "docs/first-facility.md").read_text("utf-8")
    commands = "\n".join(re.findall(r"^```bash\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    addresses = running.platform.addresses
    environment = os.environ | {
        "INVENTORY": addresses.inventory,
        "FORWARDER": addresses.forwarder,
        "REPORTING": addresses.reporting,
        "TOKEN": running.token,
        "APPROVER": running.approver,
        "no_proxy": "127.0.0.1",
        "KEYS": str(running.platform.state.keys),
        "PYTHON": sys.executable,
    }
    async with running_beside(running.give_addresses_again_and_again()):
        ran = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    assert '"unaltered":true' in ran.stdout.replace(" ", "")
    papers = {"bien-ban.docx", "bao-cao-hien-trang.pdf", "to-trinh.pdf", "bao-cao.pdf"}
    assert set(await asyncio.to_thread(os.listdir, tmp_path)) == papers
    facilities = (await running.get("inventory", "/v1/facilities?q=KCL-VD&sort=code&limit=2"))["items"]
    assert {one["code"]: one["status"] for one in facilities} == {"KCL-VD": "suspended", "KCL-VD2": "active"}
    [plan] = (await running.get("inventory", f"/v1/connection-plans?facility_id={facilities[0]['id']}"))["items"]
    given = [(one["kind"], one["recorded_by"]) for one in plan["consents"]]
    assert given == [("agreed", None), ("agreed", None), ("consulted", None)], "each gave its own word"
    [proposal] = (await running.get("inventory", f"/v1/installation-proposals?facility_id={facilities[1]['id']}"))[
        "items"
    ]
    assert proposal["status"] == "funded"
