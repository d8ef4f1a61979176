"""Drive settlement: what goes wrong, what operators do, notices, fates, stories."""

from urllib.parse import quote

from settlekit_mock.console.batches import ControlBatch, ControlBatches
from settlekit_mock.control.buyers import BuyerAnswer
from settlekit_mock.control.mismatch import Mismatch
from settlekit_mock.control.notices import NoticeAnswer, Notices
from settlekit_mock.control.scenario import Played, Stories, StoryAnswer
from settlekit_mock.control.simulate import Simulation
from settlekit_mock.driver.calls import Calls
from settlekit_mock.driver.clock import ClockDriver
from settlekit_mock.payments.checkout_routes import SessionAnswer
from settlekit_mock.settlement.statements.shapes import SettlementBatch

BuyerLike = BuyerAnswer | str | None


def buyer_id(buyer: BuyerLike) -> str | None:
    """Return a buyer's id; ``None`` stands for all."""
    return buyer.buyer_id if isinstance(buyer, BuyerAnswer) else buyer


class SimulateDriver:
    """What goes wrong next. ``times=0`` ends it; no buyer means all, there too."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def _begin(self, name: str, **body: object) -> Simulation:
        return self._calls.call(Simulation, "POST", f"simulate/{name}", body)

    def notice_failure(self, *, buyer: BuyerLike = None, times: int = 1) -> Simulation:
        """Let final debit notices fail."""
        return self._begin("notice-failure", buyer=buyer_id(buyer), times=times)

    def debit_failure(
        self,
        *,
        buyer: BuyerLike = None,
        settlement_batch_id: str | None = None,
        reason: str = "ONCHAIN_FAILURE",
        times: int = 1,
    ) -> Simulation:
        """Let debits fail with a public failure code."""
        return self._begin(
            "debit-failure",
            buyer=buyer_id(buyer),
            settlement_batch_id=settlement_batch_id,
            reason=reason,
            times=times,
        )

    def unknown_outcome(
        self,
        *,
        buyer: BuyerLike = None,
        settlement_batch_id: str | None = None,
        times: int = 1,
    ) -> Simulation:
        """Let debits end with an outcome that nobody knows."""
        return self._begin(
            "unknown-outcome",
            buyer=buyer_id(buyer),
            settlement_batch_id=settlement_batch_id,
            times=times,
        )

    def provider_outcome(self, *, capability_key: str, outcome: str, times: int = 1) -> Simulation:
        """Choose how the provider behind a capability answers."""
        return self._begin(
            "provider-outcome", capability_key=capability_key, outcome=outcome, times=times
        )

    def finality(self, *, seconds: int | None = None) -> Simulation:
        """Choose how long the chain takes to confirm a batch's debit; by default 30 seconds."""
        return self._begin("finality", seconds=seconds)

    def ledger_mismatch(self, *, wallet_id: str, amount: str) -> Mismatch:
        """Misstate a wallet's balance by major units, so that reconciliation raises the alarm."""
        body = {"wallet_id": wallet_id, "amount": amount}
        return self._calls.call(Mismatch, "POST", "simulate/ledger-mismatch", body)


