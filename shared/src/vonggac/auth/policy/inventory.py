"""The policy of inventory: the routes that every noun has, and those beside them."""

from collections.abc import Iterator
from dataclasses import replace

from vonggac.auth.policy.entry import Entry, Reach
from vonggac.auth.rights import Right
from vonggac.events.inventory import Act

ADD, CHANGE, REMOVE = (Right.ADD,), (Right.CHANGE,), (Right.REMOVE,)
IMPORT, EXPORT, SPEAK, INVITE = (Right.IMPORT,), (Right.EXPORT,), (Right.SPEAK,), (Right.INVITE,)
READ, AUDIT, SECRET = (Right.READ,), (Right.READ, Right.READ_AUDIT), (Right.WRITE_SECRET,)
LETTERS = (Right.READ, Right.READ_RESTRICTED)

OF_A_FACILITY = (
    "facilities", "focal-points", "coverages", "recorders", "cameras", "deliveries", "information-requests", "visits",
    "inspections", "maintenance-windows", "journal-entries", "blocked-reasons", "surveys", "connection-plans",
    "plan-exceptions", "installation-proposals",
)  # fmt: skip
"""Nouns whose records belong to a facility, and are seen and written with it."""
OF_THE_PROVINCE_NARROWED = ("obligations", "teams", "team-members")
"""Nouns of the province of which a token with a scope reads what concerns it, and writes nothing."""
OF_THE_PROVINCE = ("agencies", "units", "operator-assignments", "approval-rules", "destinations", "directives")
"""Nouns that every caller reads whole, and a token with a scope does not write."""
WRITTEN_ONCE = "journal-entries"
"""Its records are added and never changed."""
WITH_STATES = (
    "facilities", "obligations", "information-requests", "visits", "surveys", "connection-plans",
    "installation-proposals",
)  # fmt: skip

WITH_PEOPLE = ("focal-points", "team-members", "surveys", "visits")
"""Nouns with phones or e-mail addresses; files of facilities have those of their focal points."""
OWN_PEOPLE = "focal-points"
"""Whom a facility, or its agency, names itself."""
WITH_LOGINS = ("cameras", "destinations")

_OF_LINKS = ("surveys", "visits", "focal-points", "information-requests")
"""Nouns that a facility reads by its link."""

DECIDED = {
    "directives": Act.DIRECTIVE,
    "obligations": Act.OBLIGATION,
    "plan-exceptions": Act.EXCEPTION,
    "operator-assignments": Act.ASSIGNMENT,
    "approval-rules": Act.APPROVAL_RULE,
    "coverages": Act.ASSESSMENT,
    "inspections": Act.ASSESSMENT,
}
"""Nouns of which every write is a decision."""
_DECIDES_SOME = {
    "facilities": "to close, suspend, reopen or remove it, and for its period of validity; once approved, for its "
    "type, unit and agency",
    "cameras": "to disable, move or remove it, and for its period of validity",
    "deliveries": "to disable, move or remove it, and for its period of validity",
    "destinations": "to disable or remove it, for its period, code, role and proof, and where it is read back",
    "surveys": "to approve or return it",
    "connection-plans": "to agree to it, and to reject what was proposed",
    "installation-proposals": "to approve, return or fund it, and for its decision and source of funds",
}
"""Nouns of which some writes are decisions, and which (`inventory.domain.mandate.acts`)."""

_PEOPLE = {Right.READ_PEOPLE: "to see phones and e-mail addresses"}
_SECRET = {Right.WRITE_SECRET: "for credentials in an address"}
_SECRET_OF_CENTRE = {Right.WRITE_SECRET: "for credentials in an address, and to add a centre that pulls"}
_ROWS = {Right.ADD: "for a row that adds a record", Right.CHANGE: "for a row that changes a record"}
_ROWS_OF_CAMERAS = {
    **_ROWS,
    Right.REMOVE: "for a row that removes a delivery: it no longer names the destination",
    Right.WRITE_SECRET: "for credentials in a row",
}
_READ_AS = {
    **dict.fromkeys((*OF_A_FACILITY, *OF_THE_PROVINCE_NARROWED), Reach.NARROWED),
    **dict.fromkeys(OF_THE_PROVINCE, Reach.COMMON),
}


