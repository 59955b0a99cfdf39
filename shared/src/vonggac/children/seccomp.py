"""A filter of system calls: what a child that computes needs is allowed, everything else is refused, for good.

No socket is opened or connected, nothing executed, no process made, traced or signalled but the child itself. A call
that is not in the tables does not exist (ENOSYS), so that a library of tomorrow takes the older one.
"""

import ctypes
import errno
import os
import struct
from contextlib import suppress

from vonggac.children.syscalls import ALLOWED, OPENING, REFUSED, Architecture, this_architecture

_PR_GET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 21, 38
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_SECCOMP_BY_AUDIT = {0xC000003E: 317, 0xC00000B7: 277}
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
_CLONE_THREAD = 0x10000
_SET_NAME, _GET_NAME = 15, 16
_F_DUPFD_TO_SETFL, _F_DUPFD_CLOEXEC = (0, 1, 2, 3, 4), 1030
"""The commands from F_DUPFD to F_SETFL: F_SETOWN would have the kernel signal another process."""
_TERMINAL_AND_BLOCKING = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: TIOCSTI would type into the terminal of who started us."""

_libc = ctypes.CDLL(None, use_errno=True)

type Instruction = tuple[int, int, int, int]
"""Code, jumps when true and false, constant."""


def is_available() -> bool:
    """Whether the kernel filters for this process, and the machine has a table."""
    with suppress(OSError):
        return this_architecture() is not None and _libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0
    return False


def forbid_new_privileges() -> None:
    """No program that this process starts gains any: the kernel asks for it before both layers. Raises OSError."""
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")


def restrict(*, opens_files: bool) -> None:
    """Filter the calls of all threads. `opens_files`: something else says which ones. Raises OSError."""
    architecture = this_architecture()
    if architecture is None:
        raise OSError(errno.ENOSYS, "no table of system calls for this machine")
    code = b"".join(struct.pack("=HBBI", *one) for one in program(architecture, os.getpid(), opens_files=opens_files))
    kept = ctypes.create_string_buffer(code, len(code))
    described = struct.pack("@HP", len(code) // 8, ctypes.addressof(kept))
    number = _SECCOMP_BY_AUDIT[architecture.audit]
    if _libc.syscall(number, _SET_MODE_FILTER, _ALL_THREADS, described) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def program(architecture: Architecture, process_id: int, *, opens_files: bool) -> list[Instruction]:
    """Return the filter for the process `process_id`."""
    numbers = architecture.numbers
    refused = _refuse(errno.EPERM)
    made: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for name in (*ALLOWED, *(OPENING if opens_files else ())):
        if name in numbers:
            made += [(_EQUAL, 0, 1, numbers[name]), (_RETURN, 0, 0, _ALLOW)]
    by_argument = {
        "clone": _allow_where(_FIRST_ARGUMENT, (_CLONE_THREAD,), test=_ANY_BIT),
        "kill": _allow_where(_FIRST_ARGUMENT, (process_id,)),
        "tgkill": _allow_where(_FIRST_ARGUMENT, (process_id,)),
        "prlimit64": _allow_where(_FIRST_ARGUMENT, (0, process_id)),
        "prctl": _allow_where(_FIRST_ARGUMENT, (_SET_NAME, _GET_NAME)),
        "fcntl": _allow_where(_SECOND_ARGUMENT, (*_F_DUPFD_TO_SETFL, _F_DUPFD_CLOEXEC)),
        "ioctl": _allow_where(_SECOND_ARGUMENT, _TERMINAL_AND_BLOCKING),
    }
    for name, checks in by_argument.items():
        made += [(_EQUAL, 0, len(checks), numbers[name]), *checks]
    for name in (*REFUSED, *(() if opens_files else OPENING)):
        if name in numbers:
            made += [(_EQUAL, 0, 1, numbers[name]), refused]
    return [*made, _refuse(errno.ENOSYS)]


def _allow_where(argument: int, values: tuple[int, ...], *, test: int = _EQUAL) -> list[Instruction]:
    """Allow where the lower half of an argument is one of the values, else refuse."""
    made: list[Instruction] = [(_LOAD, 0, 0, argument)]
    for value in values:
        made += [(test, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
    return [*made, _refuse(errno.EPERM)]


def _refuse(code: int) -> Instruction:
    return (_RETURN, 0, 0, 0x00050000 | code)
