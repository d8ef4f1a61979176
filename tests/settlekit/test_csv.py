import csv
import io
import time
from datetime import UTC, datetime
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit._csv import USAGE_ROWS, RowReader
from settlekit._report_rows import report_rows
from settlekit.digest import UsageDigest
from settlekit.errors import DecodeError
from settlekit.models import PayoutRow, UsageRow, UsageStatus
from tests.settlekit.wire import usage_event

HEADER = (
    "metered_usage_id,created_at,plan_type,settlement_cadence,period_start,period_end,listing_id,"
    "capability_key,operation_key,currency,token_symbol,provider_gross_amount_minor,"
    "provider_usage_amount_minor,provider_receivable_minor,protocol_fee_minor,"
    "gross_buyer_debit_minor,rounding_delta_minor,buyer_debit_minor,status,settlement_batch_id,"
    "buyer_period_ref"
)
COLUMNS = HEADER.split(",")


def cells(number: int = 1, **changes: str) -> list[str]:
    row = {**usage_event(number), "settlement_batch_id": "msb_1", "status": "settled", **changes}
    return [row[name] for name in COLUMNS]


def body(rows: list[list[str]], columns: list[str] | None = None, end: str = "\n") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([columns or COLUMNS, *rows])
    return text.getvalue().encode()


def read(content: bytes, size: int = 1 << 16) -> list[UsageRow]:
    reader = RowReader(USAGE_ROWS)
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    rows = [row for piece in pieces for row in reader.rows(piece)]
    reader.finish()
    return rows


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


def test_a_row_is_typed() -> None:
    """Amounts are Decimals, instants aware, states enums, empty cells None."""
    row = read(body([cells(operation_key="", buyer_debit_minor="0.2")]))[0]
    assert row.buyer_debit_minor == Decimal("0.2")
    assert row.created_at == datetime(2026, 3, 1, 0, 0, 0, 123000, tzinfo=UTC)
    assert row.status is UsageStatus.SETTLED
    assert row.operation_key is None


def test_the_columns_are_the_published_ones() -> None:
    """Names and order of the file are fixed."""
    assert ",".join(USAGE_ROWS.columns) == HEADER
    assert USAGE_ROWS.columns == tuple(f.name for f in attrs.fields(UsageRow))


@given(
    labels=st.lists(st.tuples(texts, texts), max_size=5),
    size=st.integers(1, 400),
)
def test_pieces_of_any_size_give_the_same_rows(labels: list[tuple[str, str]], size: int) -> None:
    """Quotes, commas, line ends and letters of all scripts may fall on any boundary."""
    rows = [
        cells(number, listing_id=listing, operation_key=operation)
        for number, (listing, operation) in enumerate(labels)
    ]
    content = body(rows, end="\r\n")  # this writer quotes a lone carriage return only then
    got = read(content, size)
    assert [(row.listing_id or "", row.operation_key or "") for row in got] == labels
    assert got == read(content)


@pytest.mark.parametrize("repeated", [b"\n", b'""\n', b"a"])
def test_a_trickle_costs_what_a_whole_body_does(repeated: bytes) -> None:
    """A record that never ends, come byte by byte, is looked at once: time grows with its length."""
    reader = RowReader(USAGE_ROWS)
    began = time.process_time()
    for piece in (b'"', *[repeated] * 20_000):
        reader.records(piece)
    assert time.process_time() - began < 2.0
    with pytest.raises(DecodeError, match="cut in the middle of a record"):
        reader.finish()


def test_the_digest_is_the_chain_over_the_rows() -> None:
    """What was read hashes to what anyone computes by hand."""
    rows = [cells(number, provider_gross_amount_minor=str(50 + number)) for number in range(7)]
    digest = UsageDigest()
    for row in rows:
        named = dict(zip(COLUMNS, row, strict=True))
        digest.add(
            metered_usage_id=named["metered_usage_id"],
            created_at=named["created_at"],
            provider_gross_amount_minor=named["provider_gross_amount_minor"],
            protocol_fee_minor=named["protocol_fee_minor"],
        )
    reader = RowReader(USAGE_ROWS)
    reader.rows(body(rows))
    assert reader.digest == digest.value


CUTTABLE = body([cells(1, operation_key='say "yes",\nor no'), cells(2)])
ENDS = {len(body([])), len(body([cells(1, operation_key='say "yes",\nor no')]))}


@given(cut=st.sampled_from([at for at in range(len(CUTTABLE)) if at not in ENDS]))
def test_a_file_cut_inside_a_record_never_looks_whole(cut: int) -> None:
    """Wherever the cut is, reading it ends in an error."""
    with pytest.raises(DecodeError, match=r"cut in the middle|no header"):
        read(CUTTABLE[:cut])


