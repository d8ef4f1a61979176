"""A person buys in a shop, pays on the hosted page, and comes back; once in each framework."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import Browser
from tests.examples.shops.opening import OPEN
from tests.examples.shops.shop import Shop, shop_in_a_process

pytestmark = pytest.mark.browser


@pytest.fixture(params=sorted(OPEN))
def open_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with shop_in_a_process(str(request.param), tmp_path / "shop.db") as made:
        yield made


def choose(browser: Browser, shop: Shop, name: str) -> None:
    """Find a product in the catalogue, press its button, and sign in on the hosted page."""
    browser.visit(shop.account.origin)
    browser.click(name)
    browser.wait_for("Buy for")
    browser.click("Buy for")
    browser.wait_for("Who is paying?")
    browser.click("sandbox_buyer")
    browser.wait_for("Approve")


def test_person_buys_and_comes_back(browser: Browser, open_shop: Shop) -> None:
    """An approved checkout leads back to the shop, which has the order paid by its webhook."""
    choose(browser, open_shop, "Piano album")
    browser.click("Approve")
    browser.wait_for("Paid. Your order is on its way.")
    assert browser.path == "/success"
    assert [order["status"] for order in open_shop.rows("orders")] == ["paid"]


def test_person_changes_their_mind(browser: Browser, open_shop: Shop) -> None:
    """A cancelled checkout leads back to an order that is open, and to the product's page."""
    choose(browser, open_shop, "Piano album")
    browser.click("Cancel")
    browser.wait_for("Nothing was charged.")
    browser.click("Back to Piano album")
    browser.wait_for("Buy for")
    assert [order["status"] for order in open_shop.rows("orders")] == ["open"]


def test_pages_fit_a_phone(browser: Browser, open_shop: Shop) -> None:
    """No page of the shop is wider than a phone, and its button is big enough for a thumb."""
    browser.be_wide(360)
    choose(browser, open_shop, "Score, page scan")
    browser.click("Approve")
    browser.wait_for("It goes on your next bill.")
    assert browser.overflow <= 0, "order"
    for path in ("/", "/revenue", "/nowhere", "/products/page-scan"):
        browser.visit(open_shop.account.origin + path)
        assert browser.overflow <= 0, path
    assert browser.chrome.find_element("tag name", "button").size["height"] >= 44
