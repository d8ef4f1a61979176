"""What the strategies draw is what it says."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import PayloadError, SignatureError, webhooks
from settlekit.money import band_of
from settlekit.testing import strategies

SECRET = "whsec_of_a_property"
NOW = 1_770_000_000


@pytest.mark.parametrize("kind", strategies.KINDS)
def test_events_are_of_their_kind(kind):
    """A drawn event is proven, read and of the kind that was asked for."""

    @given(strategies.deliveries(SECRET, NOW, kinds=[kind]))
    def check(delivery):
        event = webhooks.verify(*delivery, SECRET, now=lambda: NOW)
        assert webhooks.interpret(event).kind == kind

    check()


@given(strategies.events(kinds=["standard_settled", "metered_usage_accepted"]))
def test_an_amount_is_of_its_band(event):
    """The platform chooses the band by the amount alone, and so does what is drawn."""
    data = event["data"]
    assert band_of(data["amount_minor"], data["currency"]) == data["pricing_band"]


@given(strategies.tampered(SECRET, NOW))
def test_what_was_tampered_with_is_refused(delivery):
    """Whatever was changed, nobody takes it."""
    with pytest.raises((SignatureError, PayloadError)):
        webhooks.verify(*delivery, SECRET, now=lambda: NOW)


@given(st.integers(0, 5).flatmap(lambda n: st.tuples(st.just(n), strategies.schedules(n))))
def test_a_schedule_has_every_event(drawn):
    """Each at least once and at most three times."""
    count, schedule = drawn
    times = Counter(schedule)
    assert sorted(times) == list(range(count))
    assert all(1 <= each <= 3 for each in times.values())
