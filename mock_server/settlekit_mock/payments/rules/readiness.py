"""Whether a merchant is ready for hosted checkout: named checks, all of which must pass.

Source: docs/platform.md, "Merchants and checkout".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Facts(NamedTuple):
    """What the checks look at. ``has_webhook``: an https address, or one on loopback."""

    registered: bool
    has_wallet: bool
    mandate_active: bool
    has_webhook: bool
    terms_accepted: bool
    sandbox_confirmed: bool
    responsibility_attested: bool
    live_mode_requested: bool


class Check(NamedTuple):
    """One requirement, and what to do where it isn't met."""

    name: str
    passed: bool
    message: str


class Readiness(NamedTuple):
    """The checks, and what is missing."""

    checks: tuple[Check, ...]
    missing: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether hosted checkout may be used."""
        return not self.missing


STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "registration": "Set the merchant up: POST /v1/sdrp/direct-payments/merchants.",
        "settlement_wallet": "Connect a settlement wallet to the account.",
        "active_mandate": "Prepare the billing mandate and have it approved: "
        "POST /v1/sdrp/direct-payments/merchants/{merchant}/billing-mandate.",
        "https_webhook": "Give webhook_callback_url, or subscribe an address: "
        "POST /v1/market/webhooks/subscriptions.",
        "terms": "Accept the standard terms: standard_terms_accepted.",
        "sandbox_confirmation": "Confirm a payment in the sandbox, then send sandbox_confirmed.",
        "responsibility_attestation": "Attest the merchant's responsibility: "
        "merchant_responsibility_attested.",
        "live_mode": "Ask for live mode: live_mode_requested.",
    }
)
"""What to do about each missing requirement."""

BILLING_BLOCKERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "setup_required": "EXTERNAL_402_MERCHANT_BILLING_SETUP_REQUIRED",
        "past_due": "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE",
        "suspended": "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED",
    }
)
"""Billing states in which no payment is taken, with the code that says so."""


def readiness(facts: Facts) -> Readiness:
    """Check every requirement; the order is that in which a merchant meets them."""
    passed = {
        "registration": facts.registered,
        "settlement_wallet": facts.has_wallet,
        "active_mandate": facts.mandate_active,
        "https_webhook": facts.has_webhook,
        "terms": facts.terms_accepted,
        "sandbox_confirmation": facts.sandbox_confirmed,
        "responsibility_attestation": facts.responsibility_attested,
        "live_mode": facts.live_mode_requested,
    }
    checks = tuple(Check(name, passed[name], STEPS[name]) for name in STEPS)
    return Readiness(checks, tuple(check.name for check in checks if not check.passed))
