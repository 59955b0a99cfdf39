"""Contents of attachments of surveys, and the submissions that were taken: each exactly once."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.tables import SurveyContent


async def stored_hashes(session: AsyncSession, survey_id: UUID) -> frozenset[str]:
    """SHA-256 of every content of a survey that is stored."""
    return frozenset(await session.scalars(select(SurveyContent.sha256).where(SurveyContent.survey_id == survey_id)))


async def stored_bytes(session: AsyncSession, survey_id: UUID) -> int:
    """Bytes of all contents of a survey together."""
    total = select(func.coalesce(func.sum(SurveyContent.size_bytes), 0)).where(SurveyContent.survey_id == survey_id)
    return int(await session.scalar(total) or 0)


async def read_content(session: AsyncSession, survey_id: UUID, sha256: str) -> SurveyContent | None:
    """One content with its bytes."""
    return await session.get(SurveyContent, (survey_id, sha256))
