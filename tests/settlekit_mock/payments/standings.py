"""A world with payments and deliveries in each standing, to be broken."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import text
from werkzeug.test import Client

from settlekit_mock import MockServer
from settlekit_mock.control.check import INVARIANTS
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.webhooks.install import mounts_of
from settlekit_mock.webhooks.sender import Outcome
from settlekit_mock.webhooks.service import pause, subscribe_endpoint
from tests.settlekit_mock.payments.agent import Agent
from tests.settlekit_mock.payments.conftest import ORIGIN, SHOP, Api, data

Run = Callable[[str], None]


def answer(url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
    return Outcome(200 if url.endswith("/good") else 500)


class Standings:
    """The ids of what stands where: of requirements, and of checkout sessions."""

    def __init__(self, mock: MockServer) -> None:
        self.mock = mock
        self.world = mock.world
        self.api = Api(Client(mock.app))
        self.agent = Agent(self.api, mock.world)
        self._settle_a_batch()
        self._listen()
        self.spent = self._paid("spent")
        data(self.agent.verify({"id": self.spent}))
        self._pause_the_late_one()
        self.confirmed = self._paid("confirmed")
        self.metered = self._paid("metered", amount_minor=100)
        self._short_of_allowance()
        self.waiting = self.agent.ask("waiting")["id"]
        self.sold = self._session("sold", confirm=True)
        self.sold_metered = self._session("sold-metered", confirm=True, amount_minor=20)
        self.open = self._session("open")

    def _settle_a_batch(self) -> None:
        self.mock.usage("sandbox_buyer", merchant=SHOP, amount_minor=100, currency="JPY", count=2)
        self.mock.clock.advance(until="batch.settled")

    def _listen(self) -> None:
        with self.world.transaction() as tx:
            owner = merchant_named(tx.connection, SHOP).merchant_user_id
            for name, types in (
                ("late", ["direct_payment.confirmed"]),
                ("bad", ["direct_payment.spent"]),
            ):
                subscribe_endpoint(
                    tx, owner=owner, callback_url=f"{ORIGIN}/{name}", event_types=types
                )
        self.owner = owner

    def _paid(self, nonce: str, **terms: object) -> str:
        made = self.agent.ask(nonce, **terms)
        self.agent.pay(made)
        return made["id"]

    def _pause_the_late_one(self) -> None:
        with self.world.transaction() as tx:
            (late,) = tx.connection.execute(
                text(
                    "SELECT subscription_id FROM webhook_subscriptions WHERE callback_url LIKE '%late'"
                )
            ).scalars()
            pause(tx, self.owner, late)
        self.mock.clock.advance(minutes=1)

    def _short_of_allowance(self) -> None:
        had = self.mock.buyers.get("sandbox_buyer").allowances.JPYC
        self.mock.buyers.update("sandbox_buyer", allowances={"JPYC": "0"})
        made = self.agent.ask("allowed")
        self.agent.allow(made)
        self.allowed = made["id"]
        self.agent.pay(made)
        self.mock.buyers.update("sandbox_buyer", allowances={"JPYC": had})

    def _session(self, nonce: str, *, confirm: bool = False, **terms: object) -> str:
        session_id = self.api.session_id(nonce=nonce, **terms)
        if confirm:
            data(self.api.confirm(session_id))
        return session_id

    def objections(self) -> dict[str, set[str]]:
        """Name the invariants that object, of every room, with what they object to."""
        with self.world.snapshot() as connection:
            found = [(check.__name__, one) for check in INVARIANTS for one in check(connection)]
        assert all(one.name == name for name, one in found)
        told: dict[str, set[str]] = {}
        for name, one in found:
            told.setdefault(name, set()).add(one.subject)
        return told


@contextmanager
def standing() -> Iterator[Standings]:
    """Make a world with something in each standing."""
    with MockServer(
        seed=7,
        freeze_at="2026-03-02T09:00:00Z",
        webhook_url=f"{ORIGIN}/good",
        origin=ORIGIN,
    ) as mock:
        mounts_of(mock.world).mount(ORIGIN, answer)
        yield Standings(mock)
