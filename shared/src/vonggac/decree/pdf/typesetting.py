"""Typst without a world around it: no clock, no system fonts, no files but a template and the fonts that we ship."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import typst

from vonggac.decree.pdf.glyphs import drawable

STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]


class Typeset(NamedTuple):
    """A finished PDF, and the values of what the template labels `<field>`."""

    pdf: bytes
    fields: list[Any]


def typeset(template: str, data: Mapping[str, Any], at: datetime) -> Typeset:
    """Set the template of that path. It reads `data` as JSON from `sys.inputs.data`; the file is dated `at`."""
    words = drawable(json.dumps(data, ensure_ascii=False))
    compiler = typst.Compiler(template, font_paths=fonts(), sys_inputs={"data": words})
    made = compiler.compile(format="pdf", pdf_standards=[*STANDARDS], timestamp=at.replace(microsecond=0))
    assert isinstance(made, bytes)
    return Typeset(made, json.loads(compiler.query("<field>", field="value")))


@cache
def fonts() -> typst.Fonts:
    """Read once for the process: that takes longer than setting a page."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(files("vonggac.decree.pdf").joinpath("fonts"))],
    )
