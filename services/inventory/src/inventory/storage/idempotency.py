"""Answers kept for a day, each written in the transaction that has the effect: a repeated request is done once."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.store import WriteTransaction
from inventory.storage.tables import IdempotencyKey
from vonggac.http.idempotency import KeptAnswer, KeptRequest, decide, in_progress

KEPT = timedelta(days=1)


async def find_answer(transaction: WriteTransaction, key: str | None, fingerprint: str) -> KeptAnswer | None:
    """Find the earlier answer to this request. Raises ProblemError 422 when the key was used for another one.

    No request is in progress elsewhere: writers come one after the other.
    """
    if key is None:
        return None
    return await find_kept(transaction.session, transaction.actor.subject, key, fingerprint, transaction.now)


async def keep_answer(transaction: WriteTransaction, key: str | None, fingerprint: str, answer: KeptAnswer) -> None:
    """Keep the answer with what it is about."""
    if key is not None:
        await keep(transaction.session, transaction.actor.subject, key, fingerprint, transaction.now, answer)


async def find_kept(session: AsyncSession, caller: str, key: str, fingerprint: str, now: datetime) -> KeptAnswer | None:
    """As `find_answer`, of a caller's key."""
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - KEPT))
    row = await session.get(IdempotencyKey, (caller, key))
    if row is None:
        return None
    answer = KeptAnswer(row.status, row.headers, row.body)
    return decide(KeptRequest(row.fingerprint, row.created_at, answer), fingerprint, now)


async def keep(
    session: AsyncSession, caller: str, key: str, fingerprint: str, now: datetime, answer: KeptAnswer
) -> None:
    """As `keep_answer`, of a caller's key. Raises ProblemError 409 when another request has it meanwhile."""
    row = IdempotencyKey(
        caller=caller,
        key=key,
        fingerprint=fingerprint,
        created_at=now,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
    )
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise in_progress() from None
