"""One mock for all runs of a machine, which each begins with the same three shops in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from settlekit_mock import MockServer
from settlekit_mock.kernel.database import MEMORY_URL
from settlekit_mock.kernel.world import Image
from tests.machine.draws import START


class Opened(NamedTuple):
    """A mock, and the people who have shops there."""

    mock: MockServer
    owners: dict[str, str]
    """Whose shop it is, by merchant."""
    tokens: dict[str, str]
    """The token of each owner."""
    beginning: Image | None
    """What a run begins with; a database that isn't in memory is filled anew."""

    def set_back(self) -> None:
        """Make the mock what it was when it was opened: that takes a part of opening another."""
        if self.beginning is None:
            self.mock.reset()
            _open_shops(self.mock)
        else:
            self.mock.world.restore(self.beginning)


@contextmanager
def opened(url: str = MEMORY_URL) -> Iterator[Opened]:
    """Open a mock on a database, whatever is in it; at the end it is closed."""
    with MockServer(seed=7, freeze_at=START, db=url) as mock:
        if not mock.world.is_new:
            mock.reset()
        owners, tokens = _open_shops(mock)
        yield Opened(mock, owners, tokens, mock.world.image() if url == MEMORY_URL else None)


def _open_shops(mock: MockServer) -> tuple[dict[str, str], dict[str, str]]:
    own = mock.merchants.get("sandbox_merchant")
    both = ["JPY", "USD"]
    mine = own.merchant_account.merchant_user_id
    second = mock.merchants.create("second_shop", merchant_user_id=mine, allowed_currencies=both)
    other = mock.merchants.create("other_shop", allowed_currencies=both)
    shops = (own, second, other)
    tokens = {shop.merchant_account.merchant_user_id: shop.token for shop in shops}
    return {shop.merchant: shop.merchant_account.merchant_user_id for shop in shops}, tokens
