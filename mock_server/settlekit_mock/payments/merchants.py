"""The use cases of merchants: set up, read, rotate, prepare the mandate, change by control."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, update

from settlekit_mock.kernel.problems import Conflict, Forbidden, Invalid, NotFound
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.ledger import service as ledger
from settlekit_mock.payments.billing import plan_changed
from settlekit_mock.payments.rules import merchants as rules
from settlekit_mock.payments.rules.readiness import Facts, Readiness, readiness
from settlekit_mock.payments.tables import MERCHANTS, Merchant, merchant_named, merchants_of
from settlekit_mock.settlement.providers import set_billing_currency
from settlekit_mock.settlement.rules.amounts import plan_named
from settlekit_mock.webhooks.rules import read_url
from settlekit_mock.webhooks.service import set_endpoint
from settlekit_mock.webhooks.tables import subscriptions_of


@dataclass(frozen=True, slots=True)
class SetUp:
    """What a merchant sets up; ``None`` leaves a field as it is."""

    merchant: str
    display_name: str | None = None
    billing_plan: str | None = None
    billing_currency: str | None = None
    allowed_currencies: Sequence[str] | Mapping[str, str] | None = None
    webhook_callback_url: str | None = None
    mandate_cap_minor: int | None = None
    checkout_allowed_origins: Sequence[str] | None = None
    terms_accepted: bool | None = None
    terms_version: str | None = None
    sandbox_confirmed: bool | None = None
    sandbox_session_id: str | None = None
    attested: bool | None = None
    attestation_version: str | None = None
    live_mode_requested: bool | None = None


def set_up(tx: Transaction, owner: str, given: SetUp) -> tuple[Merchant, bool]:
    """Create a person's merchant account, or update it; return whether it is new.

    Raises ``Invalid`` naming a field, ``Forbidden`` where the key is another person's.
    """
    key = rules.self_service_key(given.merchant)
    found = merchant_named(tx.connection, key)
    if found is not None and found.merchant_user_id != owner:
        raise Forbidden(f"the merchant key {key} is another account's; choose another")
    if found is None:
        if given.billing_currency is None:
            raise Invalid("billing_currency: choose JPY or USD")
        found = _register(
            tx, key, owner, rules.currency(given.billing_currency, "billing_currency")
        )
        _change(tx, found, _columns(tx, found, given))
        return _again(tx, found), True
    _change(tx, found, _columns(tx, found, given))
    return _told(tx, found), False


def create_merchant(
    tx: Transaction,
    merchant: str,
    *,
    merchant_user_id: str | None = None,
    display_name: str | None = None,
    billing_plan: str = "launch",
    billing_currency: str = "JPY",
    allowed_currencies: Sequence[str] = ("JPY", "USD"),
    checkout_allowed_origins: Sequence[str] = (),
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
    ready: bool = True,
) -> Merchant:
    """Create a merchant for a test: ready for hosted checkout at once, unless told not to be.

    A ready merchant needs no webhook; with ``webhook_url`` one active subscription to
    ``direct_payment.confirmed`` is made, which ``merchant.created`` tells too. Raises
    ``Conflict`` for a key that is taken.
    """
    key = rules.self_service_key(merchant)
    if merchant_named(tx.connection, key) is not None:
        raise Conflict(f"there is a merchant {key!r} already", code="MERCHANT_EXISTS")
    owner = merchant_user_id or tx.new_id("usr")
    made = _register(tx, key, owner, rules.currency(billing_currency, "billing_currency"))
    given = SetUp(
        merchant=key,
        display_name=display_name,
        billing_plan=billing_plan,
        allowed_currencies=allowed_currencies,
        webhook_callback_url=webhook_url,
        checkout_allowed_origins=checkout_allowed_origins,
        terms_accepted=ready,
        sandbox_confirmed=ready,
        attested=ready,
        live_mode_requested=ready,
    )
    _change(tx, made, {**_columns(tx, made, given), "webhook_waived": int(ready)})
    if ready:
        _prepare(tx, _again(tx, made))
    if webhook_url is not None:
        set_endpoint(tx, owner=owner, callback_url=webhook_url, secret=webhook_secret, told=False)
    return _again(tx, made)


_OWN = frozenset(SetUp.__dataclass_fields__) - {"merchant"}
_BY_CONTROL = frozenset({"billing_status", "hosted_checkout", "usd_terms_agreed"})


def change_merchant(
    tx: Transaction, merchant: str, changes: Mapping[str, Any], *, told: bool = True
) -> Merchant:
    """Change what only the platform decides: billing, mandate, terms, hosted checkout, webhook.

    Takes billing_status, mandate_status, usd_terms_agreed, hosted_checkout (on, off, gone),
    registered, settlement_wallet, webhook_url, webhook_secret and what a merchant can set up
    itself. ``told`` is false where ``merchant.created`` has told it.
    """
    found = known_merchant(tx.connection, merchant)
    columns = {name: changes[name] for name in _BY_CONTROL if name in changes}
    if "registered" in changes:
        columns["status"] = "active" if changes["registered"] else "registration_required"
    if "settlement_wallet" in changes:
        columns |= _connected(tx, found, connected=changes["settlement_wallet"])
    if "mandate_status" in changes:
        columns |= _held_mandate(tx, found, changes["mandate_status"])
    own: dict[str, Any] = {name: changes[name] for name in _OWN if name in changes}
    columns |= _columns(tx, found, SetUp(found.merchant, **own))
    if (url := changes.get("webhook_url")) is not None:
        columns["webhook_callback_url"] = read_url(url, "webhook_url").text
        set_endpoint(
            tx,
            owner=found.merchant_user_id,
            callback_url=url,
            secret=changes.get("webhook_secret"),
        )
    _change(tx, found, columns)
    return _told(tx, found) if told else _again(tx, found)


def rotate_challenge_secret(tx: Transaction, owner: str, merchant: str) -> Merchant:
    """Draw a new challenge secret; challenges signed with the old one are refused from now on."""
    found = owned_merchant(tx.connection, owner, merchant)
    _change(tx, found, {"challenge_secret": tx.ids.secret("chsec")})
    return _told(tx, found)


def prepare_mandate(
    tx: Transaction,
    owner: str,
    merchant: str,
    *,
    currency: str | None = None,
    max_amount_minor: int | None = None,
) -> tuple[Merchant, bool]:
    """Make the billing mandate, active at once unless it is held; return whether it is new."""
    found = owned_merchant(tx.connection, owner, merchant)
    if currency is not None and rules.currency(currency) != found.billing_currency:
        raise Invalid(f"currency: the merchant is billed in {found.billing_currency}")
    _prepare(tx, found, max_amount_minor)
    return _told(tx, found), found.mandate_id is None


def _prepare(tx: Transaction, found: Merchant, max_amount_minor: int | None = None) -> None:
    columns: dict[str, Any] = {}
    if found.mandate_id is None:
        columns = _mandate(tx, found, "approval_required" if found.mandate_held else "active")
    if max_amount_minor is not None:
        columns["mandate_cap_minor"] = max_amount_minor
    _change(tx, found, columns)


def _held_mandate(tx: Transaction, found: Merchant, status: str) -> dict[str, Any]:
    held = status != "active"
    made = {} if held and found.mandate_id is None else _mandate(tx, found, status)
    return {**made, "mandate_held": int(held)}


def _connected(tx: Transaction, found: Merchant, *, connected: bool) -> dict[str, Any]:
    """Connect a merchant to its person's wallet, or disconnect it."""
    wallet = _wallet(tx, found.merchant_user_id, found.billing_currency) if connected else None
    return {"user_wallet_id": wallet}


