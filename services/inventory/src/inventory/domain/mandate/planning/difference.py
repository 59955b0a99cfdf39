"""The difference between two versions of a plan, camera by camera and field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory.domain.mandate.planning.plan import PlanFields

_HEAD = ("connect_by", "responsible_lead", "responsible_operator", "note")


@dataclass(frozen=True, slots=True)
class Changed:
    """One field with its values in both versions, as JSON values. `camera_code` is None for the plan's own fields."""

    camera_code: str | None
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """Cameras that came, cameras that went, and what changed of those in both. In the order of the cameras' codes."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Changed, ...]


def difference(before: PlanFields, after: PlanFields) -> Difference:
    """Find what `after` has and `before` has not, and the other way round."""
    old, new = _by_camera(before), _by_camera(after)
    changed = _fields(None, _head(before), _head(after))
    for code in sorted(old.keys() & new.keys()):
        changed += _fields(code, old[code], new[code])
    return Difference(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(changed),
    )


def _by_camera(plan: PlanFields) -> dict[str, dict[str, Any]]:
    return {one.camera_code: one.model_dump(mode="json") for one in plan.connections}


def _head(plan: PlanFields) -> dict[str, Any]:
    return plan.model_dump(mode="json", include=set(_HEAD))


def _fields(code: str | None, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Changed]:
    return [Changed(code, name, before[name], after[name]) for name in before if before[name] != after[name]]
