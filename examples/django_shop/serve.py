"""Run the shop: ``python examples/django_shop/serve.py``, then open the address it prints.

Without ``SIGLUME_MERCHANT_AUTH_TOKEN`` it brings a mock of the platform along, on the real
clock. With it, it sells through the platform that the ``SIGLUME_…`` variables name.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.shop_parts.account import Account, environment_of
from examples.shop_parts.serving import serve


@contextmanager
def open_shop(account: Account, database: Path) -> Iterator[Any]:
    """Make the site on a database file; its settings are the environment's."""
    os.environ |= environment_of(account) | {"SHOP_DATABASE": str(database)}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "examples.django_shop.settings")
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    call_command("migrate", verbosity=0)
    yield application


if __name__ == "__main__":
    sys.exit(serve(open_shop))
