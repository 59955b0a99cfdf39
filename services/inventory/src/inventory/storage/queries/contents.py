"""Contents of attachments of surveys, and the submissions that were taken: each exactly once."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.tables import SurveyContent


async def stored_hashes(session: AsyncSession, survey_id: UUID, as_of: datetime | None = None) -> frozenset[str]:
    """SHA-256 of every content of a survey that is stored, or was at an instant: contents only come."""
    query = select(SurveyContent.sha256).where(SurveyContent.survey_id == survey_id)
    if as_of is not None:
        query = query.where(SurveyContent.received_at <= as_of)
    return frozenset(await session.scalars(query))


async def find_uploads(
    session: AsyncSession, survey_id: UUID, as_of: datetime | None = None
) -> Mapping[str, tuple[str, datetime]]:
    """Of each content as of `stored_hashes`: by whose login it came, and when."""
    query = select(SurveyContent.sha256, SurveyContent.received_by, SurveyContent.received_at)
    query = query.where(SurveyContent.survey_id == survey_id)
    if as_of is not None:
        query = query.where(SurveyContent.received_at <= as_of)
    return {row.sha256: (row.received_by, row.received_at) for row in await session.execute(query)}


async def stored_bytes(session: AsyncSession, survey_id: UUID) -> int:
    """Bytes of all contents of a survey together."""
    total = select(func.coalesce(func.sum(SurveyContent.size_bytes), 0)).where(SurveyContent.survey_id == survey_id)
    return int(await session.scalar(total) or 0)


async def read_content(session: AsyncSession, survey_id: UUID, sha256: str) -> SurveyContent | None:
    """One content with its bytes."""
    return await session.get(SurveyContent, (survey_id, sha256))
