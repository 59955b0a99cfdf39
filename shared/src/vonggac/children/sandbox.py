"""A child that reads foreign bytes runs as its parent's user: before it reads, it gives up files, network and others.

Two layers, each enough by itself for files and TCP. Landlock allows to read the folders of the program's code, and
nothing else. The filter of system calls allows no socket, no program and no process; without Landlock it allows to open
no file either, so a child loads what it needs before. Where the kernel has neither, the child runs with its limits
alone, and its service says so (`sandbox_report`).
"""

import importlib
import pkgutil
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vonggac.children import landlock, seccomp

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")


@dataclass(frozen=True, slots=True)
class Layers:
    """Which of them there are: `landlock` its version, 0 for none."""

    landlock: int
    seccomp: bool


def find_layers() -> Layers:
    """Return what the kernel offers a child of this process."""
    return Layers(landlock.abi(), seccomp.is_available())


class _Own:
    """What this process has given up already."""

    landlock = 0


def give_up_files() -> None:
    """Let this process open the files of the program's code alone, for good, where the kernel has Landlock.

    Before anything foreign is loaded, while there is one thread: it holds for that one and those that it starts.
    """
    if not landlock.abi() or not _is_alone():
        return
    with suppress(OSError):
        seccomp.forbid_new_privileges()
        landlock.restrict(_code_folders())
        _Own.landlock = landlock.abi()


def confine(*packages: str) -> Layers:
    """Give up network, programs and other processes, for good; return the layers that hold.

    Before the first foreign byte, after the last import. Raises nothing: without a layer the child works all the same.
    `packages` load parts of themselves when they need them: where no file can be opened then, they are loaded whole
    before.
    """
    with suppress(OSError):
        seccomp.forbid_new_privileges()
        if not _Own.landlock:
            _load_whole(("encodings", *packages))
        seccomp.restrict(opens_files=_Own.landlock > 0)
        return Layers(_Own.landlock, seccomp=True)
    return Layers(_Own.landlock, seccomp=False)


def _load_whole(packages: Iterable[str]) -> None:
    for package in packages:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                with suppress(ImportError):
                    importlib.import_module(module.name)


def _code_folders() -> list[Path]:
    """Where the program and its libraries are; not the working folder, below which the state of `make run` is."""
    named = [*sys.path, *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))]
    here = Path.cwd()
    folders = {Path(name).resolve() for name in named if name}
    return [*(folder for folder in folders if not here.is_relative_to(folder)), *map(Path, _LIBRARIES)]


def _is_alone() -> bool:
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:
        return False
