"""Loads the surveys of the demo, the connection plans and the installation proposal that follow, step by step.

`surveys.json` says how far each is. What was begun goes on where it stands.
"""

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from local.apis.inventory import InventoryApi, Json
from local.demo import content as csv_files

SURVEY_WAY = ("not_started", "assigned", "scheduled", "in_progress", "submitted", "approved")
PROPOSAL_WAY = ("draft", "submitted")
_PEOPLE = {"lead": "Nguyễn Văn Mẫu", "operator": "Lê Kỹ Thuật", "health": "Phạm Y Tế"}
_AREAS = (
    "corridor", "floor_lobby", "yard", "sampling", "reception", "medical_check", "handover", "outside_toilet", "gate",
)  # fmt: skip


def content() -> dict[str, Any]:
    """Read the data as it stands in surveys.json."""
    found: dict[str, Any] = json.loads(files("local.demo").joinpath("surveys.json").read_text("utf-8"))
    return found


async def load_surveys(inventory: InventoryApi) -> None:
    """Add what is missing, and take each as far as it should be. Raises RefusedError."""
    data = content()
    agencies = {str(one["code"]): one for one in await inventory.all("agencies")}
    facilities = {str(one["code"]): one for one in await inventory.all("facilities")}
    surveys = {str(one["code"]): one for one in await inventory.all("surveys")}
    for row in data["surveys"]:
        code = f"KS-{row['facility']}"
        survey = surveys.get(code) or await inventory.add("surveys", _survey(row, code, data, agencies, facilities))
        await _go(inventory, "surveys", survey, SURVEY_WAY, row["to"])
    await _load_plans(inventory, data, agencies, facilities)
    for row in data["exceptions"]:
        await except_from_plans(inventory, {row["facility"]}, row["why"])
    proposals = {str(one["code"]): one for one in await inventory.all("installation-proposals")}
    for row in data["proposals"]:
        body = {name: value for name, value in row.items() if name not in {"facility", "to"}}
        body["facility_id"] = facilities[row["facility"]]["id"]
        proposal = proposals.get(row["code"]) or await inventory.add("installation-proposals", body)
        await _go(inventory, "installation-proposals", proposal, PROPOSAL_WAY, row["to"])


async def except_from_plans(inventory: InventoryApi, facility_codes: Iterable[str], why: str) -> None:
    """Have these facilities' cameras forwarded without an agreed plan. Raises RefusedError."""
    wanted = set(facility_codes)
    excepted = {one["facility_id"] for one in await inventory.all("plan-exceptions")}
    for facility in await inventory.all("facilities"):
        if facility["code"] in wanted and facility["id"] not in excepted:
            body = {"act": "exception", "facility_id": facility["id"], "reason": why}
            request = await inventory.add("decision-requests", body)
            granted = {"decision": "granted"}
            await inventory.do("decision-requests", request["id"], "decision", granted, by_approver=True)


async def _load_plans(
    inventory: InventoryApi, data: Json, agencies: Mapping[str, Json], facilities: Mapping[str, Json]
) -> None:
    plans = {str(one["facility_id"]): one for one in await inventory.all("connection-plans")}
    for code in data["plans"]:
        facility = facilities[code]
        plan = plans.get(facility["id"]) or await inventory.add("connection-plans", _plan(code, data, facility))
        if plan["status"] == "draft":
            plan = await inventory.do("connection-plans", plan["id"], "transitions", {"to": "proposed"})
        if plan["status"] == "proposed":
            names = {one["id"]: one["name"] for one in agencies.values()}
            words = {agencies[data["lead_agency"]]["id"]: "agreed", agencies[data["operator_agency"]]["id"]: "agreed"}
            for agency_id, kind in ({facility["managing_agency_id"]: "consulted"} | words).items():
                given_by = f"Lãnh đạo {names[agency_id]} (ví dụ)"
                body = {"agency_id": agency_id, "kind": kind, "given_by": given_by, "given_on": data["day"]}
                body["document"] = f"Công văn của {names[agency_id]} (ví dụ)"
                body["document_file"] = f"van-thu/phuong-an-{code}.pdf"
                await inventory.do("connection-plans", plan["id"], "consents", body)
            await inventory.do("connection-plans", plan["id"], "transitions", {"to": "agreed"}, by_approver=True)


