"""The console as whoever tests meets it in a browser."""

import json
from collections.abc import Iterator

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from settlekit_mock.driver import Driver
from tests.browser.conftest import Browser
from tests.settlekit_mock.cli.serving import START, Receiver, driving, eventually, served

pytestmark = pytest.mark.browser

SHOP = "sandbox_merchant"
BUYER = "sandbox_buyer"
VIEWS = ("Overview", "Batches", "Webhooks", "Ledger", "Journal")


class World:
    """A running mock, whoever drives it beside the browser, and the shop it tells."""

    def __init__(self, url: str, driver: Driver, shop: Receiver) -> None:
        self.url = url
        self.driver = driver
        self.shop = shop

    def pay(self, count: int = 40) -> None:
        self.driver.usage(BUYER, merchant=SHOP, amount_minor=100, currency="JPY", count=count)

    @property
    def now(self) -> str:
        return self.driver.clock.read().now

    @property
    def last_seq(self) -> int:
        return next(iter(self.driver.events(last=1))).seq


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with (
        Receiver() as shop,
        served("--freeze-at", START, "--webhook-url", shop.url) as server,
        driving(server.url) as driver,
    ):
        yield World(server.url, driver, shop)


@pytest.fixture
def world(running: World) -> World:
    """The running mock, begun anew for the test."""
    running.driver.reset()
    running.shop.clear()
    return running


@pytest.fixture
def console(browser: Browser, world: World) -> Iterator[Browser]:
    """A browser at the console; at the end it has found no defect in the page."""
    browser.visit(f"{world.url}/")
    browser.wait_for("Nothing is due.")
    yield browser
    assert browser.complaints == []


def go(console: Browser, view: str) -> None:
    console.press_shown(f"//nav/a[. = '{view}']")


def choose(console: Browser, label: str, text: str) -> None:
    path = f"//label[span = '{label}']/select"
    Select(console.chrome.find_element(By.XPATH, path)).select_by_visible_text(text)


@pytest.mark.parametrize("fragment", ["constructor", "__proto__", "%00", '"><img src=x>'])
def test_an_address_of_no_view_opens_the_first(
    browser: Browser, world: World, fragment: str
) -> None:
    """Whatever stands behind the #, names that every object has included, the page begins."""
    browser.visit(f"{world.url}/#{fragment}")
    browser.wait_for("Nothing is due.")
    browser.wait_for("The flow of money")
    assert browser.complaints == []


# -- the clock ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("button", "arrives", "shown"),
    [
        ("+ 1 hour", "2026-03-02T01:00:00.000Z", "Mon 2 Mar 2026, 01:00:00 UTC"),
        ("+ 1 week", "2026-03-09T00:00:00.000Z", "Mon 9 Mar 2026, 00:00:00 UTC"),
        ("+ 30 days", "2026-04-01T00:00:00.000Z", "Wed 1 Apr 2026, 00:00:00 UTC"),
    ],
)
def test_a_button_moves_the_clock(
    console: Browser, world: World, button: str, arrives: str, shown: str
) -> None:
    """The clock is where the button says, in the world and on the page."""
    console.click(button)
    console.wait_for("Nothing happened in")
    assert world.now == arrives
    assert shown in console.text


def test_to_what_is_due_next(console: Browser, world: World) -> None:
    """One press goes to the next thing that is due; without any it says so and stays."""
    for button in ("To what is due next", "Go"):
        console.press_shown(f"//button[. = '{button}']")
        console.wait_for("Nothing is due: make usage, or play a story.")
    assert world.now == "2026-03-02T00:00:00.000Z"
    world.pay()
    due = world.driver.clock.read().next_due_at
    console.wait_for("Something is due in")
    console.click("To what is due next")
    console.wait_for("on the way.")
    assert world.now == due


def test_until_something_happens(console: Browser, world: World) -> None:
    """The clock stops where the chosen thing has happened."""
    world.pay()
    console.wait_for("Something is due in")
    Select(console.chrome.find_element(By.ID, "until")).select_by_visible_text("a batch settles")
    console.press_shown("//button[. = 'Go']")
    console.wait_for("on the way.")
    (settled,) = world.driver.events(kind="batch.settled")
    assert world.now == settled.at


