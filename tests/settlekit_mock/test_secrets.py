"""Secrets leave the server where they are made, and nowhere and never else: planted canaries."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from typing import Any, Final

import pytest
from werkzeug.test import Client

import settlekit_mock
from settlekit_mock.app import ROUTES, build, open_world
from settlekit_mock.http.roles import Credentials
from settlekit_mock.http.routes import Route
from settlekit_mock.kernel.discretion import SECRET
from settlekit_mock.kernel.tables import METADATA
from settlekit_mock.kernel.world import Settings
from tests.conformance.lived import PAYMENTS, TOKENS
from tests.settlekit_mock.telling import FORGED, GIVEN, HOOK, SETTINGS, World

pytestmark = pytest.mark.sqlite
PACKAGE = Path(settlekit_mock.__file__).parent
CONTROL: Final = {"token", "challenge_secret", "webhook_secret"}
HOOKS: Final = "/v1/market/webhooks/subscriptions"
SHOWN: Final = {
    f"POST {PAYMENTS}/merchants": {"challenge_secret"},
    f"POST {PAYMENTS}/merchants/<merchant>/challenge-secret/rotate": {"challenge_secret"},
    f"POST {HOOKS}": {"webhook_secret"},
    f"POST {HOOKS}/<subscription_id>/rotate-secret": {"webhook_secret"},
    "POST /v1/account/auto-pay/scheduled-authorizations": {"schedule_token"},
    "GET /pay/<session_id>": {"form_token"},
    "POST /pay/<session_id>": {"form_token"},
    "POST /_mock/tokens": {"token"},
    "POST /_mock/buyers": {"token"},
    "GET /_mock/buyers": {"token"},
    "GET /_mock/buyers/<buyer_id>": {"token"},
    "PATCH /_mock/buyers/<buyer_id>": {"token"},
    "POST /_mock/merchants": CONTROL,
    "GET /_mock/merchants": CONTROL,
    "GET /_mock/merchants/<merchant>": CONTROL,
    "PATCH /_mock/merchants/<merchant>": CONTROL,
}
"""Where a secret may be shown, and which. Control is a test's own, and its ring of keys."""
MADE_ONCE: Final = {"challenge_secret", "webhook_secret", "schedule_token"}
KEPT: Final = {
    "tokens.token",
    "merchants.challenge_secret",
    "checkout_sessions.form_token",
    "webhook_subscriptions.signing_secret",
    "webhook_subscriptions.previous_secret",
}
"""The columns that hold secrets."""
READ: Final = [
    route for route in ROUTES if route.method == "GET" and route.path != "/_mock/events/stream"
]
"""The stream has no end; it tells the journal's entries, which are looked at as rows."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    with made.watched():
        yield made.live()
    made.mock.close()


def test_what_was_lived_is_sound_and_shows_every_kind(world: World) -> None:
    """The world has secrets of every kind, refusals and defects, and nothing amiss."""
    assert world.mock.check().ok
    assert len(world.secrets) > 30
    assert set(world.secrets.values()) >= {*MADE_ONCE, *SETTINGS, "token", "form_token"}
    assert {400, 401, 402, 403, 404, 409, 422, 500, 503} <= {told.status for told in world.told}
    assert len(world.errors) == 3


def test_each_answer_shows_the_secrets_of_the_table(world: World) -> None:
    """Of all answers in a life, those of the table show the secrets it names, the others none."""
    found: dict[str, set[str]] = {}
    for told in world.told:
        if shown := world.found_in(told.text):
            found.setdefault(told.route, set()).update(shown)
    never = {route: shown - SHOWN.get(route, set()) for route, shown in found.items()}
    assert {route: shown for route, shown in never.items() if shown} == {}
    assert set(SHOWN) - set(found) == set(), "the table names routes that show nothing"


def test_a_secret_is_shown_to_its_owner_once(world: World) -> None:
    """Outside control, the answer that makes a secret is the only one that ever shows it."""
    for secret, kind in world.secrets.items():
        if kind in MADE_ONCE:
            routes = [told.route for told in world.told if secret in told.text]
            assert len([route for route in routes if "/_mock/" not in route]) <= 1, routes


@pytest.mark.parametrize("route", READ, ids=lambda route: route.path)
def test_no_route_that_reads_shows_another_secret(world: World, route: Route) -> None:
    """Whoever asks, with any token, is answered without a secret that isn't in the table."""
    path = re.sub("<([a-z_]+)>", lambda name: world.lived.known.get(name[1], "none"), route.path)
    held = [*TOKENS.values(), *GIVEN.values(), *FORGED.values(), *SETTINGS.values()]
    for token in (None, world.lived.schedule_token, *held):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers |= {"X-Admin-Secret": token or SETTINGS["admin_secret"]}
        answer = Client(world.mock.app).get(path, headers=headers)
        shown = world.found_in(f"{answer.headers}{answer.get_data(as_text=True)}")
        assert shown <= SHOWN.get(f"GET {route.path}", set()), (token, answer.status_code)


