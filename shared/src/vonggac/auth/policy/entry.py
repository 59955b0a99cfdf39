"""One line of the policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vonggac.auth.rights import Right
from vonggac.events.inventory import Act


class Reach(StrEnum):
    """What the scope of a token, and the lack of `read_restricted`, mean at a route."""

    NARROWED = "narrowed"
    """What the caller does not see is not there: not in lists, totals and files, and 404 by its id."""
    COMMON = "common"
    """Holds nothing of a single facility: the same for every caller."""
    PROVINCE = "province"
    """Concerns the province as a whole: refused to a token with a scope."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a route needs. `also`: rights that depend on what is asked for, each with when."""

    method: str
    path: str
    """As the framework has it: `/v1/cameras/{thing_id}`."""
    rights: tuple[Right, ...]
    """All of them."""
    reach: Reach
    also: Mapping[Right, str] = field(default_factory=dict)
    note: str = ""
    """What the scope of a token means here in particular."""
    by_link: bool = False
    """Whether a facility's link opens it."""
    act: Act | None = None
    """Of a route that is nothing but this act: who does not decide it learns who does."""

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.path
