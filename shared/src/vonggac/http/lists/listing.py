"""One list of the API: what its pages hold, what it can be sorted by, and the parameters that every list has."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel

from vonggac.http.lists.cursor import MAX_CHARACTERS, Cursor, check_of, decode_cursor
from vonggac.http.lists.page import Page, PageOf, SparsePage, link_to_next
from vonggac.http.lists.sorting import (
    Key,
    Ordering,
    bounded,
    fields_pattern,
    first_rows,
    is_after,
    parse_fields,
    parse_sort,
    sort_pattern,
)
from vonggac.http.problems import FieldError, refuse_fields

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


class Listing[R, S: BaseModel]:
    """Rows `R` shown as `S`. Use it as the dependency of a list route: `Annotated[PageQuery, Depends(CAMERAS)]`.

    The id is the last key of every sort, so that no two rows are at one place. The route returns `PageQuery.answer`
    and takes `responses` for the OpenAPI document.
    """

    def __init__(
        self,
        shape: type[S],
        *,
        keys: Mapping[str, Key[R]],
        id_key: str,
        default_sort: str | None = None,
        default_limit: int = DEFAULT_LIMIT,
        max_limit: int = MAX_LIMIT,
        envelope: type[PageOf[S]] | None = None,
    ) -> None:
        """`keys` are what the list can be sorted by, `id_key` the unique one of them (or several: `publisher,first`).

        `default_sort` is as in `sort`.

        `envelope` is a page that says more than its items, such as a summary of all pages.
        """
        self.envelope: type[PageOf[S]] = envelope or PageOf[shape]  # type: ignore[valid-type]
        self.shape, self.keys, self.id_keys = shape, dict(keys), id_key.split(",")
        self.default_sort = default_sort or id_key
        self.fields = [field.alias or name for name, field in shape.model_fields.items()]
        orderings, mistakes = parse_sort(self.default_sort, self.keys)
        assert self.keys.keys() >= set(self.id_keys), id_key
        assert orderings, default_sort
        assert not mistakes, mistakes
        self.__signature__ = self._signature(default_limit, max_limit)

    @property
    def responses(self) -> dict[int | str, dict[str, Any]]:
        """The 200 of the route's `responses`."""
        union: Any = self.envelope | SparsePage
        link = {"description": 'The address of the next page, `rel="next"` (RFC 8288).', "schema": {"type": "string"}}
        return {200: {"model": union, "description": "A page.", "headers": {"Link": link}}}

    def __call__(
        self,
        request: Request,
        *,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
        sort: str | None = None,
        fields: str | None = None,
        total: bool = False,
    ) -> "PageQuery[R, S]":
        """Read what is asked for. Raises ProblemError 422 that names `sort`, `fields` or `cursor`."""
        orderings, mistakes = parse_sort(sort or self.default_sort, self.keys)
        chosen: list[str] | None = None
        if fields is not None:
            chosen, wrong = parse_fields(fields, self.fields)
            mistakes += wrong
        if mistakes:
            raise refuse_fields(mistakes)
        sorted_by = {ordering.name for ordering in orderings}
        orderings += [Ordering(name) for name in self.id_keys if name not in sorted_by]
        orderings = bounded(orderings, self.keys)
        return PageQuery(self, request, orderings=orderings, limit=limit, fields=chosen, total=total, cursor=cursor)

    def _signature(self, default_limit: int, max_limit: int) -> Signature:
        """Build the parameters as FastAPI reads them, with the names that this list knows."""
        keys = list(self.keys)
        described: dict[str, tuple[Any, Any]] = {
            "cursor": (
                Annotated[
                    str | None,
                    Query(max_length=MAX_CHARACTERS, description="The `next` of the page before; all else unchanged."),
                ],
                None,
            ),
            "limit": (Annotated[int, Query(ge=1, le=max_limit, description="Most items on a page.")], default_limit),
            "sort": (
                Annotated[
                    str | None,
                    Query(
                        description=f"Names, each with `-` for descending; then by {', '.join(self.id_keys)}. "
                        f"Default: {self.default_sort}.",
                        examples=[self.default_sort],
                        json_schema_extra={"pattern": sort_pattern(keys)},
                    ),
                ],
                None,
            ),
            "fields": (
                Annotated[
                    str | None,
                    Query(
                        description="Only these fields of each item.",
                        examples=[self.fields[0]],
                        json_schema_extra={"pattern": fields_pattern(self.fields)},
                    ),
                ],
                None,
            ),
            "total": (Annotated[bool, Query(description="Count the rows on all pages.")], False),
        }
        parameters = [Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request)]
        parameters += [
            Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
            for name, (annotation, default) in described.items()
        ]
        return Signature(parameters)


