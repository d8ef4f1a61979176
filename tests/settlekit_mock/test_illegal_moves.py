"""Every state against every move: made, answered again, or refused with nothing changed.

Batches and payouts have tables of their own, in tests/machine and tests/settlekit_mock/operations.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import pytest

from settlekit_mock import MockServer
from settlekit_mock.control.check import check_all
from settlekit_mock.kernel.tables import EVENTS
from settlekit_mock.payments.rules.checkout import SessionStatus
from settlekit_mock.payments.rules.requirements import RequirementStatus
from settlekit_mock.recurring.rules import AuthorizationStatus, SubscriptionStatus
from tests.settlekit_mock import standing
from tests.settlekit_mock.control.conftest import START, rows_of

pytestmark = pytest.mark.sqlite
MADE: Final = "made"
KEPT: Final = "answered, and nothing changes"
OVER: Final = (409, "CHECKOUT_SESSION_NOT_OPEN")
UNCONFIRMED: Final = (409, "CHECKOUT_SESSION_NOT_CONFIRMED")
CLOSED: Final = (409, "REQUIREMENT_NOT_OPEN")
INACTIVE: Final = (409, "SCHEDULED_AUTHORIZATION_NOT_ACTIVE")
DEAD: Final = (401, "UNAUTHORIZED")
EXHAUSTED: Final = (409, "SCHEDULED_AUTHORIZATION_EXHAUSTED")
PAUSED: Final = (409, "WEBHOOK_SUBSCRIPTION_PAUSED")
OTHER: Final = (422, "INVALID_EXTERNAL_402_CHALLENGE")
LATE: Final = (409, "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE")
STOPPED: Final = (409, "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED")
UNSET: Final = (409, "EXTERNAL_402_MERCHANT_BILLING_SETUP_REQUIRED")
UNREADY: Final = (409, "HOSTED_CHECKOUT_READINESS_REQUIRED")

Answer = str | tuple[int, str]


class Life(NamedTuple):
    """The states of a thing, its moves, and what each state answers to each of them in order."""

    states: Mapping[str, standing.Make]
    moves: Mapping[str, standing.Move]
    answers: Mapping[str, tuple[Answer, ...]]


LIVES: Final[Mapping[str, Life]] = MappingProxyType(
    {
        "session": Life(
            standing.SESSIONS,
            standing.SESSION_MOVES,
            {
                # confirm, redeliver, authenticate, cancel, fail
                "open": (MADE, UNCONFIRMED, MADE, MADE, MADE),
                "authenticated": (MADE, UNCONFIRMED, KEPT, MADE, MADE),
                "paid": (KEPT, KEPT, OVER, OVER, OVER),
                "expired": (OVER, UNCONFIRMED, OVER, OVER, OVER),
                "cancelled": (OVER, UNCONFIRMED, OVER, OVER, OVER),
                "failed": (OVER, UNCONFIRMED, OVER, OVER, OVER),
            },
        ),
        "requirement": Life(
            standing.REQUIREMENTS,
            standing.REQUIREMENT_MOVES,
            {
                # ask again, pay, verify
                "requires_payment": (KEPT, MADE, KEPT),
                "confirmed": (KEPT, KEPT, MADE),
                "spent": (KEPT, KEPT, KEPT),
                "expired": (KEPT, CLOSED, KEPT),
                "failed": (KEPT, CLOSED, KEPT),
            },
        ),
        "subscription": Life(
            standing.SUBSCRIPTIONS,
            standing.SUBSCRIPTION_MOVES,
            {
                # subscribe again, subscribe otherwise
                "active": (KEPT, OTHER),
                "past_due": (KEPT, OTHER),
                "cancelled": (KEPT, OTHER),
            },
        ),
        "authorization": Life(
            standing.AUTHORIZED,
            standing.AUTHORIZED_MOVES,
            {
                # run, revoke
                "active": (MADE, MADE),
                "revoked": (DEAD, KEPT),
                "expired": (DEAD, INACTIVE),
                "exhausted": (EXHAUSTED, INACTIVE),
            },
        ),
        "endpoint": Life(
            standing.ENDPOINTS,
            standing.ENDPOINT_MOVES,
            {
                # pause, resume, rotate-secret, test, redeliver
                "active": (MADE, KEPT, MADE, MADE, MADE),
                "paused": (KEPT, MADE, MADE, PAUSED, PAUSED),
            },
        ),
        "billing": Life(
            standing.BILLED,
            standing.BILLED_MOVES,
            {
                # open a session, ask, run a capability, subscribe, run
                "active": (MADE, MADE, MADE, MADE, MADE),
                "past_due": (LATE, LATE, LATE, LATE, LATE),
                "suspended": (STOPPED, STOPPED, STOPPED, STOPPED, STOPPED),
                "setup_required": (UNSET, UNSET, UNSET, UNSET, UNSET),
                "approval_required": (UNREADY, MADE, MADE, MADE, MADE),
            },
        ),
    }
)
TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "session": "checkout_sessions",
        "requirement": "requirements",
        "subscription": "payment_subscriptions",
        "authorization": "scheduled_authorizations",
        "endpoint": "webhook_subscriptions",
    }
)
STATES: Final = [(name, state) for name, life in LIVES.items() for state in life.states]


@pytest.fixture(scope="module", params=STATES, ids=" ".join)
def placed(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[MockServer, standing.Thing, Life, str]]:
    """A mock with one thing in one state."""
    name, state = request.param
    with MockServer(seed=7, freeze_at=START) as mock:
        thing = LIVES[name].states[state](mock)
        if name in TABLES:
            assert stands(mock, TABLES[name]) == state
        yield mock, thing, LIVES[name], state


def stands(mock: MockServer, table: str) -> object:
    """Return the status of the only row of a table."""
    with mock.world.snapshot() as connection:
        return connection.exec_driver_sql(f"SELECT status FROM {table}").scalar_one()


def test_each_move_is_answered_as_the_table_says(
    placed: tuple[MockServer, standing.Thing, Life, str],
) -> None:
    """A move that a state doesn't have is refused or answered again, and leaves every row."""
    mock, thing, life, state = placed
    image = mock.world.image()
    for (name, move), expected in zip(life.moves.items(), life.answers[state], strict=True):
        mock.world.restore(image)
        before = rows_of(mock.world, EVENTS)
        answer = move(mock, thing)
        got: Answer = MADE if rows_of(mock.world, EVENTS) != before else KEPT
        if answer.status_code >= 400:
            assert got == KEPT
            got = answer.status_code, answer.json()["error"]["code"]
        assert got == expected, name
        with mock.world.snapshot() as connection:
            assert check_all(connection) == []


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("session", SessionStatus),
        ("requirement", RequirementStatus),
        ("subscription", SubscriptionStatus),
        ("authorization", AuthorizationStatus),
    ],
)
def test_the_table_has_every_state(name: str, statuses: type[SessionStatus]) -> None:
    """No status is left out, and each life's table has all its states."""
    assert set(LIVES[name].states) == {status.value for status in statuses}
    assert set(LIVES[name].answers) == set(LIVES[name].states)
