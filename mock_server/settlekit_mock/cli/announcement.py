"""What a server says when it listens: its address, and the environment a shop needs."""

import json
import shlex

from settlekit_mock import seeding
from settlekit_mock.cli.remote import TOKEN_VARIABLE, URL_VARIABLE
from settlekit_mock.http.tables import find_token
from settlekit_mock.kernel.world import World
from settlekit_mock.payments.tables import Merchant, merchants_of
from settlekit_mock.webhooks.tables import Subscription, subscriptions_of


def environment(world: World, url: str) -> dict[str, str]:
    """Return the variables by which a shop talks to a server, as its database has them.

    The caller is the merchant: a buyer's token among them would be the one that clients take first.
    """
    public = world.public_url or url
    base = f"{public}/v1"
    found = {
        "SIGLUME_ENV": "sandbox",
        "SIGLUME_SANDBOX_API_BASE": base,
        "SIGLUME_API_BASE": base,
        "SIGLUME_MERCHANT_AUTH_TOKEN": seeding.MERCHANT_TOKEN,
    }
    merchant, endpoint = _merchant(world)
    if merchant is not None:
        found["SIGLUME_DIRECT_PAYMENT_MERCHANT"] = merchant.merchant
        found["SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"] = merchant.challenge_secret
        found["SHOP_PUBLIC_ORIGIN"] = next(iter(merchant.origins), world.settings.origin)
    found["SIGLUME_WEBHOOK_SECRET"] = world.settings.webhook_secret
    if endpoint is not None:
        found["SIGLUME_WEBHOOK_SECRET"] = endpoint.signing_secret
        found["SHOP_WEBHOOK_URL"] = endpoint.callback_url
    found[URL_VARIABLE] = public
    if world.settings.control_token is not None:
        found[TOKEN_VARIABLE] = world.settings.control_token
    return found


def _merchant(world: World) -> tuple[Merchant | None, Subscription | None]:
    with world.snapshot() as connection:
        token = find_token(connection, seeding.MERCHANT_TOKEN)
        owner = "" if token is None else token[1]
        active = [one for one in subscriptions_of(connection, owner) if one.status == "active"]
        return next(iter(merchants_of(connection, owner)), None), next(iter(active), None)


def announce(world: World, url: str, *, as_json: bool) -> None:
    """Print it, as text or as one line of JSON; ``url`` is where the server listens."""
    variables = environment(world, url)
    tokens = {
        "merchant": seeding.MERCHANT_TOKEN,
        "provider": seeding.PROVIDER_TOKEN,
        "buyer": seeding.BUYER_TOKEN,
        "admin": world.settings.admin_token,
    }
    secret = world.settings.admin_secret
    if as_json:
        told = {"url": url, "env": variables, "tokens": tokens, "admin_secret": secret}
        print(json.dumps(told), flush=True)
        return
    print(
        f"settlekit mock server on {url}  (look at it in a browser; routes: {url}/openapi.json; stop: Ctrl-C)\n"
    )
    print("A shop needs, and the commands take (paste it into a shell):")
    for name, value in variables.items():
        print(f"  export {name}={shlex.quote(value)}")
    print("\nTokens by role:")
    for role, token in tokens.items():
        print(f"  {role:<9} {token}")
    print(f"  X-Admin-Secret: {secret}", flush=True)
