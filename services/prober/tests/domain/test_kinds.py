"""How closely a camera is probed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prober.domain.kinds import probe_kind
from prober.domain.schedule import PreviousProbe
from vonggac.events.prober import ProbeKind, Verdict

NOW = datetime(2021, 5, 7, 8, 0, tzinfo=UTC)


def kind(*, deep_s_ago: float | None = 10.0, revision: int = 1, **changes: Any) -> ProbeKind:
    deep_at = None if deep_s_ago is None else NOW - timedelta(seconds=deep_s_ago)
    values = {"verdict": Verdict.UP, "interval_s": 10.0, **changes}
    previous = PreviousProbe(camera_revision=1, cause=None, started_at=NOW, deep_at=deep_at, **values)
    return probe_kind(previous, camera_revision=revision, deep_interval_s=60.0, now=NOW)


def test_between_two_deep_probes_there_are_light_ones() -> None:
    assert kind(deep_s_ago=10) is ProbeKind.LIGHT
    assert kind(deep_s_ago=54) is ProbeKind.LIGHT


def test_a_deep_probe_is_due_to_the_nearest_interval() -> None:
    assert kind(deep_s_ago=55) is ProbeKind.DEEP
    assert kind(deep_s_ago=30, interval_s=60.0) is ProbeKind.DEEP


def test_the_first_probe_is_deep() -> None:
    assert probe_kind(None, camera_revision=1, deep_interval_s=60.0, now=NOW) is ProbeKind.DEEP
    assert kind(deep_s_ago=None) is ProbeKind.DEEP


def test_a_changed_camera_is_probed_deeply() -> None:
    assert kind(revision=2) is ProbeKind.DEEP


@pytest.mark.parametrize("verdict", [Verdict.DOWN, Verdict.UNKNOWN])
def test_a_light_probe_never_follows_anything_but_up(verdict: Verdict) -> None:
    assert kind(verdict=verdict) is ProbeKind.DEEP
