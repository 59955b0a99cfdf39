"""Spreadsheets open the files: LibreOffice, where it is installed, in a Vietnamese and in an English one."""

import csv
import shutil
import subprocess
from pathlib import Path

import pytest
from services.reporting.tests.tables.sample import SAMPLE, STAMP, rows

from reporting.tables import Dialect, Format
from reporting.tables.formats import new_file

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "=HYPERLINK(1)"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.skipif(OFFICE is None, reason="needs LibreOffice Calc (apt: libreoffice-calc)"),
]


def saved(folder: Path, form: Format, dialect: Dialect, names: list[str]) -> Path:
    file = new_file(SAMPLE, STAMP, form, dialect)
    path = folder / f"sample.{form}"
    path.write_bytes(file.begin() + file.write(rows(30, names)) + b"".join(file.end()))
    file.close()
    return path


def opened(path: Path, *given: str) -> list[list[str]]:
    """What the first sheet shows when LibreOffice opens the file and saves it as CSV, its formulas as formulas."""
    profile = path.parent / "profile"
    assert OFFICE is not None
    to = "csv:Text - txt - csv (StarCalc):44,34,76,1,,1033,true,true,false,true"
    # 44: commas, 34: quotes, 76: UTF-8; cells as they are shown, formulas instead of their results.
    command = [
        OFFICE,
        f"-env:UserInstallation=file://{profile}",
        "--headless",
        "--convert-to",
        to,
        *given,
        "--outdir",
        str(path.parent / "shown"),
        str(path),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=110)
    with (path.parent / "shown" / f"{path.stem}.csv").open(newline="", encoding="utf-8-sig") as file:
        return [*csv.reader(file)]


def test_a_workbook_shows_its_rows_and_runs_no_formula(tmp_path: Path) -> None:
    shown = opened(saved(tmp_path, Format.XLSX, Dialect.RFC4180, FORMULAS))
    assert shown[0] == [column.name for column in SAMPLE.written]
    assert len(shown) == 31
    names = [line[6] for line in shown[1:]]
    assert {name for name in names if name} == {f"'{name}" for name in FORMULAS}
    assert shown[2][0] == "2025-10-21 05:40:00.000"


def test_the_excel_form_opens_with_a_column_each_and_numbers_with_decimal_commas(tmp_path: Path) -> None:
    """Opened as a Vietnamese Excel opens it: semicolons, the locale's decimal comma."""
    path = saved(tmp_path, Format.CSV, Dialect.EXCEL_VI, FORMULAS)
    # 59: semicolons, 76: UTF-8, 1066: Vietnamese.
    shown = opened(path, "--infilter=CSV:59,34,76,1,,1066,false,true")
    assert shown[0] == [column.heading for column in SAMPLE.written]
    assert {len(line) for line in shown} == {len(SAMPLE.written)}
    assert {line[6] for line in shown[1:] if line[6]} == {f"'{name}" for name in FORMULAS}
    percent = [column.name for column in SAMPLE.written].index("up_percent")
    assert shown[3][percent] in {"2.0618556701030926", "2,0618556701030926", "2.06185567010309", "2,06185567010309"}
