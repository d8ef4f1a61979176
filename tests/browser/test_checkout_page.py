"""The hosted page as a person meets it in a browser."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Browser, Checkout

pytestmark = pytest.mark.browser

LONG = "w" * 60


def sign_in(browser: Browser, checkout: Checkout, **changes: object) -> str:
    """Open a session and sign the sandbox's buyer in to it; return the session's id."""
    session = checkout.open(**changes)
    browser.visit(session["checkout_url"])
    browser.click("sandbox_buyer")
    browser.wait_for("Approve")
    return str(session["session_id"])


def test_approve(browser: Browser, checkout: Checkout) -> None:
    """A buyer signs in, sees what is paid to whom and how, approves, and is back in the shop."""
    session = checkout.open()
    browser.visit(session["checkout_url"])
    assert "Who is paying?" in browser.text
    assert "¥1,200" in browser.text
    browser.click("sandbox_buyer")
    browser.wait_for("Approve ¥1,200")
    for shown in ("sandbox_merchant", "Standard · settles now", "¥1,000,000 in JPYC"):
        assert shown in browser.text
    browser.click("Approve")
    browser.wait_for("Welcome back")
    assert browser.chrome.current_url.startswith(f"{checkout.shop}/done?")
    assert browser.query == {"order": ["7"], "session_id": [session["session_id"]]}
    assert checkout.read(session["session_id"])["status"] == "paid"


@pytest.mark.parametrize(
    ("amount_minor", "band", "step"),
    [
        (100, "Micro · settles weekly", "added to your total of this week"),
        (20, "Nano · settles monthly", "added to your total of this month"),
    ],
)
def test_metered_bands(
    browser: Browser, checkout: Checkout, amount_minor: int, band: str, step: str
) -> None:
    """A metered amount says in which band it is, and that nothing leaves the wallet now."""
    sign_in(browser, checkout, amount_minor=amount_minor)
    for shown in (band, step, "Nothing leaves your wallet now"):
        assert shown in browser.text


def test_keyboard_alone(browser: Browser, checkout: Checkout) -> None:
    """Tab and Enter are enough: sign in, approve, and be back; the focus is where one expects."""
    session = checkout.open()
    browser.visit(session["checkout_url"])
    browser.press(Keys.TAB)
    assert browser.focused.endswith("sandbox_buyer")
    browser.press(Keys.ENTER)
    browser.wait_for("Approve")
    browser.press(Keys.TAB)
    assert browser.focused == "change"
    browser.press(Keys.TAB)
    assert browser.focused == "Approve ¥1,200"
    browser.press(Keys.ENTER)
    browser.wait_for("Welcome back")
    assert browser.query["session_id"] == [session["session_id"]]
    assert checkout.read(session["session_id"])["status"] == "paid"


def test_keyboard_focus_is_seen(browser: Browser, checkout: Checkout) -> None:
    """What has the keyboard's focus has an outline, so that one sees it."""
    browser.visit(checkout.open()["checkout_url"])
    browser.press(Keys.TAB)
    focused = browser.chrome.switch_to.active_element
    assert focused.value_of_css_property("outline-style") == "solid"
    assert focused.value_of_css_property("outline-width") == "3px"


def test_cancel(browser: Browser, checkout: Checkout) -> None:
    """Cancelled, the browser is back at the shop's cancel address and nothing was paid."""
    session_id = sign_in(browser, checkout)
    browser.click("Cancel payment")
    browser.wait_for("Welcome back")
    assert browser.chrome.current_url == f"{checkout.shop}/cart"
    assert checkout.read(session_id)["status"] == "cancelled"


def test_change_who_pays(browser: Browser, checkout: Checkout) -> None:
    """Somebody else can take the first buyer's place before the payment."""
    checkout.driver.buyers.create(buyer_id="second_buyer", balances={"JPYC": "2000"})
    session_id = sign_in(browser, checkout)
    browser.click("change")
    browser.wait_for("Who is paying?")
    browser.click("second_buyer")
    browser.wait_for("¥2,000 in JPYC")
    browser.click("Approve")
    browser.wait_for("Welcome back")
    assert checkout.read(session_id)["status"] == "paid"
    assert checkout.driver.buyers.get("second_buyer").balances.JPYC == "800"


