"""No credential leaves a process: whatever text holds it."""

import io
import json
import logging
import re
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vonggac.telemetry import configure_logging, get_logger, redact


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin:S3cret!@10.0.0.5/stream",
        "rtsp://admin:S3cret!@x@10.0.0.5/stream",
        "postgresql+psycopg://vonggac:S3cret!@127.0.0.1:5432/inventory",
        "cannot open RTSPS://S3cret!:S3cret!@[fd00::1]:322/a and rtsp://a:S3cret!@b/c",
        "GET /user=admin&password=S3cret!&channel=1&stream=0.sdp",
        "srt://centre:9000?streamid=S3cret!&passphrase=S3cret!",
        'Authorization: Digest username="admin", response="S3cret!"',
        "authorization=Basic UzNjcmV0IQS3cret!==",
        "header Bearer S3cret!S3cret!x",
        "GET /v1/calendar-feeds/0a1b2c3d-0000-4000-8000-000000000001/S3cret!x.ics HTTP/1.1",
        '{"username": "admin", "password": "S3cret!"}',
        "password='S3cret!'",
        "https://api/x?access_token=S3cret!&a=1",
        "the address rtsp://admin:S3cret!/x@10.0.0.5/stream has no such port",
        "the address rtsp://admin:a/S3cret!@10.0.0.5:554/stream has no such port",
        "the address rtsp://admin:a S3cret!@10.0.0.5/stream holds a space",
        "the address rtsp://admin:S3cret?x#y@[fd00::1]/stream",
        "X-Token: S3cret!",
        "X-Api-Key: S3cret!",
        "Cookie: session=S3cret!; a=b",
        "Set-Cookie: sid=S3cret!; Path=/",
        "bearer S3cret!S3cret!x",
        "password: S3cret!",
        "mật khẩu: S3cret!",
        "MẬT KHẨU=S3cret!",
        '{\\"password\\": \\"S3cret!\\"}',
        '<wsse:Password Type="http://a/b#PasswordText">S3cret!</wsse:Password>',
        "no answer of admin:S3cret!@10.0.0.5",
        "signed eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.S3cret!",
    ],
)
def test_no_secret_is_left(text: str) -> None:
    assert "S3cret!" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://10.0.0.5:8554/live/QT-01",
        "camera is at 10.0.0.5",
        "user said hello@example.org",
        "http://127.0.0.1:8104/v1",
        "token: send one; password: 8 to 64 characters; mật khẩu: không được để trống",
        "mailto:hello@example.org",
        "no answer of rtsp://10.0.0.5:554/live; write to admin@example.org",
        "no answer of rtsp://[fd00::1]:554/live; write to admin@example.org",
        "the basic authentication of the bearer is missing",
        "eyJust a word",
    ],
)
def test_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="/?# \"'<>\t\r\n\x0b\x0c"), min_size=1))
@example("\u1680")
@example("mật\u00a0khẩu\u3000")
def test_any_url_password_is_hidden(password: str) -> None:
    shown = redact(f"rtsp://u:{password}PW@host/path")
    assert f"{password}PW" not in shown


@pytest.mark.usefixtures("logging_left_as_it_was")
def test_a_log_line_never_holds_a_url_password() -> None:
    configure_logging(service="test", level="debug")
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    handler.setStream(stream)
    get_logger("a").warning(
        "camera_lost",
        url="rtsp://u:S3cret!@h/x",
        error=ValueError("rtsp://u:S3cret!@h"),
        more={"k": ["a://u:S3cret!@h"]},
    )
    logging.getLogger("other").error("could not open %s", "rtsp://u:S3cret!@h/x")
    try:
        raise ValueError("rtsp://u:S3cret!@h/x")
    except ValueError:
        get_logger("a").exception("boom")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert "S3cret!" not in stream.getvalue()
    assert json.loads(lines[0])["event"] == "camera_lost"
    assert json.loads(lines[0])["service"] == "test"


def test_known_secrets_are_taken_out_wherever_they_stand() -> None:
    text = redact("the device said: viewer of Xem/2021, Xem%2F2021 and Xem/2021!", ("Xem/2021",))
    assert text == "the device said: viewer of ***, *** and ***!"


PASSWORD = 'p@s"s w/ord%41é'
ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "encoded": lambda text: quote(text, safe=""),
    "slashes left": quote,
    "lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "twice": lambda text: quote(quote(text, safe=""), safe=""),
    "three times": lambda text: quote(quote(quote(text))),
    "with plus": lambda text: quote(text, safe="").replace("%20", "+"),
    "every letter": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "spaces alone": lambda text: text.replace(" ", "%20"),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_a_known_secret_is_taken_out_however_it_is_encoded(encode: Callable[[str], str]) -> None:
    said = f"no stream at /live/{encode(PASSWORD)}/1, {encode(PASSWORD)}"
    assert redact(said, (PASSWORD,)) == "no stream at /live/***/1, ***"


@given(st.text(st.characters(codec="utf-8"), min_size=4), st.sampled_from(list(ENCODINGS)), st.text(max_size=5))
def test_any_known_secret_is_taken_out(password: str, encoding: str, around: str) -> None:
    shown = redact(f"<{around}|{ENCODINGS[encoding](password)}|{around}>", (password,))
    assert f"|{ENCODINGS[encoding](password)}|" not in shown


def test_text_with_other_encoded_words_stays_as_it_is() -> None:
    assert redact("100% of /a%20b%2525 +1", (PASSWORD,)) == "100% of /a%20b%2525 +1"


def test_a_known_secret_of_a_few_letters_is_left_since_its_marks_would_spell_it() -> None:
    assert redact("no answer to DESCRIBE", ("a", "")) == "no answer to DESCRIBE"


def test_a_long_word_is_read_in_one_go_and_a_long_scheme_hides_nothing() -> None:
    began = time.process_time()
    assert redact("a" * 16_384) == "a" * 16_384
    assert time.process_time() - began < 0.25
    assert "S3cret" not in redact("x" * 100 + "://admin:S3cret@10.0.0.1/")
