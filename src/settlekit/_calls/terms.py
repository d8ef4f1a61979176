"""The words of payments, checked before anything is sent: keys, plans, challenges, bearers."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from settlekit._calls import arguments
from settlekit.challenge import RECURRING_SCHEME, SCHEME
from settlekit.errors import InvalidArgument
from settlekit.money import TOKENS, check_currency

PLANS: Final = ("launch", "free", "starter", "growth", "pro")
MAX_KEY: Final = 128

_SELF_SERVICE_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{2,63}", re.ASCII)
_BEARER = re.compile(r"[\x21-\x7e]+", re.ASCII)


def merchant_key(value: str) -> str:
    """Return a key that a merchant chose itself, trimmed and lower case."""
    key = arguments.required(value, "merchant")
    # A few letters outside ASCII fold into it: they must not become another's key.
    if not key.isascii() or not _SELF_SERVICE_KEY.fullmatch(key.lower()):
        raise InvalidArgument("merchant", "must be 3 to 64 letters, digits, underscores or hyphens")
    return key.lower()


def billing_plan(value: str) -> str:
    """Return a plan's name, lower case."""
    plan = arguments.required(value, "billing_plan").lower()
    if plan not in PLANS:
        raise InvalidArgument("billing_plan", "must be launch, starter, growth or pro")
    return plan


def allowed_currencies(value: Mapping[str, str] | Sequence[str] | None) -> dict[str, str] | None:
    """Return currencies with their tokens, from a list or such a mapping."""
    field = "allowed_currencies"
    if value is None:
        return None
    if not value or not (isinstance(value, Mapping) or arguments.is_list(value)):
        raise InvalidArgument(field, "must name JPY, USD or both")
    named = value.items() if isinstance(value, Mapping) else [(name, None) for name in value]
    found = {check_currency(name, field): token for name, token in named}
    for name, token in found.items():
        if token is not None and arguments.required(token, field).upper() != TOKENS[name]:
            raise InvalidArgument(field, f"must pair {name} with {TOKENS[name]}")
    return {name: TOKENS[name] for name in found}


def one_time_challenge(value: str) -> str:
    """Return a challenge that asks for one payment."""
    return _challenge(value, RECURRING_SCHEME, "must be a one-time challenge, not a recurring one")


def recurring_challenge(value: str) -> str:
    """Return a challenge that asks for payments that recur."""
    return _challenge(value, SCHEME, "must be a recurring challenge, not a one-time one")


def _challenge(value: str, other_scheme: str, problem: str) -> str:
    # A scheme of a newer platform is for the server to judge; the other known one never passes.
    challenge = arguments.required(value, "challenge")
    if challenge.startswith(f"{other_scheme}:"):
        raise InvalidArgument("challenge", problem)
    return challenge


def bearer(value: str, field: str) -> str:
    """Return a token that can travel as the bearer of a call."""
    text = arguments.required(value, field)
    if not _BEARER.fullmatch(text):
        raise InvalidArgument(field, "must be visible ASCII text")
    if text.startswith("cli_"):
        raise InvalidArgument(field, "must not be a command's own token, which starts with cli_")
    return text


def idempotency_key(value: str | None, field: str = "idempotency_key") -> str:
    """Return the key of one logical call, drawn where none is given."""
    return str(uuid.uuid4()) if value is None else str(arguments.bounded(value, field, MAX_KEY))
