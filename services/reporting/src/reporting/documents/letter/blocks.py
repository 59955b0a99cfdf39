"""The blocks that a report consists of: DOCX and PDF set the same ones, so that they say the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

type Align = Literal["left", "centre", "right"]


@dataclass(frozen=True, slots=True)
class Heading:
    """`I. KẾT QUẢ` (level 1) or `1. Quy mô` (level 2)."""

    text: str
    level: Literal[1, 2] = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph of the body."""

    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with rules. `widths` are shares of the page's width; rows in `strong` are sums, set bold."""

    columns: Sequence[str]
    widths: Sequence[int]
    aligns: Sequence[Align]
    rows: Sequence[Sequence[str]]
    strong: frozenset[int] = frozenset()
    caption: str | None = None
    size: int | None = None
    """In points; None is the usual size of a table."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as SVG, with what it shows in words. In DOCX it stands as PNG, made of the same SVG."""

    svg: str
    words: str


type Block = Heading | Text | Grid | Picture


@dataclass(frozen=True, slots=True)
class Appendix:
    """`Phụ lục I`: pages of their own, on the long side."""

    number: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Foot:
    """What stands at the foot of every page: which report this is, and how to check it."""

    lines: Sequence[str]
    code: str
    """What the QR code holds: characters of its alphanumeric mode."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole report in the order of Decree 30/2020/NĐ-CP, Annex I."""

    title: str
    status: str
    body: Sequence[Block]
    appendices: Sequence[Appendix]
    foot: Foot
