"""`--shard 2/4`: the second of four shares of the test files that take about as long as the others (`seconds.csv`).

For machines side by side. A file is whole in one share; one that is not in the table counts as the mean of the others.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.unit.seconds import TABLE, FileTime, read_table

ROOT = Path(__file__).parents[2]


class Shard(NamedTuple):
    """The `number`th of `total`, from 1 on."""

    number: int
    total: int


def parse_shard(text: str) -> Shard:
    """Return the share that `2/4` names. Raises ValueError that says what to write."""
    number, slash, total = text.partition("/")
    if not (slash and number.isdigit() and total.isdigit() and 1 <= int(number) <= int(total)):
        msg = f"--shard {text!r}: write 2/4 for the second of four shares"
        raise ValueError(msg)
    return Shard(int(number), int(total))


def choose_files(files: Iterable[str], times: Mapping[str, FileTime], shard: Shard) -> set[str]:
    """Return the files of a share: the longest first, each to the share that has least so far."""
    mean = sum(time.seconds for time in times.values()) / len(times) if times else 1.0
    seconds = {name: times[name].seconds if name in times else mean for name in set(files)}
    shares: list[set[str]] = [set() for _ in range(shard.total)]
    loads = [0.0] * shard.total
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        lightest = loads.index(min(loads))
        shares[lightest].add(name)
        loads[lightest] += seconds[name]
    return shares[shard.number - 1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that `make test SHARD=2/4` gives."""
    parser.addoption("--shard", default=None, help="2/4: the second of four shares of the test files")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is of other shares."""
    text = config.getoption("--shard")
    if text is None:
        return
    try:
        shard = parse_shard(text)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
    names = {item.path: item.path.relative_to(ROOT).as_posix() for item in items if item.path.is_relative_to(ROOT)}
    chosen = choose_files(names.values(), read_table(TABLE), shard)
    config.hook.pytest_deselected(items=[item for item in items if names.get(item.path) not in chosen])
    items[:] = [item for item in items if names.get(item.path) in chosen]
