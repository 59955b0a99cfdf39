"""What the change log says that an import did, one line after the other."""

from uuid import UUID

from inventory.importing.storing.effects import Effect, kept

ID = UUID(int=1)
WHOLE = {"code": "CAM-1", "name": "Cổng", "enabled": True, "model": None}


def effect(action: str, before: dict[str, object] | None, after: dict[str, object] | None) -> Effect:
    return Effect("camera", ID, action, *kept(before, after))


def test_of_a_change_only_what_changed_and_the_name_are_kept() -> None:
    assert kept(WHOLE, {**WHOLE, "name": "Sân"}) == (
        {"code": "CAM-1", "name": "Cổng"},
        {"code": "CAM-1", "name": "Sân"},
    )


def test_of_something_new_only_the_name_is_kept() -> None:
    assert kept(None, {**WHOLE, "camera_id": "c"}) == (None, {"code": "CAM-1", "camera_id": "c"})


def test_of_what_was_removed_everything_is_kept() -> None:
    assert kept(WHOLE, None) == (WHOLE, None)


def test_two_changes_are_one_from_the_first_state_to_the_last() -> None:
    second = {**WHOLE, "name": "Sân"}
    both = effect("changed", WHOLE, second).then(
        effect("changed", second, {**second, "name": "Sảnh", "enabled": False})
    )
    assert both.before == {"code": "CAM-1", "name": "Cổng", "enabled": True}
    assert both.after == {"code": "CAM-1", "name": "Sảnh", "enabled": False}


def test_a_change_of_something_new_leaves_it_new() -> None:
    both = effect("created", None, WHOLE).then(effect("changed", WHOLE, {**WHOLE, "name": "Sân"}))
    assert (both.action, both.before, both.key) == ("created", None, "CAM-1")


def test_what_was_changed_and_then_removed_returns_as_it_was_first() -> None:
    second = {**WHOLE, "name": "Sân"}
    both = effect("changed", WHOLE, second).then(effect("removed", second, None))
    assert (both.before, both.after) == (WHOLE, None)
