"""The hosted page's HTML: forms that work without scripts, everything given escaped.

Pure: each function turns what it is given into a whole page.
"""

from collections.abc import Iterable, Sequence
from html import escape
from string import Template
from typing import Final, NamedTuple

from settlekit.money import TOKENS, Band
from settlekit_mock.kernel.discretion import discreet_repr
from settlekit_mock.payments.style import STYLE

MOST_BUTTONS: Final = 8
"""More buyers than these are offered in a list to choose from."""


class Html(str):
    """Text that is HTML already; anything else is escaped."""

    __slots__ = ()


class View(NamedTuple):
    """What every page of a session shows; ``expires_at`` is empty once it has ended."""

    session_id: str
    shop: str
    shop_host: str
    amount_minor: int
    currency: str
    band: Band
    form_token: str
    expires_at: str

    def __repr__(self) -> str:
        return discreet_repr(self)


class Wallet(NamedTuple):
    """What the signed-in buyer can pay with, in whole minor units."""

    buyer_id: str
    available_minor: int


def fill(template: str, **values: object) -> Html:
    """Fill a template's places with escaped text."""
    safe = {
        name: value if isinstance(value, Html) else escape(str(value))
        for name, value in values.items()
    }
    return Html(Template(template).substitute(safe))


def joined(parts: Iterable[Html]) -> Html:
    """Put pieces of HTML one after another."""
    return Html("\n".join(parts))


def money(amount_minor: int, currency: str) -> str:
    """Write an amount as people read it: ¥1,200 or $12.00."""
    if currency == "JPY":
        return f"¥{amount_minor:,}"
    whole, cents = divmod(amount_minor, 100)
    return f"${whole:,}.{cents:02d}"


# -- pages -------------------------------------------------------------------------------


def sign_in_page(view: View, buyers: Sequence[str], problem: str | None = None) -> str:
    """Ask who pays."""
    if not buyers:
        choice = Html('<p class="soft">This server has no buyer yet.</p>')
    elif len(buyers) <= MOST_BUTTONS:
        choice = _buyer_buttons(view, buyers)
    else:
        choice = _buyer_list(view, buyers)
    body = fill(
        '$head $problem <h2 id="who">Who is paying?</h2> $choice <div class="actions">$cancel</div>',
        head=_head(view),
        problem=_problem(problem),
        choice=choice,
        cancel=_cancel(view),
    )
    return _document(f"Pay {view.shop}", body, view)


def review_page(view: View, wallet: Wallet, problem: str | None = None) -> str:
    """Show what is paid, how, and what happens next; ask for approval."""
    body = fill(
        _REVIEW,
        head=_head(view),
        problem=_problem(problem),
        facts=_facts(view, wallet),
        steps=joined(fill("<li>$step</li>", step=step) for step in next_steps(view)),
        approve=_form(
            view, "approve", f"Approve {money(view.amount_minor, view.currency)}", "main"
        ),
        cancel=_cancel(view),
    )
    return _document(
        f"Approve {money(view.amount_minor, view.currency)} to {view.shop}", body, view
    )


def over_page(view: View, title: str, told: str, *, good: bool, back: str) -> str:
    """Say how a session ended, and lead back to the shop."""
    body = fill(
        _OVER,
        head=_head(view),
        tone="good" if good else "bad",
        title=title,
        told=told,
        back=back,
        host=view.shop_host,
    )
    return _document(title, body, view)


def unknown_page() -> str:
    """Say that there is no such session."""
    body = Html(
        '<p class="mode">Test checkout</p><h1><strong>This checkout doesn’t exist</strong></h1>'
        '<p class="soft">The address may be mistyped or cut off. Go back to the shop and start '
        "the payment again.</p>"
    )
    return _document("Unknown checkout", body, None)


def refused_page(told: str) -> str:
    """Say that a form was refused."""
    body = fill(
        '<p class="mode">Test checkout</p><h1><strong>This form can’t be used</strong></h1>'
        '<p class="soft">$told</p>',
        told=told,
    )
    return _document("Form refused", body, None)


def next_steps(view: View) -> tuple[str, str, str]:
    """Say what an approval leads to, by band."""
    amount = money(view.amount_minor, view.currency)
    back = f"You go back to {view.shop_host}."
    if view.band is Band.STANDARD:
        return (
            f"{amount} leaves your wallet now, in {TOKENS[view.currency]}.",
            f"{view.shop} is told at once that the payment has settled.",
            back,
        )
    period = "week" if view.band is Band.MICRO else "month"
    added = f"{amount} is added to your total of this {period} with {view.shop}."
    return (
        f"{added} Nothing leaves your wallet now.",
        f"When the {period} closes you get a notice; the debit comes 72 hours later at the earliest.",
        back,
    )


