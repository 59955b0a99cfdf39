"""The one declaration of acts: what each is called, which fields its form has, and where it leads.

What nouns have in common (add, change, remove, next step) is made of their operations; what is particular stands in
`OTHERS`. Fields, their kinds and their words are the service's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from console.acts.contracts import Operation
from console.acts.nouns import NOUNS
from console.words.catalogue import mark

ADD, CHANGE, REMOVE, MOVE = (
    mark("Add: {noun}"),
    mark("Change: {noun}"),
    mark("Remove: {noun}"),
    mark("Next step: {noun}"),
)


class Variant(NamedTuple):
    """A form that depends on the value of a field of its address."""

    fields: tuple[str, ...]
    states: str = ""
    """Schema whose values the field `to` has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act. `title` is for the catalogue, with `{noun}` where `noun` names one."""

    title: str
    noun: str = ""
    fields: tuple[str, ...] = ()
    """Those of the body that are asked for, in order; none named: all."""
    asks: tuple[str, ...] = ()
    """Parameters of the query that are asked for."""
    hidden: frozenset[str] = frozenset()
    """Fields that the link to the form gives."""
    after: str = ""
    """Where it leads, with names of the answer and the address; the page it was opened from wins."""
    shows_answer: bool = False
    """Of what is shown once, and nowhere else."""
    is_careful: bool = False
    """It cannot be taken back: the form says so."""
    variants: Mapping[str, Variant] = field(default_factory=dict)
    """By the value of `act` in the address."""


_REPORT = "/reports/{report_id}"
_BRIEFING = ("briefed_by", "briefed_at", "briefing_document", "briefing_signed_on", "briefing_file")
OTHERS: Mapping[str, Act] = {
    "add_connection_plan_consent": Act(title=mark("Give an agency's word on the plan")),
    "add_connection_plan_version": Act(
        title=mark("Make a new version of the plan"), after="/register/connection-plans/{id}"
    ),
    "add_decision_request": Act(
        title=mark("Ask for a decision"),
        after="/requests",
        hidden=frozenset({"act"}),
        variants={
            "settlement": Variant(
                ("act", "obligation_id", "facility_id", "to", "completed_at", "reason"), "ObligationStatus"
            ),
            "deadline": Variant(("act", "obligation_id", "facility_id", "due_before", "directive_id", "reason")),
            "exception": Variant(("act", "facility_id", "reason")),
            "closing": Variant(("act", "facility_id", "to", "reason"), "FacilityStatus"),
            "purge": Variant(("act", "facility_id", "reason")),
            "maintenance": Variant(("act", "camera_id", "facility_id", "starts_at", "ends_at", "reason")),
            "switching_off": Variant(("act", "camera_id", "delivery_id", "reason")),
        },
    ),
    "decide_request": Act(title=mark("Decide a request"), after="/requests"),
    "withdraw_request": Act(title=mark("Withdraw a request"), after="/requests"),
    "answer_information_request": Act(title=mark("Answer questions")),
    "cancel_maintenance_window": Act(title=mark("Cancel maintenance"), asks=("reason",), is_careful=True),
    "set_deadline": Act(title=mark("Set the next deadline"), fields=("due_before", "directive_id", "reason")),
    "confirm_survey_briefing": Act(title=mark("Confirm the safety briefing"), fields=_BRIEFING),
    "confirm_visit_briefing": Act(title=mark("Confirm the safety briefing"), fields=_BRIEFING),
    "confirm_visit_access": Act(title=mark("Confirm that the team may come in")),
    "declare_site": Act(title=mark("Declare the site")),
    "add_facility_link": Act(title=mark("Make a link for the facility"), shows_answer=True),
    "revoke_facility_link": Act(title=mark("Revoke a link"), asks=("reason",), is_careful=True),
    "write_camera_secret": Act(title=mark("Write the login of the camera")),
    "write_destination_secret": Act(title=mark("Write the login of the centre")),
    "rotate_destination_password": Act(
        title=mark("Give the centre a new password"), asks=("reason",), shows_answer=True
    ),
    "replay_dead_letter": Act(title=mark("Publish the message again"), after="/health"),
    "stop_import": Act(title=mark("Stop the import")),
    "revert_import": Act(title=mark("Take the import back"), asks=("reason",), is_careful=True),
    "freeze_report": Act(
        title=mark("Freeze a report"),
        fields=(
            "from",
            "to",
            "cut_off",
            "deadline",
            "target_ppm",
            "unit",
            "agency",
            "type",
            "facility",
            "proposals",
            "letterhead",
        ),
        after="/reports/{id}",
    ),
    "freeze_version": Act(title=mark("Freeze a further version"), after=_REPORT),
    "approve_report": Act(title=mark("Approve the report"), after=_REPORT, is_careful=True),
    "record_issued_paper": Act(
        title=mark("Record the number of the paper"),
        fields=("number", "issued_on", "signed_by", "report_id", "version", "urge_id"),
        hidden=frozenset({"report_id", "version", "urge_id"}),
        after="/reports",
    ),
    "set_availability_target": Act(title=mark("Set a target"), after="/reports"),
    "urge_by_hand": Act(
        title=mark("Urge a party"),
        fields=("agency_id", "facility_id", "level", "channel_kinds", "reason", "again"),
        after="/urges",
    ),
    "record_answer": Act(
        title=mark("Record an answer"),
        fields=("text", "promised_by", "answered_at", "document", "document_day", "document_file"),
        after="/urges",
    ),
    "add_urging_rule": Act(title=mark("Add a rule of urging"), after="/urges/rules"),
    "replace_urging_rule": Act(title=mark("Change a rule of urging"), after="/urges/rules"),
    "remove_urging_rule": Act(title=mark("Remove a rule of urging"), after="/urges/rules", is_careful=True),
    "add_urging_channel": Act(title=mark("Add a channel"), after="/urges/rules"),
    "change_urging_channel": Act(title=mark("Change a channel"), after="/urges/rules"),
    "remove_urging_channel": Act(title=mark("Remove a channel"), after="/urges/rules", is_careful=True),
}
SERVICE_OF = {
    **dict.fromkeys(
        (
            "freeze_report",
            "freeze_version",
            "approve_report",
            "record_issued_paper",
            "set_availability_target",
            "urge_by_hand",
            "record_answer",
            "add_urging_rule",
            "replace_urging_rule",
            "remove_urging_rule",
            "add_urging_channel",
            "change_urging_channel",
            "remove_urging_channel",
        ),
        "reporting",
    )
}
"""Of acts that are not inventory's."""


