"""A world whose every secret is known, and everything that it tells anybody."""

import io
import logging
import re
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import pytest
import stripe
from werkzeug.test import Client
from werkzeug.wrappers import Request as WsgiRequest
from werkzeug.wrappers import Response

from settlekit import SettlekitError
from settlekit_mock.driver import ControlError
from settlekit_mock.http.application import Application
from settlekit_mock.http.routes import Route
from settlekit_mock.kernel.ids import Ids
from settlekit_mock.kernel.problems import Problem
from settlekit_mock.webhooks.install import mounts_of
from settlekit_mock.webhooks.sender import Outcome
from tests.conformance.lived import PAGES, PAYMENTS, SHOP, TOKENS, Lived

SETTINGS: Final = {
    "admin_secret": "canary-of-the-balances",
    "control_token": "canary-of-control",
    "stripe_webhook_secret": "whsec_canary_of_the_processor",
    "webhook_secret": "whsec_canary_of_the_first_hook",
}
GIVEN: Final = {
    "token": "canary-of-a-merchant",
    "buyer_token": "canary-of-a-buyer",
    "webhook_secret": "whsec_canary_of_a_shop",
}
"""Secrets that callers choose themselves."""
FORGED: Final = {
    "a bearer": "canary-unknown",
    "a key": "cli_canary_key",
    "a header": "canary-guess",
}
"""What is sent where a secret belongs, and is none: somebody may have mistaken the server."""
HOOK: Final = "https://hooks.localhost/all"


class Told(NamedTuple):
    """One answer: the route (or that there was none), its status, and all of it as text."""

    route: str
    status: int
    text: str


