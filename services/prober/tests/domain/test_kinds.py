"""How closely a camera is looked at."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prober.domain.kinds import kind_of_look
from prober.domain.schedule import PreviousLook
from vonggac.events.prober import LookKind, Verdict

NOW = datetime(2021, 5, 7, 8, 0, tzinfo=UTC)


def kind(*, deep_s_ago: float | None = 10.0, revision: int = 1, **changes: Any) -> LookKind:
    deep_at = None if deep_s_ago is None else NOW - timedelta(seconds=deep_s_ago)
    values = {"verdict": Verdict.UP, "interval_s": 10.0, **changes}
    previous = PreviousLook(camera_revision=1, cause=None, started_at=NOW, deep_at=deep_at, **values)
    return kind_of_look(previous, camera_revision=revision, deep_interval_s=60.0, now=NOW)


def test_between_two_deep_looks_there_are_light_ones() -> None:
    assert kind(deep_s_ago=10) is LookKind.LIGHT
    assert kind(deep_s_ago=54) is LookKind.LIGHT


def test_a_deep_look_is_due_to_the_nearest_interval() -> None:
    assert kind(deep_s_ago=55) is LookKind.DEEP
    assert kind(deep_s_ago=30, interval_s=60.0) is LookKind.DEEP


def test_the_first_look_is_deep() -> None:
    assert kind_of_look(None, camera_revision=1, deep_interval_s=60.0, now=NOW) is LookKind.DEEP
    assert kind(deep_s_ago=None) is LookKind.DEEP


def test_a_changed_camera_is_looked_at_deeply() -> None:
    assert kind(revision=2) is LookKind.DEEP


@pytest.mark.parametrize("verdict", [Verdict.DOWN, Verdict.UNKNOWN])
def test_a_light_look_never_follows_anything_but_up(verdict: Verdict) -> None:
    assert kind(verdict=verdict) is LookKind.DEEP
