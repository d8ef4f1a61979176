"""Ids and secrets, drawn from the server's seed and a counter.

The same seed and the same calls give the same ids, so a run can be repeated to the byte.
An id grows with its counter, which keeps index inserts cheap, and ends in a keyed hash,
so nobody guesses the next one.
"""

from hashlib import blake2b


class Ids:
    """Draw ids for one transaction; ``next_number`` is written back when it commits."""

    __slots__ = ("_key", "next_number")

    def __init__(self, seed: int, next_number: int) -> None:
        self._key = seed_key(seed)
        self.next_number = next_number

    def new(self, prefix: str) -> str:
        """Draw an id: ``prefix_`` + counter in hex + eight hex digits of a keyed hash."""
        number = self.next_number
        self.next_number = number + 1
        tail = blake2b(b"%d" % number, key=self._key, digest_size=4).hexdigest()
        return f"{prefix}_{number:010x}{tail}"

    def secret(self, prefix: str) -> str:
        """Draw a secret of 160 bits behind a prefix."""
        number = self.next_number
        self.next_number = number + 1
        return f"{prefix}_{blake2b(b's%d' % number, key=self._key, digest_size=20).hexdigest()}"


def order_of(made_id: str) -> int:
    """Return an id's counter: of two ids, the one that was drawn later has the larger."""
    return int(made_id.rpartition("_")[2][:10], 16)


def seed_key(seed: int) -> bytes:
    """Turn the server's seed into the key of its hashes."""
    return blake2b(b"settlekit-mock:%d" % seed, digest_size=32).digest()
