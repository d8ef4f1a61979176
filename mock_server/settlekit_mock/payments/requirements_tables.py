"""Requirements as an agent meets them, and the receipts of what it executed."""

from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    select,
    update,
)

from settlekit_mock.kernel.append_only import append_only
from settlekit_mock.kernel.tables import METADATA, Number
from settlekit_mock.payments.rules.requirements import ReceiptKind, RequirementStatus
from settlekit_mock.payments.tables import REQUIREMENTS

RECEIPTS = append_only(
    Table(
        "payment_receipts",
        METADATA,
        Column("receipt_number", Number, primary_key=True),
        Column("receipt_id", Text, nullable=False, unique=True),
        Column("requirement_id", Text, ForeignKey(REQUIREMENTS.c.requirement_id), nullable=False),
        Column("receipt_kind", Text, nullable=False),
        Column("chain_receipt_id", Text, unique=True),
        Column("metadata", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        UniqueConstraint("requirement_id", "receipt_kind"),
    )
)
"""What was executed; ``chain_receipt_id`` is null where nothing was sent."""


class Requirement(NamedTuple):
    """A requirement. The challenge never leaves it."""

    requirement_id: str
    merchant_number: int
    buyer_id: str
    capability_key: str | None
    allowance_amount_minor: int | None
    amount_minor: int
    currency: str
    pricing_band: str
    challenge: str
    challenge_hash: str
    fee_bps: int | None
    status: RequirementStatus
    chain_receipt_id: str | None
    metered_usage_id: str | None
    confirmed_event_id: str | None
    spent_event_id: str | None
    metadata: str
    expires_at: int
    confirmed_at: int | None
    spent_at: int | None
    created_at: int
    updated_at: int

    @property
    def granted_minor(self) -> int:
        """How much allowance its approval grants: its amount, unless the buyer named more."""
        return self.allowance_amount_minor or self.amount_minor


class Receipt(NamedTuple):
    """The receipt of a requirement's payment, or of its allowance."""

    receipt_id: str
    requirement_id: str
    receipt_kind: str
    chain_receipt_id: str | None
    metadata: str
    created_at: int

    @property
    def kind(self) -> ReceiptKind:
        """What it is for."""
        return ReceiptKind(self.receipt_kind)


def requirement_with_id(connection: Connection, requirement_id: str) -> Requirement | None:
    """Return a requirement by its id."""
    return _requirement(connection.execute(_BY_ID, {"given": requirement_id}).first())


def requirement_with_challenge(connection: Connection, hashed: str) -> Requirement | None:
    """Return the requirement that was made of a challenge."""
    return _requirement(connection.execute(_BY_CHALLENGE, {"given": hashed}).first())


def receipt_of(connection: Connection, requirement_id: str, kind: ReceiptKind) -> Receipt | None:
    """Return the receipt of a requirement's payment, or of its allowance."""
    key = {"given": requirement_id, "of_kind": kind.value}
    row = connection.execute(_RECEIPT, key).first()
    return None if row is None else Receipt(*row)


def _requirement(row: object) -> Requirement | None:
    if row is None:
        return None
    found = Requirement(*row)  # type: ignore[misc]
    return found._replace(status=RequirementStatus(found.status))


_ANY = select(*(REQUIREMENTS.c[name] for name in Requirement._fields))
_BY_ID = _ANY.where(REQUIREMENTS.c.requirement_id == bindparam("given"))
_BY_CHALLENGE = _ANY.where(REQUIREMENTS.c.challenge_hash == bindparam("given"))
_RECEIPT = select(*(RECEIPTS.c[name] for name in Receipt._fields)).where(
    RECEIPTS.c.requirement_id == bindparam("given"), RECEIPTS.c.receipt_kind == bindparam("of_kind")
)
INSERT_REQUIREMENT = insert(REQUIREMENTS)
UPDATE_REQUIREMENT = update(REQUIREMENTS).where(REQUIREMENTS.c.requirement_id == bindparam("given"))
INSERT_RECEIPT = insert(RECEIPTS)
