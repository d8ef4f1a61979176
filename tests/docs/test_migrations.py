"""The SQL that a page gives for a table makes the table that the code uses."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from settlekit.checkout_attempts.sqlalchemy import attempts_table
from settlekit.webhooks.sqlalchemy import inbox_table

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "exactly-once.md"
TABLES = {
    "settlekit_webhook_events": inbox_table,
    "settlekit_checkout_attempts": attempts_table,
}


def statements():
    """Return the statements of the page's SQL fences."""
    fences = re.findall(r"^```sql\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [each.strip() for each in "".join(fences).split(";") if each.strip()]


def described(engine):
    """Say what there is in a database: columns with types and nulls, keys, indexes."""
    found = sa.inspect(engine)
    return {
        name: (
            [(each["name"], str(each["type"]), each["nullable"]) for each in columns],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((each["name"], each["column_names"]) for each in found.get_indexes(name)),
        )
        for name in found.get_table_names()
        if (columns := found.get_columns(name))
    }


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    """An engine on an empty database."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    made = sa.create_engine(url)
    yield made
    made.dispose()


def test_the_pages_sql_makes_the_tables(engine):
    """On either database the tables are those of inbox_table and attempts_table, to the index."""
    with engine.begin() as connection:
        for statement in statements():
            connection.execute(sa.text(statement))
    written = described(engine)
    assert written.keys() == TABLES.keys()
    with engine.begin() as connection:
        for name in TABLES:
            connection.execute(sa.text(f"drop table {name}"))
    metadata = sa.MetaData()
    for add in TABLES.values():
        add(metadata)
    metadata.create_all(engine)
    assert described(engine) == written
