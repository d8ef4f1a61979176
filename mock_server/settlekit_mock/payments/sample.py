"""A settled standard payment that never was: the data of a test webhook."""

from settlekit.challenge import challenge_hash, request_hash_v2, sign
from settlekit_mock.kernel.times import to_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.tables import merchants_of

_AMOUNT_MINOR = 1_200


def settled_payment(tx: Transaction, owner: str) -> dict[str, object]:
    """Return every field of a settled standard payment to the owner's first merchant.

    Ids say ``test``, so that nobody takes them for a payment's.
    """
    merchants = merchants_of(tx.connection, owner)
    merchant = merchants[0].merchant if merchants else tx.world.settings.merchant
    terms = {"merchant": merchant, "amount_minor": _AMOUNT_MINOR, "currency": "JPY"}
    challenge = sign(secret="test", nonce="test", **terms)  # type: ignore[arg-type]
    return {
        "mode": "external_402",
        **terms,
        "token_symbol": "JPYC",
        "requirement_id": "dpr_test",
        "direct_payment_requirement_id": "dpr_test",
        "challenge_hash": challenge_hash(challenge),
        "request_hash_v2": request_hash_v2(challenge=challenge, **terms),  # type: ignore[arg-type]
        "status": "confirmed",
        "pricing_band": "standard",
        "settlement_cadence": "per_payment",
        "finality": "per_payment_onchain",
        "settlement_status": "settled",
        "chain_receipt_id": "chain_test",
        "settled_at": to_text(tx.now),
    }
