"""Cursors: where a page ended, opaque to callers, stable while rows are added."""

import base64
import re
from hashlib import blake2b

from settlekit_mock.kernel.problems import Invalid

_SHAPE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_PLACE = re.compile(rb"\d{1,18}")


def write_cursor(listing: str, last: int) -> str:
    """Write the place behind row ``last`` of a listing (its name, owner and filters)."""
    place = b"%d" % last
    return _write(_check(listing, place) + place)


def read_cursor(listing: str, cursor: str | None) -> int | None:
    """Return the last row seen, ``None`` at the beginning.

    Raises ``Invalid`` for a cursor that is broken or belongs to another listing: another
    route, owner or filter.
    """
    if cursor is None:
        return None
    broken = Invalid("cursor: not a cursor of this list; begin again without one")
    if not _SHAPE.fullmatch(cursor):
        raise broken
    try:
        read = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError as error:
        raise broken from error
    check, place = read[:12], read[12:]
    if not _PLACE.fullmatch(place) or cursor != _write(check + place):
        raise broken
    if check != _check(listing, place):
        raise broken
    return int(place)


def _write(read: bytes) -> str:
    return base64.urlsafe_b64encode(read).decode().rstrip("=")


def _check(listing: str, place: bytes) -> bytes:
    return blake2b(place, key=blake2b(listing.encode()).digest()[:32], digest_size=12).digest()
