"""Typst without a world around it: no clock, no system fonts, no files but a template and the fonts that we ship."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import typst

from reporting.documents.pdf.glyphs import drawable

DOTS_PER_INCH = 200
STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]


class Typeset(NamedTuple):
    """A finished PDF, and the values of what the template labels `<field>`."""

    pdf: bytes
    fields: list[Any]


def typeset(template: str, data: Mapping[str, Any], at: datetime) -> Typeset:
    """Set a template of this folder. It reads `data` as JSON from `sys.inputs.data`; the file is dated `at`."""
    source = str(files("reporting.documents.pdf").joinpath(template))
    words = drawable(json.dumps(data, ensure_ascii=False))
    compiler = typst.Compiler(source, font_paths=_fonts(), sys_inputs={"data": words})
    made = compiler.compile(format="pdf", pdf_standards=[*STANDARDS], timestamp=at.replace(microsecond=0))
    assert isinstance(made, bytes)
    return Typeset(made, json.loads(compiler.query("<field>", field="value")))


def pictures(charts: Sequence[str], width_mm: float) -> list[bytes]:
    """Each SVG as PNG, so wide on paper at 200 dots an inch (the decree's least for copies), drawn with our fonts."""
    if not charts:
        return []
    source = str(files("reporting.documents.pdf").joinpath("charts.typ"))
    data = json.dumps({"charts": list(charts), "width_mm": width_mm})
    compiler = typst.Compiler(source, font_paths=_fonts(), sys_inputs={"data": data})
    made = compiler.compile(format="png", ppi=DOTS_PER_INCH)
    assert made is not None
    return [made] if isinstance(made, bytes) else list(made)


@cache
def _fonts() -> typst.Fonts:
    """Read once for the process: that takes longer than setting a page."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(files("reporting.documents.pdf").joinpath("fonts"))],
    )
