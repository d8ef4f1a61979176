from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import msgspec
import pytest
from werkzeug.test import Client, TestResponse

from settlekit.webhooks import classify
from settlekit.webhooks.events import read_event
from settlekit_mock import seeding
from settlekit_mock.app import build, open_world
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.world import Settings, World
from settlekit_mock.payments.merchants import change_merchant, create_merchant
from settlekit_mock.payments.rules.capabilities import CONSEQUENCES, Outcome
from settlekit_mock.payments.tables import merchant_named
from settlekit_mock.settlement.buyers import NewBuyer, change_buyer, create_buyer
from settlekit_mock.settlement.rules.acceptance import Caps
from settlekit_mock.settlement.simulations import Kind, Target, simulate
from settlekit_mock.settlement.tables import SCOPES
from tests.settlekit_mock.payments.conftest import (
    MERCHANT_TOKEN,
    NOW,
    SHOP,
    Api,
    Receiver,
    data,
    journal,
    refused,
)

BUYER = seeding.BUYER
CAPABILITY = "weather.lookup"
CHARGING = sorted(outcome for outcome in Outcome if CONSEQUENCES[outcome].charged)
NOT_CHARGING = sorted(set(Outcome) - set(CHARGING))


def listing_of(world: World, merchant: str = SHOP) -> str:
    with world.snapshot() as connection:
        return merchant_named(connection, merchant).listing_id


def body(listing_id: str) -> dict[str, object]:
    return {
        "listing_id": listing_id,
        "operation_key": "forecast",
        "amount_minor": 100,
        "currency": "JPY",
        "idempotency_key": "job-1",
        "input": {"city": "Kyoto", "days": 3},
    }


class Agent:
    """A buyer's agent, which runs capabilities."""

    def __init__(self, api: Api, world: World) -> None:
        self.api = api
        self.world = world
        self.listing_id = listing_of(world)

    def run(
        self,
        capability: str = CAPABILITY,
        token: str | None = seeding.BUYER_TOKEN,
        **changes: object,
    ) -> TestResponse:
        path = f"/v1/market/capabilities/{capability}/execute"
        return self.api.call("POST", path, token, json={**body(self.listing_id), **changes})

    def provider_will(self, outcome: str, times: int = 1, capability: str = CAPABILITY) -> None:
        with self.world.transaction() as tx:
            simulate(
                tx,
                Kind.PROVIDER_OUTCOME,
                Target(subject=capability),
                times=times,
                detail=outcome,
            )

    def calls(self) -> int:
        """How often a provider was called."""
        return journal(self.world, "capability.").count("capability.executed")

    def charges(self) -> int:
        return journal(self.world, "payment.").count("payment.accepted")


@pytest.fixture
def agent(api: Api, world: World) -> Agent:
    return Agent(api, world)


# -- what is answered and told -------------------------------------------------------------


def test_success_charges(agent: Agent) -> None:
    """A provider that does the work is paid: the answer names the usage event and its amounts."""
    ran = data(agent.run())
    usage = ran.pop("usage_event")
    assert ran == {
        "execution_id": ran["execution_id"],
        "listing_id": agent.listing_id,
        "capability_key": CAPABILITY,
        "operation_key": "forecast",
        "merchant": SHOP,
        "idempotency_key": "job-1",
        "amount_minor": 100,
        "currency": "JPY",
        "token_symbol": "JPYC",
        "outcome": "2xx",
        "provider_status": 200,
        "charged": True,
        "retryable": False,
        "attempt": 1,
        "executed_at": to_text(NOW),
    }
    assert usage == {
        "metered_usage_id": usage["metered_usage_id"],
        "requirement_id": usage["requirement_id"],
        "challenge_hash": usage["challenge_hash"],
        "pricing_band": "micro",
        "settlement_cadence": "weekly",
        "settlement_status": "pending_settlement",
        "status": "pending_settlement",
        "provider_gross_amount_minor": "100",
        "provider_usage_amount_minor": "100",
        "gross_buyer_debit_minor": "100",
        "buyer_debit_minor": "100",
        "protocol_fee_minor": "2",
        "rounding_delta_minor": "0",
        "created_at": to_text(NOW),
    }
    assert usage["metered_usage_id"].startswith("mu_")
    assert usage["requirement_id"].startswith("dpr_")


