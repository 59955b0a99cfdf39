"""Whoever is turned away at the ports for centres that pull is counted by the reason, for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from services.forwarder.tests.relay.server.conftest import PASSWORD
from services.forwarder.tests.relay.server.puller import Puller

from forwarder.relay.server.turned_away import Reason
from simulator import Simulator
from vonggac.events.causes import Cause
from vonggac.events.inventory.serving import ServedTls, ServedTransport
from vonggac.net.url import Credentials
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.server.conftest import Served, StartServing

RIGHT, WRONG = Credentials("ioc", PASSWORD), Credentials("ioc", "wrong")


async def pull(served: Served, login: Credentials = RIGHT, *, transport: str | None = None) -> int:
    """The last status of a centre that plays from here."""
    assert served.listener.port is not None
    puller = await Puller(served.listener.port, "/ioc/gate", login).connect()
    served.pullers.append(puller)
    return await (puller.play(transport) if transport else puller.play())


async def start(sim: Simulator, serve: StartServing, **changes: object) -> Served:
    served = serve(sim, **changes)
    await eventually(lambda: served.cause is Cause.NOT_ASKED and served.supervisor.slot._source is not None)
    return served


@pytest.mark.parametrize(
    ("changes", "transport", "status", "reason"),
    [
        ({"source_networks": ("10.0.0.0/8",)}, None, 403, Reason.ADDRESS_NOT_ALLOWED),
        ({"tls": ServedTls.REQUIRED}, None, 403, Reason.TLS_REQUIRED),
        (
            {"transports": (ServedTransport.TCP,)},
            "RTP/AVP;unicast;client_port=40000-40001",
            461,
            Reason.TRANSPORT_UNSUPPORTED,
        ),
    ],
)
async def test_served_centre_that_is_refused_is_counted_by_the_reason(
    changes: dict[str, object],
    transport: str | None,
    status: int,
    reason: Reason,
    sim: Simulator,
    serve: StartServing,
) -> None:
    served = await start(sim, serve, **changes)
    assert await pull(served, transport=transport) == status
    assert {name for name, count in served.listener.turned_away.items() if count} == {reason}


async def test_served_wrong_logins_are_counted_and_those_that_rest_apart(sim: Simulator, serve: StartServing) -> None:
    served = await start(sim, serve)
    assert [await pull(served, WRONG) for _ in range(7)] == [401] * 5 + [403] * 2
    turned_away = served.listener.turned_away
    assert (turned_away[Reason.AUTH_FAILED], turned_away[Reason.RESTING]) == (5, 2)


async def test_served_session_beyond_the_limit_is_counted(sim: Simulator, serve: StartServing) -> None:
    served = await start(sim, serve, sessions_per_camera=2)
    assert [await pull(served) for _ in range(3)] == [200, 200, 453]
    turned_away = served.listener.turned_away
    assert {name: count for name, count in turned_away.items() if count} == {Reason.SESSION_LIMIT: 1}


async def test_served_nobody_turned_away_is_a_zero_for_each_reason(sim: Simulator, serve: StartServing) -> None:
    served = await start(sim, serve)
    assert served.listener.turned_away == dict.fromkeys(Reason, 0)