def test_no_row_holds_a_secret_but_where_it_is_kept(world: World) -> None:
    """Journal, audit log, kept answers, events, notices and postings hold no secret."""
    holding: set[str] = set()
    with world.mock.world.snapshot() as connection:
        for table in METADATA.sorted_tables:
            for row in connection.execute(table.select()).mappings():
                texts = {name: _text(value) for name, value in row.items()}
                holding |= {
                    f"{table.name}.{n}" for n, text in texts.items() if world.found_in(text)
                }
    assert holding == KEPT


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def test_no_log_delivery_or_exception_holds_a_secret(world: World) -> None:
    """Tracebacks of defects, what receivers got, and what clients raise hold no secret."""
    assert "a defect in POST" in world.log
    assert "the database failed in POST" in world.log
    assert world.found_in(world.log) == set()
    assert world.found_in("".join(world.delivered)) == set()
    for error in world.errors:
        assert world.found_in(f"{error}{error!r}{vars(error)}") == set()


def test_no_list_of_snapshots_or_repr_holds_a_secret(world: World) -> None:
    """What a mock is asked for, and how it and its parts show themselves, hold no secret."""
    mock = world.mock
    shown = [mock, mock.world, mock.world.settings, mock.app, mock.snapshots.all(), mock.events()]
    shown += [mock.merchants.all(), mock.buyers.all(), mock.notices.all(), mock.faults.all()]
    assert world.found_in("".join(map(repr, shown))) == set()


# -- classes -------------------------------------------------------------------------------------


def _fields(kind: Any) -> list[str]:
    if is_dataclass(kind):
        return [field.name for field in fields(kind)]
    return [*(getattr(kind, "__struct_fields__", None) or getattr(kind, "_fields", ()))]


def _secretive() -> dict[str, Any]:
    names = [
        ".".join(("settlekit_mock", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name not in ("__init__.py", "__main__.py")
    ]
    return {
        f"{kind.__module__}.{kind.__qualname__}": kind
        for name in names
        for _, kind in getmembers(import_module(name), isclass)
        if kind.__module__ == name and any(SECRET.search(field) for field in _fields(kind))
    }


SECRETIVE: Final = _secretive()


def test_there_are_classes_with_secrets() -> None:
    """Those that are known to hold secrets are among those that are found."""
    assert {name.rpartition(".")[2] for name in SECRETIVE} >= {
        "Settings",
        "Credentials",
        "Merchant",
        "Subscription",
        "Outgoing",
        "CheckoutSession",
        "ControlMerchant",
        "TokenAnswer",
        "AuthorizationAnswer",
    }


@pytest.mark.parametrize("name", SECRETIVE)
def test_no_repr_shows_a_secret(name: str) -> None:
    """Whatever has a field for a token or secret leaves it out of its repr."""
    kind = SECRETIVE[name]
    given = {field: "canary" if SECRET.search(field) else "plain" for field in _fields(kind)}
    made = kind(**given)
    assert "canary" in [getattr(made, field) for field in given]
    assert "canary" not in repr(made)


def test_credentials_show_no_header() -> None:
    """Who calls is shown without the token that says so."""
    given = Credentials("Bearer canary", "canary", "127.0.0.1", "localhost")
    assert "canary" not in repr(given)
    assert "127.0.0.1" in repr(given)


# -- a database that tells ------------------------------------------------------------------------


def test_postgresql_tells_no_row_of_what_it_refused(
    postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL's own errors quote the row; the log says what failed, without it."""
    opened = open_world(postgresql_url, Settings(freeze_at=0))
    with opened.database.write() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE webhook_subscriptions ADD CONSTRAINT broken CHECK (status = '') NOT VALID"
        )
    answer = Client(build(opened)).post(
        HOOKS,
        json={"callback_url": HOOK, "description": "canary"},
        headers={"Authorization": f"Bearer {TOKENS['merchantToken']}"},
    )
    opened.close()
    assert answer.status_code == 500
    assert 'violates check constraint "broken"' in caplog.text
    assert "canary" not in caplog.text
    assert "whsec_" not in caplog.text
