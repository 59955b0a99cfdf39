"""Pictures in the order in which they are shown, from the order in which they were sent.

With B-frames and open groups a picture is sent before others that are shown before it. So what was received in a time
has holes at both ends: pictures shown late that had been sent before, and pictures shown early that are still to come.
"""

from collections.abc import Sequence
from itertools import pairwise


def shown_in_a_row(timestamps: Sequence[int], keyframe: int | None) -> list[int]:
    """The timestamps in the order in which pictures are shown, without the ends that may have holes.

    `timestamps`: one of each picture, in the order in which they were sent, without wrap. `keyframe`: the first place
    in them of a keyframe. Empty where pictures are sent out of order and no keyframe says where a row begins.
    """
    if all(earlier < later for earlier, later in pairwise(timestamps)):
        return list(timestamps)
    if keyframe is None:
        return []
    newest = [timestamps[keyframe]]
    for timestamp in timestamps[keyframe:]:
        if timestamp > newest[-1]:
            newest.append(timestamp)
    if len(newest) < 2:
        return []
    # What is shown after a keyframe is sent after it; and before the newest picture others may be to come.
    first, last = timestamps[keyframe], newest[-2]
    return sorted(timestamp for timestamp in timestamps[keyframe:] if first <= timestamp <= last)
