"""The signature of a webhook: who sent these bytes, and when.

The header is ``Siglume-Signature: t=<unix seconds>,v1=<hex>``: an HMAC-SHA256 over the
timestamp, a dot and the raw body. While a secret is being rotated a sender adds a second
``v1``; any one that matches is enough. Only the raw bytes (or text) can be verified: a
parsed body no longer has the bytes that were signed.
"""

import hmac
import math
import re
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from settlekit.errors import InvalidArgument, PayloadError, SignatureError

SIGNATURE_HEADER: Final = "Siglume-Signature"
TOLERANCE_SECONDS: Final = 300
MAX_HEADER_LENGTH: Final = 4096

_TIMESTAMP = re.compile(r"[0-9]{1,15}", re.ASCII)
_USUAL = re.compile(r"t=([0-9]{1,15}),v1=([0-9a-f]{64})", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)


def sign(body: bytes | str, secret: str, *, timestamp: int) -> str:
    """Return the header that proves a body, for tests and senders."""
    return sign_all(body, [secret], timestamp=timestamp)


def sign_all(body: bytes | str, secrets: Sequence[str], *, timestamp: int) -> str:
    """Return a header with one ``v1`` for each secret, in the order given."""
    signed = b"%d.%b" % (timestamp, _raw(body))
    signatures = ",".join(f"v1={_signature(key, signed)}" for key in _keys(secrets))
    return f"t={timestamp},{signatures}"


def verify_signature(
    body: bytes | str,
    header: str | None,
    secrets: Sequence[str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: Callable[[], float] = time.time,
) -> None:
    """Raise SignatureError unless one of the secrets signed this body just now.

    The timestamp may differ by ``tolerance_seconds`` either way from ``now``. Raises
    PayloadError for text that isn't valid Unicode, TypeError for a body that was parsed, and
    InvalidArgument for a secret, header or tolerance that can't be one.
    """
    keys = _keys(secrets)
    if tolerance_seconds is not TOLERANCE_SECONDS:
        _check_tolerance(tolerance_seconds)
    raw = _raw(body)
    timestamp, signatures = read_header(header)
    if abs(now() - int(timestamp)) > tolerance_seconds:
        raise SignatureError("stale", "the signature's timestamp is outside the tolerance")
    signed = timestamp.encode() + b"." + raw
    for key in keys:
        expected = _signature(key, signed)
        for signature in signatures:
            if hmac.compare_digest(expected, signature):
                return
    raise SignatureError("mismatch", "no secret made this signature of this body")


def read_header(header: str | None) -> tuple[str, list[str]]:
    """Return the timestamp's text and the ``v1`` signatures of a header."""
    usual = _USUAL.fullmatch(header) if type(header) is str else None
    if usual:
        return usual[1], [usual[2]]
    if header is not None and not isinstance(cast(object, header), str):
        raise InvalidArgument("header", "must be text: decode a header's bytes as latin-1")
    if not header:
        raise SignatureError("missing", f"there is no {SIGNATURE_HEADER} header")
    timestamps: list[str] = []
    signatures: list[str] = []
    for item in header[:MAX_HEADER_LENGTH].split(","):
        name, _, value = item.strip(" \t").partition("=")
        if name == "t":
            timestamps.append(value)
        elif name == "v1" and _SIGNATURE.fullmatch(value):
            signatures.append(value)
    if len(timestamps) != 1 or not _TIMESTAMP.fullmatch(timestamps[0]):
        raise SignatureError("malformed", "the signature header has no single timestamp")
    if not signatures:
        raise SignatureError("malformed", "the signature header has no v1 signature")
    return timestamps[0], signatures


def _signature(key: hmac.HMAC, signed: bytes) -> str:
    made = key.copy()
    made.update(signed)
    return made.hexdigest()


def _raw(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, bytearray | memoryview):
        return bytes(cast(bytes, body))
    if not isinstance(body, str):
        raise TypeError(
            f"verify the raw body, bytes or str, not {type(body).__name__}: a parsed body isn't "
            "what was signed. Flask: request.get_data(); FastAPI: await request.body(); "
            "Django: request.body"
        )
    try:
        return body.encode()
    except UnicodeEncodeError:
        raise PayloadError("the body isn't valid Unicode") from None


def _keys(secrets: Sequence[str]) -> list[hmac.HMAC]:
    given: Any = secrets
    # The usual two first: to ask whether something is a Sequence takes longer than to sign.
    if not given or (type(given) not in (list, tuple) and not _is_sequence(given)):
        raise InvalidArgument("secrets", "must be a list of one secret or more")
    try:
        return [_key(secret) for secret in given]
    except TypeError:
        raise InvalidArgument("secrets", "must hold text") from None


def _is_sequence(given: object) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, (str, bytes))


# A service verifies with the same few secrets all its life.
@lru_cache(maxsize=64)
def _key(secret: str) -> hmac.HMAC:
    if not isinstance(cast(object, secret), str):
        raise TypeError
    try:
        key = secret.strip().encode()
    except UnicodeEncodeError:
        raise InvalidArgument("secrets", "must hold valid Unicode") from None
    if not key:
        raise InvalidArgument("secrets", "must not hold an empty secret")
    return hmac.new(key, digestmod="sha256")


def _check_tolerance(seconds: Any) -> None:
    # NaN is neither below nor above anything: with it nothing would ever be stale.
    if (
        type(seconds) is bool
        or not isinstance(seconds, (int, float))
        or not 0 <= seconds < math.inf
    ):
        raise InvalidArgument("tolerance_seconds", "must be a number of seconds, 0 or more")