class BatchesDriver:
    """Every batch, and the operator's moves on them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def all(
        self,
        *,
        status: str | None = None,
        buyer: BuyerLike = None,
        merchant: str | None = None,
        currency: str | None = None,
        limit: int | None = None,
    ) -> list[ControlBatch]:
        """Read batches, newest first: all, or at most ``limit``.

        ``merchant`` is a merchant's key, which stands for its owner, or a provider's id.
        """
        asked = {
            "status": status,
            "buyer": buyer_id(buyer),
            "merchant": merchant,
            "currency": currency,
        }
        return self._calls.pages(ControlBatches, "batches", asked, size=1000, limit=limit)

    def get(self, settlement_batch_id: str) -> ControlBatch:
        """Read a batch, with each attempt at its debit."""
        path = f"batches/{quote(settlement_batch_id, safe='')}"
        return self._calls.call(ControlBatch, "GET", path)

    def _move(self, batch_id: str, name: str, **body: object) -> SettlementBatch:
        path = f"batches/{quote(batch_id, safe='')}/{name}"
        return self._calls.call(SettlementBatch, "POST", path, body)

    def resolve(
        self, settlement_batch_id: str, *, outcome: str, reason: str | None = None
    ) -> SettlementBatch:
        """Resolve an unknown outcome as ``settled`` or ``failed``."""
        return self._move(settlement_batch_id, "resolve", outcome=outcome, reason=reason)

    def requeue(self, settlement_batch_id: str) -> SettlementBatch:
        """Start a new run of attempts for a batch that is past due."""
        return self._move(settlement_batch_id, "requeue")

    def give_up(
        self, settlement_batch_id: str, *, status: str, reason_code: str
    ) -> SettlementBatch:
        """End a batch that is past due as ``uncollectible`` or ``written_off``."""
        return self._move(settlement_batch_id, "terminal", status=status, reason_code=reason_code)

    def redeliver_notice(self, settlement_batch_id: str) -> SettlementBatch:
        """Get a final debit notice through that couldn't be delivered."""
        return self._move(settlement_batch_id, "redeliver-notice")


class CheckoutDriver:
    """What becomes of checkout sessions short of payment: signed in, cancelled, failed."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def _move(self, session_id: str, name: str, buyer: BuyerLike) -> SessionAnswer:
        path = f"checkout-sessions/{quote(session_id, safe='')}/{name}"
        return self._calls.call(SessionAnswer, "POST", path, {"buyer": buyer_id(buyer)})

    def authenticate(self, session_id: str, *, buyer: BuyerLike = None) -> SessionAnswer:
        """Sign a buyer in to a session; the server's first unless named."""
        return self._move(session_id, "authenticate", buyer)

    def cancel(self, session_id: str, *, buyer: BuyerLike = None) -> SessionAnswer:
        """Cancel a session."""
        return self._move(session_id, "cancel", buyer)

    def fail(self, session_id: str, *, buyer: BuyerLike = None) -> SessionAnswer:
        """Let a session fail."""
        return self._move(session_id, "fail", buyer)


class NoticesDriver:
    """The notices that were sent, as their readers got them."""

    def __init__(self, calls: Calls, clock: ClockDriver) -> None:
        self._calls = calls
        self._clock = clock

    def all(
        self,
        *,
        audience: str | None = None,
        kind: str | None = None,
        buyer: BuyerLike = None,
        settlement_batch_id: str | None = None,
    ) -> list[NoticeAnswer]:
        """Read notices, newest first."""
        asked = {
            "audience": audience,
            "kind": kind,
            "buyer": buyer_id(buyer),
            "settlement_batch_id": settlement_batch_id,
        }
        return self._calls.pages(Notices, "notices", asked, size=500)

    def wait_for(
        self,
        *,
        kind: str,
        audience: str | None = None,
        buyer: BuyerLike = None,
        days: int = 45,
    ) -> NoticeAnswer:
        """Let time pass until such a notice is there, and return the newest.

        Moves the clock from one due time to the next, ``days`` at most; raises
        ``TimeoutError`` when none came.
        """
        end = self._clock.now.timestamp() + days * 86_400
        while not (found := self.all(audience=audience, kind=kind, buyer=buyer)):
            left = end - self._clock.now.timestamp()
            if left <= 0 or not self._clock.advance(until="next", limit=left).reached:
                raise TimeoutError(f"no {kind} notice within {days} days")
        return found[0]


class ScenariosDriver:
    """Stories that play themselves."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def all(self) -> list[StoryAnswer]:
        """Read every story's name and what it tells."""
        return self._calls.call(Stories, "GET", "scenarios").items

    def play(self, name: str, *, seed: int | None = None, scale: float | None = None) -> Played:
        """Play a story; with ``seed`` in a fresh world."""
        body = {"seed": seed, "scale": scale}
        return self._calls.call(Played, "POST", f"scenarios/{quote(name, safe='')}", body)
