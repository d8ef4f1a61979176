"""Merchants, checkout sessions and requirements."""

from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    select,
    update,
)

from settlekit_mock.kernel.bulk import insert_rows
from settlekit_mock.kernel.discretion import discreet_repr
from settlekit_mock.kernel.tables import METADATA, Number
from settlekit_mock.payments.rules.checkout import SessionStatus
from settlekit_mock.webhooks.rules import read_url

MERCHANTS = Table(
    "merchants",
    METADATA,
    Column("merchant_number", Number, primary_key=True),
    Column("merchant", Text, nullable=False, unique=True),
    Column("merchant_account_id", Text, nullable=False, unique=True),
    Column("merchant_user_id", Text, nullable=False),
    Column("listing_id", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("billing_status", Text, nullable=False),
    Column("billing_plan", Text, nullable=False),
    Column("billing_currency", Text, nullable=False),
    Column("allowed_currencies", Text),
    Column("usd_terms_agreed", Integer, nullable=False),
    Column("user_wallet_id", Text),
    Column("mandate_id", Text),
    Column("mandate_status", Text),
    Column("mandate_cap_minor", BigInteger),
    Column("mandate_held", Integer, nullable=False),
    Column("webhook_callback_url", Text),
    Column("webhook_waived", Integer, nullable=False),
    Column("checkout_allowed_origins", Text, nullable=False),
    Column("challenge_secret", Text, nullable=False),
    Column("terms_version", Text),
    Column("terms_accepted_at", BigInteger),
    Column("risk_receipt_id", Text),
    Column("sandbox_session_id", Text),
    Column("sandbox_confirmed_at", BigInteger),
    Column("attestation_version", Text),
    Column("attested_at", BigInteger),
    Column("live_mode_requested", Integer, nullable=False),
    Column("hosted_checkout", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("merchants_by_user", "merchant_user_id", "merchant_number"),
)
"""``allowed_currencies`` and ``checkout_allowed_origins`` hold words between spaces."""

CHECKOUT_SESSIONS = Table(
    "checkout_sessions",
    METADATA,
    Column("session_number", Number, primary_key=True),
    Column("session_id", Text, nullable=False, unique=True),
    Column("merchant_number", BigInteger, ForeignKey(MERCHANTS.c.merchant_number), nullable=False),
    Column("nonce", Text, nullable=False),
    Column("input_hash", LargeBinary, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("pricing_band", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("challenge_hash", Text, nullable=False),
    Column("success_url", Text, nullable=False),
    Column("cancel_url", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("form_token", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("buyer_id", Text),
    Column("requirement_id", Text),
    Column("chain_receipt_id", Text),
    Column("confirmed_event_id", Text),
    Column("expires_at", BigInteger, nullable=False),
    Column("authenticated_at", BigInteger),
    Column("paid_at", BigInteger),
    Column("cancelled_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("merchant_number", "nonce"),
)

REQUIREMENTS = Table(
    "requirements",
    METADATA,
    Column("requirement_number", Number, primary_key=True),
    Column("requirement_id", Text, nullable=False, unique=True),
    Column("merchant_number", BigInteger, ForeignKey(MERCHANTS.c.merchant_number), nullable=False),
    Column("buyer_id", Text, nullable=False),
    Column("capability_key", Text),
    Column("allowance_amount_minor", BigInteger),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("pricing_band", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("challenge_hash", Text, nullable=False, unique=True),
    Column("fee_bps", Integer),
    Column("status", Text, nullable=False),
    Column("chain_receipt_id", Text),
    Column("metered_usage_id", Text),
    Column("confirmed_event_id", Text),
    Column("spent_event_id", Text),
    Column("metadata", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger),
    Column("spent_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("requirements_by_buyer", "buyer_id", "requirement_number"),
)
"""One payment asked of one buyer; a challenge is used once.

``capability_key`` is null where it is the merchant's own, ``allowance_amount_minor`` where the
buyer named none."""


class Merchant(NamedTuple):
    """A merchant account. The challenge secret is in it: it never leaves but where it is made."""

    merchant_number: int
    merchant: str
    merchant_account_id: str
    merchant_user_id: str
    listing_id: str
    display_name: str
    status: str
    billing_status: str
    billing_plan: str
    billing_currency: str
    allowed_currencies: str | None
    usd_terms_agreed: int
    user_wallet_id: str | None
    mandate_id: str | None
    mandate_status: str | None
    mandate_cap_minor: int | None
    mandate_held: int
    webhook_callback_url: str | None
    webhook_waived: int
    checkout_allowed_origins: str
    challenge_secret: str
    terms_version: str | None
    terms_accepted_at: int | None
    risk_receipt_id: str | None
    sandbox_session_id: str | None
    sandbox_confirmed_at: int | None
    attestation_version: str | None
    attested_at: int | None
    live_mode_requested: int
    hosted_checkout: str
    created_at: int
    updated_at: int

    def __repr__(self) -> str:
        return discreet_repr(self)

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies it takes: its billing currency alone, unless both are named."""
        named = (self.allowed_currencies or "").split()
        return tuple(named) if self.billing_currency in named else (self.billing_currency,)

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that buyers may be sent back to, that of the webhook among them."""
        named = self.checkout_allowed_origins.split()
        if self.webhook_callback_url is not None:
            named.append(read_url(self.webhook_callback_url, "webhook_callback_url").origin)
        return tuple(dict.fromkeys(named))

    @property
    def capability_key(self) -> str:
        """The label of its payments where nobody gives another."""
        return f"external_402.{self.merchant}"


class CheckoutSession(NamedTuple):
    """A checkout session. The challenge and the form's token never leave it."""

    session_id: str
    merchant_number: int
    nonce: str
    input_hash: bytes
    amount_minor: int
    currency: str
    pricing_band: str
    challenge: str
    challenge_hash: str
    success_url: str
    cancel_url: str
    metadata: str
    form_token: str
    status: SessionStatus
    buyer_id: str | None
    requirement_id: str | None
    chain_receipt_id: str | None
    confirmed_event_id: str | None
    expires_at: int
    authenticated_at: int | None
    paid_at: int | None
    cancelled_at: int | None
    created_at: int

    def __repr__(self) -> str:
        return discreet_repr(self)


def merchant_named(connection: Connection, merchant: str) -> Merchant | None:
    """Return a merchant by its key."""
    row = connection.execute(_MERCHANT, {"given": merchant}).first()
    return None if row is None else Merchant(*row)


def merchant_numbered(connection: Connection, merchant_number: int) -> Merchant:
    """Return the merchant of a row that names one."""
    return Merchant(*connection.execute(_MERCHANT_NUMBERED, {"given": merchant_number}).one())


def merchants_of(connection: Connection, merchant_user_id: str) -> list[Merchant]:
    """Return one person's merchants, oldest first."""
    return [Merchant(*row) for row in connection.execute(_OF_USER, {"given": merchant_user_id})]


def all_merchants(connection: Connection) -> list[Merchant]:
    """Return every merchant, oldest first."""
    query = select(*MERCHANTS.c).order_by(MERCHANTS.c.merchant_number)
    return [Merchant(*row) for row in connection.execute(query)]


def session_with_id(connection: Connection, session_id: str) -> CheckoutSession | None:
    """Return a checkout session by its id."""
    row = connection.execute(_SESSION, {"given": session_id}).first()
    return None if row is None else _session(row)


def session_with_nonce(
    connection: Connection, merchant_number: int, nonce: str
) -> CheckoutSession | None:
    """Return the session that a merchant opened with a nonce."""
    found = connection.execute(_BY_NONCE, {"of_merchant": merchant_number, "given": nonce}).first()
    return None if found is None else _session(found)


def insert_session(connection: Connection, session: CheckoutSession) -> None:
    """Write a new session."""
    insert_rows(connection, CHECKOUT_SESSIONS, CheckoutSession._fields, [session])


def _session(row: object) -> CheckoutSession:
    found = CheckoutSession(*row)  # type: ignore[misc]
    return found._replace(status=SessionStatus(found.status))


_MERCHANT = select(*MERCHANTS.c).where(MERCHANTS.c.merchant == bindparam("given"))
_MERCHANT_NUMBERED = select(*MERCHANTS.c).where(MERCHANTS.c.merchant_number == bindparam("given"))
_OF_USER = (
    select(*MERCHANTS.c)
    .where(MERCHANTS.c.merchant_user_id == bindparam("given"))
    .order_by(MERCHANTS.c.merchant_number)
)
_ANY_SESSION = select(*(CHECKOUT_SESSIONS.c[name] for name in CheckoutSession._fields))
_SESSION = _ANY_SESSION.where(CHECKOUT_SESSIONS.c.session_id == bindparam("given"))
_BY_NONCE = _ANY_SESSION.where(
    CHECKOUT_SESSIONS.c.merchant_number == bindparam("of_merchant"),
    CHECKOUT_SESSIONS.c.nonce == bindparam("given"),
)
UPDATE_SESSION = update(CHECKOUT_SESSIONS).where(
    CHECKOUT_SESSIONS.c.session_id == bindparam("given")
)
