"""Typst without a world around it: no clock, no system fonts, no files but a template and the fonts that we ship."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import typst

STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]


class Typeset(NamedTuple):
    """A finished PDF, and the values of what the template labels `<field>`."""

    pdf: bytes
    fields: list[Any]


def typeset(template: str, data: Mapping[str, Any], at: datetime) -> Typeset:
    """Set a template of this folder. It reads `data` as JSON from `sys.inputs.data`; the file is dated `at`."""
    source = str(files("reporting.documents.pdf").joinpath(template))
    compiler = typst.Compiler(source, font_paths=_fonts(), sys_inputs={"data": json.dumps(data, ensure_ascii=False)})
    made = compiler.compile(format="pdf", pdf_standards=[*STANDARDS], timestamp=at.replace(microsecond=0))
    assert isinstance(made, bytes)
    return Typeset(made, json.loads(compiler.query("<field>", field="value")))


@cache
def _fonts() -> typst.Fonts:
    """Read once for the process: that takes longer than setting a page."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(files("reporting.documents.pdf").joinpath("fonts"))],
    )
