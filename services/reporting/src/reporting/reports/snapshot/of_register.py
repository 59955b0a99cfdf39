"""What of a report's letterhead the register knows: who reports, below whom, on which directive."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis
from reporting.reports.mandate.obligations import citation_of
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.storage.mandate import records
from reporting.storage.mandate.records import Record, Records
from vonggac.events.inventory import AgencyRole

_NOUNS = ("agency", "directive", "obligation")


async def letterhead_of_register(session: AsyncSession, given: Letterhead, at: Millis) -> Letterhead:
    """`given`, with what it leaves out as the register has it at `at`: basis, issuer, the agency above, symbol.

    The basis is the directive that most obligations carry out. What the register does not know keeps its default.
    """
    known = await records.read(session, _NOUNS, at)
    found = {name: value for name, value in _known(known, at) if name not in given.model_fields_set}
    return given.model_copy(update=found)


def _known(known: Records, at: Millis) -> Iterator[tuple[str, Any]]:
    lead = _of_role(known, AgencyRole.LEAD, at)
    if lead is not None:
        yield "issuer", str(lead.state["name"])
        yield "symbol", f"BC-{lead.state['code']}"
    above = _of_role(known, AgencyRole.PEOPLES_COMMITTEE, at)
    if above is not None:
        yield "parent", str(above.state["name"]).replace("Ủy ban nhân dân", "UBND")
    directives = Counter(UUID(one.state["directive_id"]) for one in known.at("obligation", at))
    for directive_id, _ in sorted(directives.items(), key=lambda one: (-one[1], str(one[0])))[:1]:
        cited = citation_of(known, known.named("directive", directive_id, at), at)
        if cited is not None:
            yield "basis", f"Thực hiện {cited}"


def _of_role(known: Records, role: AgencyRole, at: Millis) -> Record | None:
    """One that no other has succeeded comes first; of several the first by its code."""
    found = [one for one in known.at("agency", at) if one.state["role"] == role.value]
    key = lambda one: (one.state.get("successor_id") is not None, str(one.state["code"]))  # noqa: E731
    return min(found, key=key, default=None)
