"""Driving from Python: every control route has a method."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from settlekit_mock import MockServer, app
from settlekit_mock.driver import ControlError, Driver, UnreadableAnswer
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Route

ROUTES = [route for route in app.ROUTES if route.role is Role.CONTROL]
Act = Callable[[Driver], object]
ACTS: list[Act] = [
    lambda mock: mock.clock.read(),
    lambda mock: mock.clock.advance(seconds=1),
    lambda mock: mock.clock.freeze(),
    lambda mock: mock.clock.resume(),
    lambda mock: mock.buyers.create(),
    lambda mock: mock.buyers.all(),
    lambda mock: mock.buyers.get("b"),
    lambda mock: mock.buyers.update("b", vault_active=True),
    lambda mock: mock.merchants.create("shop"),
    lambda mock: mock.merchants.all(),
    lambda mock: mock.merchants.get("shop"),
    lambda mock: mock.merchants.update("shop", hosted_checkout="off"),
    lambda mock: mock.tokens.create(role="buyer", subject="b"),
    lambda mock: mock.usage("b", merchant="shop", amount_minor=1, currency="JPY"),
    lambda mock: list(mock.events()),
    lambda mock: list(mock.follow(limit=0)),
    lambda mock: mock.notices.all(),
    lambda mock: mock.simulate.notice_failure(),
    lambda mock: mock.simulate.debit_failure(),
    lambda mock: mock.simulate.unknown_outcome(),
    lambda mock: mock.simulate.provider_outcome(capability_key="c", outcome="2xx"),
    lambda mock: mock.simulate.finality(seconds=1),
    lambda mock: mock.simulate.ledger_mismatch(wallet_id="w", amount="1"),
    lambda mock: mock.batches.resolve("m", outcome="settled"),
    lambda mock: mock.batches.requeue("m"),
    lambda mock: mock.batches.give_up("m", status="written_off", reason_code="x"),
    lambda mock: mock.batches.redeliver_notice("m"),
    lambda mock: mock.batches.all(),
    lambda mock: mock.batches.get("m"),
    lambda mock: mock.periods(),
    lambda mock: mock.revenue(),
    lambda mock: mock.flow(),
    lambda mock: mock.deliveries.all(),
    lambda mock: mock.deliveries.redeliver("w"),
    lambda mock: mock.accounts.all(),
    lambda mock: mock.accounts.entries("a"),
    lambda mock: mock.checkout.authenticate("c"),
    lambda mock: mock.checkout.cancel("c"),
    lambda mock: mock.checkout.fail("c"),
    lambda mock: mock.payment_events.create(
        "b", external_ref="x", amount_cents=1, currency="USD", provider="stripe"
    ),
    lambda mock: mock.faults.create("GET /v1/*", "malformed"),
    lambda mock: mock.faults.all(),
    lambda mock: mock.faults.get("f"),
    lambda mock: mock.faults.remove("f"),
    lambda mock: mock.faults.clear(),
    lambda mock: mock.webhook_faults.create("drop"),
    lambda mock: mock.webhook_faults.all(),
    lambda mock: mock.webhook_faults.get("f"),
    lambda mock: mock.webhook_faults.remove("f"),
    lambda mock: mock.webhook_faults.clear(),
    lambda mock: mock.snapshots.all(),
    lambda mock: mock.snapshots.take("s"),
    lambda mock: mock.snapshots.restore("s"),
    lambda mock: mock.snapshots.remove("s"),
    lambda mock: mock.fate("mu"),
    lambda mock: mock.explain("msb"),
    lambda mock: mock.scenarios.all(),
    lambda mock: mock.scenarios.play("nothing"),
    lambda mock: mock.check(),
    lambda mock: mock.reset(),
]


def asked(act: Act) -> list[tuple[str, str]]:
    """Return method and path of what an act asks for; nobody answers."""
    found: list[tuple[str, str]] = []

    def send(method: str, path: str, _body: bytes | None) -> tuple[int, bytes]:
        found.append((method, path.partition("?")[0]))
        return 503, b"{}"

    def listen(path: str) -> object:
        found.append(("GET", path.partition("?")[0]))
        raise UnreadableAnswer

    with suppress(UnreadableAnswer, ControlError):
        act(Driver(send, listen))  # type: ignore[arg-type]
    return found


def fits(path: str, asked_path: str) -> bool:
    return re.fullmatch(re.sub(r"<[^>]+>", "[^/]+", path), asked_path) is not None


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_control_route_has_a_method(route: Route) -> None:
    """Some method of the driver calls this very route."""
    paths = [path for act in ACTS for method, path in asked(act) if method == route.method]
    assert [path for path in paths if fits(route.path, path)]


def test_durations_are_written_as_in_the_shell() -> None:
    """A method takes the short durations that its command takes, and ISO 8601 ones."""
    with MockServer(freeze_at="2026-01-01T00:00:00Z") as mock:
        mock.clock.advance(by="1d12h")
        assert mock.clock.advance(by="PT12H").to == "2026-01-03T00:00:00.000Z"
        assert not mock.clock.advance(until="batch.settled", limit="7d").reached
        with pytest.raises(ControlError, match="expected an ISO 8601 duration such as P7D"):
            mock.clock.advance(by="7 days")


@pytest.mark.parametrize("ways", [{}, {"days": 1, "until": "next"}, {"by": "7d", "seconds": 0}])
def test_an_advance_says_how_far(ways: dict[str, Any]) -> None:
    """Without a way to go, or with two, the call is refused with an example of each."""
    with MockServer() as mock:
        with pytest.raises(ValueError, match=r"advance\(days=7\).*until='batch.settled'"):
            mock.clock.advance(**ways)
        assert mock.clock.advance(days=0).event_count == 0


def test_a_buyer_is_named_by_itself_or_its_id() -> None:
    """What ``create`` gave is taken wherever a buyer is."""
    with MockServer() as mock:
        buyer = mock.buyers.create(buyer_id="b")
        changed = mock.buyers.update(buyer, vault_active=False)
        assert mock.buyers.get(buyer) == mock.buyers.get("b") == changed != buyer


def test_a_mock_in_process_is_a_driver() -> None:
    """``MockServer`` has every method that drives a server elsewhere."""
    assert issubclass(MockServer, Driver)


def test_the_last_entries_are_of_the_whole_journal() -> None:
    """``after`` beside ``last`` is refused, for one of them would count for nothing."""
    with MockServer() as mock:
        with pytest.raises(ValueError, match="give after or last, not both"):
            list(mock.events(after=1, last=2))
        assert len(list(mock.events(last=2))) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b'{"data":{"items":[],"next_cursor":"behind nothing"}}',
        b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["pages without an end", "nested too deeply"],
)
@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_that_no_mock_gives(answer: bytes, status: int) -> None:
    """Whatever answers in a mock's place, a list is read or the answer called unreadable."""
    driver = Driver(lambda _method, _path, _body: (status, answer))
    with pytest.raises(UnreadableAnswer):
        driver.accounts.all()


def test_a_page_that_leads_to_itself_is_no_mocks() -> None:
    """The same page again and again isn't read for ever."""
    with MockServer() as mock:
        page = mock.accounts.all(limit=1)
    answer = msgspec.json.encode({"data": {"items": page, "next_cursor": "itself"}})
    driver = Driver(lambda _method, _path, _body: (200, answer))
    with pytest.raises(UnreadableAnswer, match="pages without an end"):
        driver.accounts.all()
