import re

import pytest

from settlekit_mock.kernel.times import MINUTE
from settlekit_mock.kernel.world import World
from settlekit_mock.payments import checkout
from settlekit_mock.payments.merchants import change_merchant
from settlekit_mock.settlement.buyers import NewBuyer, change_buyer, create_buyer
from tests.settlekit_mock.payments.conftest import (
    NOW,
    ORIGIN,
    SHOP,
    Api,
    Receiver,
    form_of,
    journal,
)


def signed_in(api: Api, **terms: object) -> str:
    session_id = api.session_id(**terms)
    answer = api.act(session_id, "sign_in", buyer="sandbox_buyer")
    assert (answer.status_code, answer.location) == (303, f"/pay/{session_id}")
    return session_id


def test_sign_in_page(api: Api) -> None:
    """An open session asks who pays, and shows shop and amount."""
    page = api.page(api.session_id())
    assert page.status_code == 200
    assert page.content_type == "text/html; charset=utf-8"
    assert "Who is paying?" in page.text
    assert 'value="sandbox_buyer"' in page.text
    assert "¥1,200" in page.text


def test_review_page(api: Api) -> None:
    """A buyer who signed in sees shop, amount, band, funds and what happens next."""
    page = api.page(signed_in(api))
    for text in (
        "¥1,200",
        SHOP,
        "Standard · settles now",
        "¥1,000,000 in JPYC",
        "What happens next",
    ):
        assert text in page.text
    assert "Approve ¥1,200" in page.text


@pytest.mark.parametrize(
    ("amount_minor", "currency", "shown"),
    [
        (100, "JPY", ["¥100", "Micro · settles weekly", "this week", "72 hours"]),
        (49, "JPY", ["¥49", "Nano · settles monthly", "this month", "72 hours"]),
        (1250, "USD", ["$12.50", "Standard · settles now", "$10,000.00 in USDC"]),
    ],
)
def test_the_page_says_what_the_band_means(
    api: Api, amount_minor: int, currency: str, shown: list[str]
) -> None:
    """The page names the band and when its money moves."""
    page = api.page(signed_in(api, amount_minor=amount_minor, currency=currency))
    assert [text for text in shown if text not in page.text] == []


def test_approve(api: Api, receiver: Receiver) -> None:
    """An approval pays, tells the shop, and sends the browser to the shop with the session's id."""
    session_id = signed_in(api, success_url=f"{ORIGIN}/done?order=7")
    answer = api.act(session_id, "approve")
    assert (answer.status_code, answer.location) == (
        303,
        f"{ORIGIN}/done?order=7&session_id={session_id}",
    )
    assert api.session(session_id)["status"] == "paid"
    assert [event["type"] for event in receiver.got] == ["direct_payment.confirmed"]


def test_approve_twice(api: Api, receiver: Receiver) -> None:
    """A second click leads to the shop as the first did, and pays nothing more."""
    session_id = signed_in(api)
    token = form_of(api.page(session_id))["form_token"]
    data = {"form_token": token, "action": "approve"}
    answers = [api.call("POST", f"/pay/{session_id}", None, data=data) for _ in range(2)]
    assert len({answer.location for answer in answers}) == 1
    assert len(receiver.got) == 1


def test_cancel(api: Api, receiver: Receiver) -> None:
    """A cancellation ends the session and sends the browser to the shop's cart."""
    session_id = api.session_id()
    answer = api.act(session_id, "cancel")
    assert (answer.status_code, answer.location) == (303, f"{ORIGIN}/cart")
    assert api.session(session_id)["status"] == "cancelled"
    assert receiver.got == []


def test_nobody_approves_unsigned(api: Api, receiver: Receiver) -> None:
    """An approval before anyone signed in pays nothing and leads back to the page."""
    session_id = api.session_id()
    assert api.act(session_id, "approve").location == f"/pay/{session_id}"
    assert api.session(session_id)["status"] == "open"
    assert receiver.got == []


@pytest.mark.parametrize("token", ["", "wrong", "支払", "a" * 255])
@pytest.mark.parametrize("action", ["sign_in", "approve", "cancel"])
def test_a_form_needs_its_token(api: Api, world: World, token: str, action: str) -> None:
    """A form without the session's token is refused with a page, and nothing changes."""
    session_id = signed_in(api)
    before = journal(world, "checkout")
    data = {"form_token": token, "action": action, "buyer": "sandbox_buyer"}
    answer = api.call("POST", f"/pay/{session_id}", None, data=data)
    assert answer.status_code == 403
    assert "This form can" in answer.text
    assert journal(world, "checkout") == before


def test_anothers_token(api: Api) -> None:
    """The token of one session opens no other."""
    token = form_of(api.page(api.session_id()))["form_token"]
    other = api.session_id(nonce="other")
    answer = api.call("POST", f"/pay/{other}", None, data={"form_token": token, "action": "cancel"})
    assert answer.status_code == 403


