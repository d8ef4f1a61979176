"""What a merchant may set up: its key, its currencies, the origins it is returned to.

Source: docs/platform.md, "Merchants and checkout".
"""

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from settlekit.errors import InvalidArgument
from settlekit.money import TOKENS, check_currency
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.webhooks.rules import read_url

TERMS_VERSION: Final = "sdrp_standard_terms_v1"
ATTESTATION_VERSION: Final = "sdrp_standard_hosted_checkout_responsibility_v1"

_SELF_SERVICE_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{2,63}", re.ASCII)
_TOLD_AS: Final = {
    "attestation_version": "responsibility_attestation_version",
    "attested_at": "merchant_responsibility_attested",
    "mandate_cap_minor": "billing_mandate_cap_minor",
    "mandate_held": "mandate_status",
    "mandate_id": "mandate_status",
    "risk_receipt_id": "terms_accepted",
    "sandbox_confirmed_at": "sandbox_confirmed",
    "status": "registered",
    "terms_accepted_at": "terms_accepted",
    "user_wallet_id": "settlement_wallet",
}
"""What columns are called where they are set."""


@contextmanager
def refusing() -> Generator[None, None, None]:
    """Turn an argument that a primitive doesn't take into a refusal that names it."""
    try:
        yield
    except InvalidArgument as error:
        raise Invalid(f"{error.field}: {error.problem}") from error


def self_service_key(text: str) -> str:
    """Return a merchant key that a merchant may choose, trimmed and lower case."""
    key = text.strip()
    if not key.isascii() or _SELF_SERVICE_KEY.fullmatch(key.lower()) is None:
        raise Invalid("merchant: must be 3 to 64 letters, digits, underscores or hyphens")
    return key.lower()


def currency(text: str, field: str = "currency") -> str:
    """Return a currency in its normal form, or refuse the call naming the field."""
    with refusing():
        return check_currency(text, field)


def currencies(given: Sequence[str] | Mapping[str, str], billing: str) -> tuple[str, ...]:
    """Return the currencies of a list, or of a map to their tokens: the billing one, or both."""
    if not given:
        raise Invalid("allowed_currencies: name JPY, USD or both")
    found = {currency(name, "allowed_currencies") for name in given}
    if billing not in found:
        raise Invalid(f"allowed_currencies: must name {billing}, the billing currency")
    if isinstance(given, Mapping):
        for name, token in given.items():
            if token.strip().upper() != TOKENS[currency(name)]:
                raise Invalid(
                    f"allowed_currencies: {currency(name)} pairs with {TOKENS[currency(name)]}"
                )
    return tuple(sorted(found))


def origins(given: Iterable[str]) -> tuple[str, ...]:
    """Return origins in normal form, without repeats: lower case, no default port."""
    found: list[str] = []
    for text in given:
        url = read_url(text, "checkout_allowed_origins")
        if url.path not in ("", "/") or "?" in text or "#" in text:
            raise Invalid("checkout_allowed_origins: an origin has no path, query or fragment")
        found.append(url.origin)
    return tuple(dict.fromkeys(found))


def changed_fields(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Name the fields in which a merchant differs from what it was, as who sets them knows them."""
    changed = {name for name in after if after[name] != before[name]} - {"updated_at"}
    return sorted({_TOLD_AS.get(name, name) for name in changed})


def return_url(text: str, field: str, allowed: Iterable[str]) -> str:
    """Return an address to send a buyer back to; its origin must be an allowed one."""
    url = read_url(text, field)
    if url.origin not in allowed:
        raise Invalid(f"{field}: {url.origin} isn't among the merchant's checkout_allowed_origins")
    return url.text
