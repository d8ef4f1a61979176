"""A server that is killed under load, and what it had acknowledged by then."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import httpx

from tests.settlekit_mock.cli.serving import PATIENCE_SECONDS, Served

START: Final = "2026-03-02T00:00:00Z"
WRITERS: Final = 3
LOADED_SECONDS: Final = 0.25
SHOP: Final = "sandbox_merchant"
MERCHANT: Final = {"Authorization": "Bearer sandbox_merchant_token"}
SESSIONS: Final = "/v1/sdrp/direct-payments/checkout-sessions"


class Acknowledged:
    """What a writer was told had been done."""

    def __init__(self) -> None:
        self.sessions: dict[str, str] = {}
        """Checkout sessions by their nonce."""
        self.paid: dict[str, str] = {}
        """The event of each session that was paid."""
        self.usage: list[str] = []


def opened(http: httpx.Client, nonce: str) -> str:
    """Open a session, or be told of the one that the nonce has."""
    answer = http.post(
        SESSIONS,
        headers=MERCHANT,
        json={
            "merchant": SHOP,
            "amount_minor": 1200,
            "currency": "JPY",
            "nonce": nonce,
            "success_url": "http://localhost:3000/ok",
            "cancel_url": "http://localhost:3000/no",
        },
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["session_id"])


def confirmed(http: httpx.Client, session_id: str, buyer: str) -> str:
    """Have a session paid, or be told again that it was; return its event's id."""
    answer = http.post(f"/v1/sandbox/checkout-sessions/{session_id}/confirm", json={"buyer": buyer})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["event"]["id"])


def used(http: httpx.Client, buyer: str) -> str:
    body = {"buyer": buyer, "merchant": SHOP, "amount_minor": 1, "currency": "JPY"}
    answer = http.post("/_mock/usage", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["first_usage_id"])


class Killing:
    """One database file, served and killed again and again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.cycles = 0
        self.told = [Acknowledged() for _ in range(WRITERS)]

    def serve(self) -> Served:
        return Served("--port", "0", "--json", "--db", str(self._path), "--freeze-at", START)

    def kill_under_load(self, server: Served) -> None:
        """Write from several sides at once, and kill the server in the midst of it."""
        self.cycles += 1
        buyer = self._make_buyer(server.url)
        writers = [
            threading.Thread(target=self._write, args=(server.url, buyer, number))
            for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        threading.Event().wait(LOADED_SECONDS)
        assert all(writer.is_alive() for writer in writers)
        server.kill()
        for writer in writers:
            writer.join(PATIENCE_SECONDS)
            assert not writer.is_alive()

    def _make_buyer(self, url: str) -> str:
        """Make a buyer of this cycle's own, who can pay for long."""
        amounts = {"JPYC": "90000000"}
        body = {"buyer_id": f"b{self.cycles}", "balances": amounts, "allowances": amounts}
        answer = httpx.post(f"{url}/_mock/buyers", json=body, trust_env=False)
        assert answer.status_code in (200, 201), answer.text
        return f"b{self.cycles}"

    def _write(self, url: str, buyer: str, number: int) -> None:
        """Write until nobody answers, and keep what was answered."""
        told = self.told[number]
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS) as http:
            try:
                for count in range(100_000):
                    nonce = f"{self.cycles}-{number}-{count}"
                    told.sessions[nonce] = session_id = opened(http, nonce)
                    told.usage.append(used(http, buyer))
                    told.paid[session_id] = confirmed(http, session_id, buyer)
            except httpx.TransportError:
                return

    def check(self, server: Served) -> None:
        """Hold the server to everything it had acknowledged, each once."""
        with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE_SECONDS) as http:
            checked: dict[str, Any] = http.get("/_mock/check").json()["data"]
            assert checked["ok"], checked["violations"]
            for told in self.told:
                self._ask_again(http, told)
        self._look_for_all()

    def _ask_again(self, http: httpx.Client, told: Acknowledged) -> None:
        """Ask again for the last things told, and be told the same."""
        for nonce, session_id in list(told.sessions.items())[-3:]:
            assert opened(http, nonce) == session_id
        for session_id, event_id in list(told.paid.items())[-3:]:
            assert confirmed(http, session_id, f"b{self.cycles}") == event_id

    def _look_for_all(self) -> None:
        """Find every acknowledged write in the file, from the first cycle on."""
        with closing(sqlite3.connect(self._path)) as connection:
            sessions = dict(connection.execute("SELECT session_id, status FROM checkout_sessions"))
            usage = {row[0] for row in connection.execute("SELECT metered_usage_id FROM usage")}
        for told in self.told:
            assert set(told.sessions.values()) <= sessions.keys()
            assert {sessions[session_id] for session_id in told.paid} <= {"paid"}
            assert usage.issuperset(told.usage)