def test_switching_buyers(api: Api, world: World) -> None:
    """A buyer who signed in can let another one pay."""
    with world.transaction() as tx:
        create_buyer(tx, NewBuyer(buyer_id="alice"))
    session_id = signed_in(api)
    assert "Who is paying?" in api.page(session_id, "?switch=1").text
    api.act(session_id, "sign_in", buyer="alice")
    assert "alice" in api.page(session_id).text


def test_unknown_buyer(api: Api) -> None:
    """A buyer who doesn't exist is refused on the page."""
    session_id = api.session_id()
    answer = api.act(session_id, "sign_in", buyer="nobody")
    assert answer.status_code == 404
    assert "There is no such buyer" in answer.text
    assert api.session(session_id)["status"] == "open"


def test_over_budget(api: Api, world: World) -> None:
    """A payment over the budget is refused on the page, which stays open for another buyer."""
    session_id = signed_in(api)
    with world.transaction() as tx:
        change_buyer(tx, "sandbox_buyer", {"vault_active": False})
    answer = api.act(session_id, "approve")
    assert answer.status_code == 402
    assert 'role="alert"' in answer.text
    assert "Nothing was paid" in answer.text
    assert api.session(session_id)["status"] == "authenticated"


def test_many_buyers(api: Api, world: World) -> None:
    """Many buyers are offered in a list instead of buttons."""
    with world.transaction() as tx:
        for number in range(10):
            create_buyer(tx, NewBuyer(buyer_id=f"buyer_{number}"))
    page = api.page(api.session_id()).text
    assert '<select id="buyer"' in page
    assert page.count("<option") == 11


@pytest.mark.parametrize(
    ("act", "status", "shown"),
    [
        (checkout.approve, 200, "Payment approved"),
        (checkout.cancel, 200, "Payment cancelled"),
        (checkout.fail, 200, "The payment failed"),
    ],
)
def test_page_of_an_ended_session(
    api: Api, world: World, act: object, status: int, shown: str
) -> None:
    """A session that has ended says how, leads back to the shop, and offers no form."""
    session_id = api.session_id()
    with world.transaction() as tx:
        act(tx, session_id)
    page = api.page(session_id)
    assert page.status_code == status
    assert shown in page.text
    assert f'href="{ORIGIN}/' in page.text
    assert "<form" not in page.text


def test_page_of_an_expired_session(api: Api, world: World) -> None:
    """An expired session says so, with 410, and can be neither approved nor cancelled."""
    session_id = signed_in(api)
    token = form_of(api.page(session_id))["form_token"]
    world.due.advance(NOW + 30 * MINUTE)
    assert api.page(session_id).status_code == 410
    for action in ("approve", "cancel", "sign_in"):
        data = {"form_token": token, "action": action, "buyer": "sandbox_buyer"}
        answer = api.call("POST", f"/pay/{session_id}", None, data=data)
        assert "This checkout has expired" in answer.text
    assert api.session(session_id)["status"] == "expired"


@pytest.mark.parametrize("session_id", ["chk_none", "支払", "a" * 255, "<b>"])
def test_unknown_session(api: Api, session_id: str) -> None:
    """A session that doesn't exist is a page with 404, and shows nothing that was sent."""
    assert api.page(session_id).status_code == 404
    posted = api.call("POST", f"/pay/{session_id}", None, data={"action": "approve"})
    assert posted.status_code == 404
    assert "<b>" not in posted.text


def test_everything_is_escaped(api: Api, world: World) -> None:
    """Names that hold markup are shown as text on every page."""
    nasty = "<script>\"&'"
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"display_name": nasty})
        create_buyer(tx, NewBuyer(buyer_id=nasty))
    session_id = api.session_id(success_url=f"{ORIGIN}/?a='&b=c", cancel_url=f"{ORIGIN}/?'")
    pages = [api.page(session_id).text]
    api.act(session_id, "sign_in", buyer=nasty)
    pages.append(api.page(session_id).text)
    api.act(session_id, "approve")
    pages.append(api.page(session_id).text)
    assert [page for page in pages if "<script" in page] == []
    assert all("&lt;script&gt;&quot;&amp;&#x27;" in page for page in pages)


def test_dollar_signs_are_text(api: Api, world: World) -> None:
    """A name that looks like a place of the template stays a name."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"display_name": "$$hop $id ${token}"})
    assert "$$hop $id ${token}" in api.page(api.session_id()).text


def test_no_script_and_no_frame(api: Api) -> None:
    """The page runs no script, loads nothing from elsewhere, and can't be framed."""
    page = api.page(api.session_id())
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert re.search(r"<script|\son\w+=|https?://", page.text) is None
    assert page.headers["Cache-Control"] == "no-store"


def test_labels(api: Api) -> None:
    """Every page has a language, a title and a main part, and works on a phone's width."""
    for page in (api.page(api.session_id()), api.page(signed_in(api, nonce="b")), api.page("none")):
        for text in ('<html lang="en">', "<title>", "<main>", 'name="viewport"', "<h1>"):
            assert text in page.text


def test_the_challenge_is_not_on_the_page(api: Api) -> None:
    """A page never shows the challenge."""
    assert "siglume-external" not in api.page(signed_in(api)).text
