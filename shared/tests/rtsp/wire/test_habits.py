"""What one device writes and few others do is known by digests alone."""

import pytest

from vonggac.rtsp.wire.habits import HABITS, ORIGIN, PARAMETER_SETS, SERVER, WORDS, digest_habits, words_of
from vonggac.rtsp.wire.sdp import SessionDescription, parse_sdp

VIDEO = "t=0 0\r\nm=video 0 RTP/AVP 96\r\n"


def described(
    origin: str = "- 11 1 IN IP4 10.0.0.1", name: str = "Media Presentation", tool: str = ""
) -> SessionDescription:
    tool_line = f"a=tool:{tool}\r\n" if tool else ""
    return parse_sdp(f"v=0\r\no={origin}\r\ns={name}\r\n{tool_line}{VIDEO}".encode())


def test_habits_are_digests_by_what_they_are_of() -> None:
    habits = digest_habits(described("secret-word 11 1 IN IP4 10.0.0.1"), "Server with secret-word", b"\x67\x42")
    assert tuple(habits) == HABITS
    assert all(len(one) == 16 and int(one, 16) for one in habits.values())
    assert digest_habits(None, "Server with secret-word").keys() == {SERVER}
    assert digest_habits(parameter_sets=b"\x67\x42") == {PARAMETER_SETS: habits[PARAMETER_SETS]}
    assert digest_habits() == {}


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (described("root 11 1 IN IP4 10.0.0.1"), ORIGIN),
        (described(name="Session streamed by another"), WORDS),
        (described(tool="LIVE555 Streaming Media"), WORDS),
    ],
)
def test_another_origin_name_or_tool_is_another_habit(other: SessionDescription, name: str) -> None:
    before, after = digest_habits(described()), digest_habits(other)
    assert [one for one in before if before[one] != after[one]] == [name]


def test_numbers_of_a_session_and_its_address_are_no_habit() -> None:
    again = described("- 99 2 IN IP4 10.0.0.2", "Media  presentation 2026-12-01")
    assert digest_habits(again) == digest_habits(described())
    assert words_of("RTSP/RTP stream 1 from IPNC") == "from ipnc rtp rtsp stream"
    assert words_of(None) is words_of("1.2 - x") is None
