"""References that tell nothing: the buyer of a period to its provider, a failure to support.

Both are keyed hashes: stable for the same server, and not to be reversed or made without
its key.

Sources: docs/platform.md, "Statements" and "Attempts"; docs/decisions.md, "Statements".
"""

import hmac
from hashlib import sha256

# Crockford's alphabet: no letter is taken for a digit when it is read out.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _keyed_hash(key: bytes, *parts: str) -> bytes:
    # Each part behind its length, so that no two lists of parts read the same.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.digest(key, text.encode(), sha256)


def buyer_period_ref(key: bytes, buyer_id: str, provider_id: str, period_id: str) -> str:
    """Return what a provider calls a buyer within one period: ``bpr_`` + 32 hex digits.

    Another period, provider or buyer gives another; ``key`` is the server's secret.
    """
    return f"bpr_{_keyed_hash(key, 'buyer_period', buyer_id, provider_id, period_id)[:16].hex()}"


def support_reference(key: bytes, settlement_batch_id: str, attempt_count: int) -> str:
    """Return what a buyer or provider quotes about one failed attempt: ``SUP-7K3M-9QWD-2F4H``."""
    drawn = _keyed_hash(key, "support", settlement_batch_id, str(attempt_count))
    letters = "".join(_ALPHABET[byte % 32] for byte in drawn[:12])
    return f"SUP-{letters[:4]}-{letters[4:8]}-{letters[8:]}"
