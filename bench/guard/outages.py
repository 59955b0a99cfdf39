"""Outages without an alert: what promtool finds missing when it plays them to the rules.

The outages are the cases of `deploy/prometheus/vonggac-rules-test.yml`; each has what the services export meanwhile.
"""

import asyncio
import re
import shutil
from pathlib import Path

RULES = Path(__file__).parents[2] / "deploy/prometheus"
NAME = "outages"


async def count_missed(only: str) -> dict[str, float]:
    """`alerts_missed`; nothing where `only` names other attacks, or this machine has no promtool."""
    program = shutil.which("promtool")
    if only not in NAME:
        return {}
    if program is None:
        print("no promtool: outages are not played to the rules (Debian's package promtool has it)")
        return {}
    playing = await asyncio.create_subprocess_exec(
        program,
        "test",
        "rules",
        "vonggac-rules-test.yml",
        cwd=RULES,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await playing.communicate())[0].decode()
    missed = len(set(re.findall(r"name: (\w+ (?:fires|stays quiet)[^,\n]*,[^,\n]*)", output)))
    return {"alerts_missed": max(missed, 1) if playing.returncode else 0}