def test_the_webhook_is_whole(agent: Agent, receiver: Receiver) -> None:
    """The shop is told of accepted usage with a requirement and a challenge, though nobody made one."""
    usage = data(agent.run())["usage_event"]
    (event,) = receiver.got
    said = event["data"]
    kind = classify(read_event(msgspec.json.encode(event))).kind
    assert kind == "metered_usage_accepted"
    assert {name: said[name] for name in ("capability_key", "operation_key", "listing_id")} == {
        "capability_key": CAPABILITY,
        "operation_key": "forecast",
        "listing_id": agent.listing_id,
    }
    for name in ("metered_usage_id", "requirement_id", "challenge_hash"):
        assert said[name] == usage[name]


def test_nano_currency_and_case(agent: Agent) -> None:
    """An amount of the nano band settles monthly; the currency is taken in any case."""
    usage = data(agent.run(amount_minor=30, currency=" usd "))["usage_event"]
    assert (usage["pricing_band"], usage["settlement_cadence"]) == ("nano", "monthly")
    assert usage["protocol_fee_minor"] == "0.1"


# -- outcomes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "provider_status"),
    [("2xx", 200), ("client_disconnect", 200), ("failed_chargeable", 202)],
)
def test_outcomes_that_charge(agent: Agent, outcome: str, provider_status: int) -> None:
    """Success, a caller gone after success and accepted work that failed are all charged."""
    agent.provider_will(outcome)
    ran = data(agent.run())
    assert (ran["outcome"], ran["charged"], ran["retryable"]) == (outcome, True, False)
    assert ran["provider_status"] == provider_status
    assert agent.charges() == 1


@pytest.mark.parametrize(
    ("outcome", "provider_status"), [("4xx", 400), ("5xx", 500), ("timeout", None)]
)
def test_outcomes_that_do_not_charge(
    agent: Agent, receiver: Receiver, outcome: str, provider_status: int | None
) -> None:
    """A provider that refuses, fails or is silent is paid nothing, and nobody is told."""
    agent.provider_will(outcome)
    ran = data(agent.run())
    assert (ran["outcome"], ran["charged"], ran["retryable"]) == (outcome, False, True)
    assert (ran["provider_status"], ran["usage_event"]) == (provider_status, None)
    assert (agent.charges(), receiver.got) == (0, [])


def test_every_outcome_is_in_the_table() -> None:
    """Each outcome either charges or doesn't, and only accepted work that failed marks its row."""
    assert set(CONSEQUENCES) == set(Outcome)
    assert CHARGING == ["2xx", "client_disconnect", "failed_chargeable"]
    marked = [one for one in Outcome if CONSEQUENCES[one].usage_outcome is not None]
    assert marked == [Outcome.FAILED_CHARGEABLE]


def test_failed_chargeable_marks_the_row(agent: Agent, world: World) -> None:
    """Work that was accepted and then failed is charged, and its row says so until it is settled."""
    agent.provider_will("failed_chargeable")
    usage = data(agent.run())["usage_event"]
    assert usage["status"] == "failed_chargeable"
    statement = Api(Client(build(world))).call("GET", "/v1/sdrp/metered/provider/usage-events")
    (row,) = data(statement)["items"]
    assert row["metered_usage_id"] == usage["metered_usage_id"]
    assert row["status"] == "failed_chargeable"
    assert (row["capability_key"], row["operation_key"]) == (CAPABILITY, "forecast")


def test_another_capability_keeps_its_provider(agent: Agent) -> None:
    """A simulated outcome is of one capability; another's provider goes on doing its work."""
    agent.provider_will("5xx", capability="other")
    assert data(agent.run())["outcome"] == "2xx"


# -- one key -------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize("outcome", CHARGING)
def test_a_charged_key_answers_again(agent: Agent, world: World, outcome: str) -> None:
    """A key that charged is answered in the same bytes, later and whatever the provider would do."""
    agent.provider_will(outcome)
    first = agent.run()
    world.due.advance(NOW + 86_400_000)
    agent.provider_will("5xx")
    again = agent.run()
    assert data_bytes(again) == data_bytes(first)
    assert (agent.calls(), agent.charges()) == (1, 1)


def data_bytes(answer: TestResponse) -> bytes:
    whole, _, _ = answer.data.partition(b',"meta":')
    return whole


