"""What publishers number, and what of it never comes: stretches of facts that are lost."""

from datetime import datetime

from services.reporting.tests.witness.world import Worker, World

from vonggac.events import Payload


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
