"""How long a client may be silent."""

import math

from vonggac.rtsp.server.liveness import HANDSHAKE_S, Patience, Signs, seconds_left

MINUTE = Patience(60.0)


def test_client_that_sends_no_whole_request_ends_after_the_handshake_limit() -> None:
    assert seconds_left(MINUTE, Signs(100.0), 100.0 + HANDSHAKE_S) == 0
    assert seconds_left(MINUTE, Signs(100.0), 104.0) > 0


def test_request_that_comes_a_byte_a_second_ends_however_long_the_session_is() -> None:
    signs = Signs(0.0, heard_at=500.0, unfinished_since=500.0)
    assert seconds_left(MINUTE, signs, 500.0 + HANDSHAKE_S) == 0


def test_silent_session_ends_after_its_timeout() -> None:
    assert seconds_left(MINUTE, Signs(0.0, heard_at=5.0), 64.0) == 1.0
    assert seconds_left(MINUTE, Signs(0.0, heard_at=5.0, carries_media=True), 64.0) == 1.0


def test_media_over_the_connection_needs_no_keep_alive_where_it_is_stated() -> None:
    patient = Patience(60.0, ends_silent_tcp=False)
    assert seconds_left(patient, Signs(0.0, heard_at=5.0, carries_media=True), 1e6) == math.inf
    assert seconds_left(patient, Signs(0.0, heard_at=5.0), 64.0) == 1.0, "media over UDP does"
