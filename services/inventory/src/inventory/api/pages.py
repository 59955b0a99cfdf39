"""Lists: their common query parameters, and the shape of a page."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from inventory.api.context import Shown
from inventory.storage.lists import Page

Search = Annotated[
    str | None, Query(max_length=200, description="Words to find; diacritics, case and đ/d do not matter.")
]
Cursor = Annotated[str | None, Query(max_length=400, description="The `next` of the previous page.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items a page.")]
DEFAULT_LIMIT = 100


class PageOf[S: BaseModel](BaseModel):
    """A page of a list."""

    items: list[S]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


def as_page[S: Shown](shape: type[S], page: Page[object]) -> PageOf[S]:
    """A page of things as the answer of a list route."""
    return PageOf[S](items=[shape.model_validate(thing) for thing in page.items], next=page.next)