def service_of(operation: str) -> str:
    return SERVICE_OF.get(operation, "inventory")


def act_of(operation: Operation) -> Act | None:
    """Find what pages do of an operation; None: nothing."""
    if (known := OTHERS.get(operation.name)) is not None:
        return known
    parts = operation.path.split("/")
    noun = NOUNS.get(parts[2]) if operation.service == "inventory" and len(parts) > 2 else None
    if noun is None:
        return None
    one, page = f"/register/{noun.path}/{{id}}", f"/register/{noun.path}"
    match operation.method, "/".join(parts[3:]):
        case "POST", "":
            return Act(title=ADD, noun=noun.one, after=one, asks=_reason(operation))
        case "PATCH", "{thing_id}":
            return Act(title=CHANGE, noun=noun.one, after=one, asks=_reason(operation))
        case "DELETE", "{thing_id}":
            asks = tuple(name for name in operation.parameters if name in {"reason", "disconnect_all_cameras"})
            return Act(title=REMOVE, noun=noun.one, after=page, asks=asks, is_careful=True)
        case "POST", "{thing_id}/transitions":
            return Act(title=MOVE, noun=noun.one, after=one)
    return None


def _reason(operation: Operation) -> tuple[str, ...]:
    return ("reason",) if "reason" in operation.parameters else ()