@pytest.mark.parametrize("outcome", NOT_CHARGING)
def test_an_uncharged_key_runs_again(agent: Agent, outcome: str) -> None:
    """A key that charged nothing calls the provider again, and may be charged then, once."""
    agent.provider_will(outcome)
    failed = data(agent.run())
    ran = data(agent.run())
    assert (ran["outcome"], ran["attempt"], ran["charged"]) == ("2xx", 2, True)
    assert ran["execution_id"] == failed["execution_id"]
    assert data(agent.run()) == ran
    assert (agent.calls(), agent.charges()) == (2, 1)


OTHER_PAYLOADS = [
    {"operation_key": "history"},
    {"amount_minor": 101},
    {"currency": "USD"},
    {"input": {"city": "Osaka", "days": 3}},
    {"input": {}},
]


@pytest.mark.both_databases
@pytest.mark.parametrize("changes", OTHER_PAYLOADS, ids=str)
@pytest.mark.parametrize("outcome", ["2xx", "5xx"])
def test_another_payload_is_refused(agent: Agent, outcome: str, changes: dict) -> None:
    """A key belongs to its first payload, charged or not: with another its provider isn't called."""
    agent.provider_will(outcome)
    agent.run()
    expected = (409, "IDEMPOTENCY_KEY_REUSED_WITH_DIFFERENT_PAYLOAD")
    assert refused(agent.run(**changes)) == expected
    assert agent.calls() == 1


def test_the_order_of_input_does_not_count(agent: Agent) -> None:
    """The same input in another order is the same payload."""
    first = data(agent.run())
    assert data(agent.run(input={"days": 3, "city": "Kyoto"})) == first


@pytest.mark.both_databases
def test_keys_are_of_buyer_listing_and_capability(agent: Agent, world: World) -> None:
    """The same key elsewhere is another key: each buyer, listing and capability has its own."""
    with world.transaction() as tx:
        create_buyer(tx, NewBuyer("other_buyer"))
        seeding.add_token(
            tx.connection, token="other", role="buyer", subject="other_buyer", created_at=NOW
        )
        second = create_merchant(tx, "second_shop")
    ids = [
        data(agent.run())["execution_id"],
        data(agent.run(token="other"))["execution_id"],
        data(agent.run(capability="weather.archive"))["execution_id"],
        data(agent.run(listing_id=second.listing_id))["execution_id"],
    ]
    assert (len(set(ids)), agent.charges()) == (4, 4)


def test_a_charged_key_answers_beyond_the_budget(agent: Agent, world: World) -> None:
    """What was charged before is answered even where a new charge would be refused."""
    first = data(agent.run())
    with world.transaction() as tx:
        change_buyer(tx, BUYER, {"vault_active": False})
        change_merchant(tx, SHOP, {"billing_status": "suspended"})
    assert data(agent.run()) == first


# -- refused before the provider is called ---------------------------------------------------


def test_over_budget(agent: Agent, world: World) -> None:
    """Work that doesn't fit the budget is refused, told in the journal, and never begun."""
    with world.transaction() as tx:
        change_buyer(tx, BUYER, {"caps": Caps(per_payment_minor=99)})
    agent.provider_will("5xx")
    assert refused(agent.run()) == (402, "BUDGET_EXCEEDED")
    assert (agent.calls(), journal(world, "payment.")) == (0, ["payment.refused"])
    with world.transaction() as tx:
        change_buyer(tx, BUYER, {"caps": Caps(per_payment_minor=100)})
    # The simulation is still there: nobody called the provider before.
    assert data(agent.run())["outcome"] == "5xx"


def test_a_refused_key_is_free(agent: Agent, world: World) -> None:
    """A key that was refused stands for nothing yet: another payload may take it."""
    assert refused(agent.run(amount_minor=501)) == (422, "INVALID_REQUEST")
    with world.transaction() as tx:
        change_buyer(tx, BUYER, {"caps": Caps(per_payment_minor=99)})
    assert refused(agent.run()) == (402, "BUDGET_EXCEEDED")
    assert data(agent.run(amount_minor=60))["charged"]


