"""A recorder whose account has no right to a channel of its own: the others never wait for that one, over real NATS."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from nacl.public import PrivateKey

from vonggac.auth.sealing import Unsealer
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.events.causes import Cause
from vonggac.logins.attempt import Logins
from vonggac.logins.counting import LoginRests
from vonggac.logins.guard import LoginGuard
from vonggac.net.errors import PeerError
from vonggac.net.url import Credentials
from vonggac.testing import eventually

CREDENTIALS = Credentials("viewer", "s3cret")
RECORDER = "rtsp://10.20.1.5/Streaming/Channels/"


class Recorder:
    """Channels in one process. `shut`: those that the account has no right to; `password` says if it is right."""

    def __init__(self, bus: Bus, queue: Outgoing) -> None:
        self.now = datetime(2026, 11, 28, tzinfo=UTC)
        self.password, self.shut = True, {"1"}
        self.refused: list[str] = []
        bucket = Bucket(bus, topology.LOGIN_FAILURES)
        guard = LoginGuard(queue, bucket, rests=LoginRests(1800.0, 300.0), clock=lambda: self.now)
        self.logins = Logins(guard, Unsealer(bytes(PrivateKey.generate())))

    async def play(self, channel: str) -> str:
        """What came of it: "plays", the error's words, or why it was not tried."""
        url = RECORDER + channel
        try:
            async with self.logins.attempt(self.logins.login_of(url, CREDENTIALS), camera=url, wait_s=5.0) as attempt:
                if not attempt.granted:
                    return attempt.why_not_tried
                if self.password and channel not in self.shut:
                    attempt.accept(needed=True)
                    return "plays"
                self.refused.append(channel)
                error = PeerError(Cause.AUTH_FAILED, "DESCRIBE was answered 401 Unauthorized")
                error.login_sent = True
                raise error
        except PeerError as error:
            return error.message


@pytest_asyncio.fixture
async def recorder(bus: Bus) -> AsyncIterator[Recorder]:
    queue = Outgoing(bus)
    sending = asyncio.create_task(queue.run())
    yield Recorder(bus, queue)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_one_channel_that_refuses_darkens_no_other_however_often_it_is_tried(recorder: Recorder) -> None:
    assert await recorder.play("2") == "plays"
    for _ in range(4):
        assert "not for this account" in await recorder.play("1")
        recorder.now += timedelta(minutes=5)
        assert "this camera refused the login that others of its device take" in await recorder.play("1")
        recorder.now += timedelta(minutes=27)
    # Nobody else has logged in for two hours; whoever must log in now may.
    assert await recorder.play("3") == "plays"
    assert recorder.refused == ["1"] * 4


async def test_two_channels_that_refuse_let_the_others_try_first_after_the_rest(recorder: Recorder) -> None:
    recorder.shut = {"1", "4"}
    assert await recorder.play("2") == "plays"
    await recorder.play("1")
    await recorder.play("4")
    assert "failed twice" in await recorder.play("3")
    recorder.now += timedelta(minutes=30)
    assert ["not tried" in await recorder.play(channel) for channel in ("1", "4")] == [True, True]
    assert await recorder.play("3") == "plays"
    # That proves the login: one of the two is tried, and the other one does not make it two.

    async def tried() -> bool:
        return "401" in await recorder.play("1")

    await eventually(tried)
    assert "not tried" in await recorder.play("4")
    assert await recorder.play("3") == "plays"


@pytest.mark.parametrize("first", ["1", "2"])
async def test_a_changed_password_still_costs_two_logins(recorder: Recorder, first: str) -> None:
    for channel in ("2", "3", "4"):
        assert await recorder.play(channel) == "plays"
    if first == "1":
        await recorder.play("1")
        recorder.now += timedelta(minutes=32)
    recorder.password, recorder.refused = False, []
    for channel in (first, "3", "4", "2", "1"):
        await recorder.play(channel)
    assert recorder.refused == [first, "3"]