class PageQuery[R, S: BaseModel]:
    """Which page a request asks for."""

    def __init__(
        self,
        listing: Listing[R, S],
        request: Request,
        *,
        orderings: Sequence[Ordering],
        limit: int,
        fields: list[str] | None,
        total: bool,
        cursor: str | None,
    ) -> None:
        self._listing, self._request = listing, request
        self.orderings, self.limit, self.fields, self.wants_total = orderings, limit, fields, total
        self._keys = {one.name: listing.keys[one.name].cut(one.longest) for one in orderings}
        self._sort = ",".join(map(str, orderings))
        self._filters = check_of(request)
        self.after: Cursor | None = None
        self.last: tuple[Any, ...] | None = None
        """The values of the orderings behind which the page begins; None on the first page."""
        if cursor is not None:
            self.after = decode_cursor(cursor, sort=self._sort, filters=self._filters)
            self.last = self._unpack(self.after)

    def _unpack(self, cursor: Cursor) -> tuple[Any, ...]:
        try:
            pairs = zip(self.orderings, cursor.last, strict=True)
            return tuple(self._keys[ordering.name].unpack(packed) for ordering, packed in pairs)
        except (ValueError, TypeError):
            raise refuse_fields([FieldError(field="cursor", message="it is of another list")]) from None

    def cut(self, rows: Sequence[R], *, as_of: datetime | None = None) -> Page[R]:
        """Cut the page out of all rows that fit the filters, in whatever order these are."""
        total = len(rows) if self.wants_total else None
        last, keys = self.last, self._keys
        if last is not None:
            rows = [row for row in rows if is_after(row, last, self.orderings, keys)]
        found = first_rows(rows, self.orderings, keys, self.limit + 1)
        return self.page(found, total=total, as_of=as_of)

    @property
    def as_of(self) -> datetime | None:
        """The instant of the list of which this page is another one; None on the first page."""
        return self.after.as_of if self.after is not None else None

    def page(self, rows: Sequence[R], *, total: int | None = None, as_of: datetime | None = None) -> Page[R]:
        """Build the page out of its rows in order, one more than `limit` where there is another page.

        `as_of` is the instant of which the list is, where it shows one: the next pages show the same.
        """
        shown = rows[: self.limit]
        return Page(shown, self._next(shown[-1], as_of or self.as_of) if len(rows) > self.limit else None, total)

    def _next(self, row: R, as_of: datetime | None) -> str:
        last = tuple(self._keys[ordering.name].pack(row) for ordering in self.orderings)
        return Cursor(self._sort, last, self._filters, as_of).encode()

    def answer(self, page: Page[R], items: Sequence[S], **more: Any) -> Response:
        """Build the answer: `page` with its rows shown as `items`, and what else the list's envelope has."""
        envelope = self._listing.envelope
        shown = envelope.model_construct(items=list(items), next=page.next, total=page.total, **more)
        only: Any = None
        if self.fields is not None:
            only = {**dict.fromkeys(envelope.model_fields, True), "items": {"__all__": self._attributes()}}
        body = shown.model_dump_json(by_alias=True, include=only)
        headers = {} if page.next is None else {"Link": link_to_next(self._request, page.next)}
        return Response(body, media_type="application/json", headers=headers)

    def _attributes(self) -> set[str]:
        """Names of the shape's attributes for the fields that are asked, which go by their aliases."""
        asked = set(self.fields or ())
        return {name for name, field in self._listing.shape.model_fields.items() if (field.alias or name) in asked}