def test_freeze_and_let_run(console: Browser, world: World) -> None:
    """The clock runs by itself after one press, and stands after another."""
    console.click("Let it run")
    console.wait_for("runs by itself")
    assert world.driver.clock.read().mode == "real"
    console.press_shown("//button[. = 'Freeze']")
    console.wait_for("Let it run")
    assert world.driver.clock.read().mode == "frozen"


def test_begin_anew_asks_first(console: Browser, world: World) -> None:
    """A world is only thrown away by whoever says so twice."""
    world.pay()
    end = world.last_seq
    console.click("Begin anew…")
    console.press_shown("//dialog//button[. = 'Cancel']")
    assert world.last_seq == end
    console.press_shown("//button[. = 'Begin anew…']")
    console.press_shown("//dialog//button[. = 'Begin anew']")
    console.wait_for("A fresh world.")
    assert not list(world.driver.events(kind="payment.accepted"))


# -- the views ---------------------------------------------------------------------------


def test_where_the_money_is(console: Browser, world: World) -> None:
    """The overview shows what accrues, then what is settled, as the control routes tell it."""
    world.pay()
    console.wait_for("¥4,000")
    world.driver.clock.advance(until="batch.settled")
    console.wait_for("¥3,920")
    for summary in ("As a table",) * 2:
        console.press_shown(f"(//summary[. = '{summary}'])[not(../@open)][1]")
    for row in (
        "Metered payments Settled with a receipt ¥4,000",
        "Settled with a receipt Protocol fees ¥80",
    ):
        assert row in console.text
    pictures = console.chrome.find_elements(By.CSS_SELECTOR, "svg[role=img]")
    assert [picture.get_attribute("aria-label").split(",")[0] for picture in pictures] == [
        "Revenue by bucket over time",
        "The flow of money in JPY; the table below holds the same figures",
    ]
    choose(console, "Currency", "USD")
    console.wait_for("No money has moved or was promised in this currency.")


def test_a_story_is_played_from_the_page(console: Browser, world: World) -> None:
    """A fresh world offers its stories; one press plays one."""
    console.wait_for("past due then written off")
    console.press_shown("//li[contains(., 'past due then written off')]//button")
    console.wait_for("things happened until")
    go(console, "Batches")
    console.wait_for("28 attempts written off")
    (batch,) = world.driver.batches.all()
    assert batch.status == "written_off"


def test_a_batch_whole(console: Browser, world: World) -> None:
    """A batch on the time line opens: its facts, attempts, journal, and why its amount is so."""
    world.pay()
    go(console, "Batches")
    console.wait_for("¥4,000 so far")
    world.driver.clock.advance(until="batch.settled")
    console.press_shown("//button[contains(@class, 'label')][contains(., 'settled')]")
    (batch,) = world.driver.batches.all()
    console.wait_for(f"Batch {batch.settlement_batch_id}")
    for shown in (
        batch.chain_receipt_id,
        batch.usage_event_digest,
        "¥3,920",
        "Attempt 1: succeeded",
    ):
        assert shown is not None
        assert shown in console.text
    console.press_shown("//dialog//summary[. = 'Why this amount']")
    console.wait_for("¥4,000 ")
    console.press(Keys.ESCAPE)
    eventually(lambda: "Attempt 1" not in console.text)


def test_the_operator_gives_a_batch_up(console: Browser, world: World) -> None:
    """What may be done with a batch is offered there, and done."""
    world.driver.simulate.debit_failure(reason="INSUFFICIENT_BALANCE", times=28)
    world.pay()
    world.driver.clock.advance(until="batch.past_due")
    go(console, "Batches")
    console.press_shown("//button[contains(@class, 'label')][contains(., 'past due')]")
    console.press_shown("//dialog//button[. = 'Write off…']")
    console.wait_for("Reason, as statements will tell it")
    reason = console.chrome.find_element(By.ID, "reason")
    reason.clear()
    reason.send_keys("moved_away")
    console.press_shown("//dialog//button[. = 'Write off']")
    console.wait_for("The batch is written off.")
    (batch,) = world.driver.batches.all()
    assert (batch.status, batch.terminal_reason_code) == ("written_off", "moved_away")
    console.wait_for("Given up")
    assert not console.chrome.find_elements(By.XPATH, "//dialog//button[. = 'Write off…']")


