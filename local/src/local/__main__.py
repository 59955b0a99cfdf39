"""`python -m local COMMAND`, or `vonggac COMMAND`: run, smoke, clean, backup and restore on one machine.

For containers: secrets, setup, demo, truth, token; backup and restore of what addresses name; cluster-secrets and
round-trip for the Helm chart.
"""

import argparse
import asyncio
import ipaddress
import os
import sys
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

from nats.errors import Error as NatsError

from local.apis.inventory import RefusedError
from local.backup import place, platform_copy
from local.commands import clean, cluster_secrets, run, running_platform, setup, smoke
from local.commands.round_trip import round_trip
from local.commands.service import run_service_command
from local.own.files import read_own
from local.own.known import Known
from local.own.table import FileError
from local.platform import environment
from local.platform.ports import LOOPBACK_NETWORKS
from local.platform.process import ProcessEndedError
from local.platform.progress import Progress, write_utf8
from local.platform.state import ProcessRecord, StateFolder, StateInUseError, private_files
from local.platform.stopping import KILLED, Stopping, run_stoppable
from local.platform.streams import Login
from vonggac.bus.declared.permissions import OWNER
from vonggac.embedded import ServerError
from vonggac.net.allowed_networks import AllowedNetworks

MAX_REPLICAS = 16


def main() -> int:
    """Exit status: 0 done, or stopped in order; 1 failed, with the reason; 2 wrong arguments."""
    write_utf8()
    arguments = _parser().parse_args()
    if arguments.work in (_run, _smoke, _backup, _restore):
        private_files()
    progress = Progress()
    try:
        return int(arguments.work(arguments, progress))
    except FileError as error:
        for line in (
            *error.lines(),
            f"nothing was loaded: mend {error.path} and try again (README, own cameras)",
        ):
            sys.stderr.write(line + "\n")
    except TimeoutError:
        sys.stderr.write(f"{arguments.command}: NATS did not answer in time\n")
    except (ProcessEndedError, ServerError, StateInUseError, RefusedError, NatsError, OSError, ValueError) as error:
        sys.stderr.write(f"{arguments.command}: {error}\n")
    return 1


def _run(arguments: argparse.Namespace, progress: Progress) -> int:
    state, allowed = StateFolder(arguments.state), _networks(arguments)
    own = read_own(
        arguments.cameras,
        arguments.facilities,
        Known.read(state.own_file),
        progress.step,
        first_start=not state.postgres.exists(),
        destinations_path=arguments.destinations,
        served_host=str(arguments.served_host) if arguments.served_host is not None else None,
    )
    stopping = Stopping(progress.line)
    with state.lock():
        # Before ports are chosen: processes of a killed platform occupy them.
        ProcessRecord(state).stop_leftovers(progress.step)
        replicas = {"prober": arguments.probers, "forwarder": arguments.forwarders}
        work = run.run(state, own, allowed=allowed, replicas=replicas, progress=progress, stopping=stopping)
        return run_stoppable(work, stopping, stopped_status=0)


def _smoke(arguments: argparse.Namespace, progress: Progress) -> int:
    stopping = Stopping(progress.line)
    work = smoke.smoke(allowed=_networks(arguments), progress=progress, stopping=stopping)
    return run_stoppable(work, stopping, stopped_status=KILLED)


def _clean(arguments: argparse.Namespace, progress: Progress) -> int:
    return clean.clean(StateFolder(arguments.state), progress)


def _service(arguments: argparse.Namespace, progress: Progress) -> int:
    return _finish(run_service_command(StateFolder(arguments.state), arguments.service, arguments.words, progress))


def _setup(arguments: argparse.Namespace, progress: Progress) -> int:
    login = Login(arguments.user, arguments.password_file) if arguments.password_file is not None else None
    work = setup.setup(
        arguments.nats,
        login,
        replicas=arguments.replicas,
        observations_max_bytes=arguments.observations_max_bytes,
        progress=progress,
    )
    return _finish(work)


def _secrets(arguments: argparse.Namespace, progress: Progress) -> int:
    return setup.make_secrets(arguments.keys, arguments.logins, progress)


def _demo(arguments: argparse.Namespace, progress: Progress) -> int:
    token = running_platform.token_from(keys=arguments.keys, token_file=arguments.token_file)
    approver = running_platform.approver_from(keys=arguments.keys, token_file=arguments.approver_token_file)
    if (arguments.served_at is None) != (not arguments.pulled_from):
        raise ValueError("--served-at and --pulled-from go together: where a centre pulls, and from which networks")
    work = running_platform.demo(
        arguments.inventory,
        arguments.simulator,
        token,
        approver,
        progress,
        served_at=arguments.served_at,
        pulled_from=arguments.pulled_from,
    )
    return _finish(work)


def _truth(arguments: argparse.Namespace, progress: Progress) -> int:
    token = running_platform.token_from(keys=arguments.keys, token_file=arguments.token_file)
    return _finish(running_platform.truth(arguments.reporting, token, within_s=arguments.within, progress=progress))


