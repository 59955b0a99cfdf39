"""What the nouns of the register are called, and how pages group them. What they hold is read of the service."""

from dataclasses import dataclass
from typing import Any

from console.words.catalogue import mark

MANDATE, PLACES, DEVICES, PEOPLE = mark("Mandate"), mark("Places"), mark("Devices"), mark("People")


@dataclass(frozen=True, slots=True)
class Noun:
    """`path` as in addresses; `one` and `many` are for the catalogue."""

    path: str
    one: str
    many: str
    group: str

    @property
    def operation(self) -> str:
        """Its word in the names of operations: `add_connection_plan`."""
        return _OPERATIONS.get(self.path, self.path.removesuffix("s").replace("-", "_"))


_OPERATIONS = {
    "agencies": "agency", "facilities": "facility", "deliveries": "delivery", "journal-entries": "journal_entry",
    "coverages": "coverage",
}  # fmt: skip
NOUNS = {
    noun.path: noun
    for noun in (
        Noun("directives", mark("directive"), mark("Directives"), MANDATE),
        Noun("obligations", mark("obligation"), mark("Obligations on record"), MANDATE),
        Noun("surveys", mark("survey"), mark("Surveys"), MANDATE),
        Noun("connection-plans", mark("connection plan"), mark("Connection plans"), MANDATE),
        Noun("plan-exceptions", mark("plan exception"), mark("Plan exceptions"), MANDATE),
        Noun("installation-proposals", mark("installation proposal"), mark("Installation proposals"), MANDATE),
        Noun("visits", mark("visit"), mark("Visits"), MANDATE),
        Noun("inspections", mark("inspection"), mark("Inspections"), MANDATE),
        Noun("maintenance-windows", mark("maintenance window"), mark("Maintenance"), MANDATE),
        Noun("information-requests", mark("information request"), mark("Information requests"), MANDATE),
        Noun("journal-entries", mark("journal entry"), mark("Journal"), MANDATE),
        Noun("blocked-reasons", mark("obstruction"), mark("Obstructions"), MANDATE),
        Noun("facilities", mark("facility"), mark("Facilities"), PLACES),
        Noun("units", mark("administrative unit"), mark("Administrative units"), PLACES),
        Noun("coverages", mark("covered area"), mark("Covered areas"), PLACES),
        Noun("cameras", mark("camera"), mark("Cameras"), DEVICES),
        Noun("recorders", mark("recorder"), mark("Recorders"), DEVICES),
        Noun("destinations", mark("centre"), mark("Centres"), DEVICES),
        Noun("deliveries", mark("delivery"), mark("Deliveries"), DEVICES),
        Noun("agencies", mark("agency"), mark("Agencies"), PEOPLE),
        Noun("focal-points", mark("focal point"), mark("Focal points"), PEOPLE),
        Noun("operator-assignments", mark("operator assignment"), mark("Operator assignments"), PEOPLE),
        Noun("approval-rules", mark("approval rule"), mark("Approval rules"), PEOPLE),
        Noun("teams", mark("team"), mark("Teams"), PEOPLE),
        Noun("team-members", mark("team member"), mark("Team members"), PEOPLE),
    )
}
GROUPS = (MANDATE, PLACES, DEVICES, PEOPLE)
REFERRED = {
    "facility_id": "facilities", "agency_id": "agencies", "camera_id": "cameras", "delivery_id": "deliveries",
    "obligation_id": "obligations", "directive_id": "directives", "unit_id": "units", "facility_ids": "facilities",
    "approver_agency_id": "agencies",
}  # fmt: skip
"""The noun of a field by its name, where a service's schema does not say."""


def head_fields(record: dict[str, Any]) -> list[str]:
    """Choose the fields that a record is called by: its code and its name, as far as it has them."""
    named = [
        each
        for each in ("code", "name", "full_name", "title", "number", "purpose")
        if record.get(each) and not isinstance(record[each], dict)
    ]
    return named[:2]


def name_record(record: dict[str, Any]) -> str:
    """«CODE — name», as far as the record has them; its id where it has neither."""
    parts = [str(record[each]) for each in head_fields(record)]
    return " — ".join(dict.fromkeys(parts)) or str(record.get("id", ""))
