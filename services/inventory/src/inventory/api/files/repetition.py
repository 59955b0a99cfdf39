"""An import that is sent again with its Idempotency-Key is done once, and answered as the first time (0045)."""

from dataclasses import dataclass

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import RepeatableContext
from inventory.api.files.received import Received
from inventory.storage.idempotency import find_kept, keep
from vonggac.http.idempotency import KeptAnswer


@dataclass(frozen=True, slots=True)
class Repetition:
    """One request that may come again."""

    context: RepeatableContext
    key: str
    fingerprint: str

    @classmethod
    def of(cls, context: RepeatableContext, file: Received | None = None) -> "Repetition | None":
        """None without a key. `file`: what was sent, in whatever form: a client makes each form anew."""
        if context.key is None:
            return None
        digest = file.sha256 if file is not None else b""
        return cls(context, context.key, context.fingerprint_of(digest))

    async def answer(self) -> Response | None:
        """Read the first answer, if there was one. Raises ProblemError 422 when the key was used for another thing."""
        async with self.context.read_transaction() as session:
            kept = await self.find(session)
        return None if kept is None else respond(self.context, kept)

    async def find(self, session: AsyncSession) -> KeptAnswer | None:
        """As `answer`, in a transaction."""
        now = self.context.services.store.now()
        return await find_kept(session, self.context.caller.subject, self.key, self.fingerprint, now)

    async def keep(self, session: AsyncSession, answer: KeptAnswer) -> None:
        """Keep the answer in the transaction of the effect."""
        now = self.context.services.store.now()
        await keep(session, self.context.caller.subject, self.key, self.fingerprint, now, answer)


def respond(context: RepeatableContext, kept: KeptAnswer) -> Response:
    """Build the answer as it goes out."""
    headers = kept.headers | {"X-Request-Id": context.request_id}
    return Response(kept.body, kept.status, headers, "application/json")
