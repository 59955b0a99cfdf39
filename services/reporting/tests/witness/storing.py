"""When NATS stored what workers said: soon after, or not for minutes. What is dated later than that is corrected."""

from services.reporting.tests.witness.losing import dated_at
from services.reporting.tests.witness.world import MINUTE, SECOND, Worker, World

from reporting.domain.instants import millis


def store_facts(made: World, workers: list[Worker]) -> None:
    """Each fact of a worker some time after it was said, by the server's clock; a doubled one has the first's time."""
    skews = {worker.id: worker.skew for worker in workers}
    for fact in made.facts:
        skew = skews.get(getattr(fact, "worker_id", ""))
        if skew is None:
            continue
        latency = made.chance.choice([0, 3, 40, 40, 900, 2 * SECOND, made.chance.randrange(3 * MINUTE)])
        made.stored[id(fact)] = millis(dated_at(fact)) - skew + latency
