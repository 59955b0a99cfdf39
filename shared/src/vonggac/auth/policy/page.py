"""docs/reference/permissions.md: the policy as people read it."""

import re
from collections.abc import Iterator, Sequence

from vonggac.auth.policy import POLICY
from vonggac.auth.policy.duties import MATRIX, WORDS
from vonggac.auth.policy.entry import Entry, Reach
from vonggac.auth.policy.inventory import OF_A_FACILITY, OF_THE_PROVINCE, OF_THE_PROVINCE_NARROWED
from vonggac.auth.rights import MEANINGS, NEED_SCOPE, RIGHTS, ROLES, Right, Role
from vonggac.auth.scope import MAX_PARTS
from vonggac.auth.tokens import AGENCY_CLAIM, MAX_NAME, NAME_CLAIM, POST_CLAIM, SCOPE_CLAIM
from vonggac.events.inventory import Act

INTRODUCTION = f"""\
Who may do what, at every route of the four services. The table is code (`vonggac.auth.policy`): a service with a route
that has no entry in it does not start, and a test calls every route as every role with every kind of scope.

## What a token says

Every call carries a JWT. Four of its claims decide, two say who it is in words:

| claim | what |
|---|---|
| `sub` | who calls: 1 to 255 printable characters, as the change log will name it |
| `roles` | a list of roles of the table below; words that are none are ignored |
| `{SCOPE_CLAIM}` | what of the province the token is for; left out: all of it |
| `{AGENCY_CLAIM}` | the id of the agency that the caller speaks for; left out: none |
| `{NAME_CLAIM}`, `{POST_CLAIM}` | full name and post, up to {MAX_NAME} characters; left out: the login alone is shown |

`{SCOPE_CLAIM}` is a list of up to {MAX_PARTS} parts, which add up: `agency:<id>` (the facilities that it manages),
`unit:<id>` (those in a district, commune or province, with the units beneath it) and `facility:<id>`. Ids are the
permanent ones (`GET /v1/agencies?code=…`, `/v1/units`, `/v1/facilities`): a code may be given to something else. A
claim that is empty or cannot be read makes the token invalid (401): it was meant to narrow.

**With an OIDC provider** (`VONGGAC_<SERVICE>_JWKS_URL`, `_JWT_ISSUER`, `_JWT_AUDIENCE`; `auth` in the values of the
chart) add two mappers to the client: the user's roles of this application as the claim `roles`, and the user's or
group's attribute `{SCOPE_CLAIM}` as a claim of the same name, both multivalued, both in the access token. In Keycloak
these are "User Client Role" and "User Attribute" with *Multivalued* on. The services need no setting for it. Where a
name or a post stands in another claim, `_JWT_NAME_CLAIM` and `_JWT_POST_CLAIM` of inventory and reporting say in which;
it has to be in the access token.

**With the platform's own key** (`make run`, compose):

    .venv/bin/python -m vonggac.auth token --keys var/keys --role managing_agency --scope agency:6f0c… --subject so-y-te

A scope by a unit outlives the unit: a token for a district that ended covers the communes that lay in it, and what
follows them. A commune that was merged of several lies in what all of them lay in; across the border of two districts
it is of neither, and the token needs a part more.

Facilities are those of now: a facility that another agency takes over, or that is made restricted, is seen by its new
readers alone, with all of its past.
"""
DUTIES = """\
Deciding is a right of its own: the lead has it, and who is named for it by the role `decider` (UBND tỉnh above the
lead, or a deputy). Whoever owes a duty asks, with a reason: `POST /v1/decision-requests`; what waits is
`GET /v1/decision-requests?status=waiting`, and a request that is granted is carried out in the same moment, in the
name of who granted it. A token that also has the role of somebody who owes duties decides nothing. Nor does the agency
that owes an obligation settle it, move its deadline or change it: the agency of the claim `vonggac_agency`, and the
lead where it owes one itself; then the `decider` does.

A write is judged by what it changes, by whatever route: a change in bulk, a file and an import that is taken back too.
A refusal (403) says in Vietnamese and English which act it is, who decides it and what would be right.
"""
LINKS = """\
The lead, or the agency that manages a facility, makes a link for it (`POST /v1/facilities/{id}/links`): a bearer token
of its own that ends after 1 hour to 31 days, is kept as a digest, and is revoked at any time (401 from then on). It is
printed as QR (`form=html`, `svg`, `png`). Who calls by it acts as the facility, and the change log names the link
(`facility-link:<id>`). It opens these routes, of its facility alone, and no other (403 `link_too_narrow`):
"""
REACHES = {
    Reach.NARROWED: "What the caller does not see is not there: not in lists, totals, files, searches; 404 by its id.",
    Reach.COMMON: "Holds nothing of a single facility: the same for every caller.",
    Reach.PROVINCE: "Concerns the province as a whole: refused (403 `scope_too_narrow`) to a token with a scope.",
}
_NOUNS = sorted((*OF_A_FACILITY, *OF_THE_PROVINCE_NARROWED, *OF_THE_PROVINCE), key=len, reverse=True)
_NOUN = re.compile(rf"^/v1/(exports/|imports/|templates/)?({'|'.join(_NOUNS)})(?=[/.]|$)")


