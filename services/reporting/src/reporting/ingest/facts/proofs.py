"""The newest read-back of each delivery that matched: when, and how long the picture had been under way."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from vonggac.events import Payload
from vonggac.events.forwarder import DeliveryObservedV1
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict

_UPSERT = text(
    """
    insert into delivery_proof (delivery_id, verified_at, delay_s)
    select * from unnest(
        cast(:delivery_ids as uuid[]), cast(:verified as timestamptz[]), cast(:delays as float8[])
    ) as new (delivery_id, verified_at, delay_s)
    order by delivery_id
    on conflict (delivery_id) do update set verified_at = excluded.verified_at, delay_s = excluded.delay_s
    where excluded.verified_at > delivery_proof.verified_at
    """
)


class Proof(NamedTuple):
    """One match; `delay_s` is None where it was not said."""

    verified_at: datetime
    delay_s: float | None


def proofs(facts: Iterable[Payload]) -> dict[UUID, Proof]:
    """Find the newest match of each delivery among `facts`, whether its prober or its forwarder reports it."""
    newest: dict[UUID, Proof] = {}
    for fact in facts:
        match fact:
            case DeliveryVerifiedV1(verdict=VerificationVerdict.VERIFIED):
                proof = Proof(fact.observed_at, fact.delay_s)
            case DeliveryObservedV1(verified_at=datetime() as verified_at):
                proof = Proof(verified_at, fact.delay_s)
            case _:
                continue
        known = newest.get(fact.delivery_id)
        if known is None or known.verified_at < proof.verified_at:
            newest[fact.delivery_id] = proof
    return newest


async def record(session: AsyncSession, newest: dict[UUID, Proof]) -> None:
    """Keep what is newer than what is stored, in any order of arrival."""
    if newest:
        columns = {
            "delivery_ids": list(newest),
            "verified": [proof.verified_at for proof in newest.values()],
            "delays": [proof.delay_s for proof in newest.values()],
        }
        await session.execute(_UPSERT, columns)
