"""Inventory's own rules for a user's rows, before anything starts: `python -m inventory check`."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from local.apis.inventory import RefusedError
from local.demo import content
from local.own.table import FileError, Mistake, refused_rows

CHECK_WITHIN_S = 120.0


def check_by_inventory(
    path: Path | None,
    noun: str,
    rows: Sequence[dict[str, str]],
    lines: Sequence[int],
    known: Mapping[str, Collection[str]],
) -> None:
    """Have inventory check rows as it would at the import; harmless without a file.

    `noun`: as in its addresses; `lines`: of the user's file, in the order of the rows; `known`: noun to the codes that
    rows may refer to. Raises FileError.
    """
    if path is None:
        return
    command = [sys.executable, "-m", "inventory", "check", noun]
    command += [f"--known={name}={','.join(codes)}" for name, codes in known.items()]
    try:
        done = subprocess.run(
            command, input=content.as_csv(list(rows)).encode(), capture_output=True, timeout=CHECK_WITHIN_S, check=False
        )
        errors = json.loads(done.stdout)["errors"]
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
        raise FileError(path, [Mistake(f"cannot be checked by inventory's rules ({type(error).__name__})")]) from None
    if errors:
        raise refused_rows(path, lines, RefusedError("refused", errors))
