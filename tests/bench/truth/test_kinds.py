"""Which faults come, which of them together, and what the simulator takes of them."""

import random
from functools import partial
from itertools import islice
from typing import Any

import pytest

from bench.truth.device_faults import late, lies, no_media, no_way, pictures, replays, replays_from
from bench.truth.kinds import AT_ONCE, KINDS, PAIRED, rounds
from bench.truth.record import Gap, Line
from bench.truth.windows import MAX_DELAY_S, READ_BACK_S, VERIFY_INTERVAL_S
from simulator.devices.faults import CameraFault, CentreFault

OF_THE_ISSUE = (
    "discards", "buffers", "shows its last group", "replays a minute", "another picture", "repeats a group",
    "late by 20 s", "late by 45 s", "black", "covered", "no-signal card", "encoder frozen", "no keyframe",
    "loop", "half a stream", "bus clock fast", "bus clock slow", "two at once", "everything killed",
    "read-back a minute",
)  # fmt: skip


def test_every_kind_that_was_asked_for_comes() -> None:
    assert set(OF_THE_ISSUE) <= set(KINDS)
    assert set(KINDS) > PAIRED


def _parameters(fault: object) -> tuple[type, dict[str, Any]] | None:
    if not isinstance(fault, partial):
        return None
    if fault.func is late:
        return CentreFault, {"fault": "late_playback", "late_s": fault.args[1]}
    models: dict[object, type] = dict.fromkeys((no_media, pictures), CameraFault)
    models |= dict.fromkeys((no_way, lies, replays), CentreFault)
    return (models[fault.func], fault.args[1]) if fault.func in models else None


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if _parameters(kind.fault)])
def test_the_simulator_takes_each_fault_of_a_device(name: str) -> None:
    found = _parameters(KINDS[name].fault)
    assert found is not None
    model, parameters = found
    model(**parameters)


def test_a_round_has_each_kind_once_and_together_what_shares_nothing() -> None:
    names = list(KINDS)
    groups, seen = rounds(names, random.Random(1)), list[str]()
    while len(seen) < len(names):
        group = next(groups)
        (takes,) = {KINDS[name].takes for name in group}
        assert len(group) <= AT_ONCE[takes]
        seen += group
    assert sorted(seen) == sorted(names)


def test_the_seed_draws_the_order() -> None:
    first, again, other = (list(islice(rounds(list(KINDS), random.Random(seed)), 30)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_lie_lasts_until_a_read_back_that_it_began_under_has_failed() -> None:
    """A keyframe read back may be as late as the longest delay before it is certain that it is another."""
    liars = [kind for kind in KINDS.values() if isinstance(kind.fault, partial) and kind.fault.func in (lies, replays)]
    lasting = [kind.least_s for kind in liars]
    assert min(lasting) > VERIFY_INTERVAL_S + READ_BACK_S + MAX_DELAY_S


def test_a_replay_begins_when_more_is_kept_than_a_centre_may_be_late() -> None:
    """Of 22 s that are played again each picture is 22 s late in the first round, as at a centre that is late."""
    old, young = Line(gaps=[Gap(10.0, 20.0)]), Line(gaps=[Gap(10.0, 20.0), Gap(100.0, 101.0)])
    assert replays_from([Line(), old, young]) == 101.0 + MAX_DELAY_S + READ_BACK_S
    assert replays_from([Line()]) < 101.0
    assert isinstance(KINDS["replays a minute"].fault, partial)
    assert KINDS["replays a minute"].fault.func is replays
