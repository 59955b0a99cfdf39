"""What the mandate asks of rights and scopes (R26), written by hand: the policy is not compared with itself alone."""

from typing import NamedTuple

from vonggac.auth import Role

LEAD, OPERATOR, AUTHORITY = Role.PROVINCE_LEAD, Role.OPERATOR, Role.AUTHORITY
AGENCY, FACILITY, READER, SERVICE = Role.MANAGING_AGENCY, Role.FACILITY, Role.READER, Role.SERVICE
DECIDER = Role.DECIDER

EVERYBODY = frozenset({LEAD, DECIDER, OPERATOR, AUTHORITY, AGENCY, FACILITY, READER, SERVICE})
FILES = EVERYBODY - {FACILITY}
WRITERS = frozenset({LEAD, OPERATOR})
EDITORS = WRITERS | {DECIDER}
DECIDERS = frozenset({LEAD, DECIDER})
"""Who names, settles, agrees and approves; whoever owes a duty asks for it."""
DISPUTERS = ASKERS = SPEAKERS = WRITERS | {AGENCY, FACILITY}
"""Whoever owns the camera or runs it may say that a finding on it is wrong; who owes a duty never settles it."""
RESTRICTED = EVERYBODY - {READER}
VIEWERS = frozenset({LEAD, Role.VIEWER})
AUDIT = frozenset({LEAD, DECIDER, AUTHORITY})
ONLY_LEAD = frozenset({LEAD})
NEED_A_SCOPE = frozenset({AGENCY, FACILITY})
"""R26: an agency sees its own, a facility itself. Without a scope they are nobody."""


class Case(NamedTuple):
    """Who may call a route; `scoped`: whether a token for a part of the province may."""

    service: str
    method: str
    path: str
    roles: frozenset[Role]
    scoped: bool = True


