"""Roles and rights. Which right each route needs is in `vonggac.auth.policy`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from vonggac.auth.scope import AccessScope, Sight


class Role(StrEnum):
    """Who a caller is in the mandate (letter 1742): see R26."""

    PROVINCE_LEAD = "province_lead"
    DECIDER = "decider"
    OPERATOR = "operator"
    AUTHORITY = "authority"
    MANAGING_AGENCY = "managing_agency"
    FACILITY = "facility"
    READER = "reader"
    SERVICE = "service"
    VIEWER = "viewer"


class Right(StrEnum):
    """One kind of thing a caller may do."""

    READ = "read"
    READ_RESTRICTED = "read_restricted"
    READ_PEOPLE = "read_people"
    READ_AUDIT = "read_audit"
    VIEW = "view"
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    IMPORT = "import"
    EXPORT = "export"
    WRITE_SECRET = "write_secret"  # noqa: S105 - a right, not a secret
    OPERATE = "operate"
    DISPUTE = "dispute"
    ASK = "ask"
    SPEAK = "speak"
    DECIDE = "decide"
    INVITE = "invite"


ROLES: Mapping[Role, str] = MappingProxyType(
    {
        Role.PROVINCE_LEAD: "The department that leads (Sở TT&TT): everything.",
        Role.DECIDER: "Who is named to decide in place of the lead, or above it (UBND tỉnh): reads all and decides.",
        Role.OPERATOR: "The telecom: surveys, connects and repairs; removes nothing and does not read the log.",
        Role.AUTHORITY: "The ministry, the People's Committee, steering committees: read all, change nothing.",
        Role.MANAGING_AGENCY: "An agency that manages facilities: its own, so its token has a scope.",
        Role.FACILITY: "A facility itself, so its token has a scope.",
        Role.READER: "Anybody else who follows the progress: nothing restricted, no phones, no log.",
        Role.VIEWER: "Who is named to view pictures: given beside another role, and nothing but that.",
        Role.SERVICE: "A machine of an authority that fetches feeds: restricted facilities too, no phones, no log.",
    }
)
"""Who has a role, for docs/reference/permissions.md."""

MEANINGS: Mapping[Right, str] = MappingProxyType(
    {
        Right.READ: "Lists, items, reports.",
        Right.READ_RESTRICTED: "Restricted (military) facilities with all that is theirs; without it there are none.",
        Right.READ_PEOPLE: "Phones and e-mail addresses of people. Without it they are `***`.",
        Right.READ_AUDIT: "The change log, imports of others, and who had probers do what.",
        Right.VIEW: "Pictures of cameras. No other right implies it, and each view is on record.",
        Right.ADD: "New records.",
        Right.CHANGE: "Changes of records, and their states.",
        Right.REMOVE: "Removal of records.",
        Right.IMPORT: "Files. Their rows need `add`, `change` or `remove` beside, each as what it does.",
        Right.EXPORT: "Files of what may be read.",
        Right.WRITE_SECRET: "Logins of devices and centres. Nobody reads them.",
        Right.OPERATE: "Commands: probe now, scan, stop and start deliveries, send again.",
        Right.DISPUTE: "Say, with a reason, that a finding on a camera is wrong.",
        Right.SPEAK: "Give one's own word: consent to a plan, answers, the own focal point.",
        Right.ASK: "Ask, with a reason, for what somebody else decides.",
        Right.INVITE: "Make, list and revoke links of facilities.",
        Right.DECIDE: "Decide what somebody else owes, asks or disputes: the acts of the table of duties.",
    }
)
"""What a right allows, for docs/reference/permissions.md."""

_ALL = frozenset(Right)
_READS = frozenset({Right.READ, Right.EXPORT, Right.READ_RESTRICTED})
_PARTY = frozenset({Right.READ_PEOPLE, Right.DISPUTE, Right.ASK, Right.SPEAK})
RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.PROVINCE_LEAD: _ALL,
        Role.DECIDER: _READS | {Right.READ_PEOPLE, Right.READ_AUDIT, Right.ADD, Right.CHANGE, Right.DECIDE},
        Role.OPERATOR: _ALL - {Right.REMOVE, Right.READ_AUDIT, Right.VIEW, Right.DECIDE, Right.INVITE},
        Role.AUTHORITY: _READS | {Right.READ_PEOPLE, Right.READ_AUDIT},
        Role.MANAGING_AGENCY: _READS | _PARTY | {Right.INVITE},
        Role.FACILITY: _PARTY | {Right.READ, Right.READ_RESTRICTED},
        Role.READER: frozenset({Right.READ, Right.EXPORT}),
        Role.VIEWER: frozenset({Right.VIEW}),
        Role.SERVICE: _READS,
    }
)
NEED_SCOPE = frozenset({Role.MANAGING_AGENCY, Role.FACILITY})
"""Roles that count in a token with a scope alone (R26): an agency sees its own facilities, a facility itself."""
OWES = frozenset({Role.OPERATOR, Role.MANAGING_AGENCY, Role.FACILITY})
"""Roles of those who owe duties: a token with one of them decides nothing, whatever other roles it has."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller."""

    subject: str
    """Its login."""
    roles: frozenset[Role]
    scope: AccessScope | None = None
    agency: UUID | None = None
    """The agency that the caller speaks for, where the token names one."""
    link: UUID | None = None
    """The facility's link by which it calls: it opens the routes that are open to links, and no other."""
    name: str = ""
    """Full name, where the token names one: papers and pages show it beside the login."""
    post: str = ""
    """Post or office, likewise."""
    expires_at: datetime | None = field(default=None, compare=False)
    """When its token is over: what goes on for longer than a request ends then."""

    @property
    def rights(self) -> frozenset[Right]:
        """Those of the roles that count."""
        counted = self.roles if self.scope is not None else self.roles - NEED_SCOPE
        rights = frozenset[Right]().union(*(RIGHTS[role] for role in counted))
        return rights - {Right.DECIDE} if self.roles & OWES else rights

    def may(self, right: Right) -> bool:
        return right in self.rights

    @property
    def sight(self) -> Sight:
        """What the caller sees of the facilities."""
        may = self.rights
        return Sight(self.scope, restricted=Right.READ_RESTRICTED in may, people=Right.READ_PEOPLE in may)

    def why_not(self, right: Right) -> str:
        """Explain to a caller without `right` what is missing, in a sentence."""
        narrow = sorted(role for role in self.roles & NEED_SCOPE if right in RIGHTS[role])
        if self.scope is None and narrow:
            return (
                f"this needs the right '{right.value}'; the role '{narrow[0]}' has it in a token with a scope "
                "alone, and the token has none (docs/reference/permissions.md)"
            )
        holders = ", ".join(f"'{role}'" for role in Role if right in RIGHTS[role])
        roles = ", ".join(f"'{role}'" for role in sorted(self.roles)) or "none"
        return (
            f"this needs the right '{right.value}', which the roles {holders} have, and the token has {roles}; "
            "let one of them do it with a token of their own"
        )