def _mandate(tx: Transaction, found: Merchant, status: str) -> dict[str, Any]:
    columns = {"mandate_id": found.mandate_id or tx.new_id("bmd"), "mandate_status": status}
    if status == "active" and found.billing_status == "setup_required":
        columns["billing_status"] = "active"
    return columns


def readiness_of(connection: Connection, found: Merchant) -> Readiness:
    """Check whether a merchant is ready for hosted checkout."""
    return readiness(
        Facts(
            registered=found.status == "active",
            has_wallet=found.user_wallet_id is not None,
            mandate_active=found.mandate_status == "active",
            has_webhook=bool(found.webhook_waived or found.webhook_callback_url)
            or any(
                one.status == "active"
                for one in subscriptions_of(connection, found.merchant_user_id)
            ),
            terms_accepted=found.terms_accepted_at is not None,
            sandbox_confirmed=found.sandbox_confirmed_at is not None,
            responsibility_attested=found.attested_at is not None,
            live_mode_requested=bool(found.live_mode_requested),
        )
    )


def known_merchant(connection: Connection, merchant: str) -> Merchant:
    """Return a merchant by its key, or raise ``NotFound``."""
    found = merchant_named(connection, merchant.strip().lower())
    if found is None:
        raise NotFound("no such merchant", code="EXTERNAL_402_MERCHANT_NOT_FOUND")
    return found


def owned_merchant(connection: Connection, owner: str, merchant: str) -> Merchant:
    """Return a person's own merchant; anyone else's is as if there were none."""
    found = known_merchant(connection, merchant)
    if found.merchant_user_id != owner:
        raise NotFound("no such merchant", code="EXTERNAL_402_MERCHANT_NOT_FOUND")
    return found


