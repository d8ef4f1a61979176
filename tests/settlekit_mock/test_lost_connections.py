"""A database that goes away in the middle of a call: a clean error, and one effect in the end."""

from collections.abc import Iterator
from itertools import count

import pytest
from werkzeug.test import TestResponse

from settlekit_mock import MockServer
from tests.settlekit_mock.deeds import DEEDS, Deed, Site
from tests.settlekit_mock.losing import Loss

START = "2026-03-02T00:00:00Z"


@pytest.fixture
def site(postgresql_url: str) -> Iterator[Site]:
    with MockServer(db=postgresql_url, freeze_at=START) as mock:
        yield Site(mock)


def assert_come_again(answer: TestResponse) -> None:
    """Demand a retryable error in its route's own words, with nothing of the database in it."""
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json is not None
    error = answer.json["error"]
    if "request_id" in error:
        assert error["code"] == "database_unavailable"
    else:
        assert error["code"] == "DATABASE_UNAVAILABLE"
        assert set(answer.json["meta"]) == {"request_id", "trace_id"}
    assert "try again" in error["message"]
    for inside in ("SELECT", "psycopg", "terminating", "socket"):
        assert inside not in answer.text


def cut_anywhere(site: Site, deed: Deed, stride: int) -> None:
    """Cut a deed before each statement and around each commit, and repeat it until it holds."""
    before = site.count(deed.effects)
    with Loss(site.mock.world) as loss:
        for done in count(1):
            call = deed.prepare(site, done)
            loss.arm(1 + (done - 1) * stride)
            answer = call()
            loss.disarm()
            if loss.struck:
                assert_come_again(answer)
                answer = call()
            assert answer.status_code < 300, (loss.at, answer.text)
            assert site.count(deed.effects) == before + done, loss.at
            if not loss.struck:
                break
    assert done > 2
    assert site.told_once()
    assert site.balanced()
    assert site.mock.check().violations == []


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_a_call_that_is_cut_has_one_effect_when_it_is_repeated(site: Site, deed: Deed) -> None:
    """Wherever the database went away: 503, and the repeat does it once, and tells it once."""
    cut_anywhere(site, deed, stride=1 if deed.name == "adjust a wallet" else 7)


@pytest.mark.soak
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_a_call_that_is_cut_anywhere_has_one_effect(site: Site, deed: Deed) -> None:
    """At each place where a connection may break, none left out."""
    cut_anywhere(site, deed, stride=1)
