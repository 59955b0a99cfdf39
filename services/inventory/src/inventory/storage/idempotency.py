"""Answers kept for a day, each written in the transaction that has the effect: a repeated request is done once."""

from datetime import timedelta

from sqlalchemy import delete

from inventory.storage.store import WriteTransaction
from inventory.storage.tables import IdempotencyKey
from vonggac.http.idempotency import KeptAnswer, KeptRequest, decide

KEPT = timedelta(days=1)


async def find_answer(transaction: WriteTransaction, key: str | None, fingerprint: str) -> KeptAnswer | None:
    """What was answered to this request before. Raises ProblemError 422 when the key was used for another one.

    No request is in progress elsewhere: writers come one after the other.
    """
    if key is None:
        return None
    now = transaction.now
    await transaction.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - KEPT))
    row = await transaction.session.get(IdempotencyKey, (transaction.actor.subject, key))
    if row is None:
        return None
    answer = KeptAnswer(row.status, row.headers, row.body)
    return decide(KeptRequest(row.fingerprint, row.created_at, answer), fingerprint, now)


async def keep_answer(transaction: WriteTransaction, key: str | None, fingerprint: str, answer: KeptAnswer) -> None:
    """Keep the answer with what it is about."""
    if key is None:
        return
    transaction.session.add(
        IdempotencyKey(
            caller=transaction.actor.subject,
            key=key,
            fingerprint=fingerprint,
            created_at=transaction.now,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
        )
    )
    await transaction.session.flush()
