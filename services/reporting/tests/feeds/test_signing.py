"""Signatures are what the reference library verifies, secrets at rest open with their key alone."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from reporting.feeds.backoff import DELAYS_S, next_delay
from reporting.feeds.sealing import Seal, SealBrokenError
from reporting.feeds.signing import new_secret, signed_headers

BODY = json.dumps({"type": "vn.vonggac.reporting.outage_opened.v1", "data": {"tên": "Cổng chính"}}).encode()


def test_the_reference_library_verifies_a_signature() -> None:
    secret = new_secret()
    headers = signed_headers([secret], "event-1", datetime.now(UTC), BODY)
    assert Webhook(secret).verify(BODY.decode(), headers) == json.loads(BODY)


def test_the_old_secret_verifies_beside_the_new_one() -> None:
    new, old = new_secret(), new_secret()
    headers = signed_headers([new, old], "event-1", datetime.now(UTC), BODY)
    for secret in (new, old):
        assert Webhook(secret).verify(BODY.decode(), headers)


@pytest.mark.parametrize("changed", ["body", "id", "time", "secret"])
def test_a_message_that_was_changed_is_not_verified(changed: str) -> None:
    secret, now = new_secret(), datetime.now(UTC)
    headers = signed_headers([secret], "event-1", now, BODY)
    body = BODY + b" " if changed == "body" else BODY
    if changed == "id":
        headers["webhook-id"] = "event-2"
    if changed == "time":
        headers["webhook-timestamp"] = str(int((now - timedelta(minutes=1)).timestamp()))
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret() if changed == "secret" else secret).verify(body.decode(), headers)


def test_a_secret_opens_with_its_key_alone(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(base64.b64encode(bytes(range(32))).decode() + "\n")
    seal = Seal.from_file(tmp_path / "key")
    closed = seal.close("whsec_đôn đốc")
    assert "whsec" not in closed
    assert seal.close("whsec_đôn đốc") != closed
    assert seal.open(closed) == "whsec_đôn đốc"
    for broken in (closed[:-8] + "AAAAAAA=", "no base64", ""):
        with pytest.raises(SealBrokenError):
            seal.open(broken)
    with pytest.raises(SealBrokenError):
        Seal(bytes(32)).open(closed)


@pytest.mark.parametrize("content", ["", "short", base64.b64encode(b"x" * 31).decode()])
def test_a_file_that_holds_no_key_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "seal.key").write_text(content)
    with pytest.raises(ValueError, match=r"seal\.key"):
        Seal.from_file(tmp_path / "seal.key")


def test_attempts_come_ever_later_and_end() -> None:
    delays = [next_delay(failed, draw=0.0) for failed in range(1, len(DELAYS_S) + 1)]
    assert delays == [timedelta(seconds=one) for one in DELAYS_S]
    assert next_delay(len(DELAYS_S) + 1) is None


def test_a_receiver_that_asks_to_wait_is_asked_again_later_and_within_an_hour() -> None:
    assert next_delay(1, asked_s=77.0, draw=0.0) == timedelta(seconds=77)
    assert next_delay(1, asked_s=10**9, draw=0.0) == timedelta(hours=1)
    assert next_delay(1, draw=0.5) == timedelta(seconds=5.5)
