"""The models of a noun's routes, made from its declaration: what is answered, changed, and sent in bulk."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeAliasType, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from inventory.domain.fields import Fields
from inventory.nouns.noun import Noun
from inventory.nouns.shown import Shown

MAX_BULK = 1000


@dataclass(frozen=True, slots=True)
class Models:
    """The models of one noun."""

    new: type[BaseModel]
    patch: type[BaseModel]
    shown: type[Shown]
    bulk_patch: type[BaseModel]
    """A patch that says of what: id and etag."""


class BulkRemoval(Fields):
    """One of the things to remove."""

    id: UUID
    etag: str = Field(description="As it was read.", examples=['"1"'])


def models_of(noun: Noun) -> Models:
    """Make the models of a noun."""
    patch = noun.patch or _patch(noun)
    whose: dict[str, Any] = {"id": (UUID, ...), "etag": (str, Field(description="As it was read.", examples=['"1"']))}
    return Models(
        new=noun.fields,
        patch=patch,
        shown=noun.shown or _to_response(noun),
        bulk_patch=create_model(f"Bulk{noun.title}Patch", __base__=patch, **whose),
    )


def _patch(noun: Noun) -> type[BaseModel]:
    """Every field, each optional: what is left out stays; null empties a field that may be empty."""
    fields: dict[str, Any] = {
        name: _optional(info) for name, info in noun.fields.model_fields.items() if name not in noun.unchangeable
    }
    return create_model(
        f"{noun.title}Patch",
        __base__=Fields,
        __doc__=f"What to change of this {noun.singular}; what is left out stays as it is.",
        **fields,
    )


def _optional(info: FieldInfo) -> tuple[Any, Any]:
    annotation: Any = info.annotation
    if info.metadata:
        annotation = Annotated[annotation, *info.metadata]
    return annotation, Field(
        default=None, description=info.description, examples=info.examples, json_schema_extra=_without_default
    )


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _to_response(noun: Noun) -> type[Shown]:
    fields: dict[str, Any] = {
        name: (bare(info.annotation), Field(description=info.description, examples=info.examples))
        for name, info in noun.fields.model_fields.items()
        if name not in Shown.model_fields
    }
    return create_model(f"{noun.title}Response", __base__=Shown, __doc__=f"One {noun.singular}.", **fields)


def bare(annotation: Any) -> Any:
    """Strip a type of its checks: what is on record is shown, also when a later rule would refuse it."""
    if isinstance(annotation, TypeAliasType):
        return bare(annotation.__value__)
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return Union[tuple(bare(part) for part in get_args(annotation))]  # noqa: UP007 # of parts known at run time
    return annotation


def given(patch: BaseModel) -> Mapping[str, Any]:
    """Return the fields that the caller sent, parsed."""
    return {name: getattr(patch, name) for name in patch.model_fields_set}
