"""Challenges: a merchant's signed proof of amount and currency.

A one-time challenge is ``siglume-external-402-v1:<nonce>:<signature>``, the signature an
HMAC-SHA256 in hex over ``merchant:amount_minor:currency:nonce``. A recurring one has its
own scheme and signs the cadence too, so neither passes for the other. Everything is
brought to its normal form before it is signed; what has none raises InvalidArgument.
"""

import hashlib
import hmac
import json
import re
import uuid
from typing import Final

from settlekit.errors import InvalidArgument
from settlekit.money import check_amount_minor, check_currency

SCHEME: Final = "siglume-external-402-v1"
RECURRING_SCHEME: Final = "siglume-external-402-recurring-v1"
CADENCES: Final = ("monthly", "daily")

_MERCHANT = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)


def sign(
    *, secret: str, merchant: str, amount_minor: int, currency: str, nonce: str | None = None
) -> str:
    """Sign a one-time challenge; without a nonce a random one is drawn."""
    nonce = normalize_nonce(_draw_nonce() if nonce is None else nonce)
    material = f"{_terms(merchant, amount_minor, currency)}:{nonce}"
    return f"{SCHEME}:{nonce}:{_signature(secret, material)}"


def sign_recurring(
    *,
    secret: str,
    merchant: str,
    amount_minor: int,
    currency: str,
    cadence: str,
    nonce: str | None = None,
) -> str:
    """Sign a recurring challenge: monthly for subscriptions, daily for scheduled payments."""
    nonce = normalize_nonce(_draw_nonce() if nonce is None else nonce)
    terms = f"{_terms(merchant, amount_minor, currency)}:{normalize_cadence(cadence)}"
    return f"{RECURRING_SCHEME}:{nonce}:{_signature(secret, f'{terms}:{nonce}')}"


def verify(challenge: str, *, secret: str, merchant: str, amount_minor: int, currency: str) -> bool:
    """Say whether a one-time challenge was signed with this secret for these terms."""
    return _verify(SCHEME, challenge, secret, _terms(merchant, amount_minor, currency))


def verify_recurring(
    challenge: str, *, secret: str, merchant: str, amount_minor: int, currency: str, cadence: str
) -> bool:
    """Say whether a recurring challenge was signed with this secret for these terms."""
    terms = f"{_terms(merchant, amount_minor, currency)}:{normalize_cadence(cadence)}"
    return _verify(RECURRING_SCHEME, challenge, secret, terms)


def challenge_hash(challenge: str) -> str:
    """Return the public name of a challenge: ``sha256:`` and hex of its text."""
    return _sha256(_required(challenge, "challenge"))


def request_hash(*, merchant: str, amount_minor: int, currency: str, challenge: str) -> str:
    """Return version 1 of a request's hash: its fields joined with nothing."""
    amount = check_amount_minor(amount_minor)
    return _sha256(
        f"{normalize_merchant(merchant)}{amount}{normalize_currency(currency)}"
        f"{_required(challenge, 'challenge')}"
    )


def request_hash_v2(*, merchant: str, amount_minor: int, currency: str, challenge: str) -> str:
    """Return version 2 of a request's hash: its fields as compact JSON, keys sorted."""
    request = {
        "amount_minor": check_amount_minor(amount_minor),
        "challenge": _required(challenge, "challenge"),
        "currency": normalize_currency(currency),
        "merchant": normalize_merchant(merchant),
        "version": 2,
    }
    return _sha256(json.dumps(request, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def normalize_merchant(text: str) -> str:
    """Return a merchant key in its normal form: trimmed and lower case."""
    key = _required(text, "merchant")
    # A few letters outside ASCII fold into it: they must not become another's key.
    if not key.isascii() or not _MERCHANT.fullmatch(key.lower()):
        raise InvalidArgument(
            "merchant", "must be up to 96 letters, digits, dots, underscores or hyphens"
        )
    return key.lower()


def normalize_currency(text: str) -> str:
    """Return a currency in its normal form: trimmed and upper case."""
    return check_currency(text)


def normalize_nonce(text: str) -> str:
    """Return a nonce trimmed; it is not empty and has no colon."""
    nonce = _required(text, "nonce")
    if ":" in nonce:
        raise InvalidArgument("nonce", "must not contain a colon")
    return nonce


def normalize_cadence(text: str) -> str:
    """Return a cadence in its normal form: monthly or daily."""
    cadence = _required(text, "cadence").lower()
    if cadence not in CADENCES:
        raise InvalidArgument("cadence", "must be monthly or daily")
    return cadence


def _terms(merchant: str, amount_minor: int, currency: str) -> str:
    amount = check_amount_minor(amount_minor)
    return f"{normalize_merchant(merchant)}:{amount}:{normalize_currency(currency)}"


def _verify(scheme: str, challenge: str, secret: str, terms: str) -> bool:
    parts = _required(challenge, "challenge").split(":")
    if len(parts) != 3 or parts[0] != scheme or not _SIGNATURE.fullmatch(parts[2]):
        return False
    try:
        nonce = normalize_nonce(parts[1])
    except InvalidArgument:
        return False
    # A nonce signs in its normal form and travels in it: another spelling is a forgery.
    expected = _signature(secret, f"{terms}:{nonce}")
    return hmac.compare_digest(expected, parts[2]) and nonce == parts[1]


def _signature(secret: str, material: str) -> str:
    key = _required(secret, "secret").encode()
    return hmac.digest(key, material.encode(), "sha256").hex()


def _sha256(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _draw_nonce() -> str:
    return str(uuid.uuid4())


def _required(text: object, field: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise InvalidArgument(field, "is required")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(field, "must be valid Unicode") from None
    return text.strip()
