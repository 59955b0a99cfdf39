"""The report and its charts, set by the library's Typst with the templates of this folder."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

import typst

from vonggac.decree.pdf import typesetting
from vonggac.decree.pdf.typesetting import Typeset

DOTS_PER_INCH = 200


def typeset(template: str, data: Mapping[str, Any], at: datetime) -> Typeset:
    """Set a template of this folder, dated `at`."""
    return typesetting.typeset(_path_of(template), data, at)


def pictures(charts: Sequence[str], width_mm: float) -> list[bytes]:
    """Each SVG as PNG, so wide on paper at 200 dots an inch (the decree's least for copies), drawn with our fonts."""
    if not charts:
        return []
    data = json.dumps({"charts": list(charts), "width_mm": width_mm})
    compiler = typst.Compiler(_path_of("charts.typ"), font_paths=typesetting.fonts(), sys_inputs={"data": data})
    made = compiler.compile(format="png", ppi=DOTS_PER_INCH)
    assert made is not None
    return [made] if isinstance(made, bytes) else list(made)


def _path_of(template: str) -> str:
    return str(files("reporting.documents.pdf").joinpath(template))
