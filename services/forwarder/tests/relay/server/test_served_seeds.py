"""Two hundred seeded behaviours of twenty centres at once: what is reported of each is what each does."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from services.forwarder.tests.relay.server.puller import Puller

from forwarder.domain.serving.served_delivery import responsibility
from forwarder.relay.supervision.delivery import DeliverySupervisor
from forwarder.relay.supervision.served_delivery import ServedDeliverySupervisor
from simulator import Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState, Responsibility
from vonggac.net.url import Credentials
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Recorder
    from services.forwarder.tests.relay.server.conftest import Served, StartServing

CENTRES, STEPS = 20, 10
PASSWORD = "mat-khau-20-ky-tu-xx"
WITHIN_S = 8.0
"""Twenty centres share the processor with their worker."""
WAITING, CONNECTED = DeliveryState.WAITING_FOR_CENTRE, DeliveryState.ACKNOWLEDGED


@dataclass
class Centre:
    """One centre that pulls, and the truth about it."""

    served: Served
    code: str
    supervisor: DeliverySupervisor
    chance: random.Random
    cause: Cause = Cause.NOT_ASKED

    async def connect(self, *, password: str = PASSWORD, address: str = "127.0.0.1") -> Puller:
        port = self.served.listener.port
        assert port is not None
        puller = Puller(port, f"/{self.code}/gate", Credentials(self.code, password), address=address)
        self.served.pullers.append(puller)
        return await puller.connect()

    @property
    def is_as_it_is(self) -> bool:
        delivery = self.supervisor.delivery
        return (delivery.state, delivery.cause) == (WAITING, self.cause)

    @property
    def responsibility(self) -> Responsibility | None:
        assert isinstance(self.supervisor, ServedDeliverySupervisor)
        slot = self.supervisor.slot
        return responsibility(self.supervisor.delivery, slot.asking, slot.now)

    async def step(self) -> None:
        behaviour = self.chance.choice(BEHAVIOURS)
        await behaviour(self)
        await eventually(lambda: self.is_as_it_is, within_s=WITHIN_S)

    async def receives(self) -> Puller:
        puller = await self.connect()
        assert await puller.play() == 200
        await eventually(lambda: self.supervisor.delivery.state is CONNECTED, within_s=WITHIN_S)
        self.cause = Cause.LEFT
        return puller


async def waits(centre: Centre) -> None:
    await asyncio.sleep(centre.chance.uniform(0.1, 1.0))


async def only_describes(centre: Centre) -> None:
    puller = await centre.connect()
    assert await puller.ask("DESCRIBE") == 200
    await puller.close()


async def guesses(centre: Centre) -> None:
    puller = await centre.connect(password="guessed")
    assert await puller.ask("DESCRIBE") in {401, 403}
    await puller.close()
    # Once the address rests it is refused before its login is read, and it was refused before.
    centre.cause = Cause.REFUSED


async def comes_from_elsewhere(centre: Centre) -> None:
    puller = await centre.connect(address="127.0.0.9")
    assert await puller.ask("DESCRIBE") == 403
    await puller.close()
    centre.cause = Cause.REFUSED


async def hangs_up(centre: Centre) -> None:
    puller = await centre.receives()
    await asyncio.sleep(centre.chance.uniform(0, 1.5))
    await puller.close(reset=centre.chance.random() < 0.5)


async def tears_down(centre: Centre) -> None:
    puller = await centre.receives()
    puller.send("TEARDOWN")
    await eventually(lambda: centre.is_as_it_is, within_s=WITHIN_S)
    await puller.close()


async def opens_two(centre: Centre) -> None:
    first, second = await centre.receives(), await centre.connect()
    assert await second.play() == 200
    third = await centre.connect()
    assert await third.play() == 453
    await first.close()
    await asyncio.sleep(0.3)
    assert centre.supervisor.delivery.state is CONNECTED
    await second.close()
    await third.close()


BEHAVIOURS = (waits, only_describes, guesses, comes_from_elsewhere, hangs_up, tears_down, opens_two)


@pytest.mark.parametrize("seed", [20261201])
async def test_served_two_hundred_seeded_behaviours_have_no_wrong_state_and_accuse_nobody(
    sim: Simulator, serve: StartServing, recorder: Recorder, seed: int
) -> None:
    codes = [f"centre-{number}" for number in range(CENTRES)]
    served = serve(sim, *codes, source_networks=("127.0.0.1/32",))
    by_code = {each.plan.destination_code: each for each in served.relay.deliveries.values()}
    pushed = [each for code, each in by_code.items() if code in sim.centres]
    centres = [Centre(served, code, by_code[code], random.Random(f"{seed} {code}")) for code in codes]
    await eventually(lambda: all(each.is_as_it_is for each in centres))
    await eventually(lambda: all(each.delivery.state is CONNECTED for each in pushed))

    async def run(centre: Centre) -> None:
        for _ in range(STEPS):
            await centre.step()

    await asyncio.gather(*(run(centre) for centre in centres))
    states = {state for centre in centres for state in recorder.states(centre.supervisor.plan.destination_id)}
    assert states <= {DeliveryState.WAITING_FOR_CAMERA, WAITING, DeliveryState.CONNECTING, CONNECTED}
    assert {each.responsibility for each in centres} == {Responsibility.UNKNOWN}
    assert [each.slot.counts.packets_dropped for each in pushed] == [0, 0]
