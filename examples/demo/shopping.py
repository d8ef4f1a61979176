"""The month passes: every order is placed at its time, on the page or by an agent."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from examples.demo.browser import form_with_button, form_with_field, submit
from examples.demo.orders import Month, Order
from examples.demo.stage import Stage
from examples.shop_parts.account import MERCHANT
from settlekit.money import TOKENS
from settlekit_mock.driver import ControlError

CAPABILITY_KEY = "sheet-music-api"


class Stuck(Exception):
    """The story can't go on: what was expected, and what came instead."""


@dataclass(slots=True)
class Outcome:
    """What became of the orders, by order number."""

    accepted: list[Order] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """The code of each refusal."""
    approved_on_page: int = 0
    confirmed_in_sandbox: int = 0
    used_by_agents: int = 0
    know_the_page: set[str] = field(default_factory=set)
    first_on_page: Order | None = None

    def note(self, order: Order, refusal: str | None) -> None:
        """Note how an order went."""
        if refusal is None:
            self.accepted.append(order)
        else:
            self.refused[order.order_id] = refusal


def move_in(stage: Stage, month: Month) -> None:
    """Make each customer a buyer, who lives where they live and has what the month will cost."""
    for name in month.customers:
        funds = dict.fromkeys(TOKENS.values(), 0)
        for order in month.orders:
            if order.customer == name:
                funds[TOKENS[order.currency]] += order.amount_minor
        texts = {token: str(amount) for token, amount in funds.items()}
        options: dict[str, Any] = {
            "timezone": month.timezones[name],
            "balances": texts,
            "allowances": texts,
        }
        stage.buyer_ids[name] = _buyer(stage, name, options)


def _buyer(stage: Stage, name: str, options: dict[str, Any]) -> str:
    try:
        return stage.control.buyers.create(buyer_id=name, **options).buyer_id
    except ControlError:  # a name that is no id, or is taken: the mock draws one
        return stage.control.buyers.create(**options).buyer_id


def shop_the_month(stage: Stage, month: Month, tick: Callable[[], None] = lambda: None) -> Outcome:
    """Place every order at its time; ``tick`` is called for every one that is done."""
    outcome = Outcome()
    for order in month.orders:
        stage.control.clock.advance(to=order.placed_at)
        outcome.note(order, _place(stage, order, outcome))
        tick()
    return outcome


def _place(stage: Stage, order: Order, outcome: Outcome) -> str | None:
    """Place an order; return the code of a refusal."""
    if order.channel == "agent":
        refusal = _use(stage, order)
        outcome.used_by_agents += refusal is None
    elif order.customer in outcome.know_the_page:
        refusal = _confirm(stage, order)
        outcome.confirmed_in_sandbox += refusal is None
    else:
        # Who buys for the first time reads the pages; whoever knows them, clicks through.
        outcome.know_the_page.add(order.customer)
        refusal = _buy_on_page(stage, order)
        outcome.approved_on_page += refusal is None
        if refusal is None and outcome.first_on_page is None:
            outcome.first_on_page = order
    return refusal


def redeliver(stage: Stage, session_id: str) -> str:
    """Have the sandbox send a paid session's event again; say how that went."""
    url = f"{stage.mock_url}/sandbox/checkout-sessions/{session_id}/redeliver"
    answer = stage.browser.post(url).json()["data"]
    return f"{answer['delivery_status']} with {answer['response_status']}"


def _use(stage: Stage, order: Order) -> str | None:
    """Have an agent pay one use of the shop's API; the shop's number is on the statement."""
    answer = stage.control.usage(
        stage.buyer_ids[order.customer],
        merchant=MERCHANT,
        amount_minor=order.amount_minor,
        currency=order.currency,
        capability_key=CAPABILITY_KEY,
        operation_key=order.order_id,
    )
    return next(iter(answer.refused), None)


def _confirm(stage: Stage, order: Order) -> str | None:
    """Start a checkout in the shop, and have the sandbox confirm it in the customer's stead."""
    form = {"product_id": _product_id(stage, order), "order_id": order.order_id}
    started = stage.browser.post(f"{stage.shop_url}/checkout", data=form, follow_redirects=False)
    if started.status_code != 303:
        raise Stuck(f"order {order.order_id}: the shop answered {started.status_code}")
    session_id = started.headers["Location"].rpartition("/")[2]
    answer = stage.browser.post(
        f"{stage.mock_url}/sandbox/checkout-sessions/{session_id}/confirm",
        json={"buyer": stage.buyer_ids[order.customer]},
    )
    if answer.status_code == 200:
        return None
    return str(answer.json()["error"]["code"])


def _buy_on_page(stage: Stage, order: Order) -> str | None:
    """Buy as a person does: the product's page, the platform's page, and back to the shop."""
    http = stage.browser
    page = http.get(f"{stage.shop_url}/products/{_product_id(stage, order)}")
    form = form_with_button(page, "Buy")
    if form is None:
        raise Stuck(f"order {order.order_id}: the shop's page has no form to buy")
    page = submit(http, page, form, order_id=order.order_id)
    form = form_with_field(page, "buyer")
    if form is None:
        raise Stuck(f"order {order.order_id}: {page.url} doesn't ask who pays")
    page = submit(http, page, form, buyer=stage.buyer_ids[order.customer])
    form = form_with_button(page, "Approve")
    if form is None:
        raise Stuck(f"order {order.order_id}: {page.url} has nothing to approve")
    page = submit(http, page, form)
    if str(page.url).startswith(stage.shop_url):
        return None
    form = form_with_button(page, "Cancel")
    if form is not None:
        submit(http, page, form)
    return f"HTTP {page.status_code}"


def _product_id(stage: Stage, order: Order) -> str:
    return stage.products[order.item, order.amount_minor, order.currency].product_id
