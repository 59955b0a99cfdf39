"""The payload of a NAL unit, bit by bit (H.264 §7.2 and §9.1, H.265 §7.2 and §9.2): for parameter sets and SEI."""

from vonggac.net.errors import MalformedError


class Bits:
    """Reads bits, most significant first; raises MalformedError after the end."""

    __slots__ = ("_length", "_pos", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._length = 8 * len(data)
        self._pos = 0

    def read_bits(self, count: int) -> int:
        """Read the next `count` bits as an unsigned number."""
        self._pos += count
        if self._pos > self._length:
            raise MalformedError("a parameter set or SEI is cut off")
        return self._value >> (self._length - self._pos) & ((1 << count) - 1)

    def flag(self) -> bool:
        return self.read_bits(1) == 1

    def ue(self) -> int:
        """Unsigned Exp-Golomb."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 32:
                raise MalformedError("a parameter set or SEI holds an impossible number")
        return (1 << zeros) - 1 + self.read_bits(zeros)

    def se(self) -> int:
        """Signed Exp-Golomb."""
        value = self.ue()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def unescape(data: bytes) -> bytes:
    """Without the emulation prevention bytes (00 00 03)."""
    out = bytearray()
    zeros = 0
    for byte in data:
        if zeros >= 2 and byte == 3:
            zeros = 0
            continue
        zeros = 0 if byte else zeros + 1
        out.append(byte)
    return bytes(out)
