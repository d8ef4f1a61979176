"""Databases in memory share what was compiled for one of them, and nothing else."""

import pytest

from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError
from settlekit_mock.kernel import memory

pytestmark = pytest.mark.sqlite


def live(mock: MockServer) -> int:
    """Settle a payment, and count what is compiled by then."""
    mock.buyers.create(buyer_id="b1")
    mock.usage("b1", merchant="sandbox_merchant", amount_minor=60, currency="JPY")
    mock.clock.advance(days=14)
    assert mock.check().ok
    return len(memory._compiled)


def test_a_further_mock_compiles_nothing_anew() -> None:
    """What one mock has asked of its database another asks without compiling it."""
    with MockServer() as first:
        compiled = live(first)
    with MockServer() as second:
        assert live(second) == compiled > 100


def test_mocks_side_by_side_have_each_its_own_rows() -> None:
    """A buyer of one mock is unknown to the other."""
    with MockServer() as one, MockServer() as other:
        one.buyers.create(buyer_id="b1")
        assert one.buyers.get("b1").buyer_id == "b1"
        with pytest.raises(ControlError) as unknown:
            other.buyers.get("b1")
    assert unknown.value.status == 404
