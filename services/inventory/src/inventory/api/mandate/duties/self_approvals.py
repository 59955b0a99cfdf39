"""/v1/self-approvals: each time that who wrote approved, where the province allows it (decision 0122)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AwareDatetime, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context
from inventory.api.nouns.clocks import AsOf
from inventory.api.nouns.derived import answer_derived
from inventory.domain.people.approvals import WORDS
from inventory.nouns.shown import Acted, Acts
from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import SelfApproval
from vonggac.auth import guarded_router
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1/self-approvals", tags=["self-approvals"])


class SelfApprovalResponse(Acted):
    """One approval by who wrote."""

    acts: ClassVar[Acts] = {"approved_by": "approved_at"}

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    about_noun: str = Field(description="What was approved: survey, connection_plan and so on.")
    about_vi: str = Field(description="The same in Vietnamese.")
    about_id: UUID
    label: str = Field(description="Its code; of an exception that of its facility, of a request the act.")
    facility_id: UUID | None = Field(description="null: of the province.")
    approved_by: str = Field(description="Who wrote and approved.")
    approved_at: AwareDatetime
    rule_id: UUID = Field(description="The rule of the province that allowed it (`/v1/approval-rules`).")
    why: str = Field(description="Why the rule allowed it.")


APPROVALS = Listing[Any, SelfApprovalResponse](
    SelfApprovalResponse,
    keys={"approved_at": Key(lambda row: row["approved_at"], datetime), "id": Key(lambda row: row["id"], UUID)},
    id_key="id",
    default_sort="approved_at",
)


@dataclass(frozen=True, slots=True)
class ApprovalFilters:
    """Which approvals are listed; all that are given must match."""

    about_noun: Annotated[str | None, Query(max_length=64)] = None
    facility_id: UUID | None = None
    approved_by: Annotated[str | None, Query(max_length=255)] = None

    def fit(self, row: Any) -> bool:
        """Whether an approval is listed."""
        wanted = {"about_noun": self.about_noun, "facility_id": self.facility_id, "approved_by": self.approved_by}
        return all(value is None or row[name] == value for name, value in wanted.items())


@router.get("", summary="List approvals by who wrote", responses=APPROVALS.responses, response_model=None)
async def list_self_approvals(
    context: Context,
    page: Annotated[PageQuery[Any, SelfApprovalResponse], Depends(APPROVALS)],
    filters: Annotated[ApprovalFilters, Depends()],
    as_of: AsOf = None,
) -> Response:
    """List oldest first; each stands in the report of its time."""

    async def read(session: AsyncSession, recorded: Recorded) -> Sequence[Any]:
        rows = (await session.execute(select(recorded(SelfApproval)))).mappings().all()
        return [row for row in rows if filters.fit(row)]

    return await answer_derived(context, page, (as_of, None), read, shown=_to_response)


def _to_response(row: Any) -> SelfApprovalResponse:
    return SelfApprovalResponse.model_validate({**row, "about_vi": WORDS[row["about_noun"]][1]})
