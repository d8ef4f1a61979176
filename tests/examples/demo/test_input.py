"""What can't be played is said in one line that names the place, before anything starts."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples.demo.orders import BadFile, read_month

HEADER = "order_id,placed_at,customer,channel,item,amount_minor,currency"
GOOD = "o-1,2026-03-02T09:00:00Z,aiko,web,Album,2400,JPY"


def line(**changes: str) -> str:
    names = HEADER.split(",")
    cells = dict(zip(names, GOOD.split(","), strict=True)) | {"order_id": "o-2"} | changes
    return ",".join(cells[name] for name in names)


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (line(amount_minor="12.5"), "amount_minor '12.5' isn't a whole, positive number"),
        (line(amount_minor="0"), "amount_minor '0' isn't"),
        (line(amount_minor="-5"), "amount_minor '-5' isn't"),
        (line(amount_minor="1e3"), "amount_minor '1e3' isn't"),
        (line(amount_minor="９００"), "amount_minor '９００' isn't"),
        (line(amount_minor="9007199254740992"), "isn't a whole, positive number"),
        (line(amount_minor="90000000000"), "the JPY orders come to more than the mock holds"),
        (line(currency="EUR"), "currency 'EUR' is neither JPY nor USD"),
        (line(currency="jpy"), "currency 'jpy' is neither JPY nor USD"),
        (line(channel="shop"), "channel 'shop' is neither web nor agent"),
        (line(channel="agent"), "2400 JPY is a standard amount: it goes through web"),
        (line(order_id="o-1"), "order_id 'o-1' was used in line 2"),
        (line(order_id="o:1"), "order_id 'o:1' has a colon"),
        (line(order_id=" "), "order_id is empty"),
        (line(customer=""), "customer is empty"),
        (line(item="x" * 101), "item is longer than 100 characters"),
        (line(item='"two\nlines"'), "item 'two\\nlines' has characters that can't be printed"),
        (line(placed_at="2026-03-02"), "placed_at '2026-03-02' isn't an instant such as"),
        (line(placed_at="2026-03-02T09:00:00"), "isn't an instant such as"),
        (line(placed_at="2026-02-30T09:00:00Z"), "isn't an instant such as"),
        (line(placed_at="1999-12-31T23:59:59Z"), "isn't between 2000 and 2100"),
        (line(placed_at="0001-01-01T00:00:00+14:00"), "isn't an instant such as"),
        ("o-2,2026-03-02T09:00:00Z,aiko", "it has 3 cells, the header 7"),
        ('o-2,"open', "it isn't CSV"),
    ],
)
def test_bad_line_is_named(play, second, problem):
    """A line that can't be an order is named with what is wrong with it, and nothing starts."""
    told = play(GOOD, second)
    assert (told.code, told.out) == (2, "")
    assert "month.csv, line " in told.err
    assert problem in told.err
    assert told.err.count("\n") == 1
    assert not told.output.exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (HEADER.encode() + b"\n", "there is no order in it"),
        (b"order_id,placed_at\no-1,2026\n", "line 1: the header lacks customer, channel, item"),
        (b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n", "line 2: byte 0xe2 isn't UTF-8"),
        ((HEADER + "\n" + line(item="caf\xe9") + "\n").encode("latin-1"), "line 2: byte 0xe9"),
        (HEADER.encode("utf-16"), "byte 0xff isn't UTF-8"),
        (b'{"orders": []}\n', "line 1: the header lacks"),
        (HEADER.replace(",", ";").encode(), f"columns {HEADER.replace(',', ', ')}, in any order"),
        ((HEADER + ",item\n" + GOOD + ",x\n").encode(), "the header has item twice"),
        (b"\x00\x01\x02", "line 1: "),
    ],
)
def test_file_that_is_no_list_of_orders_is_refused(play, content, problem):
    """A file that is empty, no CSV, not UTF-8 or of other columns is refused in one line."""
    told = play(content=content)
    assert (told.code, told.out) == (2, "")
    assert problem in told.err
    assert told.err.count("\n") == 1


def test_missing_file_is_refused(play, tmp_path):
    """A file that isn't there is refused in one line."""
    (tmp_path / "customers.csv").mkdir()
    told = play(GOOD)
    assert told.code == 0
    with pytest.raises(Exception, match="it can't be read"):
        read_month(tmp_path / "no.csv")