async def _go(inventory: InventoryApi, noun: str, thing: Json, way: tuple[str, ...], to: str) -> None:
    """One step after the other, from where the thing stands; one that stands elsewhere stays."""
    if thing["status"] not in way:
        return
    for step in way[way.index(thing["status"]) + 1 : way.index(to) + 1]:
        await inventory.do(noun, thing["id"], "transitions", {"to": step}, by_approver=step == "approved")


def _survey(row: Json, code: str, data: Json, agencies: Mapping[str, Json], facilities: Mapping[str, Json]) -> Json:
    day = data["day"]
    body: Json = {
        "code": code,
        "facility_id": facilities[row["facility"]]["id"],
        "lead_name": _PEOPLE["lead"],
        "lead_agency_id": agencies[data["lead_agency"]]["id"],
        "basis": data["basis"],
        "scheduled_on": day,
    }
    if "verdict" not in row:
        return body
    people = [
        {"full_name": name, "agency_id": agencies[data[f"{party}_agency"]]["id"], "present_on": day}
        for party, name in _PEOPLE.items()
    ]
    briefing = {
        "briefed_by": "Đầu mối của cơ sở (ví dụ)",
        "briefed_at": f"{day}T08:00:00+07:00",
        "briefing_document": f"{code}/HD (ví dụ)",
        "briefing_signed_on": day,
        "briefing_file": f"{code}-huong-dan-an-toan.pdf",
        "rules_version": data["rules_version"],
        "acknowledged_by": _PEOPLE["operator"],
        "acknowledged_at": f"{day}T08:05:00+07:00",
    }
    found = {"surveyed_on": day, "verdict": row["verdict"], "verdict_reason": row["reason"], "participants": people}
    found |= {"signed_on": day, "document_number": f"{code}/BB (ví dụ)"}
    return body | briefing | found | {"form": _form(row["facility"])}


def _form(facility: str) -> Json:
    cameras = [one for one in csv_files.rows("cameras") if one.get("facility_code") == facility]
    watched = {one["area"]: one["code"] for one in cameras}
    areas: list[Json] = [
        {"area": area, "coverage": "covered", "camera_codes": [watched[area]]}
        if area in watched
        else {"area": area, "coverage": "not_covered", "cameras_needed": 1}
        for area in _AREAS
    ]
    found = [{"code": one["code"], "position": one["name"], "area": one["area"]} for one in cameras]
    return {
        "site": {"buildings": 1, "floors": 2},
        "areas": areas,
        "system": {"kind": "ip", "cameras": found} if found else {"kind": "none"},
        "infrastructure": {"isp": "Viettel", "up_mbps": 20, "down_mbps": 40},
        "notice_board": True,
        "access": {"entry_rule": "Không vào khu phòng cách ly"},
    }


def _plan(code: str, data: Json, facility: Json) -> Json:
    centres = [one.code for one in csv_files.destinations()]
    return {
        "facility_id": facility["id"],
        "connections": [
            {
                "camera_code": one["code"],
                "address": f"camera {one['code']}".replace(" ", "-").lower(),
                "bandwidth_kbps": 2048,
                "destination_codes": centres,
                "credentials_reference": "Sổ tài khoản của Viettel Quảng Trị (ví dụ)",
            }
            for one in csv_files.rows("cameras")
            if one.get("facility_code") == code
        ],
        "connect_by": data["connect_by"],
        "responsible_lead": _PEOPLE["lead"],
        "responsible_operator": _PEOPLE["operator"],
    }