CASES = (
    Case("inventory", "GET", "/v1/facilities", EVERYBODY),
    Case("inventory", "GET", "/v1/cameras/{thing_id}", EVERYBODY),
    Case("inventory", "GET", "/v1/exports/cameras.csv", FILES),
    Case("inventory", "GET", "/v1/exports/facilities/{facility_id}.xlsx", FILES),
    Case("inventory", "POST", "/v1/cameras", EDITORS),
    Case("inventory", "PATCH", "/v1/cameras/{thing_id}", EDITORS),
    Case("inventory", "DELETE", "/v1/cameras/{thing_id}", ONLY_LEAD),
    Case("inventory", "POST", "/v1/deliveries/bulk/remove", ONLY_LEAD),
    Case("inventory", "DELETE", "/v1/deliveries/{thing_id}", ONLY_LEAD),
    Case("inventory", "POST", "/v1/agencies", EDITORS, scoped=False),
    Case("inventory", "DELETE", "/v1/destinations/{thing_id}", ONLY_LEAD, scoped=False),
    Case("inventory", "PUT", "/v1/cameras/{thing_id}/secret", WRITERS),
    Case("inventory", "PUT", "/v1/destinations/{thing_id}/secret", WRITERS, scoped=False),
    Case("inventory", "POST", "/v1/destinations/{thing_id}/rotate", WRITERS, scoped=False),
    Case("inventory", "GET", "/v1/destinations/{thing_id}/addresses", EVERYBODY),
    Case("inventory", "POST", "/v1/imports/cameras", WRITERS),
    Case("inventory", "POST", "/v1/imports/units", WRITERS, scoped=False),
    Case("inventory", "POST", "/v1/directives", DECIDERS, scoped=False),
    Case("inventory", "PATCH", "/v1/directives/{thing_id}", DECIDERS, scoped=False),
    Case("inventory", "POST", "/v1/obligations", DECIDERS, scoped=False),
    Case("inventory", "POST", "/v1/obligations/{thing_id}/transitions", DECIDERS, scoped=False),
    Case("inventory", "POST", "/v1/obligations/{thing_id}/deadlines", DECIDERS, scoped=False),
    Case("inventory", "POST", "/v1/operator-assignments", DECIDERS, scoped=False),
    Case("inventory", "POST", "/v1/approval-rules", DECIDERS, scoped=False),
    Case("inventory", "POST", "/v1/plan-exceptions", DECIDERS),
    Case("inventory", "POST", "/v1/imports/obligations", ONLY_LEAD, scoped=False),
    Case("inventory", "POST", "/v1/maintenance-windows", EDITORS),
    Case("inventory", "POST", "/v1/focal-points", SPEAKERS),
    Case("inventory", "PATCH", "/v1/focal-points/{thing_id}", SPEAKERS),
    Case("inventory", "POST", "/v1/connection-plans/{thing_id}/consents", SPEAKERS),
    Case("inventory", "POST", "/v1/information-requests/{thing_id}/answers", SPEAKERS),
    Case("inventory", "POST", "/v1/facilities/{thing_id}/links", frozenset({Role.PROVINCE_LEAD, Role.MANAGING_AGENCY})),
    Case("inventory", "GET", "/v1/facilities/{thing_id}/links", frozenset({Role.PROVINCE_LEAD, Role.MANAGING_AGENCY})),
    Case("inventory", "POST", "/v1/surveys/{thing_id}/declaration", SPEAKERS),
    Case("inventory", "POST", "/v1/visits/{thing_id}/briefing", SPEAKERS),
    Case("inventory", "POST", "/v1/visits/{thing_id}/access", SPEAKERS),
    Case("inventory", "POST", "/v1/surveys/{thing_id}/briefing", SPEAKERS),
    Case("inventory", "GET", "/v1/decision-requests", EVERYBODY),
    Case("inventory", "POST", "/v1/decision-requests", ASKERS),
    Case("inventory", "POST", "/v1/decision-requests/{thing_id}/decision", DECIDERS),
    Case("inventory", "POST", "/v1/decision-requests/{thing_id}/withdrawal", ASKERS),
    Case("inventory", "GET", "/v1/changes", AUDIT),
    Case("inventory", "GET", "/v1/actions", AUDIT),
    Case("inventory", "GET", "/v1/cameras/{thing_id}/history", AUDIT),
    Case("inventory", "GET", "/v1/dead-letters", RESTRICTED, scoped=False),
    Case("prober", "GET", "/v1/cameras", EVERYBODY),
    Case("prober", "POST", "/v1/probes", WRITERS),
    Case("prober", "POST", "/v1/pictures", VIEWERS),
    Case("prober", "POST", "/v1/pictures/live", VIEWERS),
    Case("prober", "GET", "/v1/cameras/{camera_id}/repetition", EVERYBODY),
    Case("prober", "PUT", "/v1/cameras/{camera_id}/repetition/dispute", DISPUTERS),
    Case("prober", "PUT", "/v1/cameras/{camera_id}/repetition/decision", DECIDERS),
    Case("prober", "POST", "/v1/scans", WRITERS, scoped=False),
    Case("prober", "GET", "/v1/verifications", EVERYBODY),
    Case("prober", "GET", "/probe", EVERYBODY),
    Case("prober", "GET", "/v1/actions", AUDIT),
    Case("forwarder", "GET", "/v1/deliveries", EVERYBODY),
    Case("forwarder", "POST", "/v1/deliveries/{delivery_id}/stop", WRITERS),
    Case("forwarder", "GET", "/v1/actions", AUDIT),
    Case("reporting", "GET", "/v1/actions", AUDIT & RESTRICTED),
    Case("reporting", "GET", "/v1/compliance", EVERYBODY),
    Case("reporting", "GET", "/v1/compliance.csv", FILES),
    Case("reporting", "GET", "/v1/tables/{name}", EVERYBODY),
    Case("reporting", "GET", "/v1/national", EVERYBODY),
    Case("reporting", "GET", "/v1/obligations.ics", EVERYBODY),
    Case("reporting", "GET", "/v1/reports", RESTRICTED, scoped=False),
    Case("reporting", "GET", "/v1/reports/{report_id}/contacts", RESTRICTED, scoped=False),
    Case("reporting", "GET", "/v1/reports/{report_id}/contacts.docx", FILES - {READER}, scoped=False),
    Case("reporting", "POST", "/v1/reports", DECIDERS, scoped=False),
    Case("reporting", "POST", "/v1/reports/{report_id}/approve", DECIDERS, scoped=False),
    Case("reporting", "POST", "/v1/reports/{report_id}/versions", DECIDERS, scoped=False),
    Case("reporting", "GET", "/v1/reports/{report_id}.{form}", FILES - {READER}, scoped=False),
    Case("reporting", "POST", "/v1/report-regimes", DECIDERS, scoped=False),
    Case("reporting", "GET", "/v1/metrics/compliance", RESTRICTED, scoped=False),
    Case("reporting", "GET", "/v1/notices", RESTRICTED, scoped=False),
    Case("reporting", "POST", "/v1/webhooks", WRITERS, scoped=False),
    Case("reporting", "DELETE", "/v1/webhooks/{webhook_id}", ONLY_LEAD, scoped=False),
    Case("reporting", "GET", "/v1/urges", RESTRICTED),
    Case("reporting", "GET", "/v1/urging/rules", EVERYBODY, scoped=False),
    Case("reporting", "POST", "/v1/urges", DECIDERS, scoped=False),
    Case("reporting", "PUT", "/v1/urging/rules/{rule_id}", DECIDERS, scoped=False),
    Case("reporting", "PATCH", "/v1/urging/channels/{channel_id}", ONLY_LEAD, scoped=False),
    Case("reporting", "POST", "/v1/availability-targets/{metric}", DECIDERS, scoped=False),
    Case("reporting", "POST", "/v1/issued-papers", DECIDERS, scoped=False),
)


def may(case: Case, role: Role, *, scoped: bool) -> bool:
    """Whether a token of `role` may call the route."""
    if role in NEED_A_SCOPE and not scoped:
        return False
    return role in case.roles and (case.scoped or not scoped)
