"""Whether a stream's marker bit ends a picture.

RFC 6184 §5.1 and RFC 7798 §4.1 set it on the last packet of an access unit. Some cameras set it on every packet, others
on the last packet of every slice: then a picture of two slices seems to end in its middle.
"""

from vonggac.media.h26x import Part, VideoCodec, goes_on, part_of


class MarkerBit:
    """What is known of one stream's markers. Give it every packet of a picture, in order.

    The packet after a marker decides: another timestamp proves it right, a later slice of the same one proves it wrong,
    for the rest of the stream.
    """

    __slots__ = ("_at", "_believed", "_codec", "_wrong")

    def __init__(self, codec: VideoCodec, *, believed: bool = False) -> None:
        """`believed`: as long as nothing speaks against it; otherwise a marker waits for the packet after it."""
        self._codec, self._believed = codec, believed
        self._at: int | None = None
        self._wrong = False

    @property
    def is_open(self) -> bool:
        """Whether the last packet had a marker, and the next one shows whether that ended its picture."""
        return self._at is not None

    def goes_on_with(self, payload: bytes | memoryview, timestamp: int) -> bool:
        """Whether this packet goes on with the picture that a marker seemed to end. Call before `ends_picture`."""
        at, self._at = self._at, None
        if at is None:
            return False
        if timestamp == at and part_of(self._codec, payload) is Part.REST:
            self._wrong = True
            return True
        self._believed = True
        return False

    def ends_picture(self, payload: bytes | memoryview, timestamp: int, *, marker: bool) -> bool:
        """Whether this packet is the last one of its picture, as far as its marker can be believed."""
        if not marker or self._wrong:
            return False
        if goes_on(self._codec, payload):
            # The rest of a fragmented unit must follow.
            self._wrong = True
            return False
        if part_of(self._codec, payload) is Part.LEAD:
            # Parameter sets that end with a marker belong to the next picture: they say nothing of pictures.
            return True
        self._at = timestamp
        return self._believed

    def forget_place(self) -> None:
        """Packets are left out from here on."""
        self._at = None
