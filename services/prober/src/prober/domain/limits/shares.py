"""How many of a network's places each prober has: all together never more than there are."""

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=8192)
def places_of(network: str, worker_id: str, members: frozenset[str], places: int) -> int:
    """Compute the places of `worker_id` at a network when `members` probe; over all members they sum up to `places`.

    Everybody computes the same: what does not divide goes to those whose hash with the network comes first, so that no
    prober has the odd places of every network. Of more members than places some have none.
    """
    if worker_id not in members:
        return 0
    each, left = divmod(places, len(members))
    ranked = sorted(members, key=lambda member: blake2b(f"{network}\0{member}".encode(), digest_size=8).digest())
    return each + (ranked.index(worker_id) < left)