def _of_noun(noun: str, read: Reach) -> Iterator[Entry]:
    """Yield the routes of one noun, its files included."""
    path, one = f"/v1/{noun}", f"/v1/{noun}/{{thing_id}}"
    write = Reach.NARROWED if noun in OF_A_FACILITY else Reach.PROVINCE
    people = _PEOPLE if noun in WITH_PEOPLE else {}
    secret = _SECRET if noun in WITH_LOGINS else {}
    new_secret = _SECRET_OF_CENTRE if noun == "destinations" else secret
    act = DECIDED.get(noun)
    decide = (Right.DECIDE,) if act is not None else ()
    some = {Right.DECIDE: _DECIDES_SOME[noun]} if noun in _DECIDES_SOME else {}
    yield Entry("GET", path, READ, read, people)
    yield Entry("GET", one, READ, read, people)
    yield Entry("GET", f"{one}/history", AUDIT, read, people)
    own = SPEAK if noun == OWN_PEOPLE else None
    yield Entry("POST", path, own or (*decide, *ADD), write, new_secret, act=act)
    if noun != WRITTEN_ONCE:
        yield Entry("PATCH", one, own or (*decide, *CHANGE), write, secret | some, act=act)
        yield Entry("DELETE", one, (*decide, *REMOVE), write, some, act=act)
        yield Entry("POST", f"{path}/bulk", (*decide, *ADD), write, new_secret, act=act)
        yield Entry("PATCH", f"{path}/bulk", (*decide, *CHANGE), write, secret | some, act=act)
        yield Entry("POST", f"{path}/bulk/remove", (*decide, *REMOVE), write, some, act=act)
    if noun in WITH_STATES:
        moves = Act.SETTLEMENT if noun == "obligations" else act
        yield Entry("POST", f"{one}/transitions", (*decide, *CHANGE), write, some, act=moves)
    rows = _ROWS_OF_CAMERAS if noun == "cameras" else _ROWS
    yield Entry("POST", f"/v1/imports/{noun}", (*decide, *IMPORT), write, rows | some, act=act)
    for suffix in ("csv", "xlsx"):
        yield Entry("GET", f"/v1/exports/{noun}.{suffix}", EXPORT, read, _PEOPLE if noun == "facilities" else people)
    # Its drop-down lists have the codes of what it refers to.
    yield Entry("GET", f"/v1/templates/{noun}.xlsx", EXPORT, Reach.NARROWED)


def _beside() -> Iterator[Entry]:
    """Yield the routes that are no noun's, and what a noun has beside."""
    narrowed, province, common = Reach.NARROWED, Reach.PROVINCE, Reach.COMMON
    thing = "{thing_id}"
    yield Entry("GET", f"/v1/facilities/{thing}/connections", READ, narrowed)
    yield Entry("GET", f"/v1/facilities/{thing}/sufficiency", READ, narrowed)
    yield Entry("POST", f"/v1/facilities/{thing}/scanned-cameras", ADD, narrowed, _SECRET)
    yield Entry("GET", "/v1/exports/facilities/{facility_id}.xlsx", EXPORT, narrowed, _PEOPLE)
    for noun, secret, reach in (
        ("cameras", "secret", narrowed),
        ("destinations", "secret", province),
        ("destinations", "read-back-secret", province),
    ):
        yield Entry("PUT", f"/v1/{noun}/{thing}/{secret}", SECRET, reach)
        yield Entry("DELETE", f"/v1/{noun}/{thing}/{secret}", SECRET, reach)
    yield Entry("POST", f"/v1/destinations/{thing}/rotate", SECRET, province)
    yield Entry("GET", f"/v1/destinations/{thing}/addresses", READ, narrowed)
    yield Entry("POST", f"/v1/connection-plans/{thing}/versions", ADD, narrowed)
    yield Entry("POST", f"/v1/connection-plans/{thing}/consents", SPEAK, narrowed)
    yield Entry("GET", f"/v1/connection-plans/{thing}/difference", READ, narrowed)
    yield Entry("POST", f"/v1/information-requests/{thing}/answers", SPEAK, narrowed)
    yield Entry("POST", f"/v1/maintenance-windows/{thing}/cancel", CHANGE, narrowed)
    yield Entry("POST", f"/v1/obligations/{thing}/deadlines", (Right.DECIDE, *CHANGE), province, act=Act.DEADLINE)
    requests = "/v1/decision-requests"
    yield Entry("GET", requests, READ, narrowed)
    yield Entry("GET", f"{requests}/{thing}", READ, narrowed)
    yield Entry("GET", f"{requests}/{thing}/history", AUDIT, narrowed)
    yield Entry("POST", requests, (Right.ASK,), narrowed)
    yield Entry("POST", f"{requests}/{thing}/decision", (Right.DECIDE,), narrowed)
    yield Entry("POST", f"{requests}/{thing}/withdrawal", (Right.ASK,), narrowed)
    yield Entry("GET", "/v1/self-approvals", READ, narrowed)
    yield Entry("GET", f"/v1/directives/{thing}/chain", READ, common)
    yield Entry("GET", f"/v1/directives/{thing}/scan", READ, common)
    yield Entry("PUT", f"/v1/directives/{thing}/scan", (Right.DECIDE, *CHANGE), province, act=Act.DIRECTIVE)
    yield Entry("GET", "/v1/surveys/form.schema.json", READ, common)
    yield Entry("PUT", f"/v1/surveys/{thing}/submissions/{{submission_id}}", CHANGE, narrowed)
    yield Entry("GET", f"/v1/surveys/{thing}/submissions/{{submission_id}}", READ, narrowed)
    yield Entry("GET", f"/v1/surveys/{thing}/attachments", READ, narrowed)
    yield Entry("PUT", f"/v1/surveys/{thing}/attachments/{{sha256}}", CHANGE, narrowed)
    yield Entry("GET", f"/v1/surveys/{thing}/attachments/{{sha256}}", READ, narrowed)
    yield Entry("GET", f"/v1/surveys/{thing}/minutes.docx", READ, narrowed, _PEOPLE)
    yield Entry("GET", "/v1/due-obligations", READ, narrowed)
    yield Entry("GET", "/v1/due-inspections", READ, narrowed)
    yield Entry("GET", "/v1/team-workload", READ, narrowed)
    yield Entry("GET", "/v1/vendors", READ, common)
    yield Entry("GET", "/v1/vendors/url", READ, common)
    others = {Right.READ_AUDIT: "for imports of others; without it, and with a scope, there are one's own"}
    yield Entry("GET", "/v1/imports", READ, narrowed, others)
    yield Entry("GET", "/v1/imports/{import_id}", READ, narrowed, others)
    yield Entry("POST", "/v1/imports/{import_id}/stop", IMPORT, narrowed, others)
    back = {Right.REMOVE: "where it had added records", Right.CHANGE: "where it had changed records"}
    yield Entry("POST", "/v1/imports/{import_id}/revert", IMPORT, narrowed, back | others)
    yield Entry("POST", "/v1/imports/workbook", IMPORT, narrowed, _ROWS_OF_CAMERAS)
    yield Entry("GET", "/v1/changes", AUDIT, narrowed, _PEOPLE)
    yield Entry("GET", "/v1/actions", AUDIT, narrowed)
    yield Entry("GET", "/v1/dead-letters", LETTERS, province)
    yield Entry("POST", "/v1/dead-letters/{sequence}/replay", (Right.OPERATE, *LETTERS), province)


