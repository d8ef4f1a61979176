"""References that tell nothing."""

import re

import pytest

from settlekit_mock.settlement.rules.references import buyer_period_ref, support_reference

KEY = b"the server's key"


def test_a_buyer_has_one_reference_within_a_period() -> None:
    """The same buyer, provider and period give the same reference, in every process."""
    reference = buyer_period_ref(KEY, "buyer", "provider", "period")
    assert reference == "bpr_9589f020836c927db9dc530a74404de0"


@pytest.mark.parametrize(
    "others",
    [
        (b"another key", "buyer", "provider", "period"),
        (KEY, "other", "provider", "period"),
        (KEY, "buyer", "other", "period"),
        (KEY, "buyer", "provider", "next"),
        (KEY, "buyerp", "rovider", "period"),
        (KEY, "buyer", "provide", "rperiod"),
    ],
)
def test_any_other_part_gives_another_reference(others: tuple[bytes, str, str, str]) -> None:
    """Another key, buyer, provider or period can't be told from chance; parts never run together."""
    assert buyer_period_ref(*others) != buyer_period_ref(KEY, "buyer", "provider", "period")


def test_a_reference_shows_nothing_of_its_buyer() -> None:
    """A reference is hexadecimal digits of a keyed hash and nothing else."""
    assert re.fullmatch("bpr_[0-9a-f]{32}", buyer_period_ref(KEY, "buyer", "provider", "period"))


def test_a_failure_has_a_reference_to_read_out() -> None:
    """A support reference is three groups of four letters and digits without I, L, O and U."""
    reference = support_reference(KEY, "msb_1", 3)
    assert re.fullmatch("SUP(-[0-9A-HJKMNP-TV-Z]{4}){3}", reference)


def test_each_attempt_has_its_own_reference() -> None:
    """Another batch, attempt or key gives another support reference; the same the same."""
    one = support_reference(KEY, "msb_1", 3)
    assert one == support_reference(KEY, "msb_1", 3)
    others = {
        support_reference(KEY, "msb_1", 4),
        support_reference(KEY, "msb_2", 3),
        support_reference(b"another key", "msb_1", 3),
    }
    assert len(others | {one}) == 4
