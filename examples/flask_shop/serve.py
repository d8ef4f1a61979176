"""Run the shop: ``python examples/flask_shop/serve.py``, then open the address it prints.

Without ``SIGLUME_MERCHANT_AUTH_TOKEN`` it brings a mock of the platform along, on the real
clock. With it, it sells through the platform that the ``SIGLUME_…`` variables name.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.flask_shop.app import ShopSettings, create_app
from examples.flask_shop.serving import listening
from examples.flask_shop.store import Store
from settlekit import Client

WEBHOOK_PATH = "/webhooks/siglume"


def main() -> int:
    """Serve until interrupted; 2 with one line where the port or the settings won't do."""
    parser = argparse.ArgumentParser(description="A small shop that takes payments.")
    parser.add_argument("--port", type=int, default=3000, help="0 takes a free one")
    parser.add_argument("--database", default=":memory:", help="an SQLite file for the orders")
    options = parser.parse_args()
    try:
        with listening(options.port) as listener, _platform(listener.url) as platform:
            client, settings = platform
            listener.answer_with(create_app(client, settings, Store(options.database)))
            print(f"The shop is open on {listener.url} (stop: Ctrl-C)", flush=True)
            listener.wait()
    except KeyboardInterrupt:
        return 0
    except (OSError, KeyError, ValueError) as error:
        print(f"shop: {error}", file=sys.stderr)
        return 2
    return 0


@contextmanager
def _platform(origin: str) -> Iterator[tuple[Client, ShopSettings]]:
    if "SIGLUME_MERCHANT_AUTH_TOKEN" in os.environ:
        with Client(token=os.environ["SIGLUME_MERCHANT_AUTH_TOKEN"]) as client:
            yield client, settings_of_environment(origin)
    else:
        with _mock(origin) as found:
            yield found


def settings_of_environment(origin: str) -> ShopSettings:
    """Read what the merchant's account gave; raises KeyError naming what is missing."""
    return ShopSettings(
        merchant=os.environ["SIGLUME_DIRECT_PAYMENT_MERCHANT"],
        origin=os.environ.get("SHOP_PUBLIC_ORIGIN", origin),
        webhook_secret=os.environ["SIGLUME_WEBHOOK_SECRET"],
        challenge_secret=os.environ.get("SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"),
    )


@contextmanager
def _mock(origin: str) -> Iterator[tuple[Client, ShopSettings]]:
    from settlekit_mock import MockServer

    with ExitStack() as stack:
        mock = stack.enter_context(
            MockServer(freeze_at=None, origin=origin, webhook_url=origin + WEBHOOK_PATH)
        )
        url = stack.enter_context(mock.serve()).url
        client = stack.enter_context(Client(token=mock.token("merchant"), base_url=f"{url}/v1"))
        print(f"A mock of the platform is on {url}", flush=True)
        yield client, mock_settings(client, origin, mock.world.settings.webhook_secret)


def mock_settings(client: Client, origin: str, webhook_secret: str) -> ShopSettings:
    """Make the settings for a mock's merchant, with a challenge secret drawn for the shop."""
    merchant = "sandbox_merchant"
    path = f"/sdrp/direct-payments/merchants/{merchant}/challenge-secret/rotate"
    made = client.request("POST", path).data
    return ShopSettings(merchant, origin, webhook_secret, made["challenge_secret"])


if __name__ == "__main__":
    sys.exit(main())
