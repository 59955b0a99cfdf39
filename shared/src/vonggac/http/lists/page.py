"""The shape of a page, and its `Link` header (RFC 8288)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

NEXT = "Cursor of the next page; null on the last."
TOTAL = "Rows on all pages; null without `total=true`."


class PageOf[S: BaseModel](BaseModel):
    """A page of a list."""

    items: list[S]
    next: str | None = Field(description=NEXT, examples=["eyJz"])
    total: int | None = Field(description=TOTAL, ge=0)


class SparsePage(BaseModel):
    """A page of a list asked with `fields`: each item has the fields that were asked for, and no other."""

    model_config = ConfigDict(extra="allow")

    items: list[dict[str, Any]]
    next: str | None = Field(description=NEXT, examples=["eyJz"])
    total: int | None = Field(description=TOTAL, ge=0)


@dataclass(frozen=True, slots=True)
class Page[R]:
    """The rows of one page, before they are rendered."""

    rows: Sequence[R]
    next: str | None
    total: int | None = None


def link_to_next(request: Request, cursor: str) -> str:
    """Write the value of a `Link` header: the request's own address with another cursor."""
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f'<{request.url.path}?{urlencode([*pairs, ("cursor", cursor)])}>; rel="next"'
