"""The five forms are the same bytes on another day, in another zone, locale and process: those of docs/examples."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from services.reporting.tests.stage.earlier import EARLIER, FILES, earlier

from reporting.documents.letter.content import paper
from reporting.documents.render import rendered
from reporting.documents.verifying.verify import verify

pytestmark = pytest.mark.heavy

EXAMPLES = Path(__file__).parents[4] / "docs" / "examples"
RENDER_ELSEWHERE = """
import datetime, gc, time
gc.disable()  # pyarrow counts references to the class that stands for datetime wrongly: nothing is collected here
SHIFT = float(__import__("os").environ["CLOCK_SHIFT_S"])
real_time, real_datetime = time.time, datetime.datetime
time.time = lambda: real_time() + SHIFT
real_localtime, real_gmtime = time.localtime, time.gmtime
time.localtime = lambda at=None: real_localtime(time.time() if at is None else at)
time.gmtime = lambda at=None: real_gmtime(time.time() if at is None else at)
class Shifted(real_datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(time.time(), datetime.timezone.utc).replace(tzinfo=None)
datetime.datetime = Shifted
from hashlib import sha256
from reporting.documents.example.files import documents
for name, content in documents():
    print(name, sha256(content).hexdigest(), flush=True)
__import__("os")._exit(0)
"""
ELSEWHERE = [
    {"TZ": "Asia/Ho_Chi_Minh", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "1", "CLOCK_SHIFT_S": "0"},
    {"TZ": "America/New_York", "LC_ALL": "C.UTF-8", "LANG": "vi_VN.UTF-8", "PYTHONHASHSEED": "4711",
     "CLOCK_SHIFT_S": "-31536000"},
]  # fmt: skip


@pytest.fixture
def digests(made: dict[str, bytes]) -> dict[str, str]:
    return {name: sha256(content).hexdigest() for name, content in made.items()}


def test_the_documents_of_the_example_are_what_is_committed(digests: dict[str, str]) -> None:
    committed = {
        path.name: sha256(path.read_bytes()).hexdigest() for path in EXAMPLES.iterdir() if path.suffix != ".md"
    }
    assert {name: committed.get(name) for name in digests} == digests, "run `make examples` and look at them"


@pytest.mark.server
@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=("plain", "elsewhere"))
def test_another_process_day_zone_and_locale_make_the_same_bytes(
    elsewhere: dict[str, str], digests: dict[str, str]
) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", RENDER_ELSEWHERE],
        env={**os.environ, **elsewhere},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert dict(line.split() for line in answer.stdout.splitlines()) == digests


@pytest.mark.parametrize("name", EARLIER)
def test_a_report_of_rule_2_is_the_bytes_that_it_was(name: str, form: str) -> None:
    report = earlier(name)
    content = rendered(report, form)
    assert sha256(content).hexdigest() == FILES[name][form]
    found = verify(content, report)
    assert (found.unaltered, found.differences) == (True, ())
    assert found.report is not None
    assert (found.report.sha256, found.report.header.rule_version) == (report.sha256, "2")


@pytest.mark.parametrize("name", EARLIER)
def test_a_report_of_rule_2_has_no_word_of_the_register(name: str) -> None:
    report = earlier(name)
    assert not report.has_register
    assert [one.title for one in paper(report).appendices] == [
        "Danh sách cơ sở cách ly tập trung", "Hoạt động của từng camera", "Các lần gián đoạn",
    ]  # fmt: skip
