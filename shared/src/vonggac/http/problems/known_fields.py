"""What a field that is not there may have been meant for: the fields of the model at its place in a body."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAliasType, get_args

from fastapi import Request
from pydantic import BaseModel

MOST_LIKE = 3
LIKENESS = 0.5
"""From 0 to 1; half of the letters of two names alike."""


def find_known_fields(request: Request, location: Sequence[str]) -> list[str]:
    """Find the names that the body's model takes at the place of a field. `location`: of the field, below the body.

    Empty: the route takes no model there.
    """
    body = getattr(request.scope.get("route"), "body_field", None)
    models = [] if body is None else list(_models_of(body.field_info.annotation))
    for part in location[:-1]:
        # What is no field's name is a place in a list, or the kind of one of several models.
        models = list(_models_below(models, part)) or models
    return sorted({field.alias or name for model in models for name, field in model.model_fields.items()})


def describe_unknown(name: str, known: Sequence[str]) -> str:
    """Say what to write instead of a field that is not there."""
    if like := difflib.get_close_matches(name, known, MOST_LIKE, LIKENESS):
        return f"is no field here; names like it: {', '.join(like)}"
    return f"is no field here; the fields are: {', '.join(known)}"


def _models_below(models: Iterable[type[BaseModel]], part: str) -> Iterator[type[BaseModel]]:
    for model in models:
        for name, field in model.model_fields.items():
            if part in {name, field.alias}:
                yield from _models_of(field.annotation)


def _models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, TypeAliasType):
        yield from _models_of(annotation.__value__)
    elif isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            yield annotation
    else:
        for each in get_args(annotation):
            yield from _models_of(each)
