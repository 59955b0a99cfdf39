"""Endpoints whose parameters are known at run time: FastAPI reads their signature."""

from collections.abc import Awaitable, Callable, Mapping
from inspect import Parameter, Signature, signature
from typing import Any


def with_parameters[**P, T](
    endpoint: Callable[P, Awaitable[T]], *, named: str, doc: str, **annotations: Any
) -> Callable[P, Awaitable[T]]:
    """`endpoint` under a name of its own, with these annotations for its parameters."""
    present = signature(endpoint)
    parameters = [
        parameter.replace(annotation=annotations.get(name, parameter.annotation))
        for name, parameter in present.parameters.items()
    ]
    # FastAPI reads the signature.
    vars(endpoint)["__signature__"] = present.replace(parameters=parameters)
    endpoint.__name__, endpoint.__doc__ = named, doc
    return endpoint


class QueryParameters:
    """A dependency that reads these query parameters into a mapping, without those that are not given."""

    def __init__(self, annotations: Mapping[str, Any]) -> None:
        self.__signature__ = Signature(
            [
                Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=None)
                for name, annotation in annotations.items()
            ]
        )

    def __call__(self, **values: Any) -> Mapping[str, Any]:
        return {name: value for name, value in values.items() if value is not None}