def test_more_columns_and_another_order_are_read_by_name() -> None:
    """A newer server may add columns; names find the cells."""
    columns = ["new", *reversed(COLUMNS)]
    row = ["x", *reversed(cells())]
    assert read(body([row], columns)) == read(body([cells()]))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no header @ row 1"),
        (b"a,b\n", "missing column metered_usage_id @ row 1"),
        (body([cells()[:-1]]), "20 cells where 21 belong @ row 1"),
        (body([cells(), [*cells(), "x"]]), "22 cells where 21 belong @ row 2"),
        (body([cells(), cells(buyer_debit_minor="1e5")]), "decimal string: '1e5' @ row 2"),
        (body([cells(buyer_debit_minor="１")]), "decimal string: '１' @ row 1"),
        (body([cells(created_at="2026-03-01 00:00:00")]), "RFC 3339 instant: .* @ row 1"),
        (body([cells(period_end="soon")]), "RFC 3339 instant: 'soon' @ row 1"),
        (b"\xff\n", "can't decode byte 0xff .* @ row 1"),
        (HEADER.encode() + b'\n"' + b"x" * (1 << 21), "record without an end @ row 1"),
        (HEADER.encode() + b"\nmu_\x00," + b"," * 19 + b"\n", "@ row 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_malformed_file_says_where(content: bytes, problem: str) -> None:
    """A DecodeError has the problem and the row."""
    with pytest.raises(DecodeError, match=problem):
        read(content)


@given(content=st.binary(max_size=200))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    """Whatever comes, rows or a DecodeError."""
    with pytest.raises(DecodeError):
        read(content)


@st.composite
def spoiled_files(draw: st.DrawFn) -> bytes:
    """Draw a good file in which some bytes, and whole cells, were replaced."""
    rows = [cells(number) for number in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.sampled_from(rows))
        row[draw(st.integers(0, len(row) - 1))] = draw(STRANGE)
    whole = body(rows)
    start = draw(st.integers(0, len(whole)))
    noise = draw(st.binary(max_size=6) | st.sampled_from([b'"', b"\r\n", b"\x00", b",,", b"\n\n"]))
    return whole[:start] + noise + whole[start + draw(st.integers(0, 3)) :]


STRANGE = st.text(max_size=12) | st.sampled_from(
    ["", "１", "1e5", "-0", "9" * 70, "NaN", "0000-01-01T00:00:00Z", "9999-12-31T23:59:60.9+23:59"]
)


@given(content=spoiled_files(), cuts=st.lists(st.integers(0, 2000), max_size=6))
def test_no_spoiled_file_breaks_the_reader(content: bytes, cuts: list[int]) -> None:
    """Whatever became of a good file, rows or a DecodeError, wherever the network cuts it."""
    ends = sorted({min(each, len(content)) for each in cuts} | {len(content)})
    pieces = [content[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    assert outcome(pieces) == outcome([content])


def outcome(pieces: list[bytes]) -> tuple[str, object]:
    """Return the rows, or that there was an error: where in the file it is found first may differ."""
    reader: RowReader[UsageRow] = RowReader(USAGE_ROWS)
    try:
        found = [row for piece in pieces for row in reader.rows(piece)]
        reader.finish()
    except DecodeError:
        return "refused", None
    return reader.digest, found


def test_a_byte_order_mark_is_no_column() -> None:
    """A file that went through a spreadsheet's hands still has its header."""
    assert read(b"\xef\xbb\xbf" + body([cells()])) == read(body([cells()]))


def test_a_payout_is_typed() -> None:
    """The report's rows have Decimals of major units and states."""
    content = (
        b"created_at,updated_at,payout_id,developer_id,developer_email,amount_usd,status,provider,"
        b"provider_payout_id\n"
        b"2026-03-01T00:00:00.000Z,,po_1,dev_1,,12.50000000,paid,mock,po_mock_1\n"
    )
    reader = RowReader(report_rows(PayoutRow, None))
    [row] = reader.rows(content)
    reader.finish()
    assert isinstance(row, PayoutRow)
    assert (row.amount_usd, row.status, row.updated_at) == (Decimal("12.5"), "paid", None)
    assert (row.amount, row.currency) == (None, None)


def test_a_payout_in_another_currency_says_which() -> None:
    """Its amount has no dollars in its name."""
    content = (
        b"created_at,updated_at,payout_id,developer_id,developer_email,currency,amount,status,"
        b"provider,provider_payout_id\n"
        b"2026-03-01T00:00:00.000Z,2026-03-02T00:00:00.000Z,po_1,dev_1,,JPY,3920.00000000,pending,,\n"
    )
    [row] = RowReader(report_rows(PayoutRow, "JPY")).rows(content)
    assert (row.amount, row.currency, row.amount_usd) == (Decimal(3920), "JPY", None)
    assert (row.status, row.provider) == ("pending", None)
