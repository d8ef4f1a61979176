import hashlib

from hypothesis import given
from hypothesis import strategies as st

from settlekit.digest import SEED, UsageDigest, extend, render

ROW = {
    "metered_usage_id": "mu_1",
    "created_at": "2026-03-01T00:00:00.000Z",
    "provider_gross_amount_minor": "100",
    "protocol_fee_minor": "2",
}
cells = st.text(st.characters(exclude_categories=["Cs"]))
rows = st.fixed_dictionaries(dict.fromkeys(ROW, cells))


def test_no_rows_have_the_seed() -> None:
    """The chain starts at the hash of its name."""
    assert UsageDigest().value == "sha256:" + hashlib.sha256(b"sdrp-usage-v1").hexdigest()


def test_a_link_hashes_state_and_line() -> None:
    """One link is SHA-256 over the state before and the row's line."""
    line = b"mu_1|2026-03-01T00:00:00.000Z|100|2\n"
    assert extend(SEED, **ROW) == hashlib.sha256(SEED + line).digest()


@given(batch=st.lists(rows, max_size=5))
def test_the_accumulator_is_the_fold(batch: list[dict[str, str]]) -> None:
    """Adding rows one by one is the chain by hand."""
    digest, state = UsageDigest(), SEED
    for row in batch:
        digest.add(**row)
        state = extend(state, **row)
    assert digest.value == render(state)


def test_order_matters() -> None:
    """The same rows in another order have another digest."""
    one, two = UsageDigest(), UsageDigest()
    other = {**ROW, "metered_usage_id": "mu_2"}
    one.add(**ROW)
    one.add(**other)
    two.add(**other)
    two.add(**ROW)
    assert one.value != two.value