def test_a_webhook_with_its_body_and_once_more(console: Browser, world: World) -> None:
    """A delivery shows the text that the shop got, and one press sends the same bytes again."""
    world.pay()
    world.driver.clock.advance(until="batch.settled")
    (got,) = world.shop.wait_for(1)
    go(console, "Webhooks")
    console.press_shown("//button[. = 'direct_payment.confirmed']")
    console.wait_for(got.event["id"])
    assert json.dumps(got.event["data"]["settlement_batch_id"]) in console.text
    console.press_shown("//summary[contains(., 'exact text')]")
    console.wait_for(got.body.decode())
    console.press_shown("//dialog//button[. = 'Deliver again']")
    console.wait_for("Delivered again: delivered, answered 200.")
    first, second = world.shop.wait_for(2)
    assert first.body == second.body


def test_a_long_number_is_shown_whole(console: Browser, world: World) -> None:
    """A body with a number that JavaScript would round is shown as it was written."""
    httpx.post(
        f"{world.url}/v1/market/webhooks/test-deliveries",
        json={"event_type": "direct_payment.confirmed", "data": {"whole": 2**63 - 1}},
        headers={"Authorization": "Bearer sandbox_merchant_token"},
        trust_env=False,
    ).raise_for_status()
    go(console, "Webhooks")
    console.press_shown("//button[. = 'direct_payment.confirmed']")
    console.wait_for('"whole":9223372036854775807')


def test_the_ledger_and_its_check(console: Browser, world: World) -> None:
    """Accounts show their entries with the balance before and after; the check tells a misstatement."""
    world.pay()
    world.driver.clock.advance(until="batch.settled")
    go(console, "Ledger")
    choose(console, "Accounts", "wallets")
    console.press_shown("//button[contains(., 'developer')]")
    console.wait_for("batch settled")
    (wallet,) = [
        each
        for each in world.driver.accounts.all(kind="wallet", currency="JPY")
        if each.owner_scope == "developer"
    ]
    (entry,) = world.driver.accounts.entries(wallet.account_id)
    assert f"{entry.subject} ¥3,920 ¥0 ¥3,920" in console.text
    console.press_shown("//dialog//button[. = 'Close']")
    console.press_shown("//button[. = 'Check every rule']")
    console.wait_for("rules hold")
    world.driver.simulate.ledger_mismatch(wallet_id=wallet.account_id, amount="1")
    console.press_shown("//button[. = 'Check every rule']")
    console.wait_for("broken:")
    assert wallet.account_id in console.text


def test_the_journal_from_its_end(console: Browser, world: World) -> None:
    """The newest entries come first; earlier ones are fetched, and a kind narrows them."""
    world.pay(count=150)
    go(console, "Journal")
    console.wait_for("Show earlier ones")
    newest = console.chrome.find_element(By.CSS_SELECTOR, "tbody tr td").text
    assert newest == str(world.last_seq)
    console.press_shown("//button[. = 'Show earlier ones']")
    console.wait_for("merchant.created")
    choose(console, "Kind", "period.opened")
    eventually(lambda: len(console.chrome.find_elements(By.CSS_SELECTOR, "tbody tr")) == 1)
    console.press_shown("//button[. = 'period.opened']")
    console.wait_for("Number")


def test_a_payment_tells_what_became_of_it(console: Browser, world: World) -> None:
    """A payment in the journal leads to its fate."""
    world.pay(count=1)
    go(console, "Journal")
    console.press_shown("//button[. = 'payment.accepted']")
    console.press_shown("//summary[contains(., 'became of this payment')]")
    console.wait_for("pending_settlement")


# -- how it behaves ----------------------------------------------------------------------