# -- pieces ------------------------------------------------------------------------------

_DOCUMENT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
$body
</main>
<footer>$foot</footer>
</body>
</html>
"""

_HEAD: Final = """<p class="mode">Test checkout · no real money moves</p>
<h1>Pay <strong>$shop</strong></h1>
<p class="amount">$amount</p>"""

_REVIEW: Final = """$head
$problem
$facts
<h2>What happens next</h2>
<ol>
$steps
</ol>
<div class="actions">
$approve
$cancel
</div>"""

_OVER: Final = """$head
<div class="told $tone" role="status"><p><strong>$title</strong></p><p>$told</p></div>
<div class="actions"><a class="button main" href="$back">Back to $host</a></div>"""

_BANDS: Final = {
    Band.STANDARD: "Standard · settles now",
    Band.MICRO: "Micro · settles weekly",
    Band.NANO: "Nano · settles monthly",
}


def _document(title: str, body: Html, view: View | None) -> str:
    foot = Html("A mock of the payment platform, for tests.")
    if view is not None:
        held = f" · held until {view.expires_at}" if view.expires_at else ""
        foot = fill("Checkout <code>$id</code>$held", id=view.session_id, held=held)
    return fill(_DOCUMENT, title=title, style=Html(STYLE), body=body, foot=foot)


def _head(view: View) -> Html:
    return fill(_HEAD, shop=view.shop, amount=money(view.amount_minor, view.currency))


def _problem(problem: str | None) -> Html:
    if problem is None:
        return Html("")
    return fill('<div class="told bad" role="alert"><p>$told</p></div>', told=problem)


def _facts(view: View, wallet: Wallet) -> Html:
    available = f"{money(wallet.available_minor, view.currency)} in {TOKENS[view.currency]}"
    payer = fill(
        '$buyer · <a href="/pay/$id?switch=1">change</a>',
        buyer=wallet.buyer_id,
        id=view.session_id,
    )
    rows = (
        ("Shop", f"{view.shop} ({view.shop_host})"),
        ("Payment", _BANDS[view.band]),
        ("Fee", "None for you: the seller bears it"),
        ("Paying as", payer),
        ("Available", available),
    )
    lines = (fill("<div><dt>$name</dt><dd>$value</dd></div>", name=n, value=v) for n, v in rows)
    return fill("<dl>$rows</dl>", rows=joined(lines))


def _form(view: View, action: str, label: str, look: str) -> Html:
    return fill(
        '<form method="post" action="/pay/$id">$hidden<button class="$look">$label</button></form>',
        id=view.session_id,
        hidden=_hidden(view, action),
        look=look,
        label=label,
    )


def _hidden(view: View, action: str) -> Html:
    return fill(
        '<input type="hidden" name="form_token" value="$token">'
        '<input type="hidden" name="action" value="$action">',
        token=view.form_token,
        action=action,
    )


def _cancel(view: View) -> Html:
    return _form(view, "cancel", "Cancel payment", "quiet")


def _buyer_buttons(view: View, buyers: Sequence[str]) -> Html:
    items = joined(
        fill(
            '<li><button name="buyer" value="$buyer"><span class="initial" aria-hidden="true">$initial'
            "</span><span>$buyer</span></button></li>",
            buyer=buyer,
            initial=buyer[:1],
        )
        for buyer in buyers
    )
    return fill(
        '<form method="post" action="/pay/$id">$hidden<ul class="buyers" aria-labelledby="who">'
        "$items</ul></form>",
        id=view.session_id,
        hidden=_hidden(view, "sign_in"),
        items=items,
    )


def _buyer_list(view: View, buyers: Sequence[str]) -> Html:
    options = joined(
        fill('<option value="$buyer">$buyer</option>', buyer=buyer) for buyer in buyers
    )
    return fill(
        '<form method="post" action="/pay/$id">$hidden<label for="buyer">Buyer</label>'
        '<select id="buyer" name="buyer">$options</select>'
        '<div class="actions"><button class="main">Sign in</button></div></form>',
        id=view.session_id,
        hidden=_hidden(view, "sign_in"),
        options=options,
    )
