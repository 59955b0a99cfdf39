"""`python -m vonggac.bus --nats URL [--user NAME --password-file FILE]`: declare streams, consumers and buckets.

What is as it should be is not touched, so it may run again at any time, also without what was stated at the first.
With `--keep` it stays, and declares again what somebody has deleted.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError

from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import OWNER
from vonggac.settings.passwords import read_password

GIVE_UP_AFTER_S = 60.0
KEEP_EVERY_S = 10.0


async def declare(
    url: str,
    user: str | None,
    password: str | None,
    *,
    ca_file: Path | None = None,
    replicas: int | None,
    observations_max_bytes: int | None,
) -> list[str]:
    """Declare on the servers at `url`, waiting up to GIVE_UP_AFTER_S for them. Raises TimeoutError.

    Why it waits is said on standard error, each reason once.
    """
    said: set[str] = set()
    async with asyncio.timeout(GIVE_UP_AFTER_S):
        while True:
            try:
                client = await connect_once(url, name="topology", user=user, password=password, ca_file=ca_file)
            except (NatsError, OSError) as error:
                if (reason := str(error)) not in said:
                    said.add(reason)
                    print(f"waiting for NATS: {reason}", file=sys.stderr, flush=True)
                await asyncio.sleep(0.25)
                continue
            try:
                return await topology.declare(
                    client.jetstream(), replicas=replicas, observations_max_bytes=observations_max_bytes
                )
            except NatsTimeoutError:
                continue
            finally:
                await client.close()


async def keep(again: Callable[[], Awaitable[list[str]]], *, every_s: float = KEEP_EVERY_S) -> None:
    """Declare what is missing, until cancelled: what stands as it should is not touched, and costs a question each.

    Raises ValueError for what NATS cannot change.
    """
    while True:
        await asyncio.sleep(every_s)
        try:
            touched = await again()
        except (TimeoutError, NatsError, OSError) as error:
            print(f"not asked: {type(error).__name__} {error}", file=sys.stderr, flush=True)
            continue
        if touched:
            report(touched)


def report(touched: list[str]) -> None:
    """Name what was declared, on standard output."""
    print("declared: " + ", ".join(touched) if touched else "nothing to declare", flush=True)


def main() -> None:
    """Exit status 0 when the topology is declared, 1 when NATS does not answer or refuses it."""
    parser = argparse.ArgumentParser(prog="python -m vonggac.bus", description=__doc__)
    parser.add_argument("--nats", default=os.environ.get("VONGGAC_NATS_URL", "nats://127.0.0.1:4222"))
    parser.add_argument("--user", help=f"the owner of the streams is {OWNER.name!r}")
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--ca-file", type=Path, help="CA certificate (PEM) where NATS speaks TLS")
    parser.add_argument(
        "--replicas", type=int, default=os.environ.get("VONGGAC_NATS_REPLICAS"), help="default: as it stands, first 1"
    )
    parser.add_argument(
        "--observations-max-bytes",
        type=int,
        default=os.environ.get("VONGGAC_NATS_OBSERVATIONS_MAX_BYTES"),
        help="beyond it the oldest go (default: 8 GiB, or as it stands where that is more)",
    )
    parser.add_argument("--keep", action="store_true", help="stay, and declare again what somebody has deleted")
    arguments = parser.parse_args()
    try:
        password = read_password(arguments.password_file) if arguments.password_file else None
        again = partial(
            declare,
            arguments.nats,
            arguments.user,
            password,
            ca_file=arguments.ca_file,
            replicas=arguments.replicas,
            observations_max_bytes=arguments.observations_max_bytes,
        )
        touched = asyncio.run(again())
        report(touched)
        if arguments.keep:
            asyncio.run(keep(again))
    except TimeoutError:
        raise SystemExit(f"the topology was not declared: no answer within {GIVE_UP_AFTER_S:.0f} s") from None
    except (NatsError, OSError, ValueError) as error:
        raise SystemExit(f"the topology was not declared: {type(error).__name__} {error}") from None


main()
