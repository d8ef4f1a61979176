"""Merchants: accounts, secrets, billing mandates."""

from collections.abc import Mapping, Sequence

from settlekit._async.core import AsyncCore
from settlekit._calls import merchants as calls
from settlekit.models import BillingMandate, CheckoutSetUp, Merchant, MerchantReadiness


class AsyncMerchants:
    """Set up merchants and see whether they are ready; needs a merchant's token."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def set_up(
        self,
        *,
        merchant: str,
        billing_plan: str = "launch",
        billing_currency: str = "JPY",
        display_name: str | None = None,
        allowed_currencies: Mapping[str, str] | Sequence[str] | None = None,
        webhook_callback_url: str | None = None,
        billing_mandate_cap_minor: int | None = None,
        max_amount_minor: int | None = None,
        checkout_allowed_origins: Sequence[str] | None = None,
        standard_terms_accepted: bool | None = None,
        terms_accepted: bool | None = None,
        terms_version: str | None = None,
        sandbox_confirmed: bool | None = None,
        sandbox_session_id: str | None = None,
        merchant_responsibility_attested: bool | None = None,
        responsibility_attestation_version: str | None = None,
        live_mode_requested: bool | None = None,
    ) -> Merchant:
        """Create a merchant account, or update it.

        Amounts are minor units of the billing currency. ``challenge_secret`` of the result is
        there once, when the account is new: store it. Origins are absolute, https or on a
        loopback name. The call is never repeated by itself, lest that secret be lost.
        """
        return await self._core.run(
            calls.set_up(
                merchant=merchant,
                billing_plan=billing_plan,
                billing_currency=billing_currency,
                display_name=display_name,
                allowed_currencies=allowed_currencies,
                webhook_callback_url=webhook_callback_url,
                billing_mandate_cap_minor=billing_mandate_cap_minor,
                max_amount_minor=max_amount_minor,
                checkout_allowed_origins=checkout_allowed_origins,
                standard_terms_accepted=standard_terms_accepted,
                terms_accepted=terms_accepted,
                terms_version=terms_version,
                sandbox_confirmed=sandbox_confirmed,
                sandbox_session_id=sandbox_session_id,
                merchant_responsibility_attested=merchant_responsibility_attested,
                responsibility_attestation_version=responsibility_attestation_version,
                live_mode_requested=live_mode_requested,
            )
        )

    async def get(self, merchant: str) -> Merchant:
        """Look at a merchant account; its secret is never shown."""
        return await self._core.run(calls.fetch(merchant))

    async def readiness(self, merchant: str) -> MerchantReadiness:
        """Ask whether a checkout can be opened, and what is missing."""
        return await self._core.run(calls.readiness(merchant))

    async def rotate_challenge_secret(self, merchant: str) -> Merchant:
        """Draw a new challenge secret, shown this once; the old one proves nothing any more."""
        return await self._core.run(calls.rotate_challenge_secret(merchant))

    async def prepare_billing_mandate(
        self,
        merchant: str,
        *,
        currency: str | None = None,
        billing_currency: str | None = None,
        max_amount_minor: int | None = None,
    ) -> BillingMandate:
        """Prepare the mandate that collects the plan's base fee, up to so many minor units."""
        return await self._core.run(
            calls.prepare_billing_mandate(
                merchant,
                currency=currency,
                billing_currency=billing_currency,
                max_amount_minor=max_amount_minor,
            )
        )

    async def set_up_checkout(
        self,
        *,
        merchant: str,
        billing_plan: str = "launch",
        billing_currency: str = "JPY",
        display_name: str | None = None,
        allowed_currencies: Mapping[str, str] | Sequence[str] | None = None,
        webhook_callback_url: str | None = None,
        billing_mandate_cap_minor: int | None = None,
        max_amount_minor: int | None = None,
        checkout_allowed_origins: Sequence[str] | None = None,
        standard_terms_accepted: bool | None = None,
        terms_accepted: bool | None = None,
        terms_version: str | None = None,
        sandbox_confirmed: bool | None = None,
        sandbox_session_id: str | None = None,
        merchant_responsibility_attested: bool | None = None,
        responsibility_attestation_version: str | None = None,
        live_mode_requested: bool | None = None,
        prepare_billing_mandate: bool = True,
        create_webhook_endpoint: bool | None = None,
        webhook_event_types: Sequence[str] | None = None,
        webhook_description: str | None = None,
    ) -> CheckoutSetUp:
        """Set up all that hosted checkout needs: account, billing mandate, webhook endpoint.

        Store ``env`` of the result: its secrets come once. The endpoint is subscribed where
        there is a ``webhook_callback_url``, each time this is called: pass
        ``create_webhook_endpoint=False`` when only the account changes. Every argument is
        checked before the first call leaves. Should a later call fail, SetUpIncomplete has in
        ``done`` what the earlier ones made, secrets and all.
        """
        return await self._core.follow(
            calls.set_up_checkout(
                calls.set_up(
                    merchant=merchant,
                    billing_plan=billing_plan,
                    billing_currency=billing_currency,
                    display_name=display_name,
                    allowed_currencies=allowed_currencies,
                    webhook_callback_url=webhook_callback_url,
                    billing_mandate_cap_minor=billing_mandate_cap_minor,
                    max_amount_minor=max_amount_minor,
                    checkout_allowed_origins=checkout_allowed_origins,
                    standard_terms_accepted=standard_terms_accepted,
                    terms_accepted=terms_accepted,
                    terms_version=terms_version,
                    sandbox_confirmed=sandbox_confirmed,
                    sandbox_session_id=sandbox_session_id,
                    merchant_responsibility_attested=merchant_responsibility_attested,
                    responsibility_attestation_version=responsibility_attestation_version,
                    live_mode_requested=live_mode_requested,
                ),
                prepare_mandate=prepare_billing_mandate,
                create_webhook=create_webhook_endpoint,
                event_types=webhook_event_types,
                description=webhook_description,
            )
        )
