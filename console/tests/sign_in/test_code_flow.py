"""What waits for the provider's answer is read from a cookie, which any stranger may write."""

import base64

import pytest

from console.sign_in.code_flow import Pending


@pytest.mark.parametrize("written", [b"[" * 20_000, b"[]", b"{}", b'{"state": 1}', b"\xff", b"null"])
def test_a_cookie_that_is_none_of_ours_is_none(written: bytes) -> None:
    assert Pending.from_cookie(base64.urlsafe_b64encode(written).decode()) is None