@pytest.mark.parametrize(
    ("customers", "problem"),
    [
        ("customer,timezone\naiko,Asia/Nowhere\n", "line 2: timezone 'Asia/Nowhere' isn't"),
        ("customer,timezone\naiko,../etc/passwd\n", "line 2: timezone '../etc/passwd' isn't"),
        ("customer,timezone\naiko,\n", "line 2: timezone '' isn't"),
        ("customer,timezone\naiko,UTC\naiko,Asia/Tokyo\n", "line 3: 'aiko' has another"),
        ("name,timezone\naiko,UTC\n", "line 1: the header lacks customer"),
    ],
)
def test_bad_customers_are_named(play, customers, problem):
    """A line of customers.csv that can't be is named like one of the orders."""
    told = play(GOOD, customers=customers)
    assert told.code == 2
    assert f"customers.csv, {problem}" in told.err


def test_output_that_is_a_file_is_refused(play, tmp_path):
    """An output that can't be written is refused in one line, before anything starts."""
    (tmp_path / "out").write_text("a file")
    told = play(GOOD)
    assert (told.code, told.out) == (2, "")
    assert "put: it can't be written (Not a directory)" in told.err


def test_lines_are_sorted_by_time(tmp_path):
    """Orders are played by time; those of one instant stay in the file's order."""
    times = ("2026-03-05T00:00:00Z", "2026-03-02T01:00:00+01:00", "2026-03-02T00:00:00Z")
    lines = [line(order_id=f"o-{n}", placed_at=at) for n, at in enumerate(times)]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(["\ufeff" + HEADER, *lines, "", ""]), "utf-8")
    month = read_month(path)
    assert [order.order_id for order in month.orders] == ["o-1", "o-2", "o-0"]
    assert month.sorted_count == 1
    assert month.starts_at == datetime(2026, 3, 1, tzinfo=UTC)


def test_customer_without_a_line_lives_in_utc(tmp_path):
    """Whoever isn't in customers.csv lives in UTC."""
    (tmp_path / "orders.csv").write_text(f"{HEADER}\n{GOOD}\n{line(customer='ren')}\n", "utf-8")
    (tmp_path / "customers.csv").write_text("customer,timezone\nren,Asia/Tokyo\n", "utf-8")
    month = read_month(tmp_path / "orders.csv")
    assert month.timezones == {"aiko": "UTC", "ren": "Asia/Tokyo"}


CELLS = st.one_of(st.sampled_from(GOOD.split(",")), st.text(max_size=12), st.just('"'))
FILES = st.one_of(
    st.binary(max_size=120),
    st.lists(st.lists(CELLS, max_size=8).map(",".join), max_size=4).map(
        lambda lines: "\n".join([HEADER, GOOD, *lines]).encode(errors="replace")
    ),
)


ZONES = st.one_of(
    st.sampled_from(
        ["Asia/Tokyo", "UTC", "", "Asia", "../etc/passwd", "/etc/localtime", "posixrules", "aiko"]
    ),
    st.text(max_size=12),
)
CUSTOMERS = st.one_of(
    st.binary(max_size=120),
    st.lists(st.lists(ZONES, max_size=3).map(",".join), max_size=5).map(
        lambda lines: "\n".join(["customer,timezone", *lines]).encode(errors="replace")
    ),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CUSTOMERS)
def test_no_customers_break_the_reader(content: bytes, tmp_path: Path) -> None:
    """Whatever is in customers.csv: each customer has a zone there is, or one line says where not."""
    (tmp_path / "month.csv").write_text(f"{HEADER}\n{GOOD}\n", "utf-8")
    path = tmp_path / "customers.csv"
    path.write_bytes(content)
    try:
        month = read_month(tmp_path / "month.csv")
    except BadFile as error:
        told = str(error)
        assert str(path) in told
        assert told.isprintable()
    else:
        assert set(month.timezones) == {"aiko"}
        assert ZoneInfo(month.timezones["aiko"]).key


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=FILES)
def test_no_file_breaks_the_reader(content: bytes, tmp_path: Path) -> None:
    """Whatever is in a file: it is a month of orders, or one line says where it isn't."""
    path = tmp_path / "month.csv"
    path.write_bytes(content)
    try:
        month = read_month(path)
    except BadFile as error:
        told = str(error)
        assert str(path) in told
        assert told.isprintable()
    else:
        assert month.orders
