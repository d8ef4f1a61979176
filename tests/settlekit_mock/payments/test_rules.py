import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.payments.rules import checkout, merchants
from settlekit_mock.payments.rules.checkout import SessionStatus
from settlekit_mock.payments.rules.readiness import STEPS, Facts, readiness

WAITING = (SessionStatus.OPEN, SessionStatus.AUTHENTICATED)
ENDED = tuple(status for status in SessionStatus if status not in WAITING)


@pytest.mark.parametrize("current", SessionStatus)
@pytest.mark.parametrize("wanted", SessionStatus)
def test_moves(current: SessionStatus, wanted: SessionStatus) -> None:
    """A waiting session may take any status but open again; an ended one none."""
    allowed = current in WAITING and wanted is not SessionStatus.OPEN
    assert checkout.may_become(current, wanted) is allowed


@pytest.mark.parametrize("status", WAITING)
def test_waiting_ends_at_expiry(status: SessionStatus) -> None:
    """A waiting session is over from its expiry on."""
    assert checkout.status_at(status, 10, 9) is status
    assert checkout.status_at(status, 10, 10) is SessionStatus.EXPIRED


@pytest.mark.parametrize("status", ENDED)
def test_what_ended_stays(status: SessionStatus) -> None:
    """A session that ended another way doesn't expire."""
    assert checkout.status_at(status, 10, 11) is status


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/done", "https://a.example/done?session_id=chk_1"),
        ("https://a.example", "https://a.example?session_id=chk_1"),
        ("https://a.example/?a=1&a=2&b=", "https://a.example/?a=1&a=2&b=&session_id=chk_1"),
        ("https://a.example/?session_id=x&a=%26", "https://a.example/?a=%26&session_id=chk_1"),
        ("https://a.example/#top", "https://a.example/?session_id=chk_1#top"),
        ("https://a.example/?", "https://a.example/?session_id=chk_1"),
        ("https://a.example/?a&b=%7e+%20;c", "https://a.example/?a&b=%7e+%20;c&session_id=chk_1"),
        ("https://a.example/?x=a/b:c@d,[1]", "https://a.example/?x=a/b:c@d,[1]&session_id=chk_1"),
        ("https://a.example/?a=%FF&ses%73ion_id=x", "https://a.example/?a=%FF&session_id=chk_1"),
        ("https://a.example/?session_id", "https://a.example/?session_id=chk_1"),
        ("https://a.example/#?session_id=x", "https://a.example/?session_id=chk_1#?session_id=x"),
    ],
)
def test_the_session_is_added(url: str, expected: str) -> None:
    """The session's id joins the query, once, and everything else stays as it was."""
    assert checkout.with_session(url, "chk_1") == expected


@pytest.mark.parametrize("name", STEPS)
def test_each_check_counts(name: str) -> None:
    """Each requirement alone makes a merchant unready, and is named with what to do."""
    met = dict.fromkeys(Facts._fields, True)
    unmet = Facts(**{**met, Facts._fields[list(STEPS).index(name)]: False})
    found = readiness(unmet)
    assert (found.ready, found.missing) == (False, (name,))
    assert [check.message for check in found.checks if not check.passed] == [STEPS[name]]


def test_all_checks_make_ready() -> None:
    """A merchant that meets every requirement is ready."""
    assert readiness(Facts(*[True] * len(Facts._fields))).ready


@given(st.lists(st.text()))
def test_any_origins(texts: list[str]) -> None:
    """Whatever is given as origins is normalised, once for ever, or refused."""
    try:
        found = merchants.origins(texts)
    except Invalid:
        return
    assert merchants.origins(found) == found


@given(st.text())
def test_any_merchant_key(text: str) -> None:
    """Whatever is given as a key is normalised, once for ever, or refused."""
    try:
        found = merchants.self_service_key(text)
    except Invalid:
        return
    assert merchants.self_service_key(found) == found


@given(st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_any_currencies(given_currencies: list[str] | dict[str, str]) -> None:
    """Whatever is given as currencies is the billing currency or both, or refused."""
    try:
        found = merchants.currencies(given_currencies, "JPY")
    except Invalid:
        return
    assert found in {("JPY",), ("JPY", "USD")}
