"""Loads what the letter demands into inventory: directives, obligations, and an example of each record of the mandate.

`mandate.json` names the source of each directive and obligation. Beside the letter of 2021 it has an example of now,
whose days count from the day of loading. What is on record already stays as it is.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from importlib.resources import files
from typing import Any

from local.apis.inventory import InventoryApi, Json

NOUNS = ("directives", "operator_assignments", "obligations", "teams", "focal_points", "information_requests",
         "blocked_reasons")  # fmt: skip
"""In order of dependence."""
_VIETNAM = timezone(timedelta(hours=7))
_RELATIVE = "days_from_now"
_REFERENCES = {
    "issuer": ("issuer_id", "agencies"),
    "responsible": ("responsible_agency_id", "agencies"),
    "agency": ("agency_id", "agencies"),
    "operator": ("agency_id", "agencies"),
    "province": ("unit_id", "units"),
    "directive": ("directive_id", "directives"),
    "implements": ("implements_id", "directives"),
    "facility": ("facility_id", "facilities"),
}
"""Name in mandate.json: the field of inventory, and the noun whose code it holds."""


def content() -> dict[str, Any]:
    """Read the data as it stands in mandate.json."""
    found: dict[str, Any] = json.loads(files("local.demo").joinpath("mandate.json").read_text("utf-8"))
    return found


async def load_mandate(inventory: InventoryApi) -> None:
    """Add what is missing. Raises RefusedError."""
    data, ids = content(), dict[str, dict[str, str]]()
    today = datetime.now(_VIETNAM).date()
    for noun in ("agencies", "units", "facilities", *NOUNS):
        path = noun.replace("_", "-")
        ids[noun] = {_key(thing): str(thing["id"]) for thing in await inventory.all(path)}
        for row in data.get(noun, ()):
            body = _body(noun, dated(row, today), data["sources"], ids)
            if _key(body) not in ids[noun]:
                ids[noun][_key(body)] = str((await inventory.add(path, body))["id"])


def dated(row: Json, today: date) -> Json:
    """Copy the row with its days from today as days of the calendar."""
    return {
        name: str(today + timedelta(days=value[_RELATIVE])) if isinstance(value, dict) and _RELATIVE in value else value
        for name, value in row.items()
    }


def _body(noun: str, row: Json, sources: Mapping[str, str], ids: Mapping[str, Mapping[str, str]]) -> Json:
    body: Json = {}
    for name, value in row.items():
        if name == "source":
            body |= _source(noun, sources[value], row)
        elif name in _REFERENCES:
            field, referred = _REFERENCES[name]
            body[field] = ids[referred][value]
        else:
            body[name] = value
    return body


def _key(thing: Mapping[str, Any]) -> str:
    """Return what differs from one to another: the code, of an assignment its province and first day, of a person the
    facility and the name, else facility and kind."""
    if "code" in thing:
        return str(thing["code"])
    of_facility = ("facility_id", "full_name" if "full_name" in thing else "kind")
    names = ("unit_id", "valid_from") if "unit_id" in thing else of_facility
    return " ".join(str(thing[name]) for name in names)


def _source(noun: str, source: str, row: Json) -> Json:
    """Write the source: a directive has a field for it; an obligation has it in its note."""
    if noun == "directives":
        return {"source": source}
    return {"note": "; ".join(part for part in (row.get("note"), f"Nguồn: {source}") if part)}