def _token(arguments: argparse.Namespace, progress: Progress) -> int:
    progress.line(running_platform.token_from(keys=arguments.keys, token_file=arguments.token_file))
    return 0


def _cluster_secrets(arguments: argparse.Namespace, _progress: Progress) -> int:
    release = cluster_secrets.Release(arguments.prefix, arguments.fullname or arguments.prefix, arguments.namespace)
    return cluster_secrets.print_secrets(arguments.folder, release)


def _round_trip(arguments: argparse.Namespace, progress: Progress) -> int:
    token = running_platform.token_from(keys=arguments.keys, token_file=arguments.token_file)
    addresses = arguments.inventory, arguments.reporting
    return _finish(round_trip(*addresses, token, within_s=arguments.within, progress=progress))


def _backup(arguments: argparse.Namespace, progress: Progress) -> int:
    source = _given(arguments)
    found = platform_copy.at(source) if source else place.of_state(StateFolder(arguments.state), progress.step)
    kept = timedelta(days=arguments.keep_days) if arguments.keep_days is not None else None
    return _finish(
        platform_copy.backup(found, arguments.to, with_keys=arguments.with_keys, kept_for=kept, progress=progress)
    )


def _restore(arguments: argparse.Namespace, progress: Progress) -> int:
    target = _given(arguments)
    found = platform_copy.at(target) if target else place.new_state(StateFolder(arguments.state), progress.step)
    return _finish(platform_copy.restore(found, arguments.source, replicas=arguments.replicas, progress=progress))


def _given(arguments: argparse.Namespace) -> place.Place | None:
    """Read the platform that the addresses name; None without any. Raises ValueError when some are missing."""
    urls = {name: getattr(arguments, f"{name}_database") for name in environment.RECORD_KEEPERS}
    if not any(urls.values()):
        return None
    if not all(urls.values()) or arguments.logins is None:
        needed = [f"--{name}-database" for name, url in urls.items() if not url]
        needed += ["--logins"] if arguments.logins is None else []
        raise ValueError(f"{' and '.join(needed)} missing: name both databases and the folder of their passwords")
    return place.given(urls, arguments.logins, arguments.nats, arguments.keys, arguments.nats_ca_file)


def _finish(work: Coroutine[Any, Any, int]) -> int:
    return asyncio.run(work)


def _networks(arguments: argparse.Namespace) -> tuple[str, ...]:
    given = tuple(part for text in arguments.allow for part in text.replace(",", " ").split())
    AllowedNetworks.parse(given)
    return (*LOOPBACK_NETWORKS, *given)


def _parser() -> argparse.ArgumentParser:
    program = "python -m local" if __name__ == "__main__" else "vonggac"
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run_command = commands.add_parser("run", help="the whole platform on this machine, until Ctrl-C")
    run_command.add_argument("--cameras", type=Path, help="CSV of your own cameras, in place of the demo's")
    run_command.add_argument("--facilities", type=Path, help="CSV of your own facilities, beside the demo's")
    run_command.add_argument("--destinations", type=Path, help="CSV of your own monitoring centres")
    run_command.add_argument(
        "--served-host",
        type=ipaddress.ip_address,
        metavar="ADDRESS",
        help="this machine's address at which centres pull (default: loopback)",
    )
    for option, service in (("--forwarders", "forwarder"), ("--probers", "prober")):
        run_command.add_argument(
            option, type=int, default=1, choices=range(1, MAX_REPLICAS + 1), metavar="N", help=f"{service} processes"
        )
    smoke_command = commands.add_parser("smoke", help="start, wait for the truth, print it, stop; throw-away state")
    clean_command = commands.add_parser("clean", help="remove the state folder")
    service_command = commands.add_parser("service", help="a command of inventory or reporting, such as republish")
    service_command.add_argument("service", choices=sorted(environment.RECORD_KEEPERS))
    service_command.add_argument("words", nargs="+", metavar="COMMAND", help="as of `python -m inventory`")
    service_command.set_defaults(work=_service)
    for command in (run_command, clean_command, service_command):
        command.add_argument("--state", type=Path, default=Path("var"), help="folder of all state (default: var)")
    for command in (run_command, smoke_command):
        command.add_argument(
            "--allow",
            action="append",
            default=[],
            metavar="CIDR",
            help="network that workers may connect to, besides loopback and what --cameras names (may be given again)",
        )
    _add_copies(commands)
    run_command.set_defaults(work=_run)
    smoke_command.set_defaults(work=_smoke)
    clean_command.set_defaults(work=_clean)
    _add_tools(commands)
    return parser


