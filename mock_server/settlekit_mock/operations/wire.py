"""What the operator's routes take and answer."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from settlekit_mock.http.wire import (
    AmountText,
    Answer,
    Currency,
    Listing,
    MajorText,
    Metadata,
    NoteText,
    ShortText,
    StrictBody,
    Timestamp,
)
from settlekit_mock.ledger.tables import OwnerScope
from settlekit_mock.operations.amounts import two_shapes
from settlekit_mock.operations.rules.payouts import Status

Limit = Annotated[int, Meta(ge=1, le=200)]
Cursor = Annotated[str, Meta(max_length=64, description="Where the page before ended.")]
TimeText = Annotated[str, Meta(max_length=40, extra_json_schema={"format": "date-time"})]
OptionalMajor = MajorText | UnsetType
OptionalCurrency = Currency | UnsetType


class NoFields(StrictBody, frozen=True, kw_only=True):
    """A call that needs nothing said: an empty object, no body, no query."""


class PageQuery(StrictBody, frozen=True, kw_only=True):
    """Which page of a list."""

    cursor: Cursor | None = None
    limit: Limit = 50


class ReconciledFields(Answer, frozen=True, kw_only=True):
    """A wallet beside what its entries say."""

    wallet_id: str
    owner_scope: OwnerScope
    owner_id: str
    currency: OptionalCurrency = UNSET
    wallet_balance: OptionalMajor = UNSET
    ledger_balance: OptionalMajor = UNSET
    delta: OptionalMajor = UNSET
    wallet_balance_usd: OptionalMajor = UNSET
    ledger_balance_usd: OptionalMajor = UNSET
    delta_usd: OptionalMajor = UNSET
    status: Literal["balanced", "mismatch"]


Reconciled = Annotated[ReconciledFields, two_shapes("wallet_balance", "ledger_balance", "delta")]


class Summary(Answer, frozen=True, kw_only=True):
    """How many wallets reconcile."""

    wallet_count: int
    balanced_count: int
    mismatch_count: int


class Reconciliation(Answer, frozen=True, kw_only=True):
    """Every wallet, rebuilt from its entries."""

    generated_at: Timestamp
    summary: Summary
    items: list[Reconciled]


class HoldFields(Answer, frozen=True, kw_only=True):
    """A wallet that may not pay out until an operator releases it, as it was found."""

    id: str
    wallet_id: str
    owner_scope: OwnerScope
    owner_id: str
    status: Literal["active", "released"]
    currency: OptionalCurrency = UNSET
    wallet_balance: OptionalMajor = UNSET
    ledger_balance: OptionalMajor = UNSET
    delta: OptionalMajor = UNSET
    wallet_balance_usd: OptionalMajor = UNSET
    ledger_balance_usd: OptionalMajor = UNSET
    delta_usd: OptionalMajor = UNSET
    created_at: Timestamp
    released_at: Timestamp | None
    released_by: str | None
    note: str | None


HoldAnswer = Annotated[HoldFields, two_shapes("wallet_balance", "ledger_balance", "delta")]


class HoldListing(Listing, frozen=True, kw_only=True):
    """Holds, newest first."""

    items: list[HoldAnswer]


class HoldQuery(PageQuery, frozen=True, kw_only=True):
    """Which holds."""

    status: Literal["active", "released"] | None = None


class Release(StrictBody, frozen=True, kw_only=True):
    """Why a hold is released."""

    note: NoteText


class PayoutFields(Answer, frozen=True, kw_only=True):
    """A payout, as it stands."""

    id: str
    developer_id: str
    currency: OptionalCurrency = UNSET
    amount: OptionalMajor = UNSET
    amount_usd: OptionalMajor = UNSET
    status: Status
    provider: Literal["mock"]
    provider_payout_id: str | None
    operator_note: str | None
    reason: str | None
    created_at: Timestamp
    updated_at: Timestamp
    approved_at: Timestamp | None
    paid_at: Timestamp | None


PayoutAnswer = Annotated[PayoutFields, two_shapes("amount")]


class PayoutRun(Answer, frozen=True, kw_only=True):
    """The payouts that a run opened."""

    items: list[PayoutAnswer]


class PayoutListing(Listing, frozen=True, kw_only=True):
    """Payouts, newest first."""

    items: list[PayoutAnswer]


class PayoutQuery(PageQuery, frozen=True, kw_only=True):
    """Which payouts."""

    status: Status | None = None


class RunPayouts(StrictBody, frozen=True, kw_only=True):
    """From which balance on: USD by ``threshold_usd``, else threshold and currency."""

    threshold_usd: AmountText | None = None
    threshold: AmountText | None = None
    currency: Currency | None = None


class Approve(StrictBody, frozen=True, kw_only=True):
    """What the operator notes."""

    operator_note: NoteText | None = None


class GiveUp(StrictBody, frozen=True, kw_only=True):
    """Why a payout is cancelled or failed."""

    reason: NoteText | None = None


class WalletEntry(Answer, frozen=True, kw_only=True):
    """One movement of a USD wallet."""

    transaction_id: str
    direction: Literal["credit", "debit"]
    amount_usd: MajorText
    balance_before_usd: MajorText
    balance_after_usd: MajorText
    reason: str
    idempotency_key: str | None
    metadata: Metadata
    created_at: Timestamp


class UserWallet(Answer, frozen=True, kw_only=True):
    """A buyer's USD credits, with the newest entries first."""

    wallet_id: str
    owner_scope: OwnerScope
    owner_id: str
    wallet_balance_usd: MajorText
    entries: list[WalletEntry]


class CreditedFields(Answer, frozen=True, kw_only=True):
    """A wallet after a credit."""

    wallet_id: str
    owner_scope: OwnerScope
    owner_id: str
    currency: OptionalCurrency = UNSET
    amount: OptionalMajor = UNSET
    wallet_balance: OptionalMajor = UNSET
    amount_usd: OptionalMajor = UNSET
    wallet_balance_usd: OptionalMajor = UNSET
    reason: str


Credited = Annotated[CreditedFields, two_shapes("amount", "wallet_balance")]


class Credit(StrictBody, frozen=True, kw_only=True):
    """How much: ``amount_usd`` for a USD wallet, else amount and currency."""

    amount_usd: AmountText | None = None
    amount: AmountText | None = None
    currency: Currency | None = None


class SpanQuery(StrictBody, frozen=True, kw_only=True):
    """A half-open span of time: ``to`` itself is left out."""

    since: TimeText | None = msgspec.field(default=None, name="from")
    until: TimeText | None = msgspec.field(default=None, name="to")


class ReportQuery(SpanQuery, frozen=True, kw_only=True):
    """Which rows to report."""

    currency: Currency = "USD"


class AuditQuery(SpanQuery, frozen=True, kw_only=True):
    """Which audit entries."""

    actor: ShortText | None = None
    action: ShortText | None = None
    resource: ShortText | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class AuditAnswer(Answer, frozen=True, kw_only=True):
    """Who did what to which resource, and when."""

    id: str
    actor: str
    action: str
    resource: str
    details: dict[str, str]
    created_at: Timestamp


class AuditListing(Listing, frozen=True, kw_only=True):
    """Audit entries, newest first."""

    items: list[AuditAnswer]
