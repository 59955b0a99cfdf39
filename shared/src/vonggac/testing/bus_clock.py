"""The wall clock of a running nats-server, shifted as if its host's were stepped; its steady clock runs on.

The server is a static Go program: nothing can be loaded before it, and a time namespace shifts steady clocks alone. But
Go reads the clock through a function of the kernel's vDSO, whose address stands in its data. That address is replaced
by the one of a few instructions of ours, which add seconds to CLOCK_REALTIME. They stand behind the program's own code,
in the last page of its mapping. Linux on x86-64 alone.
"""

import platform
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

_MACHINE = "x86_64"
_WORD = struct.Struct("<Q")
_SECONDS = struct.Struct("<q")
_CALL = bytes.fromhex("57 56 4883ec08 48b8")
"""push rdi; push rsi; sub rsp, 8; movabs rax, the function of the vDSO"""
_ADD = bytes.fromhex("ffd0 4883c408 5e 5f 85ff 750a 488b0d04000000 48010e c3")
"""call rax; add rsp, 8; pop rsi; pop rdi; test edi, edi; jnz ret; mov rcx, the seconds; add [rsi], rcx; ret"""
_LOADED, _EXECUTABLE, _DYNAMIC_SYMBOLS, _SYMBOL_BYTES = 1, 1, 11, 24


class UnshiftableError(Exception):
    """This process's clock cannot be shifted; the message says why."""


@dataclass(frozen=True, slots=True)
class _Mapping:
    start: int
    end: int
    rights: str
    name: str


class BusClock:
    """`shift` any number of times while the process `pid` lives. A new process needs a new one."""

    def __init__(self, pid: int) -> None:
        """Find the clock of the process. Raises UnshiftableError."""
        if sys.platform != "linux" or platform.machine() != _MACHINE:
            raise UnshiftableError(f"the clock of NATS can be shifted on Linux and {_MACHINE} alone")
        self._memory = Path(f"/proc/{pid}/mem")
        mappings = _mappings(Path(f"/proc/{pid}/maps").read_text("utf-8"))
        self._seconds = self._insert(mappings, self._find_clock(mappings))

    def shift(self, seconds: int) -> None:
        """From now on the wall clock of the process is so many seconds ahead, or behind if negative. 0: right."""
        self._write(self._seconds, _SECONDS.pack(seconds))

    def _find_clock(self, mappings: list[_Mapping]) -> int:
        """Return the address of the vDSO's clock_gettime."""
        vdso = next((one for one in mappings if one.name == "[vdso]"), None)
        if vdso is None:
            raise UnshiftableError("the process has no vDSO")
        return vdso.start + _symbol(self._read(vdso.start, vdso.end), b"__vdso_clock_gettime")

    def _insert(self, mappings: list[_Mapping], function: int) -> int:
        """Put our instructions between the program and the vDSO, once; return where their seconds stand."""
        program = mappings[0].name
        text = next(one for one in mappings if one.name == program and "x" in one.rights)
        code = _CALL + _WORD.pack(function) + _ADD
        entry = text.end - len(code) - _SECONDS.size & ~15
        if entry < text.start + _code_bytes(Path(program)):
            raise UnshiftableError("behind the program's code is no room")
        if self._read(entry, entry + len(code)) == code:
            return entry + len(code)
        end = text.end
        for one in mappings:
            if one.start != end:
                continue
            end = one.end
            at = self._read(one.start, one.end).find(_WORD.pack(function)) if "w" in one.rights else -1
            if at >= 0:
                self._write(entry, code + _SECONDS.pack(0))
                self._write(one.start + at, _WORD.pack(entry))
                return entry + len(code)
        raise UnshiftableError("the program does not read the clock through the vDSO")

    def _read(self, start: int, end: int) -> bytes:
        with self._memory.open("rb") as memory:
            memory.seek(start)
            return memory.read(end - start)

    def _write(self, at: int, data: bytes) -> None:
        with self._memory.open("r+b", buffering=0) as memory:
            memory.seek(at)
            memory.write(data)


def _mappings(text: str) -> list[_Mapping]:
    found = []
    for line in text.splitlines():
        span, rights, _, _, _, *name = line.split(maxsplit=5)
        start, end = (int(part, 16) for part in span.split("-"))
        found.append(_Mapping(start, end, rights, name[0].strip() if name else ""))
    return found


def _code_bytes(program: Path) -> int:
    """Bytes of the program's code, by the headers of its ELF file."""
    with program.open("rb") as file:
        head = file.read(4096)
    (at,), (size, count) = struct.unpack_from("<Q", head, 32), struct.unpack_from("<HH", head, 54)
    for number in range(count):
        kind, flags, _, _, _, length = struct.unpack_from("<IIQQQQ", head, at + number * size)
        if kind == _LOADED and flags & _EXECUTABLE:
            return int(length)
    raise UnshiftableError("the program's code was not found")


def _symbol(image: bytes, name: bytes) -> int:
    """Return the offset of a dynamic symbol in an ELF image that stands in memory as in its file."""
    (at,), (size, count) = struct.unpack_from("<Q", image, 40), struct.unpack_from("<HH", image, 58)
    sections = [struct.unpack_from("<IIQQQQII", image, at + number * size) for number in range(count)]
    for _, kind, _, _, offset, length, link, _ in sections:
        if kind != _DYNAMIC_SYMBOLS:
            continue
        names = sections[link][4]
        for symbol in range(offset, offset + length, _SYMBOL_BYTES):
            (where,), (value,) = struct.unpack_from("<I", image, symbol), struct.unpack_from("<Q", image, symbol + 8)
            if image[names + where : image.index(b"\0", names + where)] == name:
                return int(value)
    raise UnshiftableError(f"the vDSO has no {name.decode()}")
