"""The person behind a request: loaded by the cookie, with a token that holds a while yet."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from nats.errors import Error as NatsError

from console.sign_in.code_flow import CodeFlow
from console.sign_in.provider import ProviderAwayError, SignInRefusedError
from console.sign_in.sessions import Session, Sessions
from vonggac.auth.rights import Principal
from vonggac.auth.tokens import read_caller
from vonggac.telemetry import get_logger

log = get_logger(__name__)

REFRESH_AHEAD_S = 60.0
"""Before its end an access token is replaced."""
REFRESH_WITHIN_S = 10.0
VISIT_NOTED_EVERY_S = 60.0
POLL_S = 0.2


class SessionsAwayError(Exception):
    """NATS is away: nobody knows who the visitor is."""


class NoRoomForSessionsError(SessionsAwayError):
    """There is no room for one more session or screen."""


@dataclass(frozen=True)
class Visitor:
    """A person who is signed in."""

    subject: str
    name: str
    token: str
    identity: str | None
    expires_at_s: float
    """Of the token, Unix seconds."""

    @cached_property
    def caller(self) -> Principal | None:
        """Whom the token names; None where it is none that the services would take."""
        return read_caller(self.token)


class Visitors:
    """Knows visitors by their cookies; fetches new tokens ahead of time, once per session."""

    def __init__(self, sessions: Sessions, flow: CodeFlow, unix_s: Callable[[], float]) -> None:
        self.sessions, self._flow, self._unix_s = sessions, flow, unix_s
        self._refreshing: dict[str, asyncio.Future[Session | None]] = {}

    async def find(self, cookie: str) -> Visitor | None:
        """None: nobody is signed in by this cookie. Raises SessionsAwayError."""
        try:
            found = await self.sessions.load(cookie)
            if found is None:
                return None
            session, revision = found
            if session.expires_at_s - self._unix_s() < REFRESH_AHEAD_S and session.refresh is not None:
                renewed = await self._refresh_once(cookie)
                if renewed is None:
                    return None
                session = renewed
            elif self._unix_s() - session.seen_at_s > VISIT_NOTED_EVERY_S:
                await self.sessions.note_visit(cookie, session, revision)
        except (NatsError, TimeoutError, OSError) as error:
            raise SessionsAwayError(type(error).__name__) from None
        if session.expires_at_s <= self._unix_s():
            return None
        return Visitor(session.subject, session.name, session.access, session.identity, session.expires_at_s)

    async def _refresh_once(self, cookie: str) -> Session | None:
        """Many requests of one browser come at a time: one fetches, the others wait for it."""
        going = self._refreshing.get(cookie)
        if going is None:
            going = asyncio.ensure_future(self._refresh(cookie))
            self._refreshing[cookie] = going
            going.add_done_callback(lambda _: self._refreshing.pop(cookie, None))
        return await asyncio.shield(going)

    async def _refresh(self, cookie: str) -> Session | None:
        """None where the person has to sign in again."""
        deadline = self._unix_s() + REFRESH_WITHIN_S
        while (found := await self.sessions.load(cookie)) is not None:
            session, revision = found
            now = self._unix_s()
            if session.expires_at_s - now >= REFRESH_AHEAD_S or session.refresh is None:
                return session
            if session.refreshed_by_s > now and now < deadline:
                # Another replica is at it.
                await asyncio.sleep(POLL_S)
                continue
            marked = replace(session, refreshed_by_s=now + REFRESH_WITHIN_S)
            if await self.sessions.replace(cookie, marked, revision):
                return await self._fetch(cookie, marked, session.refresh)
        return None

    async def _fetch(self, cookie: str, session: Session, refresh: str) -> Session | None:
        try:
            tokens = await self._flow.refresh(refresh)
        except ProviderAwayError as error:
            # The token may hold a little longer; the next request tries again.
            log.warning("session_not_refreshed", error=str(error))
            return session
        except SignInRefusedError:
            await self.sessions.close(cookie)
            return None
        renewed = replace(
            session,
            access=tokens.access,
            refresh=tokens.refresh or refresh,
            identity=tokens.identity or session.identity,
            expires_at_s=tokens.expires_at_s,
            seen_at_s=self._unix_s(),
            refreshed_by_s=0.0,
        )
        # A sign-out meanwhile wins.
        found = await self.sessions.load(cookie)
        if found is None:
            return None
        await self.sessions.replace(cookie, renewed, found[1])
        return renewed
