"""Many numbers of four bytes in one array of bytes: weights and beginnings of hashes, found at the speed of C."""

WORD = 4


def word_of(digest: str) -> bytes:
    """Take the beginning of a hash; never zeros, which stand for a keyframe that was not hashed."""
    word = bytes.fromhex(digest[: 2 * WORD])
    return word if any(word) else b"\0\0\0\x01"


def weight_word(octets: int, head: int) -> bytes:
    """Join a keyframe's weight and how its picture begins in one word; `head`: as of `ComparedKeyframe`."""
    return ((octets ^ head) & 0xFFFFFFFF).to_bytes(WORD, "big")


def slice_word(words: bytearray, place: int) -> bytes:
    return bytes(words[place * WORD : (place + 1) * WORD])


def find_word(words: bytearray, word: bytes, *, last: int | None = None) -> int:
    """Find the newest place of `word` before `last`; -1 without one."""
    end = len(words) if last is None else last * WORD
    while (end := words.rfind(word, 0, end)) >= 0:
        if end % WORD == 0:
            return end // WORD
        end += WORD - 1
    return -1
