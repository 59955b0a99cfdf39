"""Roles and rights: reading, adding, changing, removing, importing, exporting, secret-writing are separate rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """Who a caller is in the mandate (letter 1742): see R26."""

    PROVINCE_LEAD = "province_lead"
    OPERATOR = "operator"
    MANAGING_AGENCY = "managing_agency"
    FACILITY = "facility"
    READER = "reader"
    SERVICE = "service"


class Right(StrEnum):
    """One kind of thing a caller may do."""

    READ = "read"
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    IMPORT = "import"
    EXPORT = "export"
    WRITE_SECRET = "write_secret"  # noqa: S105 - a right, not a secret
    OPERATE = "operate"


_ALL = frozenset(Right)
RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.PROVINCE_LEAD: _ALL,
        Role.OPERATOR: _ALL - {Right.REMOVE},
        Role.MANAGING_AGENCY: frozenset({Right.READ, Right.EXPORT}),
        Role.FACILITY: frozenset({Right.READ}),
        Role.READER: frozenset({Right.READ, Right.EXPORT}),
        Role.SERVICE: frozenset({Right.READ, Right.EXPORT}),
    }
)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller."""

    subject: str
    roles: frozenset[Role]

    def may(self, right: Right) -> bool:
        return any(right in RIGHTS[role] for role in self.roles)
