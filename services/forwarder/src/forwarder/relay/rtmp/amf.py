"""AMF 0 (Adobe's Action Message Format, 2007): what RTMP commands are written in."""

import struct
from collections.abc import Mapping, Sequence

from vonggac.net.errors import MalformedError

type AmfValue = float | bool | str | Mapping[str, "AmfValue"] | Sequence["AmfValue"] | None

_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL = 0, 1, 2, 3, 5
_REFERENCE, _END, _STRICT_ARRAY, _LONG_STRING = 7, 9, 10, 12
_MAX_DEPTH = 8
_MAX_VALUES = 1024


def encode(*values: AmfValue) -> bytes:
    """Encode the values one after the other, as a command or data message carries them."""
    return b"".join(map(_encode, values))


def decode(data: bytes) -> list[AmfValue]:
    """All values of a message. Raises MalformedError; bounded in depth and number."""
    reader = _Reader(data)
    values: list[AmfValue] = []
    while reader.left:
        values.append(reader.value(0))
    return values


def _encode(value: AmfValue) -> bytes:
    if value is None:
        return bytes([_NULL])
    if isinstance(value, bool):
        return bytes([_BOOLEAN, value])
    if isinstance(value, int | float):
        return struct.pack(">Bd", _NUMBER, value)
    if isinstance(value, str):
        text = value.encode()
        return struct.pack(">BH", _STRING, len(text)) + text if len(text) <= 0xFFFF else _long(text)
    if isinstance(value, Mapping):
        return bytes([_OBJECT]) + b"".join(_name(key) + _encode(item) for key, item in value.items()) + b"\0\0\x09"
    return struct.pack(">BI", _STRICT_ARRAY, len(value)) + b"".join(map(_encode, value))


def _long(text: bytes) -> bytes:
    return struct.pack(">BI", _LONG_STRING, len(text)) + text


def _name(key: str) -> bytes:
    text = key.encode()
    return struct.pack(">H", len(text)) + text


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._count = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def value(self, depth: int) -> AmfValue:
        self._count += 1
        if depth > _MAX_DEPTH or self._count > _MAX_VALUES:
            raise MalformedError("an AMF message is nested too deeply or holds too many values")
        kind = self._read_bytes(1)[0]
        match kind:
            case 0:
                return float(struct.unpack(">d", self._read_bytes(8))[0])
            case 1:
                return self._read_bytes(1)[0] != 0
            case 2:
                return self._text(2)
            case 12 | 15:
                return self._text(4)
            case 3:
                return self._members(depth)
            case 16:
                self._text(2)
                return self._members(depth)
            case 8:
                self._read_bytes(4)
                return self._members(depth)
            case 10:
                count = int.from_bytes(self._read_bytes(4))
                return [self.value(depth + 1) for _ in range(min(count, _MAX_VALUES))]
            case 11:
                return float(struct.unpack(">d2x", self._read_bytes(10))[0])
            case 5 | 6 | 7 | 13:
                self._read_bytes(2 if kind == _REFERENCE else 0)
                return None
        raise MalformedError(f"an AMF message holds a value of unknown type {kind}")

    def _members(self, depth: int) -> dict[str, AmfValue]:
        members: dict[str, AmfValue] = {}
        while self.left:
            key = self._text(2)
            if not key and self._data[self._at : self._at + 1] == bytes([_END]):
                self._at += 1
                break
            members[key] = self.value(depth + 1)
        return members

    def _text(self, width: int) -> str:
        return self._read_bytes(int.from_bytes(self._read_bytes(width))).decode("utf-8", "replace")

    def _read_bytes(self, count: int) -> bytes:
        if count > self.left:
            raise MalformedError("an AMF message is cut off")
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken
