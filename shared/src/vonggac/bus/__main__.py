"""`python -m vonggac.bus --nats URL [--replicas N]`: declare the streams, consumers and buckets of the platform."""

import argparse
import asyncio
import os

from nats.errors import Error as NatsError

from vonggac.bus import topology
from vonggac.bus.connection import connect_once

GIVE_UP_AFTER_S = 60.0


async def declare(url: str, replicas: int) -> list[str]:
    """Declare on the server at `url`, waiting up to GIVE_UP_AFTER_S for it. Raises TimeoutError."""
    async with asyncio.timeout(GIVE_UP_AFTER_S):
        while True:
            try:
                client = await connect_once(url, name="topology")
            except (NatsError, OSError):
                await asyncio.sleep(0.25)
                continue
            try:
                return await topology.declare(client.jetstream(), replicas=replicas)
            finally:
                await client.close()


def main() -> None:
    """Exit status 0 when the topology is declared, 1 when NATS does not answer or refuses it."""
    parser = argparse.ArgumentParser(prog="python -m vonggac.bus", description=__doc__)
    parser.add_argument("--nats", default=os.environ.get("VONGGAC_NATS_URL", "nats://127.0.0.1:4222"))
    parser.add_argument("--replicas", type=int, default=int(os.environ.get("VONGGAC_NATS_REPLICAS", "1")))
    arguments = parser.parse_args()
    try:
        touched = asyncio.run(declare(arguments.nats, arguments.replicas))
    except (NatsError, TimeoutError) as error:
        raise SystemExit(f"the topology was not declared: {type(error).__name__} {error}") from None
    print("declared: " + ", ".join(touched) if touched else "nothing to declare")


main()