class World:
    """A lived-in mock, its secrets by what they are, and whatever left it."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = dict.fromkeys(TOKENS.values(), "token")
        for name, secret in (*SETTINGS.items(), *GIVEN.items()):
            self.secrets[secret] = "token" if name in ("token", "buyer_token") else name
        self.secrets |= {secret: f"{name} that is none" for name, secret in FORGED.items()}
        self.told: list[Told] = []
        self.delivered: list[str] = []
        self.errors: list[Exception] = []
        self._log = io.StringIO()

    @property
    def log(self) -> str:
        """Everything that was logged, tracebacks too."""
        return self._log.getvalue()

    def found_in(self, text: str) -> set[str]:
        """Say what kinds of secrets a text holds."""
        return {kind for secret, kind in self.secrets.items() if secret in text}

    @contextmanager
    def watched(self) -> Generator[None, None, None]:
        """Note every secret that is drawn, every answer and every line that is logged."""
        handler = logging.StreamHandler(self._log)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Ids, "secret", self._drawing(Ids.secret))
            patch.setattr(Application, "respond", self._answering(Application.respond))
            yield
        root.removeHandler(handler)
        root.setLevel(level)

    def _drawing(self, draw: Any) -> Any:
        def drawn(ids: Ids, prefix: str) -> str:
            secret: str = draw(ids, prefix)
            self.secrets[secret] = _KINDS[prefix]
            return secret

        return drawn

    def _answering(self, respond: Any) -> Any:
        def responded(app: Application, given: WsgiRequest) -> Response:
            response: Response = respond(app, given)
            text = f"{response.headers}{response.get_data(as_text=True)}"
            self.told.append(Told(_route(app, given), response.status_code, text))
            return response

        return responded

    # -- a life --------------------------------------------------------------------------------

    def live(self) -> "World":
        """Have something of everything happen, refused and broken calls among it."""
        lived = self.lived = Lived(**SETTINGS)
        self.mock = lived.mock
        mounts_of(self.mock.world).mount(HOOK, self._receive)
        self._people()
        self._page()
        self._webhooks()
        self._card()
        self._operate()
        self._recur()
        self._mistake()
        self._break()
        self.mock.scenarios.play(next(iter(self.mock.scenarios.all())).name)
        self.mock.clock.advance(days=40)
        self.mock.snapshots.take("later")
        return self

    def call(
        self, method: str, path: str, token: str | None = None, **given: Any
    ) -> tuple[int, Any]:
        """Send any call; return its status and what it answers as JSON."""
        headers: Mapping[str, str] = {
            **({} if token is None else {"Authorization": f"Bearer {token}"}),
            **given.pop("headers", {}),
        }
        answer = Client(self.mock.app).open(path, method=method, headers=headers, **given)
        return answer.status_code, answer.json if answer.is_json else answer.text

    def _receive(self, _url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        self.delivered.append(f"{dict(headers)}{body.decode()}")
        return Outcome(500, "the shop says no")

    def _people(self) -> None:
        made = {"webhook_url": HOOK, "webhook_secret": GIVEN["webhook_secret"]}
        self.mock.merchants.create(merchant="given", token=GIVEN["token"], **made)
        self.mock.merchants.create(merchant="drawn")
        self.mock.merchants.update("given", display_name="Given")
        self.mock.merchants.get("drawn")
        self.mock.buyers.create(buyer_id="given", token=GIVEN["buyer_token"])
        self.mock.buyers.update("given", timezone="Asia/Tokyo")
        self.mock.merchants.all()
        self.mock.buyers.all()
        self.mock.buyers.get("given")
        self.mock.tokens.create(role="admin", subject="ann")
        body = {"merchant": "own", "billing_currency": "JPY", "webhook_callback_url": HOOK}
        status, made = self.call("POST", f"{PAYMENTS}/merchants", GIVEN["token"], json=body)
        assert status == 201, made
        path = f"{PAYMENTS}/merchants/own"
        self.call("POST", f"{path}/challenge-secret/rotate", GIVEN["token"])
        self.call("POST", f"{path}/billing-mandate", GIVEN["token"], json={"currency": "JPY"})

    def _webhooks(self) -> None:
        hooks = "/v1/market/webhooks"
        token = TOKENS["merchantToken"]
        status, made = self.call(
            "POST", f"{hooks}/subscriptions", token, json={"callback_url": HOOK}
        )
        assert status == 201
        path = f"{hooks}/subscriptions/{made['data']['id']}"
        for kind in ("bad_signature", "other_secret", "drop", "duplicate"):
            self.mock.webhook_faults.create(kind=kind, times=1)
        for verb in ("rotate-secret", "pause", "resume", "rotate-secret"):
            assert self.call("POST", f"{path}/{verb}", token)[0] == 200
        for _ in range(4):
            told = {"event_type": "direct_payment.confirmed"}
            assert self.call("POST", f"{hooks}/test-deliveries", token, json=told)[0] == 201
        _, log = self.call("GET", f"{hooks}/deliveries", token)
        self.call("POST", f"{hooks}/deliveries/{log['data'][0]['id']}/redeliver", token)
        self.mock.clock.advance(days=1)
        assert len(self.delivered) > 4

    def _page(self) -> None:
        session = f"/pay/{self.lived.known['session_id']}"
        for action, buyer in (("sign_in", "nobody"), ("sign_in", "given"), ("approve", "given")):
            page = self.call("GET", session)[1]
            found = re.search(r'name="form_token" value="([^"]+)"', page)
            form = {"action": action, "buyer": buyer, "form_token": found and found[1]}
            self.call("POST", session, data=form)
        self.call("POST", f"/v1/sandbox/checkout-sessions/{session[5:]}/redeliver")

    def _card(self) -> None:
        begun = {"amount_usd": "5.00", **PAGES}
        path = "/v1/user/stripe/checkout-sessions"
        session_id = self.call("POST", path, TOKENS["buyerToken"], json=begun)[1]
        body = (
            '{"id":"evt_1","type":"checkout.session.completed","data":{"object":{"currency":"usd",'
            f'"amount_total":500,"id":"{session_id["checkout_session_id"]}"}}}}}}'
        )
        for key in (FORGED["a header"], SETTINGS["stripe_webhook_secret"]):
            at = int(time.time())
            signature = stripe.WebhookSignature._compute_signature(f"{at}.{body}", key)
            headers = {"stripe-signature": f"t={at},v1={signature}"}
            answered, _ = self.call("POST", "/v1/stripe/webhook", data=body, headers=headers)
        assert answered == 200

    def _operate(self) -> None:
        token, known = TOKENS["adminToken"], self.lived.known
        adjusted = {"kind": "refund", "direction": "debit", "amount_usd": "0.01"}
        path = f"/v1/admin/wallets/{self._wallet()}/adjustments"
        for amount in ("0.01", "0.02", "900000"):
            body = {**adjusted, "amount_usd": amount, "idempotency_key": f"k{len(amount)}"}
            self.call("POST", path, token, json=body)
        use = {"public_app_id": "app", "feature_key": "f", "provider": "p", "model": "m"}
        fee = {"route_mode": "byok", "fee_usd": "0.5", "request_id": "req_1"}
        assert self.call("POST", "/v1/admin/usage", token, json={**use, **fee})[0] == 201
        balance = {"sid": "given", "balance_cents": 700}
        secret = {"X-Admin-Secret": SETTINGS["admin_secret"]}
        assert self.call("POST", "/admin/balance-adjust", json=balance, headers=secret)[0] == 200
        for step in ("mark-paid", "approve", "mark-paid", "fail"):
            self.call("POST", f"/v1/admin/payouts/{known['payout_id']}/{step}", token)
        self.mock.simulate.ledger_mismatch(wallet_id=known["wallet_id"], amount="1")
        self.call("GET", "/v1/admin/reconciliation/ledger", token)
        hold = self.call("GET", "/v1/admin/reconciliation/holds", token)[1]["items"][0]["id"]
        release = f"/v1/admin/reconciliation/holds/{hold}/release"
        assert self.call("POST", release, token, json={"note": "seen"})[0] == 200
        self.mock.simulate.ledger_mismatch(wallet_id=known["wallet_id"], amount="-1")

    def _wallet(self) -> str:
        """Return the first buyer's credits."""
        _, read = self.call("GET", "/v1/user/wallet", TOKENS["buyerToken"])
        wallet_id: str = read["wallet_id"]
        return wallet_id

    def _recur(self) -> None:
        run = "/v1/market/api-store/scheduled-auto-pay/execute"
        for slot in ("one", "one", "two"):
            self.call("POST", run, self.lived.schedule_token, json={"slot_id": slot})
        path = (
            f"/v1/account/auto-pay/scheduled-authorizations/{self.lived.known['authorization_id']}"
        )
        assert self.call("DELETE", path, TOKENS["buyerToken"])[0] == 200
        assert self.call("POST", run, self.lived.schedule_token, json={"slot_id": "3"})[0] == 401

    def _mistake(self) -> None:
        """Send secrets where others belong, and have our own client and driver refused."""
        for token in (*FORGED.values(), TOKENS["providerToken"], GIVEN["token"]):
            self.call("GET", "/v1/admin/audit", token)
            self.call("GET", "/v1/nowhere", token)
            self.call("POST", f"{PAYMENTS}/merchants", token, json={"merchant": 7})
            self.call("POST", "/_mock/reset", token)
            self.call("POST", "/admin/balance-adjust", headers={"X-Admin-Secret": token}, json={})
        for token in (FORGED["a bearer"], GIVEN["token"]):
            with self.mock.client(token=token) as client, self._refused(SettlekitError):
                client.provider_statements.summary()
                client.merchants.get("nobody")
        with self._refused(ControlError):
            self.mock.merchants.update("nobody", webhook_secret=GIVEN["webhook_secret"])

    @contextmanager
    def _refused(self, kind: type[Exception]) -> Generator[None, None, None]:
        try:
            yield
        except kind as error:
            self.errors.append(error)

    def _break(self) -> None:
        """Have the database fail where secrets are written: refuse a row, or lose a table."""
        session = {"merchant": SHOP, "amount_minor": 1200, "currency": "JPY", "nonce": "broken"}
        calls = {
            "tokens": ("/_mock/tokens", "control_token", {"role": "admin", "subject": "eve"}),
            "merchants": (f"{PAYMENTS}/merchants/{SHOP}/challenge-secret/rotate", "", {}),
            "checkout_sessions": (f"{PAYMENTS}/checkout-sessions", "", {**session, **PAGES}),
            "webhook_subscriptions": (
                "/v1/market/webhooks/subscriptions",
                "",
                {"callback_url": HOOK},
            ),
        }
        for table, (path, token, body) in calls.items():
            for statements in _BREAKS:
                with self.mock.fork() as fork:
                    with fork.world.database.write() as connection:
                        for statement in statements:
                            connection.exec_driver_sql(statement.format(table))
                    headers = {"Authorization": f"Bearer {SETTINGS.get(token, _MERCHANT)}"}
                    answer = Client(fork.app).post(path, json=body, headers=headers)
                    assert answer.status_code in (500, 503), (path, answer.text)


_MERCHANT: Final = TOKENS["merchantToken"]
_BREAKS: Final = (
    tuple(
        f"CREATE TRIGGER broken_{verb} BEFORE {verb} ON {{0}} BEGIN SELECT RAISE(ABORT, 'no'); END"
        for verb in ("INSERT", "UPDATE")
    ),
    ("PRAGMA legacy_alter_table = ON", "ALTER TABLE {0} RENAME COLUMN created_at TO gone_at"),
)
_KINDS: Final = {
    "tok_admin": "token",
    "tok_buyer": "token",
    "tok_merchant": "token",
    "tok_provider": "token",
    "sched": "schedule_token",
    "form": "form_token",
    "chsec": "challenge_secret",
    "whsec": "webhook_secret",
}


def _route(app: Application, given: WsgiRequest) -> str:
    try:
        route: Route = app._match(given)[0]
    except Problem:
        return "no route"
    return f"{route.method} {route.path}"
