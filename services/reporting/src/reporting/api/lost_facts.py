"""GET /v1/lost-facts: what publishers numbered and never came."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select

from reporting.api.parameters import InContext
from reporting.storage.snapshot import snapshot
from reporting.storage.tables import publisher_gap
from vonggac.auth import Principal, Right, require

router = APIRouter(prefix="/v1", tags=["lost facts"])


class LostFacts(BaseModel):
    """A gap in the facts of one publisher. What it had said before holds until `began_at`, and no longer."""

    publisher: str
    first: int = Field(description="First missing sequence.")
    last: int = Field(description="Last missing sequence.")
    began_at: AwareDatetime = Field(description="Time of the fact before.")
    ended_at: AwareDatetime = Field(description="Time of the fact after.")
    lost_at: AwareDatetime | None = Field(description="When it was given up; null: it may still come.")


@router.get("/lost-facts", summary="Facts that never came, newest first")
async def list_lost_facts(
    shared: InContext,
    _caller: Annotated[Principal, Depends(require(Right.READ))],
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[LostFacts]:
    """Lost in an overflow, in an outage of NATS longer than its publishers remember, or with a publisher that died."""
    query = select(publisher_gap).order_by(publisher_gap.c.began_at.desc()).limit(limit)
    async with snapshot(shared.database) as session:
        rows = (await session.execute(query)).all()
    return [
        LostFacts(
            publisher=row.publisher_id,
            first=row.first,
            last=row.last,
            began_at=row.began_at,
            ended_at=row.ended_at,
            lost_at=row.lost_at,
        )
        for row in rows
    ]