def test_without_scripts(browser: Browser, checkout: Checkout) -> None:
    """The page needs no JavaScript: with scripts off it is signed in to and approved."""
    browser.run_no_scripts()
    browser.visit(f"{checkout.shop}/scripted")
    assert browser.chrome.title == "still"
    session_id = sign_in(browser, checkout)
    browser.click("Approve")
    browser.wait_for("Welcome back")
    assert browser.query["session_id"] == [session_id]
    assert checkout.read(session_id)["status"] == "paid"


def test_a_budget_that_is_too_small(browser: Browser, checkout: Checkout) -> None:
    """A payment beyond the budget is refused on the page, which stays where it is."""
    checkout.driver.buyers.update("sandbox_buyer", balances={"JPYC": "5"})
    session_id = sign_in(browser, checkout)
    browser.click("Approve")
    browser.wait_for("This doesn’t fit the budget")
    assert browser.path == f"/pay/{session_id}"
    assert checkout.read(session_id)["status"] == "authenticated"


def test_expired(browser: Browser, checkout: Checkout) -> None:
    """After 30 minutes the page says that it is over, and leads back to the shop."""
    session = checkout.open()
    browser.visit(session["checkout_url"])
    checkout.driver.clock.advance(by="PT30M")
    browser.click("sandbox_buyer")
    browser.wait_for("This checkout has expired")
    browser.click("Back to 127.0.0.1")
    browser.wait_for("Welcome back")
    assert browser.path == "/cart"
    assert checkout.read(session["session_id"])["status"] == "expired"


def test_back_button(browser: Browser, checkout: Checkout) -> None:
    """Who goes back from the shop and approves again has paid once; anew the page says so."""
    session_id = sign_in(browser, checkout)
    browser.click("Approve")
    browser.wait_for("Welcome back")
    browser.chrome.back()
    browser.wait_for("Approve")  # browsers keep the page as it was left
    browser.click("Approve")
    browser.wait_for("Welcome back")
    assert browser.query["session_id"] == [session_id]
    assert checkout.driver.buyers.get("sandbox_buyer").balances.JPYC == "998800"
    browser.visit(f"{checkout.url}/pay/{session_id}")
    assert "Payment approved" in browser.text


@pytest.mark.parametrize("width", [320, 360, 412])
def test_a_phones_width(browser: Browser, checkout: Checkout, width: int) -> None:
    """On a phone no page is wider than the screen, whatever its names and amounts."""
    checkout.driver.merchants.update("sandbox_merchant", display_name=f"Shop {LONG}")
    checkout.driver.buyers.create(buyer_id=LONG, balances={"JPYC": "90000000000"})
    browser.be_wide(width)
    session = checkout.open(amount_minor=92_233_720_368)
    browser.visit(session["checkout_url"])
    assert browser.overflow <= 0, "who pays"
    browser.click(LONG)
    browser.wait_for("Approve ¥92,233,720,368")
    assert browser.overflow <= 0, "review"
    browser.click("Approve")
    browser.wait_for("This doesn’t fit the budget")
    assert browser.overflow <= 0, "refused"
    checkout.driver.clock.advance(by="PT30M")
    browser.visit(session["checkout_url"])
    assert "expired" in browser.text
    assert browser.overflow <= 0, "expired"
    for number in range(9):
        checkout.driver.buyers.create(buyer_id=f"{LONG[:50]}-{number}")
    browser.visit(checkout.open("order-2")["checkout_url"])
    assert browser.overflow <= 0, "a list of buyers"
    browser.visit(f"{checkout.url}/pay/chk_unknown")
    assert "doesn’t exist" in browser.text
    assert browser.overflow <= 0, "unknown"


def test_targets_are_big_enough_for_a_thumb(browser: Browser, checkout: Checkout) -> None:
    """On a phone every button is at least 44 pixels high."""
    browser.be_wide(360)
    sign_in(browser, checkout)
    buttons = browser.chrome.find_elements("tag name", "button")
    assert len(buttons) == 2
    assert all(button.size["height"] >= 44 for button in buttons)
