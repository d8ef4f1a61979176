"""The tests' own PostgreSQL server keeps one test's data from another's."""

import pytest
from sqlalchemy import create_engine, text

from tests import postgresql


@pytest.mark.parametrize("time", [1, 2])
def test_each_test_has_an_empty_database(postgresql_url: str, time: int) -> None:
    """The same table can be made in each test, though nobody dropped it, and it holds text."""
    engine = create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("create table once (word text)"))
        connection.execute(text("insert into once values ('納品')"))
        assert connection.execute(text("select word from once")).scalar_one() == "納品"
    engine.dispose()


def test_without_programs_it_skips_unless_they_must_be_there(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A machine without PostgreSQL skips and says so; with CI=true it fails."""
    monkeypatch.setattr(postgresql, "_binaries", lambda: None)
    start = postgresql.postgresql_server.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="aren't installed"):
        next(start())
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="aren't installed"):
        next(start())
