"""The bound of a network holds over all probers together, whoever comes, leaves or dies (starve)."""

from datetime import UTC, datetime, timedelta

from prober.probes.limits import NetworkGate
from prober.probes.site_places import GONE_AFTER_S, LONGEST_PROBE_S, SitePlaces
from vonggac.bus import ServerClock
from vonggac.events.prober import ProberAliveV1

NETWORK, PLACES = "10.0.0.0/24", 8


class World:
    """Probers with one clock; each hears what the others beat."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.probers: dict[str, SitePlaces] = {}

    def start(self, name: str) -> SitePlaces:
        clock = ServerClock(wall=lambda: 1e9 + self.now_s)
        made = SitePlaces(name, clock, monotonic_s=lambda: self.now_s)
        for other in self.probers:
            made.heard(other, self._alive(other))
        made.others_already_here()
        self.probers[name] = made
        self.beat()
        return made

    def beat(self) -> None:
        for name, prober in self.probers.items():
            for other in self.probers:
                if other != name:
                    prober.heard(other, self._alive(other))

    def end(self, name: str) -> None:
        del self.probers[name]
        for prober in self.probers.values():
            prober.heard(name, None)

    def pass_by(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.now_s += 1.0
            self.beat()

    def shares(self) -> list[int]:
        return [prober.of(NETWORK, PLACES) for prober in self.probers.values()]

    def _alive(self, name: str) -> ProberAliveV1:
        at = datetime.fromtimestamp(1e9 + self.now_s, UTC)
        return ProberAliveV1(worker_id=name, started_at=at, alive_at=at, probes_running=0)


def test_one_prober_has_all_places() -> None:
    assert World().start("a").of(NETWORK, PLACES) == PLACES


def test_who_comes_newly_waits_for_the_probes_that_others_began_and_starves_them_of_nothing() -> None:
    world = World()
    world.start("a")
    world.start("b")
    # What `a` began with all eight may still go on: `b` begins nothing, `a` nothing more than its half.
    assert world.shares() == [4, 0]
    world.pass_by(LONGEST_PROBE_S + 1)
    assert world.shares() == [4, 4]


def test_what_one_leaves_is_the_others_at_once() -> None:
    world = World()
    for name in "abc":
        world.start(name)
    world.pass_by(LONGEST_PROBE_S + 1)
    assert sum(world.shares()) == PLACES
    world.end("b")
    assert sum(world.shares()) == PLACES


def test_a_dead_probers_places_are_the_others_when_its_heartbeats_stay_out() -> None:
    world = World()
    survivor = world.start("a")
    world.start("b")
    world.pass_by(LONGEST_PROBE_S + 1)
    del world.probers["b"]
    assert survivor.of(NETWORK, PLACES) == 4
    world.pass_by(GONE_AFTER_S + 1)
    assert survivor.of(NETWORK, PLACES) == PLACES


def test_a_prober_started_in_the_place_of_a_dead_one_does_not_starve_for_its_old_heartbeat() -> None:
    world = World()
    world.start("a")
    del world.probers["a"]
    world.now_s += 3.0
    made = SitePlaces("b", ServerClock(wall=lambda: 1e9 + world.now_s), monotonic_s=lambda: world.now_s)
    old = datetime.fromtimestamp(1e9, UTC)
    made.heard("a", ProberAliveV1(worker_id="a", started_at=old, alive_at=old + timedelta(0), probes_running=0))
    made.others_already_here()
    assert made.of(NETWORK, PLACES) == 0
    world.now_s = GONE_AFTER_S + 0.1
    assert made.of(NETWORK, PLACES) == PLACES


def test_more_probers_than_places_keep_the_bound() -> None:
    world = World()
    for number in range(12):
        world.start(f"p{number}")
        world.pass_by(2)
    world.pass_by(LONGEST_PROBE_S + 1)
    assert sum(world.shares()) == PLACES
    assert sorted(set(world.shares())) == [0, 1]


async def test_a_scan_waits_in_the_same_line_as_the_probes_and_starves_none() -> None:
    gate = NetworkGate(2, prefix_v4=24, prefix_v6=64, share=lambda _network, _most: 1)
    with gate.within(NETWORK):
        assert gate.is_full(NETWORK)
        assert gate.must_wait(NETWORK, "a camera")
    async with gate.admitted(NETWORK, "a camera"):
        assert gate.is_full(NETWORK)
    assert not gate.is_full(NETWORK)
