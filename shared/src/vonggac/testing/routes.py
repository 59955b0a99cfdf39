"""Routes built once for all applications of a test run.

FastAPI builds what a route asks of a request anew in every application that includes its router: for inventory's 350
routes half a second, for each of a thousand tests.
"""

from dataclasses import replace
from typing import Any

from fastapi import routing

_BUILDER = "_build_effective_context"


def share_built_routes() -> None:
    """From now on, a route that is included again in the same way keeps what was built for it.

    The provider of dependency overrides is the first application: no test overrides dependencies. A FastAPI without
    this method raises AttributeError.
    """
    build = getattr(routing._IncludedRouter, _BUILDER)  # no public way
    known: dict[int, list[tuple[Any, Any, Any]]] = {}

    def shared(included: Any, route: Any) -> Any:
        context = replace(included.include_context, dependency_overrides_provider=None)
        # The route is kept with it: its id stays its own.
        alike = known.setdefault(id(route), [])
        for _route, of, built in alike:
            if of == context:
                return built
        built = build(included, route)
        alike.append((route, context, built))
        return built

    setattr(routing._IncludedRouter, _BUILDER, shared)
