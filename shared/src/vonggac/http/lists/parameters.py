"""Query parameters are strict: a route refuses one that it does not know, and one that is given twice.

A parameter that is ignored filters nothing, and its caller takes the whole list for the filtered one.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from fastapi import FastAPI, Request
from fastapi._compat import field_annotation_is_sequence
from fastapi.routing import APIRoute
from pydantic import BaseModel

from vonggac.http.problems import FieldError, refuse_fields
from vonggac.telemetry.redaction import redact

SHOWN_CHARACTERS = 64


def install_query_check(app: FastAPI) -> None:
    """What `check_query_parameters` needs in an app."""
    app.state.query_parameters = {}


async def check_query_parameters(request: Request) -> None:
    """A dependency of every route of an app. Raises ProblemError 422 that names each wrong parameter.

    Routes that are not in the OpenAPI document (health, metrics, documentation) take what comes.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    # A route lives as long as its app, and has no hash.
    found: dict[int, Mapping[str, bool]] = request.app.state.query_parameters
    if id(route) not in found:
        found[id(route)] = query_parameters(route)
    mistakes = find_mistakes(request.query_params.multi_items(), found[id(route)])
    if mistakes:
        raise refuse_fields(mistakes)


def query_parameters(route: APIRoute) -> Mapping[str, bool]:
    """The route's declared query parameters, those of its dependencies included, to whether they may repeat."""
    known: dict[str, bool] = {}
    dependants = [route.dependant]
    while dependants:
        dependant = dependants.pop()
        dependants += dependant.dependencies
        for field in dependant.query_params:
            annotation = field.field_info.annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                for name, inner in annotation.model_fields.items():
                    known[inner.alias or name] = field_annotation_is_sequence(inner.annotation)
            else:
                known[field.alias] = field_annotation_is_sequence(annotation)
    return known


def find_mistakes(given: Iterable[tuple[str, str]], known: Mapping[str, bool]) -> list[FieldError]:
    """Each unknown and each repeated parameter, once, in the order of the request."""
    mistakes: list[FieldError] = []
    for name, times in Counter(name for name, _ in given).items():
        if name not in known:
            shown = redact(name)[:SHOWN_CHARACTERS]
            mistakes.append(FieldError(field=shown, message=describe_unknown(shown, known)))
        elif times > 1 and not known[name]:
            mistakes.append(FieldError(field=name, message=f"given {times} times; give it once"))
    return mistakes


def describe_unknown(name: str, known: Collection[str]) -> str:
    """What is right instead of an unknown name: "unknown; known: code, name; did you mean name?"."""
    if not known:
        return "unknown; no parameter is known here"
    close = get_close_matches(name.casefold(), known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"unknown; known: {', '.join(sorted(known))}{hint}"