def _of_parties() -> Iterator[Entry]:
    """Yield what the parties of a facility say and sign, its links, and what it leaves behind."""
    narrowed, thing = Reach.NARROWED, "{thing_id}"
    links = f"/v1/facilities/{thing}/links"
    yield Entry("POST", links, INVITE, narrowed)
    yield Entry("GET", links, INVITE, narrowed)
    yield Entry("DELETE", f"{links}/{{link_id}}", INVITE, narrowed)
    yield Entry("GET", "/v1/facility-link", SPEAK, narrowed, note="of the link that calls; 404 for any other caller")
    yield Entry("POST", f"/v1/surveys/{thing}/declaration", SPEAK, narrowed)
    for noun, word in (("visits", "briefing"), ("visits", "access"), ("surveys", "briefing")):
        yield Entry("POST", f"/v1/{noun}/{thing}/{word}", SPEAK, narrowed)
    yield Entry("GET", f"/v1/surveys/{thing}/status-report.{{form}}", READ, narrowed, _PEOPLE)
    yield Entry("GET", f"/v1/installation-proposals/{thing}/submission.{{form}}", READ, narrowed)
    yield Entry("GET", f"/v1/connection-plans/{thing}/plan.{{form}}", READ, narrowed)
    yield Entry("GET", "/v1/due-purges", READ, narrowed)
    yield Entry("GET", "/v1/purges", (*AUDIT, Right.READ_RESTRICTED), Reach.PROVINCE)


OPEN_TO_LINKS = frozenset(
    {
        ("GET", "/v1/facility-link"),
        *(("GET", f"/v1/{noun}{one}") for noun in _OF_LINKS for one in ("", "/{thing_id}")),
        ("GET", "/v1/surveys/form.schema.json"),
        ("POST", "/v1/surveys/{thing_id}/declaration"),
        ("POST", "/v1/surveys/{thing_id}/briefing"),
        ("POST", "/v1/visits/{thing_id}/briefing"),
        ("POST", "/v1/visits/{thing_id}/access"),
        ("POST", "/v1/focal-points"),
        ("PATCH", "/v1/focal-points/{thing_id}"),
        ("POST", "/v1/information-requests/{thing_id}/answers"),
    }
)
"""What a facility's link opens: survey form, visits, focal point, answers."""
_ENTRIES = (*(entry for noun, read in _READ_AS.items() for entry in _of_noun(noun, read)), *_beside(), *_of_parties())
INVENTORY: tuple[Entry, ...] = tuple(replace(entry, by_link=entry.key in OPEN_TO_LINKS) for entry in _ENTRIES)