def test_paused_scope(agent: Agent, world: World) -> None:
    """While a settlement of the scope is past due its providers aren't called."""
    data(agent.run(idempotency_key="before"))
    with world.transaction() as tx:
        tx.connection.execute(SCOPES.update().values(paused_batches=1))
    assert refused(agent.run()) == (409, "METERED_SETTLEMENT_PAST_DUE")
    assert agent.calls() == 1


@pytest.mark.parametrize(("amount_minor", "currency"), [(501, "JPY"), (301, "USD")])
def test_standard_amounts_are_refused(agent: Agent, amount_minor: int, currency: str) -> None:
    """Capabilities are metered: an amount of the standard band is invalid."""
    answer = agent.run(amount_minor=amount_minor, currency=currency)
    assert refused(answer) == (422, "INVALID_REQUEST")
    assert agent.calls() == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"listing_id": "lst_unknown"}, (404, "LISTING_NOT_FOUND")),
        ({"amount_minor": 0}, (422, "INVALID_REQUEST")),
        ({"amount_minor": True}, (422, "INVALID_REQUEST")),
        ({"amount_minor": "100"}, (422, "INVALID_REQUEST")),
        ({"amount_minor": 2**53 - 1}, (422, "INVALID_REQUEST")),
        ({"currency": "EUR"}, (422, "INVALID_REQUEST")),
        ({"idempotency_key": ""}, (422, "INVALID_REQUEST")),
        ({"idempotency_key": "k" * 129}, (422, "INVALID_REQUEST")),
        ({"operation_key": ""}, (422, "INVALID_REQUEST")),
        ({"input": ["Kyoto"]}, (422, "INVALID_REQUEST")),
    ],
    ids=str,
)
def test_bad_input(agent: Agent, changes: dict, expected: tuple[int, str]) -> None:
    """Input that isn't valid is refused by name, and no provider is called."""
    assert refused(agent.run(**changes)) == expected
    assert agent.calls() == 0


def test_the_longest_key(agent: Agent) -> None:
    """A key has up to 128 characters."""
    assert data(agent.run(idempotency_key="k" * 128))["charged"]


def test_a_currency_the_merchant_does_not_take(agent: Agent, world: World) -> None:
    """A listing is paid in its merchant's currencies alone."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"allowed_currencies": ["JPY"]})
    assert refused(agent.run(currency="USD", amount_minor=40)) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize("status", ["setup_required", "past_due", "suspended"])
def test_merchant_billing(agent: Agent, world: World, status: str) -> None:
    """A merchant whose billing isn't in order takes no payment, and does no work."""
    with world.transaction() as tx:
        change_merchant(tx, SHOP, {"billing_status": status})
    expected = f"EXTERNAL_402_MERCHANT_BILLING_{status.upper()}"
    assert refused(agent.run()) == (409, expected)
    assert agent.calls() == 0


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (None, (401, "UNAUTHORIZED")),
        ("nobody", (401, "UNAUTHORIZED")),
        (MERCHANT_TOKEN, (403, "FORBIDDEN")),
    ],
)
def test_only_buyers_run_capabilities(
    agent: Agent, token: str | None, expected: tuple[int, str]
) -> None:
    """Only a buyer's token runs a capability."""
    assert refused(agent.run(token=token)) == expected


# -- many at once --------------------------------------------------------------------------


@pytest.fixture
def world_on_disk(url_on_file: str) -> Iterator[World]:
    world = open_world(url_on_file, Settings(freeze_at=NOW))
    yield world
    world.close()


@pytest.mark.parametrize("outcome", ["2xx", "5xx"])
def test_sixteen_threads_with_one_key_charge_once(world_on_disk: World, outcome: str) -> None:
    """Sixteen callers with one key at the same moment are charged once, and told the same."""
    application = build(world_on_disk)
    agent = Agent(Api(Client(application)), world_on_disk)
    agent.provider_will(outcome)
    ready = Barrier(16)

    def call() -> TestResponse:
        mine = Agent(Api(Client(application)), world_on_disk)
        ready.wait(10)
        return mine.run()

    with ThreadPoolExecutor(16) as pool:
        answers = [one.result() for one in [pool.submit(call) for _ in range(16)]]
    charged = {data_bytes(one) for one in answers if data(one)["charged"]}
    assert (len(charged), agent.charges()) == (1, 1)
    assert agent.calls() == (1 if outcome == "2xx" else 2)
