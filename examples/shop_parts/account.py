"""The shop's account with the platform: from the environment, or a mock's that is brought along."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settlekit_mock import MockServer

WEBHOOK_PATH = "/webhooks/siglume"
MERCHANT = "sandbox_merchant"


@dataclass(frozen=True, slots=True)
class Account:
    """What the shop has from its merchant account; ``origin`` is where browsers reach the shop."""

    merchant: str
    origin: str
    token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    challenge_secret: str | None = field(default=None, repr=False)
    api_base: str | None = None
    """Where the API is; None reads the environment, as the clients do."""
    lease_seconds: float = 10.0
    """How long a delivery whose process died keeps its event from the next one."""


@contextmanager
def account_for(origin: str) -> Iterator[Account]:
    """Give the environment's account; where there is no token, that of a mock, brought along."""
    if "SIGLUME_MERCHANT_AUTH_TOKEN" in os.environ:
        yield account_of_environment(origin)
    else:
        with _mock(origin) as account:
            yield account


def account_of_environment(origin: str) -> Account:
    """Read what the merchant's account gave; raises KeyError naming what is missing."""
    return Account(
        merchant=os.environ["SIGLUME_DIRECT_PAYMENT_MERCHANT"],
        origin=os.environ.get("SHOP_PUBLIC_ORIGIN", origin),
        token=os.environ["SIGLUME_MERCHANT_AUTH_TOKEN"],
        webhook_secret=os.environ["SIGLUME_WEBHOOK_SECRET"],
        challenge_secret=os.environ.get("SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"),
        lease_seconds=float(os.environ.get("SHOP_LEASE_SECONDS", "10")),
    )


def environment_of(account: Account) -> dict[str, str]:
    """Return the variables from which ``account_of_environment`` reads an account again."""
    found = {
        "SIGLUME_DIRECT_PAYMENT_MERCHANT": account.merchant,
        "SHOP_PUBLIC_ORIGIN": account.origin,
        "SIGLUME_MERCHANT_AUTH_TOKEN": account.token,
        "SIGLUME_WEBHOOK_SECRET": account.webhook_secret,
        "SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET": account.challenge_secret,
        "SIGLUME_API_BASE": account.api_base,
        "SHOP_LEASE_SECONDS": str(account.lease_seconds),
    }
    return {name: value for name, value in found.items() if value is not None}


@contextmanager
def _mock(origin: str) -> Iterator[Account]:
    from settlekit_mock import MockServer

    with (
        MockServer(freeze_at=None, origin=origin, webhook_url=origin + WEBHOOK_PATH) as mock,
        mock.serve() as server,
    ):
        print(f"A mock of the platform is on {server.url}", flush=True)
        yield account_of_mock(mock, origin, f"{server.url}/v1")


def account_of_mock(mock: "MockServer", origin: str, api_base: str | None = None) -> Account:
    """Make the account of a mock's merchant, with a challenge secret drawn for the shop."""
    with mock.client("merchant") as client:
        drawn = client.merchants.rotate_challenge_secret(MERCHANT)
    return Account(
        merchant=MERCHANT,
        origin=origin,
        token=mock.token("merchant"),
        webhook_secret=mock.world.settings.webhook_secret,
        challenge_secret=drawn.challenge_secret,
        api_base=api_base,
    )
