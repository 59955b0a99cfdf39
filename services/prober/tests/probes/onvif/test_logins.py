"""Logins: none where none is wanted, the right one where one is, and never a second wrong one."""

from datetime import timedelta
from typing import Any

import pytest

from prober.probes.onvif import OnvifCause
from vonggac.auth import Credentials

WRONG = Credentials("viewer", "sai-mat-khau")


async def test_an_open_device_is_sent_no_login(probe: Any, device: Any, login: Credentials) -> None:
    camera = await device()
    await probe(camera, login)
    assert [asked.operation for asked in camera.asked if asked.has_login] == []


@pytest.mark.parametrize("scheme", ["token", "digest"])
async def test_the_login_that_a_device_asks_for_is_given(
    probe: Any, device: Any, login: Credentials, scheme: str
) -> None:
    camera = await device(login=scheme)
    found = await probe(camera, login)
    assert (found.cause, found.device.model, len(found.profiles)) == (None, "C1", 1)
    assert camera.refused_logins == 0
    assert all(login.password not in asked.body + str(asked.headers) for asked in camera.asked)


@pytest.mark.parametrize("ahead", [timedelta(hours=7), timedelta(days=-20_000), timedelta(seconds=42)])
async def test_a_token_carries_the_time_of_the_devices_clock(
    probe: Any, device: Any, login: Credentials, ahead: timedelta
) -> None:
    camera = await device(login="token", ahead=ahead, strict_clock_s=2.0)
    found = await probe(camera, login)
    assert (found.cause, camera.refused_logins) == (None, 0)
    assert len(found.profiles) == 1


@pytest.mark.parametrize("scheme", ["token", "digest"])
async def test_a_wrong_password_costs_one_failed_login(probe: Any, device: Any, scheme: str) -> None:
    camera = await device(login=scheme)
    found = await probe(camera, WRONG)
    assert (found.onvif, found.cause, camera.refused_logins) == (True, OnvifCause.AUTH_FAILED, 1)
    assert found.clock is not None


async def test_a_login_refused_later_is_not_tried_again(probe: Any, device: Any, login: Credentials) -> None:
    camera = await device(login="token", protected=frozenset({"GetDeviceInformation"}))
    camera.answers["GetProfiles"] = "<s:Fault><s:Code><s:Value>ter:NotAuthorized</s:Value></s:Code></s:Fault>"
    found = await probe(camera, login)
    assert (found.cause, found.device.model) == (OnvifCause.AUTH_FAILED, "C1")
    assert camera.asked[-1].operation == "GetProfiles"
    assert [asked.operation for asked in camera.asked].count("GetProfiles") == 1


async def test_a_new_nonce_for_a_good_login_is_no_failed_login(probe: Any, device: Any, login: Credentials) -> None:
    camera = await device(login="digest")
    usual = camera._usual

    def renew(operation: str) -> Any:
        camera.challenge = type(camera.challenge)("digest", "device", f"nonce-after-{operation}", qop=("auth",))
        return usual(operation)

    camera._usual = renew
    found = await probe(camera, login)
    assert (found.cause, len(found.profiles)) == (None, 1)


async def test_basic_is_never_answered(probe: Any, device: Any, answers: Any, login: Credentials) -> None:
    refusal = answers.http("<html/>", status="401 Unauthorized", headers='WWW-Authenticate: Basic realm="router"\r\n')
    web_page = await device(raw=refusal)
    found = await probe(web_page, login)
    assert (found.onvif, found.cause) == (False, OnvifCause.NOT_ONVIF)
    assert [asked.has_login for asked in web_page.asked] == [False]


async def test_without_a_login_the_clock_is_known_all_the_same(probe: Any, device: Any) -> None:
    found = await probe(await device(login="token", ahead=timedelta(minutes=3)))
    assert (found.cause, found.detail) == (
        OnvifCause.AUTH_FAILED,
        "GetDeviceInformation needs a login and none was given",
    )
    assert found.clock.drift_s == pytest.approx(180, abs=2)


async def test_a_device_that_wants_a_login_even_for_its_time_gets_it(
    probe: Any, device: Any, login: Credentials
) -> None:
    camera = await device(login="digest", protected=frozenset({"GetSystemDateAndTime", "GetProfiles"}))
    found = await probe(camera, login)
    assert (found.cause, camera.refused_logins) == (None, 0)
    assert found.clock is not None