def permissions_page(generated: str) -> str:
    """Write the page in Markdown. `generated`: the line that says so."""
    parts = ["# Permissions", generated, INTRODUCTION.strip(), "## Rights", _rights(), "## Roles", _roles()]
    needy = " and ".join(f"`{role}`" for role in sorted(NEED_SCOPE))
    parts.append(f"{needy} count in a token with a scope alone (R26). Roles of one token add up, within its scope.")
    parts += ["## Duties", DUTIES.strip(), _duties()]
    parts += ["## Links of facilities", LINKS.strip(), _links()]
    parts += ["## Scope", _reaches()]
    for service, entries in POLICY.items():
        parts += [f"## {service.capitalize()}", _routes(entries)]
    return "\n\n".join(parts) + "\n"


def _table(headings: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _rights() -> str:
    return _table(("right", "allows"), ((f"`{right}`", MEANINGS[right]) for right in Right))


def _roles() -> str:
    headings = ("role", "who", *(f"`{right}`" for right in Right))
    rows = (
        (f"`{role}`", who, *("yes" if right in RIGHTS[role] else "" for right in Right)) for role, who in ROLES.items()
    )
    return _table(headings, rows)


def _duties() -> str:
    headings = ("act", "what", "in Vietnamese", *(f"`{role}`" for role in Role))
    rows = (
        (f"`{act}`", WORDS[act].english, WORDS[act].vietnamese, *(MATRIX[act].get(role, "") for role in Role))
        for act in Act
    )
    return _table(headings, rows)


def _links() -> str:
    opened = [
        f"- `{entry.method} {entry.path}` ({service})"
        for service, entries in POLICY.items()
        for entry in entries
        if entry.by_link
    ]
    return "\n".join(opened)


def _reaches() -> str:
    return _table(("at a route", "means"), ((reach.value, text) for reach, text in REACHES.items()))


def _routes(entries: Sequence[Entry]) -> str:
    """Write a line per route; the routes that several nouns have alike are one."""
    nouns: dict[tuple[str, ...], list[str]] = {}
    for entry in entries:
        found = _NOUN.match(entry.path)
        path = _NOUN.sub(r"/v1/\1<noun>", entry.path) if found is not None else entry.path
        also = "; ".join([*(f"`{right}` {when}" for right, when in entry.also.items()), *filter(None, [entry.note])])
        line = (entry.method, path, " ".join(f"`{right}`" for right in entry.rights), entry.reach.value, also)
        nouns.setdefault(line, []).append(found[2] if found is not None else "")
    rows = (
        (method, f"`{path.replace('<noun>', of[0]) if len(of) == 1 else path}`", *rest, _join_nouns(of))
        for (method, path, *rest), of in nouns.items()
    )
    return _table(("method", "route", "rights", "scope", "also", "nouns"), rows)


def _join_nouns(nouns: Sequence[str]) -> str:
    return ", ".join(nouns) if len(nouns) > 1 else ""
