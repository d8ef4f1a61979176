"""The life of a requirement, its hashes, and the transactions it prepares.

The mock has no chain: addresses and call data are made up, but every part of a prepared
transaction follows from its requirement, so another one is always told apart.

Sources: docs/platform.md, "Requirements"; docs/decisions.md, "Requirements".
"""

import hmac
import json
from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b, sha256
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from settlekit.money import TOKENS, Band
from settlekit_mock.kernel.times import MINUTE
from settlekit_mock.settlement.rules.amounts import LARGEST_AMOUNT_MINOR, units_of

LIFETIME: Final = 30 * MINUTE
"""How long a requirement waits for its payment."""


class RequirementStatus(StrEnum):
    """What became of a requirement."""

    REQUIRES_PAYMENT = "requires_payment"
    CONFIRMED = "confirmed"
    SPENT = "spent"
    EXPIRED = "expired"
    FAILED = "failed"


class ReceiptKind(StrEnum):
    """What a receipt is for."""

    PAYMENT = "sdrp_direct_payment"
    ALLOWANCE = "sdrp_direct_payment_allowance"


MOVES: Final[Mapping[RequirementStatus, frozenset[RequirementStatus]]] = MappingProxyType(
    {
        RequirementStatus.CONFIRMED: frozenset({RequirementStatus.REQUIRES_PAYMENT}),
        RequirementStatus.SPENT: frozenset({RequirementStatus.CONFIRMED}),
        RequirementStatus.EXPIRED: frozenset({RequirementStatus.REQUIRES_PAYMENT}),
        RequirementStatus.FAILED: frozenset({RequirementStatus.REQUIRES_PAYMENT}),
    }
)
"""Each status, and those from which it is reached; what isn't here is refused."""


def status_at(status: RequirementStatus, expires_at: int, now: int) -> RequirementStatus:
    """Return the status at an instant: an unpaid requirement is over at its expiry."""
    waiting = status is RequirementStatus.REQUIRES_PAYMENT
    return RequirementStatus.EXPIRED if waiting and now >= expires_at else status


def may_become(current: RequirementStatus, wanted: RequirementStatus) -> bool:
    """Say whether a requirement may take a status now."""
    return current in MOVES.get(wanted, frozenset())


def raised_allowance(allowance: int, reserved: int, granted_minor: int, currency: str) -> int:
    """Return an allowance in units once a grant was executed: it fits beside what is reserved."""
    raised = max(allowance, reserved) + units_of(granted_minor, currency)
    return min(raised, units_of(LARGEST_AMOUNT_MINOR[currency], currency))


# -- hashes ------------------------------------------------------------------------------


class Terms(NamedTuple):
    """What of a requirement never changes."""

    requirement_id: str
    merchant: str
    buyer_id: str
    amount_minor: int
    currency: str
    challenge_hash: str
    expires_at: str


def requirement_hash(terms: Terms) -> str:
    """Return the hash that names a requirement's terms: of compact JSON, keys sorted."""
    text = json.dumps(terms._asdict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def platform_signature(hashed: str, key: bytes) -> str:
    """Sign a requirement's hash as the platform: only the server that made it can."""
    return f"v1={hmac.digest(key, hashed.encode(), 'sha256').hex()}"


# -- prepared transactions ---------------------------------------------------------------

NETWORK: Final = "polygon"
CHAIN_ID: Final = 137
_BASE_UNITS_PER_MINOR: Final = MappingProxyType({"JPY": 10**18, "USD": 10**4})
"""JPYC has 18 places of a yen, USDC 6 of a dollar."""
_PAY: Final = sha256(b"pay(uint256,bytes32)").digest()[:4].hex()
_ACCEPT: Final = sha256(b"accept(uint256,bytes32)").digest()[:4].hex()
_APPROVE: Final = "095ea7b3"
"""approve(address,uint256), as tokens have it."""


class Prepared(NamedTuple):
    """A transaction for the buyer's own wallet to sign."""

    network: str
    chain_id: int
    sender: str
    to: str
    data: str
    value: str


def payment_transaction(terms: Terms, band: Band, key: bytes) -> Prepared:
    """Prepare the payment; a metered one moves nothing, it accepts the debit to come."""
    call = _PAY if band is Band.STANDARD else _ACCEPT
    data = f"0x{call}{_amount(terms.amount_minor, terms.currency)}{_tail(terms)}"
    return _prepared(terms, _settlement_address(key), data, key)


def allowance_transaction(terms: Terms, granted_minor: int, key: bytes) -> Prepared:
    """Prepare the approval by which the platform may move more of the buyer's tokens."""
    spender = _settlement_address(key)[2:].rjust(64, "0")
    data = f"0x{_APPROVE}{spender}{_amount(granted_minor, terms.currency)}{_tail(terms)}"
    return _prepared(terms, _address(f"token:{TOKENS[terms.currency]}", key), data, key)


def same_transaction(given: Prepared, own: Prepared) -> bool:
    """Say whether a transaction is the one that was prepared; hex digits in either case."""
    return _folded(given) == _folded(own)


def _folded(one: Prepared) -> Prepared:
    return one._replace(sender=one.sender.lower(), to=one.to.lower(), data=one.data.lower())


def _prepared(terms: Terms, to: str, data: str, key: bytes) -> Prepared:
    return Prepared(NETWORK, CHAIN_ID, _address(f"buyer:{terms.buyer_id}", key), to, data, "0")


def _settlement_address(key: bytes) -> str:
    return _address("settlement", key)


def _address(name: str, key: bytes) -> str:
    return f"0x{blake2b(name.encode(), key=key, digest_size=20).hexdigest()}"


def _amount(amount_minor: int, currency: str) -> str:
    return f"{amount_minor * _BASE_UNITS_PER_MINOR[currency]:064x}"


def _tail(terms: Terms) -> str:
    return requirement_hash(terms).removeprefix("sha256:")


def described(terms: Terms, kind: ReceiptKind, amount_minor: int) -> dict[str, Any]:
    """Say for people what a prepared transaction is for."""
    return {
        "receipt_kind": kind.value,
        "requirement_id": terms.requirement_id,
        "requirement_hash": requirement_hash(terms),
        "merchant": terms.merchant,
        "amount_minor": amount_minor,
        "token_symbol": TOKENS[terms.currency],
        "expires_at": terms.expires_at,
    }