def _register(tx: Transaction, key: str, owner: str, billing_currency: str) -> Merchant:
    others = merchants_of(tx.connection, owner)
    if not others:
        set_billing_currency(tx.connection, owner, billing_currency)
    wallet = _wallet(tx, owner, billing_currency)
    row = {
        "merchant": key,
        "merchant_account_id": tx.new_id("mac"),
        "merchant_user_id": owner,
        "listing_id": tx.new_id("lst"),
        "display_name": key,
        "status": "active",
        "billing_status": "setup_required",
        "billing_plan": "launch",
        "billing_currency": billing_currency,
        "usd_terms_agreed": 1,
        "user_wallet_id": wallet,
        "mandate_held": 0,
        "webhook_waived": 0,
        "checkout_allowed_origins": "",
        "challenge_secret": tx.ids.secret("chsec"),
        "live_mode_requested": 0,
        "hosted_checkout": "on",
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    tx.connection.execute(insert(MERCHANTS).values(row))
    tx.record("merchant.created", key, merchant_account_id=row["merchant_account_id"])
    return known_merchant(tx.connection, key)


def _columns(tx: Transaction, found: Merchant, given: SetUp) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if given.display_name is not None:
        columns["display_name"] = given.display_name.strip() or found.merchant
    if given.billing_plan is not None:
        columns["billing_plan"] = _plan(given.billing_plan)
    if given.billing_currency is not None:
        columns["billing_currency"] = rules.currency(given.billing_currency, "billing_currency")
    if given.allowed_currencies is not None:
        billing = columns.get("billing_currency", found.billing_currency)
        named = rules.currencies(given.allowed_currencies, billing)
        columns["allowed_currencies"] = " ".join(named)
    if given.webhook_callback_url is not None:
        url = read_url(given.webhook_callback_url, "webhook_callback_url")
        columns["webhook_callback_url"] = url.text
    if given.checkout_allowed_origins is not None:
        columns["checkout_allowed_origins"] = " ".join(
            rules.origins(given.checkout_allowed_origins)
        )
    if given.mandate_cap_minor is not None:
        columns["mandate_cap_minor"] = given.mandate_cap_minor
    return columns | _agreements(tx, found, given)


def _agreements(tx: Transaction, found: Merchant, given: SetUp) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if given.terms_accepted is not None:
        columns |= _terms(tx, found, given)
    if given.sandbox_confirmed is not None:
        confirmed = given.sandbox_confirmed
        columns["sandbox_confirmed_at"] = (
            (found.sandbox_confirmed_at or tx.now) if confirmed else None
        )
    if given.sandbox_session_id is not None:
        columns["sandbox_session_id"] = given.sandbox_session_id
    if given.attested is not None:
        columns["attested_at"] = (found.attested_at or tx.now) if given.attested else None
        columns["attestation_version"] = (
            given.attestation_version or found.attestation_version or rules.ATTESTATION_VERSION
        )
    if given.live_mode_requested is not None:
        columns["live_mode_requested"] = int(given.live_mode_requested)
    return columns


def _terms(tx: Transaction, found: Merchant, given: SetUp) -> dict[str, Any]:
    """Accept or withdraw the terms; a version other than the accepted one is accepted anew."""
    version = given.terms_version or found.terms_version or rules.TERMS_VERSION
    stands = found.terms_accepted_at is not None and version == found.terms_version
    if given.terms_accepted and stands:
        return {}
    accepted = (tx.now, tx.new_id("mra")) if given.terms_accepted else (None, None)
    return {
        "terms_version": version,
        "terms_accepted_at": accepted[0],
        "risk_receipt_id": accepted[1],
    }


def _plan(name: str) -> str:
    try:
        return plan_named(name.strip().lower()).name
    except ValueError as error:
        raise Invalid(f"billing_plan: {error}") from error


def _change(tx: Transaction, found: Merchant, columns: Mapping[str, Any]) -> None:
    if "billing_plan" in columns:
        plan_changed(tx, found, columns["billing_plan"])
    if columns.get("billing_currency", found.billing_currency) != found.billing_currency:
        currency = columns["billing_currency"]
        _settle_in(tx, found, currency)
        if columns.get("user_wallet_id", found.user_wallet_id) is not None:
            wallet = _wallet(tx, found.merchant_user_id, currency)
            columns = {**columns, "user_wallet_id": wallet}
    if columns:
        tx.connection.execute(
            update(MERCHANTS)
            .where(MERCHANTS.c.merchant_number == found.merchant_number)
            .values(**columns, updated_at=tx.now)
        )


def _told(tx: Transaction, before: Merchant) -> Merchant:
    """Tell what of a merchant has changed, by its fields' names alone; return it as it is now."""
    found = _again(tx, before)
    fields = rules.changed_fields(before._asdict(), found._asdict())
    if fields:
        tx.record("merchant.changed", found.merchant, fields=fields)
    return found


def _settle_in(tx: Transaction, found: Merchant, currency: str) -> None:
    """Have a person's totals in the currency of their first merchant."""
    owner = found.merchant_user_id
    if merchants_of(tx.connection, owner)[0].merchant == found.merchant:
        set_billing_currency(tx.connection, owner, currency)


def _wallet(tx: Transaction, owner: str, currency: str) -> str:
    found = ledger.wallet(tx, owner_scope="developer", owner_id=owner, currency=currency)
    return found.account_id


def _again(tx: Transaction, found: Merchant) -> Merchant:
    return known_merchant(tx.connection, found.merchant)
