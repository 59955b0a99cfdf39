"""Which acts a person's page offers: by the policy that the services enforce. What they answer stays the truth."""

from functools import cache

from console.acts.declared import service_of
from vonggac.auth.policy import POLICY, Entry, Reach
from vonggac.auth.policy.duties import Part, part_of
from vonggac.auth.rights import Principal
from vonggac.events.inventory import Act as Duty


@cache
def _entries(service: str) -> dict[tuple[str, str], Entry]:
    return {entry.key: entry for entry in POLICY[service]}


def may_call(caller: Principal | None, service: str, method: str, path: str) -> bool:
    """Whether the policy lets a caller do this; a route that it does not know is for nobody."""
    entry = _entries(service).get((method, path))
    if caller is None or entry is None:
        return False
    if entry.reach is Reach.PROVINCE and caller.scope is not None:
        return False
    return all(caller.may(right) for right in entry.rights)


def decides(caller: Principal | None, duty: str) -> bool:
    """Whether a caller decides an act of the table of duties."""
    return caller is not None and part_of(Duty(duty), caller) is Part.DECIDES


PATHS: dict[str, tuple[str, str]] = {
    "add_obligation": ("POST", "/v1/obligations"),
    "freeze_report": ("POST", "/v1/reports"),
    "freeze_version": ("POST", "/v1/reports/{report_id}/versions"),
    "approve_report": ("POST", "/v1/reports/{report_id}/approve"),
    "record_issued_paper": ("POST", "/v1/issued-papers"),
    "urge_by_hand": ("POST", "/v1/urges"),
    "record_answer": ("POST", "/v1/urges/{urge_id}/answers"),
    "add_urging_rule": ("POST", "/v1/urging/rules"),
    "replace_urging_rule": ("PUT", "/v1/urging/rules/{rule_id}"),
    "remove_urging_rule": ("DELETE", "/v1/urging/rules/{rule_id}"),
    "add_urging_channel": ("POST", "/v1/urging/channels"),
    "change_urging_channel": ("PATCH", "/v1/urging/channels/{channel_id}"),
    "remove_urging_channel": ("DELETE", "/v1/urging/channels/{channel_id}"),
    "add_decision_request": ("POST", "/v1/decision-requests"),
    "decide_request": ("POST", "/v1/decision-requests/{thing_id}/decision"),
    "withdraw_request": ("POST", "/v1/decision-requests/{thing_id}/withdrawal"),
    "move_obligation": ("POST", "/v1/obligations/{thing_id}/transitions"),
    "set_deadline": ("POST", "/v1/obligations/{thing_id}/deadlines"),
    "add_journal_entry": ("POST", "/v1/journal-entries"),
    "replay_dead_letter": ("POST", "/v1/dead-letters/{sequence}/replay"),
}
"""Of acts that pages name themselves; a test compares them with the services' documents."""


def may_act(caller: Principal | None, operation: str) -> bool:
    """Whether a page offers one of `PATHS`."""
    return may_call(caller, service_of(operation), *PATHS[operation])