def test_what_happens_elsewhere_shows_by_itself(console: Browser, world: World) -> None:
    """A page that is left open follows the world: what others do, and a world begun anew."""
    go(console, "Journal")
    console.wait_for("merchant.created")
    world.driver.buyers.create(buyer_id="somebody-new")
    console.wait_for("somebody-new")
    world.driver.reset()
    console.wait_for("The world was begun anew")
    eventually(lambda: "somebody-new" not in console.text)


def test_looking_changes_nothing(console: Browser, world: World) -> None:
    """Every view is read without an entry in the journal."""
    world.driver.scenarios.play("weekly_micro_settles")
    end = world.last_seq
    for view in VIEWS:
        go(console, view)
        eventually(
            lambda: console.chrome.find_element(By.ID, "view").get_attribute("aria-busy") is None
        )
    assert world.last_seq == end


def test_what_the_world_says_stays_text(console: Browser, world: World) -> None:
    """A reason that looks like HTML is shown as it is, and never becomes part of the page."""
    reason = "<img src=x onerror=\"document.title='run'\">"
    world.driver.simulate.debit_failure(reason="INSUFFICIENT_BALANCE", times=28)
    world.pay()
    world.driver.clock.advance(until="batch.past_due")
    (batch,) = world.driver.batches.all()
    world.driver.batches.give_up(
        batch.settlement_batch_id, status="uncollectible", reason_code=reason
    )
    go(console, "Batches")
    console.press_shown("//button[contains(@class, 'label')][contains(., 'uncollectible')]")
    console.wait_for(reason)
    assert not console.chrome.find_elements(By.TAG_NAME, "img")
    assert "run" not in console.chrome.title


def test_by_keyboard_alone(console: Browser, world: World) -> None:
    """Whoever has no mouse reaches the clock, the views and a batch, and comes back."""
    world.driver.scenarios.play("weekly_micro_settles")
    console.press(Keys.TAB)
    assert console.focused == "To the content"
    for _ in range(2):
        console.press(Keys.TAB)
    assert console.focused == "+ 6 hours"
    before = world.now
    console.press(Keys.ENTER)
    console.wait_for("in 6 hours.")
    assert world.now > before
    for _ in range(20):
        console.press(Keys.TAB)
        if console.focused == "Batches":
            break
    console.press(Keys.ENTER)
    console.wait_for("1 attempt settled")
    for _ in range(20):
        console.press(Keys.TAB)
        if "1 attempt" in console.focused:
            break
    console.press(Keys.ENTER)
    console.wait_for("Attempt 1: succeeded")
    console.press(Keys.ESCAPE)
    eventually(lambda: "1 attempt" in console.focused)


@pytest.mark.parametrize("width", [320, 412, 1024])
def test_every_view_fits(console: Browser, world: World, width: int) -> None:
    """No view is wider than the screen, a phone's included."""
    world.driver.scenarios.play("past_due_then_written_off")
    console.be_wide(width)
    for view in VIEWS:
        go(console, view)
        eventually(
            lambda: console.chrome.find_element(By.ID, "view").get_attribute("aria-busy") is None
        )
        assert console.overflow <= 0, view


def test_a_control_token_is_asked_for(browser: Browser) -> None:
    """The page asks for a control token until it has the right one, and then shows the world."""
    token = "whoever-drives"
    with served("--freeze-at", START, "--control-token", token) as server:
        browser.visit(f"{server.url}/")
        for given in ("wrong", "w\u014frt", token):
            browser.wait_for("This server has a control token")
            field = browser.chrome.find_element(By.ID, "token")
            assert field.get_attribute("type") == "password"
            assert browser.chrome.switch_to.active_element == field
            field.clear()
            field.send_keys(given, Keys.ENTER)
            if given == "wrong":
                browser.wait_for("That isn't this server's token.")
        browser.wait_for("Nothing is due.")
        eventually(lambda: "control token" not in browser.text)


def test_a_server_that_is_gone_is_told(browser: Browser) -> None:
    """A page whose server ended says so instead of showing an old world as the present one."""
    with served("--freeze-at", START) as server:
        browser.visit(f"{server.url}/")
        browser.wait_for("Nothing is due.")
    browser.wait_for("The server doesn't answer; trying again.")
