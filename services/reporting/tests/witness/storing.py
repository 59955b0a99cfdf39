"""What NATS stores of what workers say: soon after, or not for minutes, and stretches of it never.

What is dated later than it was stored is corrected; what its publisher numbered and never came is lost.
"""

from datetime import datetime

from services.reporting.tests.witness.world import MINUTE, SECOND, Worker, World

from reporting.domain.instants import millis
from vonggac.events import Payload


def store_facts(made: World, workers: list[Worker]) -> None:
    """Each fact of a worker some time after it was said, by the server's clock; a doubled one has the first's time."""
    skews = {worker.id: worker.skew for worker in workers}
    for fact in made.facts:
        skew = skews.get(getattr(fact, "worker_id", ""))
        if skew is None:
            continue
        latency = made.chance.choice([0, 3, 40, 40, 900, 2 * SECOND, made.chance.randrange(3 * MINUTE)])
        made.stored[id(fact)] = millis(dated_at(fact)) - skew + latency


def set_clock_back(made: World) -> None:
    """Of what is dated in the time that was shown twice, some is stored before the step and some after it."""
    begins = made.some_time()
    ends = begins + made.chance.randrange(20 * SECOND, 5 * MINUTE)
    made.twice = begins, ends
    for fact in made.facts:
        at = getattr(fact, "alive_at", None) or getattr(fact, "observed_at", None)
        if at is not None and millis(at) >= begins and (millis(at) >= ends or made.chance.random() < 0.5):
            made.after.add(id(fact))


def lose_facts(made: World, workers: list[Worker]) -> None:
    """Number what each worker says as it says it, and lose some of it; never its first: nobody knows of one before."""
    chance = made.chance
    for worker in workers:
        said = [(dated_at(fact), number) for number, fact in enumerate(made.facts) if _is_of(fact, worker)]
        order = [number for _, number in sorted(said)]
        lost: set[int] = set()
        for _ in range(chance.choice([0, 0, 1, 3]) if len(order) > 1 else 0):
            first = chance.randrange(1, len(order))
            lost.update(order[first : first + chance.choice([1, 1, 2, 9])])
        for sequence, number in enumerate(order, start=1):
            if number not in lost:
                made.numbers[id(made.facts[number])] = worker.id, sequence
        made.facts = [fact for number, fact in enumerate(made.facts) if number not in lost]


def dated_at(fact: Payload) -> datetime:
    """When a worker said it, by its clock."""
    at = getattr(fact, "alive_at", None) or getattr(fact, "observed_at", None)
    assert isinstance(at, datetime)
    return at


def _is_of(fact: Payload, worker: Worker) -> bool:
    return getattr(fact, "worker_id", None) == worker.id
