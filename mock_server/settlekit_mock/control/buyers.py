"""Make, read and change buyers."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import Connection

from settlekit.money import TOKENS
from settlekit_mock.control.tokens import new_token
from settlekit_mock.http.routes import Request
from settlekit_mock.http.tables import token_of
from settlekit_mock.http.wire import Answer, MinorText, StrictBody
from settlekit_mock.kernel.money import LIMIT
from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.settlement.buyers import (
    Buyer,
    NewBuyer,
    all_buyers,
    buyer_with_id,
    change_buyer,
    create_buyer,
)
from settlekit_mock.settlement.funds import open_purse
from settlekit_mock.settlement.rules.acceptance import Caps
from settlekit_mock.settlement.rules.amounts import units_from_wire, wire_minor
from settlekit_mock.settlement.rules.slots import MonthlySlot, WeeklySlot

CapMinor = Annotated[int, Meta(ge=0, le=2**53 - 1)] | None
Amount = Annotated[str, Meta(max_length=32, description="A decimal string of minor units.")]
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)"
"""Python's ``$`` alone would let a line feed end an id."""
UserId = Annotated[
    str,
    Meta(
        pattern=ID_PATTERN,
        description="1 to 64 letters, digits, dots, hyphens and underscores, no mark first.",
    ),
]


class TokenAmounts(StrictBody, frozen=True, kw_only=True):
    """Amounts of minor units by token; one left out keeps what it is."""

    JPYC: Amount | UnsetType = UNSET
    USDC: Amount | UnsetType = UNSET


class CapsBody(StrictBody, frozen=True, kw_only=True):
    """The most a buyer lets through, in whole minor units; null is no cap."""

    per_payment: CapMinor = None
    day: CapMinor = None
    month: CapMinor = None


class WeeklySlotBody(StrictBody, frozen=True, kw_only=True):
    """When weekly periods close, on the buyer's wall clock; weekday 0 is Monday."""

    weekday: Annotated[int, Meta(ge=0, le=6)]
    hour: Annotated[int, Meta(ge=0, le=23)]
    minute: Annotated[int, Meta(ge=0, le=59)]


class MonthlySlotBody(StrictBody, frozen=True, kw_only=True):
    """When monthly periods close, on the buyer's wall clock."""

    day: Annotated[int, Meta(ge=1, le=28)]
    hour: Annotated[int, Meta(ge=0, le=23)]
    minute: Annotated[int, Meta(ge=0, le=59)]


class BuyerChanges(StrictBody, frozen=True, kw_only=True):
    """What to change of a buyer; a changed slot or zone applies from the next period on."""

    balances: TokenAmounts | UnsetType = UNSET
    allowances: TokenAmounts | UnsetType = UNSET
    vault_active: bool | UnsetType = UNSET
    caps: CapsBody | UnsetType = UNSET
    timezone: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    weekly_slot: WeeklySlotBody | UnsetType = UNSET
    monthly_slot: MonthlySlotBody | UnsetType = UNSET


class BuyerBody(BuyerChanges, frozen=True, kw_only=True):
    """What a new buyer is like; what is left out is the sandbox buyer's, or drawn."""

    buyer_id: UserId | UnsetType = UNSET
    token: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET


class BuyerTokens(Answer, frozen=True, kw_only=True):
    """Amounts of minor units by token."""

    JPYC: MinorText
    USDC: MinorText


class BuyerAnswer(Answer, frozen=True, kw_only=True):
    """A buyer with its token, slots and funds."""

    buyer_id: str
    token: str | None
    timezone: str
    weekly_slot: WeeklySlotBody
    monthly_slot: MonthlySlotBody
    vault_active: bool
    caps: CapsBody
    balances: BuyerTokens
    allowances: BuyerTokens
    reserved: BuyerTokens


class Buyers(Answer, frozen=True, kw_only=True):
    """Every buyer, oldest first."""

    items: list[BuyerAnswer]


def create(request: Request) -> BuyerAnswer:
    """Make a buyer with a token of its own."""
    body = request.body
    changes = _changes(body)
    with request.world.transaction() as tx:
        buyer = create_buyer(
            tx,
            NewBuyer(buyer_id=None if body.buyer_id is UNSET else body.buyer_id, **changes),
        )
        new_token(
            tx,
            role="buyer",
            subject=buyer.buyer_id,
            token=None if body.token is UNSET else body.token,
        )
        return shaped(tx.connection, buyer)


def get(request: Request) -> BuyerAnswer:
    """Answer one buyer."""
    with request.world.snapshot() as connection:
        return shaped(connection, buyer_with_id(connection, request.path["buyer_id"]))


def change(request: Request) -> BuyerAnswer:
    """Change a buyer."""
    with request.world.transaction() as tx:
        buyer = change_buyer(tx, request.path["buyer_id"], _changes(request.body))
        return shaped(tx.connection, buyer)


def list_all(request: Request) -> Buyers:
    """Answer every buyer."""
    with request.world.snapshot() as connection:
        return Buyers(items=[shaped(connection, buyer) for buyer in all_buyers(connection)])


def _changes(body: BuyerChanges) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in ("vault_active", "timezone"):
        if getattr(body, name) is not UNSET:
            changes[name] = getattr(body, name)
    if not isinstance(body.caps, UnsetType):
        changes["caps"] = Caps(body.caps.per_payment, body.caps.day, body.caps.month)
    if not isinstance(body.weekly_slot, UnsetType):
        slot = body.weekly_slot
        changes["weekly_slot"] = WeeklySlot(slot.weekday, slot.hour, slot.minute)
    if not isinstance(body.monthly_slot, UnsetType):
        changes["monthly_slot"] = MonthlySlot(
            body.monthly_slot.day, body.monthly_slot.hour, body.monthly_slot.minute
        )
    for name in ("balances", "allowances"):
        amounts = getattr(body, name)
        if amounts is not UNSET:
            changes[name] = _units(amounts, name)
    return changes


def _units(amounts: TokenAmounts, name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for currency, token in TOKENS.items():
        given = getattr(amounts, token)
        if given is UNSET:
            continue
        try:
            units = units_from_wire(given, currency)
        except ValueError as error:
            raise Invalid(f"{name}.{token}: {error}") from error
        if not 0 <= units <= LIMIT:
            raise Invalid(f"{name}.{token}: must be zero or more, and fit 63 bits of 10^-8")
        found[currency] = units
    return found


def shaped(connection: Connection, buyer: Buyer) -> BuyerAnswer:
    """Shape a buyer for the wire."""
    purses = {token: open_purse(connection, buyer, code) for code, token in TOKENS.items()}

    def by_token(name: str) -> BuyerTokens:
        return BuyerTokens(
            **{
                token: wire_minor(getattr(purse, name), purse.currency)
                for token, purse in purses.items()
            }
        )

    weekly, monthly, caps = buyer.weekly_slot, buyer.monthly_slot, buyer.caps
    return BuyerAnswer(
        buyer_id=buyer.buyer_id,
        token=token_of(connection, "buyer", buyer.buyer_id),
        timezone=buyer.timezone,
        weekly_slot=WeeklySlotBody(weekday=weekly.weekday, hour=weekly.hour, minute=weekly.minute),
        monthly_slot=MonthlySlotBody(day=monthly.day, hour=monthly.hour, minute=monthly.minute),
        vault_active=buyer.vault_active,
        caps=CapsBody(
            per_payment=caps.per_payment_minor, day=caps.day_minor, month=caps.month_minor
        ),
        balances=by_token("balance"),
        allowances=by_token("allowance"),
        reserved=by_token("reserved"),
    )
