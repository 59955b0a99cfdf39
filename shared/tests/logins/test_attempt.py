"""One attempt to log in, over real NATS: who may try, and what counts afterwards."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from nacl.public import PrivateKey

from vonggac.auth.sealing import Unsealer
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.events.causes import Cause
from vonggac.logins.attempt import Logins, device_address
from vonggac.logins.counting import LoginRests
from vonggac.logins.guard import LoginGuard
from vonggac.net.errors import PeerError
from vonggac.net.url import Credentials
from vonggac.testing import eventually

CREDENTIALS = Credentials("viewer", "s3cret")
URL = "rtsp://10.20.1.5/Streaming/Channels/101"


@pytest_asyncio.fixture
async def logins(bus: Bus) -> AsyncIterator[list[Logins]]:
    """Of two processes that share the bucket."""
    queue = Outgoing(bus)
    sending = asyncio.create_task(queue.run())
    key = bytes(PrivateKey.generate())
    yield [
        Logins(LoginGuard(queue, Bucket(bus, topology.LOGIN_FAILURES), rests=LoginRests(1800.0, 300.0)), Unsealer(key))
        for _ in range(2)
    ]
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


def failure(cause: Cause, *, login_sent: bool = False, logged_in: bool = False) -> PeerError:
    error = PeerError(cause, "as the device says")
    error.login_sent, error.logged_in = login_sent, logged_in
    return error


async def fail(logins: Logins, error: PeerError) -> None:
    async def log_in() -> None:
        async with logins.attempt(logins.login_of(URL, CREDENTIALS), wait_s=1.0) as attempt:
            assert attempt.granted
            raise error

    with pytest.raises(PeerError):
        await log_in()


def test_a_device_is_host_and_port_of_an_address_whatever_its_path_holds(logins: list[Logins]) -> None:
    one = logins[0]
    same = one.login_at("10.20.1.5:554", CREDENTIALS)
    assert one.login_of(URL, CREDENTIALS) == same
    assert one.login_of("RTSP://10.20.1.5:554/live?user={username}&pass={password}", CREDENTIALS) == same
    assert one.login_of("rtsp://10.20.1.5:8554/live", CREDENTIALS) != same
    assert one.login_of(URL, Credentials("viewer", "another")) != same
    assert device_address("rtsps://cam.example/x").port == 322


@pytest.mark.parametrize("url", ["udp://10.20.1.5:5000", "http://{password}/a.m3u8", "rtsp://", "gate"])
def test_where_no_login_is_asked_for_none_is_counted(logins: list[Logins], url: str) -> None:
    assert logins[0].login_of(url, CREDENTIALS) is None
    with pytest.raises(PeerError):
        device_address(url)


async def test_without_a_login_everything_is_granted_and_nothing_counts(bus: Bus, logins: list[Logins]) -> None:
    sent = bus.client.stats["out_msgs"]
    async with logins[0].attempt(logins[0].login_of(URL, None)) as attempt:
        assert (attempt.granted, attempt.rest_s) == (True, None)
        attempt.refuse()
        attempt.conclude(True)
    assert bus.client.stats["out_msgs"] == sent


async def test_a_session_that_ends_after_others_were_refused_clears_none_of_their_refusals(
    logins: list[Logins],
) -> None:
    one = logins[0]
    login = one.login_of(URL, CREDENTIALS)
    async with one.attempt(login) as playing:
        playing.accept()
        for _ in range(2):
            async with one.attempt(login) as attempt:
                assert attempt.granted
                attempt.conclude(False)
        playing.conclude(True, needed=True)
    async with one.attempt(login) as attempt:
        assert not attempt.granted
        assert attempt.taken_before


async def test_a_session_that_ends_lets_nobody_in_beside_the_one_who_tries(logins: list[Logins]) -> None:
    one = logins[0]
    login = one.login_of(URL, CREDENTIALS)
    async with one.attempt(login) as playing:
        playing.accept()
        async with one.attempt(login) as trying:
            assert trying.granted
            playing.conclude(True, needed=True)
            waiting = asyncio.ensure_future(asyncio.wait_for(_is_granted(one, login), 5))
            await asyncio.sleep(0)
            trying.conclude(False)
        assert not await waiting


async def test_a_session_that_ends_takes_back_no_claim_of_another_try(logins: list[Logins]) -> None:
    one, other_process = logins
    login = one.login_of(URL, CREDENTIALS)
    async with one.attempt(login) as playing:
        playing.accept()
        async with one.attempt(login) as refused:
            refused.conclude(False)
        async with one.attempt(login) as trying:
            assert trying.granted
            playing.conclude(True, needed=True)
            await asyncio.gather(*one.guard._storing)
            assert not await _is_granted(one, login)
            assert not await _is_granted(other_process, login)


async def _is_granted(logins: Logins, login: str | None) -> bool:
    async with logins.attempt(login) as attempt:
        return attempt.granted


async def test_after_two_refusals_the_login_rests_in_every_process(logins: list[Logins]) -> None:
    one, other = logins
    login = one.login_of(URL, CREDENTIALS)
    for each in logins:
        async with each.attempt(login) as attempt:
            assert attempt.granted
            attempt.conclude(False)
    for wait_s in (None, 1.0):
        async with one.attempt(login, wait_s=wait_s) as attempt:
            assert not attempt.granted
            assert (attempt.rest_s or 0) > 1700
    async with other.attempt(other.login_of(URL, Credentials("viewer", "corrected"))) as attempt:
        assert attempt.granted


async def test_who_does_not_wait_is_not_granted_what_others_try_and_who_waits_gets_it_in_time(
    logins: list[Logins],
) -> None:
    one, other = logins
    login = one.login_of(URL, CREDENTIALS)
    async with one.attempt(login, wait_s=1.0) as first:
        assert first.granted
        async with other.attempt(login) as second:
            assert (second.granted, second.rest_s) == (False, None)
        async with one.attempt(login, wait_s=0.05) as third:
            assert (third.granted, third.rest_s) == (False, None)
        first.accept()
        async with one.attempt(login, wait_s=1.0) as fourth:
            assert fourth.granted


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (failure(Cause.AUTH_FAILED, login_sent=True), True),
        (failure(Cause.AUTH_FAILED), False),
        (failure(Cause.TIMEOUT, login_sent=True), False),
        (failure(Cause.NO_MEDIA, login_sent=True, logged_in=True), False),
    ],
    ids=["refused", "not sent", "silent", "taken"],
)
async def test_an_error_counts_as_a_failed_login_when_the_login_was_sent_and_refused(
    logins: list[Logins], error: PeerError, counts: bool
) -> None:
    await fail(logins[0], error)
    await fail(logins[0], error)
    async with logins[0].attempt(logins[0].login_of(URL, CREDENTIALS)) as attempt:
        assert (attempt.rest_s is not None) is counts


async def test_a_session_that_the_device_ends_at_once_leaves_its_login_in_doubt(logins: list[Logins]) -> None:
    one = logins[0]
    login = one.login_of(URL, CREDENTIALS)
    await fail(one, failure(Cause.ENDED, login_sent=True, logged_in=True))
    inside = 0

    async def log_in() -> None:
        nonlocal inside
        async with one.attempt(login, wait_s=5.0) as attempt:
            assert attempt.granted
            inside += 1
            assert inside == 1, "one finds out first"
            await asyncio.sleep(0)
            inside -= 1
            attempt.accept()

    await asyncio.gather(log_in(), log_in())


@pytest.mark.parametrize("same_process", [True, False])
async def test_a_refusal_of_a_login_that_the_device_took_before_is_a_suspected_session_limit(
    bus: Bus, logins: list[Logins], same_process: bool
) -> None:
    one, other = logins
    login = one.login_of(URL, CREDENTIALS)
    assert login is not None
    async with one.attempt(login, wait_s=1.0) as attempt:
        attempt.accept(needed=True)
    first, second = failure(Cause.AUTH_FAILED, login_sent=True), failure(Cause.AUTH_FAILED, login_sent=True)
    await fail(one, first)
    again = one if same_process else other
    again.guard.on_value(login, await Bucket(bus, topology.LOGIN_FAILURES).get(login))
    await fail(again, second)
    assert (first.cause, first.rest_s) == (Cause.SESSION_LIMIT, 300.0)
    assert (second.cause, second.rest_s) == (Cause.SESSION_LIMIT, 1800.0)
    assert "took this login before" in second.message


async def test_a_refusal_after_the_login_was_taken_in_the_same_session_is_one_too(logins: list[Logins]) -> None:
    error = failure(Cause.AUTH_FAILED, login_sent=True, logged_in=True)
    await fail(logins[0], error)
    assert (error.cause, error.rest_s) == (Cause.SESSION_LIMIT, 300.0)


async def test_a_device_that_asked_for_no_login_has_proven_none(logins: list[Logins]) -> None:
    one = logins[0]
    async with one.attempt(one.login_of(URL, CREDENTIALS), wait_s=1.0) as attempt:
        attempt.accept()
    error = failure(Cause.AUTH_FAILED, login_sent=True)
    await fail(one, error)
    assert (error.cause, error.rest_s) == (Cause.AUTH_FAILED, None)


async def test_that_a_device_took_a_login_is_known_to_processes_that_start_later(
    bus: Bus, logins: list[Logins]
) -> None:
    one, other = logins
    login = one.login_of(URL, CREDENTIALS)
    assert login is not None
    async with one.attempt(login, wait_s=1.0) as attempt:
        attempt.accept(needed=True)
    bucket = Bucket(bus, topology.LOGIN_FAILURES)

    async def noted() -> bytes:
        value = await bucket.get(login) or b""
        assert b'"taken":true,"trying_until":null' in value
        return value

    other.guard.on_value(login, await eventually(noted))
    error = failure(Cause.AUTH_FAILED, login_sent=True)
    await fail(other, error)
    assert (error.cause, error.rest_s) == (Cause.SESSION_LIMIT, 300.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://10.20.1.5/1.m3u8", "http://10.20.1.5:80/2.ts?x=1"),
        ("rtmp://Recorder.lan/live/1", "rtmp://recorder.lan:1935/live/2"),
        ("https://[FD00::1]/1", "https://[fd00:0::1]:443/2"),
    ],
)
def test_channels_of_a_device_are_one_by_any_scheme(logins: list[Logins], one: str, other: str) -> None:
    login = logins[0].login_of(one, CREDENTIALS)
    assert login is not None
    assert login == logins[0].login_of(other, CREDENTIALS)