def _add_copies(commands: Any) -> None:
    """Of the platform of a state folder, or of one that addresses name (containers)."""
    backup_command = commands.add_parser("backup", help="copy both databases and JetStream while they run")
    backup_command.add_argument("--to", type=Path, default=Path("backups"), help="folder of backups (default: backups)")
    backup_command.add_argument(
        "--with-keys",
        action="store_true",
        default=bool(os.environ.get("VONGGAC_BACKUP_WITH_KEYS")),
        help="the keys too: whoever has that backup can open every login",
    )
    backup_command.add_argument(
        "--keep-days",
        type=int,
        choices=range(1, 3651),
        metavar="DAYS",
        help="remove the backups there that are older first; the newest stays (default: remove none)",
    )
    restore_command = commands.add_parser("restore", help="fill an empty platform from a backup")
    restore_command.add_argument(
        "--from", dest="source", type=Path, default=Path("backups"), help="a backup, or a folder of them: the newest"
    )
    restore_command.add_argument(
        "--replicas", type=int, choices=[1, 3], help="copies of each stream (default: as before)"
    )
    for command in (backup_command, restore_command):
        command.add_argument("--state", type=Path, default=Path("var"), help="folder of all state (default: var)")
        for name in environment.RECORD_KEEPERS:
            command.add_argument(
                f"--{name}-database",
                metavar="URL",
                default=os.environ.get(f"VONGGAC_{name.upper()}_DATABASE_URL"),
                help="in place of --state: postgresql+psycopg://ROLE@HOST:PORT/DATABASE",
            )
        command.add_argument("--nats", default=os.environ.get("VONGGAC_NATS_URL", "nats://127.0.0.1:4222"))
        command.add_argument("--logins", type=Path, help="folder with (inventory|reporting|nats).password")
        command.add_argument("--nats-ca-file", type=Path, help="CA of a NATS that talks TLS (PEM)")
        command.add_argument("--keys", type=Path, help="folder with the keys")
    backup_command.set_defaults(work=_backup)
    restore_command.set_defaults(work=_restore)


def _add_tools(commands: Any) -> None:
    secrets_command = commands.add_parser("secrets", help="make keys and passwords (containers: once, first)")
    secrets_command.add_argument("--keys", type=Path, required=True, help="folder for the keys")
    secrets_command.add_argument("--logins", type=Path, required=True, help="folder for the passwords")
    secrets_command.set_defaults(work=_secrets)
    setup_command = commands.add_parser("setup", help="declare the streams (containers: once, before the services)")
    setup_command.add_argument("--user", default=OWNER.name, help=f"NATS user (default: {OWNER.name})")
    setup_command.add_argument("--password-file", type=Path, help="file with its password")
    setup_command.add_argument("--nats", default=os.environ.get("VONGGAC_NATS_URL", "nats://127.0.0.1:4222"))
    setup_command.add_argument(
        "--replicas", type=int, choices=[1, 3], help="copies of each stream (default: as before)"
    )
    setup_command.add_argument(
        "--observations-max-bytes",
        type=int,
        default=os.environ.get("VONGGAC_NATS_OBSERVATIONS_MAX_BYTES") or None,
        help="bytes that OBSERVATIONS may hold (default: as before)",
    )
    setup_command.set_defaults(work=_setup)
    cluster_command = commands.add_parser("cluster-secrets", help="print the Secrets of the Helm chart, for kubectl")
    cluster_command.add_argument("--folder", type=Path, required=True, help="your safe: keys are made and kept there")
    cluster_command.add_argument("--prefix", default="vonggac", help="the chart's secrets.prefix (default: vonggac)")
    cluster_command.add_argument("--fullname", help="name of the release's objects (default: the prefix)")
    cluster_command.add_argument("--namespace", default="vonggac", help="(default: vonggac)")
    cluster_command.set_defaults(work=_cluster_secrets)
    demo_command = commands.add_parser("demo", help="load the demo through inventory's API")
    demo_command.add_argument("--inventory", required=True, metavar="URL")
    demo_command.add_argument("--simulator", required=True, metavar="URL")
    demo_command.add_argument(
        "--approver-token-file", type=Path, help="file with a token of a second person, who approves; with --token-file"
    )
    demo_command.add_argument(
        "--served-at",
        metavar="URL",
        help="where the provincial centre pulls, e.g. rtsp://serving:8554 (default: pushed)",
    )
    demo_command.add_argument(
        "--pulled-from", action="append", default=[], metavar="CIDR", help="network of that centre (may be given again)"
    )
    demo_command.set_defaults(work=_demo)
    truth_command = commands.add_parser("truth", help="wait for the demo's truth in reporting and print it")
    truth_command.add_argument("--reporting", required=True, metavar="URL")
    truth_command.add_argument("--within", type=float, default=90.0, metavar="SECONDS", help="(default: 90)")
    truth_command.set_defaults(work=_truth)
    token_command = commands.add_parser("token", help="print a token of the role province_lead")
    token_command.set_defaults(work=_token)
    round_trip_command = commands.add_parser("round-trip", help="one observation through everything, into the report")
    round_trip_command.add_argument("--inventory", required=True, metavar="URL")
    round_trip_command.add_argument("--reporting", required=True, metavar="URL")
    round_trip_command.add_argument("--within", type=float, default=180.0, metavar="SECONDS", help="(default: 180)")
    round_trip_command.set_defaults(work=_round_trip)
    for command in (demo_command, truth_command, token_command, round_trip_command):
        token = command.add_mutually_exclusive_group(required=True)
        token.add_argument("--token-file", type=Path, help="file with an admin token")
        token.add_argument("--keys", type=Path, help="folder with the key that signs one")


if __name__ == "__main__":
    sys.exit(main())
