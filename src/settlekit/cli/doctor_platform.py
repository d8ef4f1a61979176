"""What the doctor asks the platform: the account, its endpoint, a checkout, a delivery."""

import time
import uuid
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast

from settlekit._sync.client import Client
from settlekit.cli.doctor_report import Report
from settlekit.cli.doctor_settings import ShopSettings
from settlekit.errors import CheckoutNotReady, CheckoutUnavailable, NotFound, SettlekitError
from settlekit.models import CheckoutSession, Merchant, WebhookEndpoint
from settlekit.webhooks import TOLERANCE_SECONDS

CONFIRMED: Final = "direct_payment.confirmed"
DELIVERY_PATIENCE_SECONDS: Final = 10.0
_ACTIVE: Final = frozenset(
    {"active", "ready", "current", "ok", "enabled", "paid", "complete", "completed"}
)


class Examination:
    """One look at a merchant's side of the platform, in the order of a payment."""

    def __init__(self, client: Client, shop: ShopSettings, report: Report) -> None:
        self._client = client
        self._shop = shop
        self._report = report
        self._endpoint: WebhookEndpoint | None = None

    def run(self, *, checkout: bool, delivery: bool) -> None:
        """Make every check that the ones before it allow."""
        self._service()
        merchant = self._account()
        self._readiness()
        self._webhook_endpoint()
        if checkout:
            self._probe_checkout(known=merchant is not None)
        if delivery:
            self._probe_delivery()

    def _service(self) -> None:
        with self._report.asking("platform_reachable"):
            status = self._client.platform.status()
            self._report.check("platform_reachable", True, status.status, "")
            if status.response is not None:
                self._clock(status.response.headers.get("date", ""))

    def _clock(self, date: str) -> None:
        try:
            ahead = time.time() - parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        self._report.check(
            "clock_agrees",
            abs(ahead) <= TOLERANCE_SECONDS / 2,
            f"{ahead:+.0f} s from the platform's",
            "Set this machine's clock: webhooks that look too old are refused.",
        )

    def _account(self) -> Merchant | None:
        merchant: Merchant | None = None
        with self._report.asking("merchant_exists"):
            try:
                merchant = self._client.merchants.get(self._shop.merchant)
            except NotFound:
                fix = f"Set the merchant up: merchants.set_up(merchant={self._shop.merchant!r}, …)."
                self._report.check("merchant_exists", False, "the platform has none", fix)
                return None
            self._report.check("merchant_exists", True, merchant.merchant_account.merchant, "")
            self._account_is_active(merchant)
            self._account_allows_the_shop(merchant)
        return merchant

    def _account_is_active(self, merchant: Merchant) -> None:
        account = merchant.merchant_account
        self._report.check(
            "billing_mandate",
            bool(account.billing_mandate_id),
            account.billing_mandate_id or "none",
            "Call merchants.prepare_billing_mandate, and approve it in the wallet.",
        )
        self._report.check(
            "billing_status_active",
            _is_active(account.billing_status),
            str(account.billing_status or "unknown"),
            "Complete the billing mandate, or pay what is past due.",
        )
        self._report.check(
            "merchant_status_active",
            str(account.status or "").lower() in {"active", "ready"},
            str(account.status or "unknown"),
            "Ask the platform why the account isn't active.",
        )

    def _account_allows_the_shop(self, merchant: Merchant) -> None:
        metadata = merchant.merchant_account.metadata_jsonb
        billing_currency = merchant.merchant_account.billing_currency or ""
        currencies: list[str] = list(metadata.allowed_currencies or [billing_currency])
        self._report.check(
            "currency_allowed",
            not any(currencies) or self._shop.currency in currencies,
            ", ".join(currencies) or "not said",
            f"Pass --currency, or set the merchant up with allowed_currencies for "
            f"{self._shop.currency}.",
        )
        origins = metadata.checkout_allowed_origins
        if origins and self._report.passed("shop_origin"):
            self._report.check(
                "origin_allowed",
                self._shop.origin.lower() in origins,
                ", ".join(origins),
                f"Call merchants.set_up with checkout_allowed_origins, {self._shop.origin} in it.",
            )

    def _readiness(self) -> None:
        try:
            readiness = self._client.merchants.readiness(self._shop.merchant)
        except SettlekitError:
            self._report.skip("checkout_ready", "the platform doesn't say")
            return
        found = readiness.standard_hosted_checkout_readiness
        fixes = [
            f"{check.name}: {check.message}" for check in found.checks if check.passed is False
        ]
        self._report.check(
            "checkout_ready",
            found.ready,
            str(found.status or found.ready)
            if found.ready
            else ", ".join(readiness.missing_requirements),
            " ".join(fixes) or "Complete what is missing.",
        )

    def _webhook_endpoint(self) -> None:
        with self._report.asking("webhook_subscription_exists"):
            endpoints = [
                each for each in self._client.webhook_endpoints.list() if _is_active(each.status)
            ]
            self._report.check(
                "webhook_subscription_exists",
                bool(endpoints),
                f"{len(endpoints)} active",
                "Call webhook_endpoints.create with the callback_url "
                f"{self._shop.webhook_url or 'of the shop'}.",
            )
            if not self._report.passed("webhook_url"):
                self._report.skip("webhook_callback_matches", "needs the shop's webhook URL")
                return
            self._matching_endpoint(endpoints)

    def _matching_endpoint(self, endpoints: list[WebhookEndpoint]) -> None:
        urls = [each.callback_url for each in endpoints]
        url = self._shop.webhook_url
        matching = [each for each in endpoints if each.callback_url == url]
        if not self._report.check(
            "webhook_callback_matches",
            bool(matching),
            url if matching else ", ".join(urls) or "none",
            f"Make an endpoint for {url}, or set SHOP_WEBHOOK_URL to the one there is.",
        ):
            return
        endpoint = self._endpoint = matching[0]
        self._report.check(
            "direct_payment_confirmed_subscribed",
            not endpoint.event_types or CONFIRMED in endpoint.event_types,
            ", ".join(endpoint.event_types) or "all events",
            f"Make the endpoint anew with {CONFIRMED} among its event types.",
        )
        hint = endpoint.signing_secret_hint
        self._report.check(
            "webhook_secret_matches_subscription_hint",
            bool(hint) and self._shop.webhook_secret.endswith(str(hint)),
            f"the endpoint's secret ends in {hint}" if hint else "the platform gives no hint",
            "Set SIGLUME_WEBHOOK_SECRET to this endpoint's secret, or rotate it: "
            "webhook_endpoints.rotate_secret.",
        )

    def _probe_checkout(self, *, known: bool) -> None:
        name = "hosted_checkout_probe"
        if not known or not self._report.passed("shop_origin", "standard_probe_amount"):
            self._report.skip(name, "needs the merchant, the shop's origin and a probe amount")
            return
        with self._report.asking(name):
            try:
                session = self._open_checkout()
            except (CheckoutUnavailable, CheckoutNotReady) as error:
                fix = "Complete what checkout_ready names, or ask the platform to enable checkout."
                self._report.check(name, False, str(error), fix)
                return
            self._report.check(
                name,
                bool(session.checkout_url and session.challenge_hash),
                session.session_id,
                "The session has no address to send a buyer to: ask the platform.",
            )

    def _open_checkout(self) -> CheckoutSession:
        return self._client.checkout_sessions.create(
            merchant=self._shop.merchant,
            amount_minor=cast(int, self._shop.amount_minor),
            currency=self._shop.currency,
            nonce=f"settlekit-doctor-{uuid.uuid4()}",
            success_url=f"{self._shop.origin}/settlekit-doctor/success",
            cancel_url=f"{self._shop.origin}/settlekit-doctor/cancel",
            metadata={"source": "settlekit doctor"},
        )

    def _probe_delivery(self) -> None:
        name = "webhook_delivery_probe_passed"
        endpoint = self._endpoint
        if endpoint is None:
            self._report.skip(name, "needs an active endpoint with the shop's webhook URL")
            return
        with self._report.asking(name):
            sent = self._client.webhook_endpoints.send_test(
                event_type=CONFIRMED,
                subscription_ids=[endpoint.id],
                data=_probe_of(self._shop.merchant),
            )
            status = self._wait_for(endpoint.id, sent.event.id)
            self._report.check(
                name,
                status.startswith("delivered"),
                status,
                "See that the shop runs, that its endpoint is reachable at "
                f"{self._shop.webhook_url}, verifies with the same secret and answers 2xx.",
            )

    def _wait_for(self, endpoint_id: str, event_id: str) -> str:
        """Return how the delivery ended, or how it stands when patience ends."""
        found = "not seen among the deliveries"
        deadline = time.monotonic() + DELIVERY_PATIENCE_SECONDS
        while True:
            listed = self._client.webhook_endpoints.deliveries(
                subscription_id=endpoint_id, event_type=CONFIRMED, limit=10
            )
            for delivery in listed.items:
                if delivery.event_id == event_id:
                    answered = delivery.response_status or delivery.error or "no answer"
                    found = f"{delivery.delivery_status}: {answered}"
                    if delivery.delivery_status in {"delivered", "failed"}:
                        return found
            if time.monotonic() >= deadline:
                return found
            time.sleep(0.5)


def _probe_of(merchant: str) -> dict[str, Any]:
    """Return an event's data that says it is a probe: handlers skip it."""
    requirement_id = f"dpr_readiness_{uuid.uuid4().hex}"
    return {
        "mode": "readiness_probe",
        "readiness_probe": True,
        "merchant": merchant,
        "requirement_id": requirement_id,
        "direct_payment_requirement_id": requirement_id,
        "challenge_hash": "sha256:readiness_probe",
        "pricing_band": "standard",
        "settlement_status": "readiness_probe",
    }


def _is_active(status: object) -> bool:
    return str(status or "").lower() in _ACTIVE
