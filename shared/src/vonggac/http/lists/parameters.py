"""Query parameters are strict: a route refuses one that it does not know, and one that is given twice.

A parameter that is ignored filters nothing, and its caller takes the whole list for the filtered one. Nor is a number
a date: `valid_on=0` would be 1970, and whoever sent it meant something else.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import Any, TypeAliasType, get_args, get_origin

from fastapi import FastAPI, Request
from fastapi._compat import field_annotation_is_sequence
from fastapi.routing import APIRoute
from pydantic import BaseModel

from vonggac.http.problems import FieldError, refuse_fields
from vonggac.telemetry.redaction import redact

SHOWN_CHARACTERS = 64
MOST_MISTAKES = 20
"""Described of one request: a long query must not cost its length times what is known."""
FIRST_YEAR, LAST_YEAR = 1900, 2999
"""Of an instant or a day that somebody asks about: years beyond them overflow when they move to another zone."""
_NUMBER = re.compile(r"\s*[+-]?[0-9._]+(?:[eE][+-]?[0-9]+)?\s*")
_YEAR = re.compile(r"\s*([0-9]{4})-")


@dataclass(frozen=True, slots=True)
class Known:
    """A parameter of a route."""

    repeats: bool = False
    is_date: bool = False
    """A date, a time or an instant."""


def install_query_check(app: FastAPI) -> None:
    """Install what `check_query_parameters` needs in an app."""
    app.state.query_parameters = {}


async def check_query_parameters(request: Request) -> None:
    """Check the parameters, as a dependency of every route. Raises ProblemError 422 that names each wrong one.

    Routes that are not in the OpenAPI document (health, metrics, documentation) take what comes.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    # A route lives at least as long as its app, and has no hash.
    found: dict[int, Mapping[str, Known]] = request.app.state.query_parameters
    if id(route) not in found:
        found[id(route)] = query_parameters(route)
    mistakes = find_mistakes(request.query_params.multi_items(), found[id(route)])
    mistakes += [mistake for item in request.path_params.items() if (mistake := _misfit(*item, Known())) is not None]
    if mistakes:
        raise refuse_fields(mistakes)


def query_parameters(route: APIRoute) -> Mapping[str, Known]:
    """Find the route's declared query parameters, those of its dependencies included."""
    known: dict[str, Known] = {}
    dependants = [route.dependant]
    while dependants:
        dependant = dependants.pop()
        dependants += dependant.dependencies
        for field in dependant.query_params:
            annotation = field.field_info.annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                for name, inner in annotation.model_fields.items():
                    known[inner.alias or name] = _to_known(inner.annotation)
            else:
                known[field.alias] = _to_known(annotation)
    return known


def _to_known(annotation: Any) -> Known:
    return Known(field_annotation_is_sequence(annotation), _is_date(annotation))


def _is_date(annotation: Any) -> bool:
    if isinstance(annotation, TypeAliasType):
        return _is_date(annotation.__value__)
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return issubclass(annotation, date | datetime | time) or annotation.__name__ == "AwareDatetime"
    return any(_is_date(part) for part in get_args(annotation))


def find_mistakes(given: Iterable[tuple[str, str]], known: Mapping[str, Known]) -> list[FieldError]:
    """Each unknown, each repeated and each impossible parameter, once, in the order of the request; 20 at most."""
    pairs = list(given)
    mistakes: list[FieldError] = []
    for name, times in Counter(name for name, _ in pairs).items():
        if len(mistakes) == MOST_MISTAKES:
            break
        if name not in known:
            shown = redact(name)[:SHOWN_CHARACTERS]
            mistakes.append(FieldError(field=shown, message=describe_unknown(shown, known)))
        elif times > 1 and not known[name].repeats:
            mistakes.append(FieldError(field=name, message=f"given {times} times; give it once"))
    misfits = (_misfit(name, value, known[name]) for name, value in pairs if name in known)
    return (mistakes + [misfit for misfit in misfits if misfit is not None])[:MOST_MISTAKES]


def _misfit(name: str, value: object, known: Known) -> FieldError | None:
    """Find what no parameter of this kind can be, whatever its route makes of it."""
    text = str(value)
    if "\0" in text:
        return FieldError(field=name, message="holds a NUL character: remove it")
    if known.is_date and _NUMBER.fullmatch(text):
        return FieldError(
            field=name, message="is a number; write a day as 2026-11-24, an instant as 2026-11-24T07:00:00Z"
        )
    year = _YEAR.match(text) if known.is_date else None
    if year is not None and not FIRST_YEAR <= int(year[1]) <= LAST_YEAR:
        return FieldError(field=name, message=f"has a year that is not between {FIRST_YEAR} and {LAST_YEAR}")
    return None


def describe_unknown(name: str, known: Collection[str]) -> str:
    """Describe what is right instead of an unknown name: "unknown; known: code, name; did you mean name?"."""
    if not known:
        return "unknown; no parameter is known here"
    close = get_close_matches(name.casefold(), known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"unknown; known: {', '.join(sorted(known))}{hint}"
