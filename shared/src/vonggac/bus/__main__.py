"""`python -m vonggac.bus --nats URL [--user NAME --password-file FILE]`: declare streams, consumers and buckets.

What is as it should be is not touched, so it may run again at any time, also without what was stated at the first.
With `--keep` it stays, and declares again what somebody has deleted: copies and bound stay as they stand, and what is
stated is for streams that never stood. What was lost becomes a fact (`vonggac.bus.declared.keeping`).
"""

import argparse
import asyncio
import os
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.bus.declared.keeping import KEEP_EVERY_S, StreamKeeper, keep
from vonggac.bus.declared.losses import name_of
from vonggac.bus.declared.permissions import OWNER
from vonggac.events.setup import StreamLostV1
from vonggac.settings.passwords import read_password

GIVE_UP_AFTER_S = 60.0


@dataclass
class Declaring:
    """What is declared, where, and as whom."""

    url: str
    user: str | None
    password: str | None
    ca_file: Path | None = None
    replicas: int | None = None
    observations_max_bytes: int | None = None
    keeps: bool = False
    """Whether what is stated is for streams that never stood: those that stand are as somebody declared them since."""
    keeper: StreamKeeper = field(default_factory=StreamKeeper)

    async def declare(self) -> tuple[list[str], list[StreamLostV1]]:
        """Declare, waiting up to GIVE_UP_AFTER_S for NATS. Raises TimeoutError, NatsError and ValueError.

        Why it waits is said on standard error, each reason once.
        """
        said: set[str] = set()
        async with asyncio.timeout(GIVE_UP_AFTER_S):
            while True:
                try:
                    client = await connect_once(
                        self.url, name="topology", user=self.user, password=self.password, ca_file=self.ca_file
                    )
                except (NatsError, OSError) as error:
                    if (reason := str(error)) not in said:
                        said.add(reason)
                        print(f"waiting for NATS: {reason}", file=sys.stderr, flush=True)
                    await asyncio.sleep(0.25)
                    continue
                try:
                    return await self.keeper.declare(client, partial(self._declare_on, client.jetstream()))
                except NatsTimeoutError:
                    continue
                finally:
                    await client.close()

    async def _declare_on(self, js: JetStreamContext, before: StreamConfig | None) -> list[str]:
        if not self.keeps:
            return await topology.declare(
                js, replicas=self.replicas, observations_max_bytes=self.observations_max_bytes
            )
        stated = StreamConfig(num_replicas=self.replicas, max_bytes=self.observations_max_bytes)
        return await topology.declare(js, before=before or stated)


def report(touched: list[str], losses: list[StreamLostV1]) -> None:
    """Name what was declared and what was lost, on standard output."""
    print("declared: " + ", ".join(touched) if touched else "nothing to declare", flush=True)
    for loss in losses:
        name = name_of(loss.stream, loss.consumer)
        held = "" if loss.messages is None else f" ({loss.messages} messages)"
        print(
            f"lost: {name}{held}, {loss.kind.value}, since {loss.lost_from.isoformat()}: "
            f"filled anew with {loss.filled_with.value}",
            flush=True,
        )


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m vonggac.bus", description=__doc__)
    parser.add_argument("--nats", default=os.environ.get("VONGGAC_NATS_URL", "nats://127.0.0.1:4222"))
    parser.add_argument("--user", help=f"the owner of the streams is {OWNER.name!r}")
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--ca-file", type=Path, help="CA certificate (PEM) where NATS speaks TLS")
    parser.add_argument(
        "--replicas",
        type=int,
        default=os.environ.get("VONGGAC_NATS_REPLICAS") or None,
        help="copies of each stream (default: as it stands, first 1)",
    )
    parser.add_argument(
        "--observations-max-bytes",
        type=int,
        default=os.environ.get("VONGGAC_NATS_OBSERVATIONS_MAX_BYTES") or None,
        help="beyond it the oldest go (default: 8 GiB, or as it stands where that is more)",
    )
    parser.add_argument("--keep", action="store_true", help="stay, and declare again what somebody has deleted")
    parser.add_argument("--every", type=float, default=KEEP_EVERY_S, help="seconds between two rounds of --keep")
    return parser.parse_args(words)


async def run(arguments: argparse.Namespace) -> None:
    """Declare, and with `--keep` go on until cancelled. Raises as `Declaring.declare`."""
    password = read_password(arguments.password_file) if arguments.password_file else None
    declaring = Declaring(
        arguments.nats,
        arguments.user,
        password,
        arguments.ca_file,
        arguments.replicas,
        arguments.observations_max_bytes,
        arguments.keep,
    )
    report(*await declaring.declare())
    if arguments.keep:
        await keep(declaring.declare, report, every_s=arguments.every)


def main() -> None:
    """Exit status 0 when the topology is declared, 1 when NATS does not answer or refuses it."""
    try:
        asyncio.run(run(parse()))
    except TimeoutError:
        raise SystemExit(f"the topology was not declared: no answer within {GIVE_UP_AFTER_S:.0f} s") from None
    except (NatsError, OSError, ValueError) as error:
        raise SystemExit(f"the topology was not declared: {type(error).__name__} {error}") from None


if __name__ == "__main__":
    main()
