"""What of a paper's letterhead the register knows: who reports, below whom, on which directive, and what that directive
has for the papers that carry it out: addressees, recipients, place, signer."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis
from reporting.reports.mandate.obligations import citation_of
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.storage.mandate import records
from reporting.storage.mandate.records import Record, Records
from vonggac.events.inventory import AgencyRole, RecipientGroup, RecipientSight

_NOUNS = ("agency", "directive", "obligation")
_OF_DIRECTIVE = ("place", "signer_authority", "signer_title", "signer_name", "subject")


async def letterhead_of_register(
    session: AsyncSession, given: Letterhead, at: Millis, now: Millis, directive_id: UUID | None = None
) -> Letterhead:
    """`given`, with what it leaves out as the register has it: basis, issuer, the agency above and symbol at `at`; what
    the directive says of its papers at `now`, when this one is made.

    The basis is `directive_id`, or the directive that most obligations carry out. What the register does not know keeps
    its default.
    """
    known = await records.read(session, _NOUNS, max(at, now))
    wanted = directive_id or _main_directive(known, at)
    found = dict(_read_head(known, at, wanted))
    found |= _of_papers(_letterhead_at(known, wanted, now))
    return given.model_copy(update={name: one for name, one in found.items() if name not in given.model_fields_set})


async def letterhead_of_directive(
    session: AsyncSession, directive_ids: Iterable[UUID | None], now: Millis
) -> Mapping[str, Any]:
    """Read what the directive that most of `directive_ids` name says of its papers; without any of them the main one's.

    As `LetterheadV1` has it; empty where it says nothing.
    """
    known = await records.read(session, _NOUNS, now)
    counted = Counter(one for one in directive_ids if one is not None)
    wanted = _most_frequent(counted) if counted else _main_directive(known, now)
    return _letterhead_at(known, wanted, now)


def recipient_line(recipient: Mapping[str, Any]) -> str:
    """Write a line of «Nơi nhận», as `RecipientV1` has it: number of copies from two on, and what the copy lacks."""
    copies, sees = int(recipient.get("copies", 1)), recipient.get("sees")
    notes = [f"{copies:02d} bản"] if copies > 1 else []
    notes += ["không kèm phụ lục"] if sees == RecipientSight.WITHOUT_APPENDICES.value else []
    name = {
        RecipientGroup.ADDRESSEES.value: "Như trên",
        RecipientGroup.ARCHIVE.value: f"Lưu: {recipient['name']}",
    }.get(recipient["group"], str(recipient["name"]))
    return f"{name} ({', '.join(notes)})" if notes else name


def _of_papers(letterhead: Mapping[str, Any]) -> dict[str, Any]:
    """Build the fields of a report's letterhead that a directive's letterhead gives."""
    found = {name: letterhead[name] for name in _OF_DIRECTIVE if letterhead.get(name) is not None}
    if letterhead.get("addressees"):
        found["addressees"] = list(letterhead["addressees"])
    if letterhead.get("recipients"):
        found["copies"] = [recipient_line(one) for one in letterhead["recipients"]]
    return found


def _read_head(known: Records, at: Millis, directive_id: UUID | None) -> Iterator[tuple[str, Any]]:
    lead = _of_role(known, AgencyRole.LEAD, at)
    if lead is not None:
        yield "issuer", str(lead.state["name"])
        yield "symbol", f"BC-{lead.state['code']}"
    above = _of_role(known, AgencyRole.PEOPLES_COMMITTEE, at)
    if above is not None:
        yield "parent", str(above.state["name"]).replace("Ủy ban nhân dân", "UBND")
    directive = None if directive_id is None else known.find_version("directive", directive_id, at)
    if (cited := citation_of(known, directive, at)) is not None:
        yield "basis", f"Thực hiện {cited}"


def _main_directive(known: Records, at: Millis) -> UUID | None:
    """Find the directive that most obligations carry out at `at`."""
    return _most_frequent(Counter(UUID(one.state["directive_id"]) for one in known.at("obligation", at)))


def _most_frequent(counted: Counter[UUID]) -> UUID | None:
    return min(counted, key=lambda one: (-counted[one], str(one)), default=None)


def _letterhead_at(known: Records, directive_id: UUID | None, at: Millis) -> Mapping[str, Any]:
    directive = None if directive_id is None else known.find_version("directive", directive_id, at)
    found: Mapping[str, Any] | None = None if directive is None else directive.state.get("letterhead")
    return found or {}


def _of_role(known: Records, role: AgencyRole, at: Millis) -> Record | None:
    """One that no other has succeeded comes first; of several the first by its code."""
    found = [one for one in known.at("agency", at) if one.state["role"] == role.value]
    key = lambda one: (one.state.get("successor_id") is not None, str(one.state["code"]))  # noqa: E731
    return min(found, key=key, default=None)
