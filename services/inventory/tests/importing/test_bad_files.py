"""Every bad file of tests/fixtures/imports is refused for the mistake that it is named after, in both languages."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from inventory.importing.checking.codes import OnRecord
from inventory.importing.derived import columns_of
from inventory.importing.mistakes import Mistake, Mistakes
from inventory.importing.planning.cameras import CameraRules, Connections
from inventory.importing.planning.plan import FileRules, make_plan
from inventory.importing.planning.register import Register
from inventory.importing.reading.file import read_file
from inventory.importing.reading.table import read_table
from inventory.importing.storing.people import FacilityRules
from inventory.nouns.noun import Noun
from inventory.nouns.registry import NOUNS

FOLDER = Path(__file__).parents[1] / "fixtures" / "imports"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text("utf-8"))
ID = {name: UUID(int=number) for number, name in enumerate(("468", "047", "SYT", "KCL-09", "NVR-01", "NVR-02"), 1)}
ON_RECORD: dict[str, Any] = {
    "id": ID["KCL-09"],
    "revision": 1,
    "code": "KCL-09",
    "name": "Trường",
    "type": "school",
    "status": "active",
    "unit_id": ID["468"],
    "managing_agency_id": ID["SYT"],
}
IDS = {
    "unit": OnRecord({"468": ID["468"], "047": ID["047"]}),
    "agency": OnRecord({"SYT": ID["SYT"]}),
    "facility": OnRecord({"KCL-09": ID["KCL-09"]}),
    "recorder": OnRecord({"NVR-01": ID["NVR-01"], "NVR-02": ID["NVR-02"]}),
}
_MARKS = pytest.mark.server
"""A workbook is parsed by a process of its own."""
CODES = {noun: {id_: code for code, id_ in ids.items()} for noun, ids in IDS.items()}


def refusals_of(noun: Noun, body: bytes) -> Sequence[Mistake]:
    """All mistakes of a file, beside a register of one facility."""
    mistakes = Mistakes()
    raw = read_file(body, mistakes, columns_of(noun).by_heading)
    if raw is None:
        return mistakes.found
    table = read_table(raw.sheets[0], columns_of(noun), mistakes)
    register = Register({("KCL-09",): ON_RECORD} if noun.name == "facility" else {}, IDS, CODES)
    rules: FileRules = FileRules()
    if noun.name == "facility":
        rules = FacilityRules({})
    elif noun.name == "camera":
        destination: Any = SimpleNamespace(
            id=UUID(int=9), code="TT-QG", enabled=True, url_template="rtsp://a/{camera_id}", enhanced_rtmp=False
        )
        recorders = {ID["NVR-01"]: (8, ID["KCL-09"]), ID["NVR-02"]: (8, UUID(int=10))}
        connections = Connections(OnRecord({"TT-QG": destination}), {}, set(), recorders)
        rules = CameraRules(connections, register, None, today=date(2026, 11, 24))
    make_plan(noun, table, register, mistakes, rules)
    return mistakes.found


def test_there_is_a_bad_file_for_each_mistake() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*EXPECTED, "expected.json"}
    assert len(EXPECTED) >= 40


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=_MARKS if name.endswith(".xlsx") else ()) for name in sorted(EXPECTED)]
)
def test_a_bad_file_is_refused_for_its_mistake_and_no_other(name: str) -> None:
    wanted = EXPECTED[name]
    (noun,) = [noun for noun in NOUNS if noun.path == wanted["noun"]]
    found = refusals_of(noun, (FOLDER / name).read_bytes())
    assert [(mistake.line, mistake.column) for mistake in found] == [(wanted["line"], wanted["column"])], found
    assert wanted["sentence"] in found[0].text.english
    assert found[0].text.vietnamese
    assert not found[0].text.vietnamese.startswith("không hợp lệ: ")
    assert "bi-mat" not in f"{found[0]}"


def test_a_code_like_one_that_the_file_does_not_name_is_refused() -> None:
    mistakes = Mistakes()
    raw = read_file(b"code,name,type,unit_code,managing_agency_code\nkcl-9,A,school,461,SYT\n", mistakes)
    assert raw is not None
    noun = next(noun for noun in NOUNS if noun.name == "facility")
    table = read_table(raw.sheets[0], columns_of(noun), mistakes)
    make_plan(noun, table, Register({}, IDS, CODES, others={"KCL-09"}), mistakes, FacilityRules({}))
    (mistake,) = [each for each in mistakes.found if each.column == "code"]
    assert "KCL-09" in mistake.text.english
